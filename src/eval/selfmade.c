/* selfmade.c -- questions that the small model writes from the store's own passages, for
 * an owner who has none.
 *
 * A question is put to the whole store, or, masked, to the store without the document
 * that it was made from: then it has no answer there. A made question may be a poor one
 * that its passage does not answer; it counts as answered all the same when that document
 * comes back, so that such a set is the second best: it measures whether pith finds the
 * place again. */
#include "eval/trial.h"

#include <string.h>

static const char instruction[] =
    "You write one short question that the passage answers. Name the thing that it is "
    "about, so that the question is clear to somebody who has not seen the passage. "
    "Reply with the question alone.";

enum { LONGEST = 300, SHORTEST = 12, PASSAGE_MAX = 4000, QUESTION_TOKENS = 48 };
enum { SEED = 5, SPARE = 2 };   // passages drawn for a question wanted

/* The question in what the model said: its first line, if that is one. */
static Str question_in(Str said)
{
    said = str_trim(said);
    const char *end = memchr(said.p, '\n', said.n);
    if (end) said.n = (size_t)(end - said.p);
    said = str_trim(said);
    bool quoted = said.n > 1 && said.p[0] == '"' && said.p[said.n - 1] == '"';
    if (quoted) said.p++, said.n -= 2;
    bool usable = said.n >= SHORTEST && said.n <= LONGEST && said.p[said.n - 1] == '?';
    if (!usable || memmem(said.p, said.n, "passage", 7)) return (Str){ "", 0 };
    return said;
}

/* *out has n = 0 where the model wrote no question. */
static Status write_question(const Job *j, pith *p, const pith_passage *from, Str *out)
{
    const pith_message system = { "system", instruction };
    const pith_ask_options o = { .ground = PITH_CLOSED_BOOK, .history = &system,
                                 .n_history = 1, .max_tokens = QUESTION_TOKENS,
                                 .route = PITH_ROUTE_SLM };
    pith_answer *a = NULL;
    pith_error why;
    Str prompt = ctx_printf(j->cx, "Passage (%s):\n%.*s", from->title, PASSAGE_MAX,
                            from->text);
    TRY_NEW(prompt.p);
    if (pith_ask(p, prompt.p, &o, &a, &why) != PITH_OK) return job_why(j, &why);
    *out = ctx_dup(j->cx, question_in(str_z(a->text)));
    pith_answer_free(a);
    return out->p ? OK : E_MEMORY;
}

static Status try_passage(const Job *j, pith *p, const pith_passage *from, Table *t)
{
    Question q = { .id = ctx_printf(j->cx, "%zu", t->n + 1) };
    Str document = ctx_dup(j->cx, str_z(from->document));
    TRY_NEW(q.id.p);
    TRY_NEW(document.p);
    TRY(write_question(j, p, from, &q.text));
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
