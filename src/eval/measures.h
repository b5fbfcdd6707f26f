/* measures.h -- the measures of one run, question by question. */
#ifndef PITH_EVAL_MEASURES_H
#define PITH_EVAL_MEASURES_H

#include "eval/collection.h"
#include "eval/table.h"

enum { NDCG10, RECALL100, MRR10, MAP, RECALL10, NDCG10_EXP, N_MEASURES };
extern const char *const measure_name[N_MEASURES];

/* One row for each question that has a relevant document, as trec_eval -c does: one that
 * the run lacks counts 0. E_FORMAT: there is no such question. */
MUST_USE Status measure_run(Ctx *cx, const Questions *qs, const Qrels *qrels,
                            const Run *run, Table *out);
/* True where a judgement of the question names a relevant document. */
bool measure_counts(const Qrels *qrels, Str question);

#endif
