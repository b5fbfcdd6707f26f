/* filter.c -- what the filter before generation takes out, and what it costs.
 *
 * Each question's context is made twice, with the filter and without, within the same
 * budget and without the model writing. A context holds the answer when one of its
 * passages, as the model would read it, contains an accepted one. */
#include "eval/asking.h"
#include "eval/verbs.h"

enum { BEFORE_RECALL, AFTER_RECALL, BEFORE_TOKENS, AFTER_TOKENS, N_FILTERED };
static const char *const filtered_name[N_FILTERED] = {
    "answer_recall_before", "answer_recall_after", "tokens_before", "tokens_after",
};

static Status context(const Job *j, pith *p, const Question *q, bool filter,
                      double *recall, double *tokens)
{
    double row[N_ASKED];
    Asked asked;
    pith_ask_options o = asking_options(j);
    o.context_only = 1;
    o.no_abstain = 1;
    o.no_filter = !filter;
    TRY(asking_one(j, p, q, &o, row, &asked));
    *recall = row[ASKED_CONTEXT_RECALL];
    *tokens = row[ASKED_CONTEXT_TOKENS];
    return OK;
}

static Status filter_all(const Job *j, pith *p, const Set *s, Table *t)
{
    for (size_t i = 0; i < s->questions.n; i++) {
        const Question *q = &s->questions.at[i];
        job_progress(j, i, s->questions.n, "questions");
        if (q->n_answers == 0) continue;
        double *row = table_row(t, q->id);
        TRY(context(j, p, q, false, &row[BEFORE_RECALL], &row[BEFORE_TOKENS]));
        TRY(context(j, p, q, true, &row[AFTER_RECALL], &row[AFTER_TOKENS]));
        TRY(table_tell(j->cx, t, q->text, STR("")));
    }
    if (t->n == 0)
        return fail(j->cx, E_FORMAT,
                    "no question has \"answers\": nothing can be looked for");
    return OK;
}

static void tell(const Job *j, const Table *t)
{
    double before = table_mean(t, BEFORE_TOKENS), after = table_mean(t, AFTER_TOKENS);
    job_count(j, "queries", t->n);
    job_figure(j, "tokens_removed", before > 0 ? 1 - after / before : 0);
    for (int i = 0; i < N_FILTERED; i++)
        job_figure(j, filtered_name[i], table_mean(t, i));
}

Status eval_filter(const Job *j)
{
    Set s;
    Table t;
    pith *p = NULL;
    TRY(job_read(j, false, &s));
    TRY(table_new(j->cx, filtered_name, N_FILTERED, s.questions.n, &t));
    TRY(job_store(j, &s.corpus, true, &p));
    Status st = filter_all(j, p, &s, &t);
    pith_close(p);
    TRY(st);
    tell(j, &t);
    return job_per_query(j, &t);
}
