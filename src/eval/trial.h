/* trial.h -- a question put to pith as far as the threshold: how sure is it that a
 * passage answers, and does one?
 *
 * A trial is wrong where no passage answers: the question is marked as unanswerable, or
 * no passage that the model would read holds an accepted answer or comes from a document
 * known to be right.
 *
 * Masked, every second question (by a fixed draw) is asked as if its documents were not
 * there. Each question is asked once, so that trials do not depend on one another. */
#ifndef PITH_EVAL_TRIAL_H
#define PITH_EVAL_TRIAL_H

#include "eval/job.h"
#include "eval/risk.h"

enum { TRIAL_SCORE, TRIAL_WRONG, TRIAL_MASKED, N_TRIAL };
extern const char *const trial_name[N_TRIAL];

typedef struct Trial {
    const Question *question;
    const Str *right;       // documents that answer it, as pith names them
    size_t n_right;
    bool mask;              // ask without these
} Trial;

/* A table with these columns. */
MUST_USE Status trials_new(Ctx *cx, size_t max, Table *out);
/* One question. TRIAL_SCORE is the logit of the confidence that the program itself has,
 * without a calibration. */
MUST_USE Status trial_run(const Job *j, pith *p, const Trial *t, double *row);
/* All questions of a collection of which it is known whether they have an answer. On
 * failure out has the rows that were done. */
MUST_USE Status trials_of_folder(const Job *j, const char *dir, Table *out);
/* The user's own questions to the user's own store. */
MUST_USE Status trials_of_file(const Job *j, pith *p, const char *path, Table *out);
/* n questions that the small model writes from passages of the store; masked. Fewer come
 * where the store has fewer passages, or the model writes no questions. */
MUST_USE Status trials_self_made(const Job *j, pith *p, size_t n, Table *out);

/* The first draw for place i: is it one of the half that is masked? */
bool trial_is_masked(size_t i);
/* The rows as risk.h wants them, in cx. */
MUST_USE Status trials_scored(Ctx *cx, const Table *t, Scored **out);

/* What the options promise: a risk of .1 with confidence .95 where they do not say.
 * E_ARG: no share between 0 and 1. */
MUST_USE Status trials_promise(const Job *j, Promise *out);

#endif
