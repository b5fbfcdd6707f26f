/* questions.c -- the user's own questions to the user's own store, from a file of
 * {"question", "answers"?, "document"?} lines.
 *
 * "document" is a name that pith ls shows, or the end of one from a '/' on. A question
 * with an empty list of answers is one that pith should refuse. */
#include "eval/asking.h"
#include "eval/verbs.h"

enum { DEPTH = 10 };

enum { HIT1, HIT5, HIT10, MRR, N_FOUND };
static const char *const found_name[N_FOUND] = { "hit@1", "hit@5", "hit@10", "mrr@10" };

/* Among the documents found, the place of the one wanted, from 1; 0: it is not there. */
static size_t place_of(const pith_results *r, Str wanted)
{
    size_t place = 0;
    for (size_t i = 0; i < r->n; i++) {
        Str uri = str_z(r->at[i].document);
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = str_eq(str_z(r->at[k].document), uri);
        place += !seen;
        if (document_is(uri, wanted)) return place;
    }
    return 0;
}

static Status find_one(const Job *j, pith *p, const Question *q, double *row)
{
    pith_results *r = NULL;
    pith_error why;
    pith_search_options o = { .k = 5 * DEPTH, .mode = j->opt->mode,
                              .rerank = j->opt->rerank, .rewrite = j->opt->rewrite,
                              .decompose = j->opt->decompose, .hyde = j->opt->hyde };
    if (pith_search(p, q->text.p, &o, &r, &why) != PITH_OK) return job_why(j, &why);
    size_t place = place_of(r, q->document);
    pith_results_free(r);
    row[HIT1] = place == 1;
    row[HIT5] = place >= 1 && place <= 5;
    row[HIT10] = place >= 1 && place <= DEPTH;
    row[MRR] = row[HIT10] > 0 ? 1 / (double)place : 0;
    return OK;
}

/* One table for each kind of figures; a question may have a row in several. */
typedef struct Tables {
    Table found;      // those with a document
    Table asked;      // those with answers
    Table nothing;    // those that nothing answers
} Tables;

static Status run_all(const Job *j, pith *p, const Questions *qs, Tables *t)
{
    const pith_ask_options o = asking_options(j);
    for (size_t i = 0; i < qs->n; i++) {
        const Question *q = &qs->at[i];
        Asked asked;
        job_progress(j, i, qs->n, "questions");
        if (q->document.n) TRY(find_one(j, p, q, table_row(&t->found, q->id)));
        if (!q->unanswerable && q->n_answers == 0) continue;
        Table *to = q->unanswerable ? &t->nothing : &t->asked;
        TRY(asking_one(j, p, q, &o, table_row(to, q->id), &asked));
        TRY(table_tell(j->cx, to, q->text, asked.text));
    }
    if (t->found.n + t->asked.n + t->nothing.n == 0)
        return fail(j->cx, E_FORMAT, "%s: no question says its \"document\" or its "
                    "\"answers\"", j->opt->operand[0]);
    return OK;
}

static Status tell(const Job *j, const Questions *qs, const Tables *t)
{
    job_count(j, "queries", qs->n);
    if (t->found.n) job_count(j, "with_document", t->found.n);
    for (size_t c = 0; c < N_FOUND && t->found.n; c++)
        job_figure(j, found_name[c], table_mean(&t->found, c));
    if (t->asked.n) job_count(j, "with_answers", t->asked.n);
    if (t->asked.n) TRY(asking_tell(j, &t->asked));
    if (t->nothing.n) job_count(j, "unanswerable", t->nothing.n);
    if (t->nothing.n)
        job_figure(j, "refused_unanswerable", table_mean(&t->nothing, ASKED_REFUSED));
    return job_per_query(j, t->asked.n ? &t->asked : &t->found);
}

Status eval_questions(const Job *j)
{
    Questions qs;
    Tables t;
    pith *p = NULL;
    TRY(questions_read(j->cx, j->opt->operand[0], &qs));
    TRY(job_cut(j, &qs));
    TRY(table_new(j->cx, found_name, N_FOUND, qs.n, &t.found));
    TRY(table_new(j->cx, asked_name, N_ASKED, qs.n, &t.asked));
    TRY(table_new(j->cx, asked_name, N_ASKED, qs.n, &t.nothing));
    TRY(job_open(j, j->env->open.store, &p));
    Status st = run_all(j, p, &qs, &t);
    pith_close(p);
    return st == OK ? tell(j, &qs, &t) : st;
}
