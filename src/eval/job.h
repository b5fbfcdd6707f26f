/* job.h -- what the evaluations share: one job, its collection, its store, its result. */
#ifndef PITH_EVAL_JOB_H
#define PITH_EVAL_JOB_H

#include "base/ctx.h"
#include "eval/collection.h"
#include "eval/eval.h"
#include "eval/options.h"
#include "eval/table.h"

#include <jansson.h>

typedef struct Job {
    Ctx *cx;
    const EvalEnv *env;
    const EvalOptions *opt;
    json_t *result;       // an object; the evaluation fills it
} Job;

/* A collection as the job's options name it. */
typedef struct Set {
    Corpus corpus;
    Questions questions;  // cut to --skip and --limit
    Qrels qrels;
} Set;

/* Reads DIR/corpus.jsonl, the questions and the judgements; says how many judgements
 * name documents or questions that are not there. need_qrels false: none is no error.
 * E_FORMAT: no judgement names a document of the corpus. */
MUST_USE Status job_read(const Job *j, bool need_qrels, Set *out);

/* Leaves --limit questions, without the first --skip. E_FORMAT: none is left. */
MUST_USE Status job_cut(const Job *j, Questions *qs);

/* Opens a store of the collection, kept in the user's cache under a name made of the
 * corpus file's path, size and time, the embedder and the chunk size, so that the next
 * evaluation finds it; fills it if index is true and it is not full. The caller closes
 * *out, which is NULL on failure. */
MUST_USE Status job_store(const Job *j, const Corpus *corpus, bool index, pith **out);
/* Opens the user's own store. */
MUST_USE Status job_open(const Job *j, const char *store, pith **out);

/* Records what pith said as the job's error, which is never E_ARG: that is for wrong
 * usage. */
Status job_why(const Job *j, const pith_error *why);
void job_warn(const Job *j, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void job_progress(const Job *j, size_t done, size_t total, const char *unit);
/* Adds one figure to the result. */
void job_figure(const Job *j, const char *name, double value);
void job_count(const Job *j, const char *name, size_t value);
/* Writes the table where --per-query says. */
MUST_USE Status job_per_query(const Job *j, const Table *t);

#endif
