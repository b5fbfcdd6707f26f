/* asking.h -- one question through pith ask, and what is to be said about the answer. */
#ifndef PITH_EVAL_ASKING_H
#define PITH_EVAL_ASKING_H

#include "eval/job.h"

enum {
    ASKED_EM, ASKED_F1, ASKED_CONTAINS, ASKED_REFUSED, ASKED_CONTEXT_RECALL,
    ASKED_CONTEXT_TOKENS, ASKED_CONFIDENCE, ASKED_FIRST_MS, ASKED_TOTAL_MS,
    ASKED_QUOTES, ASKED_MISQUOTED, ASKED_IN_TIME, N_ASKED
};
extern const char *const asked_name[N_ASKED];

/* The options of a question as the job has them. */
pith_ask_options asking_options(const Job *j);

/* What a question brought beside its figures. */
typedef struct Asked {
    Str text;       // the answer, in the job's arena
    bool read;      // the generator was run at all
} Asked;

/* Asks and fills row (N_ASKED). The answer is scored without its marks; a refusal scores
 * 0. context_recall is 1 where the passages read hold an accepted answer. */
MUST_USE Status asking_one(const Job *j, pith *p, const Question *q,
                           const pith_ask_options *o, double *row, Asked *out);

/* The figures of a table of such rows, in the contract's order. */
MUST_USE Status asking_tell(const Job *j, const Table *t);

#endif
