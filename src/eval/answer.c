/* answer.c -- pith ask against accepted answers: from a search, from the right documents
 * (--oracle: how well is a context used that holds the answer?), or from no document
 * (--closed-book: what does the model know by itself?).
 *
 * Questions that nothing answers are left out: `abstain` looks at those. */
#include "eval/asking.h"
#include "eval/measures.h"
#include "eval/squad.h"
#include "eval/verbs.h"
#include "eval/windows.h"

/* The piece of a document to hand over: the first with an answer, else the first. */
static Status right_piece(Ctx *cx, const Doc *d, const Question *q, const char **out)
{
    Windows w;
    TRY(windows_of(cx, d, &w));
    *out = w.at[0];
    for (size_t i = 0; i < w.n && w.n > 1; i++) {
        Answered in;
        TRY(squad_score(cx, str_z(w.at[i]), q->answers, q->n_answers, &in));
        if (in.contains > 0) return *out = w.at[i], OK;
    }
    return OK;
}

/* The judged documents of a question as passages to answer from. */
static Status give(Ctx *cx, const Set *s, const Question *q, pith_ask_options *o)
{
    Qrels of = qrels_of(&s->qrels, q->id);
    const char **text = ctx_new(cx, const char *, of.n);
    TRY_NEW(text);
    o->n_passages = 0;
    for (size_t i = 0; i < of.n; i++) {
        const Doc *d = of.at[i].grade > 0 ? corpus_find(&s->corpus, of.at[i].doc) : NULL;
        if (d) TRY(right_piece(cx, d, q, &text[o->n_passages++]));
    }
    o->passages = text;
    return OK;
}

static Status answer_all(const Job *j, pith *p, const Set *s, Table *t)
{
    pith_ask_options o = asking_options(j);
    o.ground = j->opt->oracle ? PITH_GIVEN : j->opt->closed_book ? PITH_CLOSED_BOOK : 0;
    for (size_t i = 0; i < s->questions.n; i++) {
        const Question *q = &s->questions.at[i];
        Asked asked;
        job_progress(j, i, s->questions.n, "questions");
        if (q->unanswerable || q->n_answers == 0) continue;
        if (j->opt->oracle) TRY(give(j->cx, s, q, &o));
        if (j->opt->oracle && o.n_passages == 0) continue;
        TRY(asking_one(j, p, q, &o, table_row(t, q->id), &asked));
        TRY(table_tell(j->cx, t, q->text, asked.text));
    }
    if (t->n == 0)
        return fail(j->cx, E_FORMAT, "no question has an accepted answer%s: \"answers\" "
                    "is wanted", j->opt->oracle ? " and a judged document" : "");
    return OK;
}

Status eval_answer(const Job *j)
{
    Set s;
    Table t;
    pith *p = NULL;
    const bool grounded = !j->opt->oracle && !j->opt->closed_book;
    if (j->opt->oracle && j->opt->closed_book)
        return fail(j->cx, E_ARG, "--oracle and --closed-book exclude each other");
    TRY(job_read(j, j->opt->oracle, &s));
    TRY(table_new(j->cx, asked_name, N_ASKED, s.questions.n, &t));
    TRY(job_store(j, &s.corpus, grounded, &p));
    Status st = answer_all(j, p, &s, &t);
    pith_close(p);
    TRY(st);
    job_count(j, "queries", t.n);
    TRY(asking_tell(j, &t));
    return job_per_query(j, &t);
}
