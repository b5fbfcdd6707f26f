/* pair.h -- one question, answered by the small model and by the large one over the same
 * passages.
 *
 * An answer is kept under all that it depends on: who wrote, the question, the passages
 * as they were read. So a second evaluation asks nobody, and one with another filter or
 * chunk size asks anew. */
#ifndef PITH_EVAL_PAIR_H
#define PITH_EVAL_PAIR_H

#include "eval/job.h"
#include "eval/kept.h"

/* Columns of a table of pairs; the router's features follow. */
enum {
    PAIR_SMALL, PAIR_LARGE,     // quality of the answers, [0,1]
    PAIR_SCORE, PAIR_DRAFT,     // the router's, [0,1], before and with the draft
    PAIR_ASKED,                 // 0: refused by both, as no passage was near
    PAIR_TOKENS, PAIR_COST,     // what the large model's answer takes
    PAIR_FEATURES
};

/* An empty table of pairs. */
MUST_USE Status pairs_new(Ctx *cx, size_t max, Table *out);
/* Is this such a table? E_FORMAT: a column of pairs_new is absent or elsewhere. */
MUST_USE Status pairs_check(Ctx *cx, const char *name, const Table *t);
/* The answers of earlier evaluations, in the user's cache. */
MUST_USE Status pairs_kept(Ctx *cx, Kept **out);

/* Asks both, where that was not done before, and fills the row. The quality of an answer
 * is 1 where an accepted one stands in it, else its F1; where only yes, no and maybe are
 * accepted, its first of these words decides. Without accepted answers the large one's
 * answer is the measure: it has 1, the small one the F1 against it. *decision_ms is what
 * the router took before there is a draft, NAN where nobody was asked. E_NET: the large
 * model did not answer, or the owner's rules keep the question here. */
MUST_USE Status pair_ask(const Job *j, pith *p, Kept *k, const Question *q, double *row,
                         double *decision_ms);

/* Quality of a text, its marks included, as above. E_MEMORY. */
MUST_USE Status pair_quality(Ctx *cx, Str text, const Str *answers, size_t n,
                             double *out);

#endif
