/* selfmade.c -- questions that the small model writes from the store's own passages, for
 * an owner who has none.
 *
 * A question is put to the whole store, or, masked, to the store without the document
 * that it was made from: then it has no answer there. A made question may be a poor one
 * that its passage does not answer; it counts as answered all the same when that document
 * comes back, so that such a set is the second best: it measures whether pith finds the
 * place again. */
#include "eval/trial.h"
#include "eval/writer.h"

enum { SEED = 5, SPARE = 2 };   // passages drawn for a question wanted

static Status try_passage(const Job *j, pith *p, const pith_passage *from, Table *t)
{
    Question q = { .id = ctx_printf(j->cx, "%zu", t->n + 1) };
    Str document = ctx_dup(j->cx, str_z(from->document));
    TRY_NEW(q.id.p);
    TRY_NEW(document.p);
    TRY(writer_question(j, p, from, &q.text));
    if (q.text.n == 0) return OK;
    Trial one = { &q, &document, 1, trial_is_masked(t->n) };
    return trial_run(j, p, &one, table_row(t, q.id));
}

Status trials_self_made(const Job *j, pith *p, size_t n, Table *out)
{
    pith_results *from = NULL;
    pith_error why;
    Status st = OK;
    TRY(trials_new(j->cx, n, out));
    if (pith_sample(p, SPARE * n, SEED, &from, &why) != PITH_OK) return job_why(j, &why);
    for (size_t i = 0; i < from->n && out->n < n && st == OK; i++) {
        job_progress(j, out->n, n, "questions written and asked");
        st = try_passage(j, p, &from->at[i], out);
    }
    pith_results_free(from);
    if (st == OK && out->n == 0)
        st = fail(j->cx, E_MODEL, "the model wrote no question from the passages of the "
                  "store: give a file of questions");
    return st;
}
