/* rerank.c -- a run that others made, ordered anew by the reranker alone.
 *
 * The reranker reads "title. text". A document longer than its window is read in several
 * (windows.h) and gets the best logit among them. What the run names but the corpus lacks
 * keeps its order behind all others. */
#include "eval/measures.h"
#include "eval/verbs.h"
#include "eval/windows.h"

#include <math.h>

/* All windows of one ranking, in one array for one call. */
typedef struct Reading {
    const char **text;   // (n)
    size_t *hit;         // (n) which of the ranking's documents a window is of
    size_t n;
} Reading;

/* What was read, and how long it took. */
typedef struct Pace {
    size_t windows, unknown;
    double ms;
} Pace;

static Status collect(Ctx *cx, const Corpus *c, const Run *of, Reading *out,
                      size_t *unknown)
{
    Windows *w = ctx_new(cx, Windows, of->n);
    size_t total = 0;
    TRY_NEW(w);
    for (size_t i = 0; i < of->n; i++) {
        const Doc *d = corpus_find(c, of->at[i].doc);
        if (d) TRY(windows_of(cx, d, &w[i]));
        *unknown += !d;
        total += w[i].n;
    }
    *out = (Reading){ ctx_new(cx, const char *, total), ctx_new(cx, size_t, total), 0 };
    if (!out->text || !out->hit) return E_MEMORY;
    for (size_t i = 0; i < of->n; i++) {
        for (size_t k = 0; k < w[i].n; k++) {
            out->hit[out->n] = i;
            out->text[out->n++] = w[i].at[k];
        }
    }
    return OK;
}

/* The new score of each document: its best window's; the unknown ones behind. */
static Status assign(const Job *j, const Reading *r, const float *logit, Run of, Hit *to)
{
    for (size_t i = 0; i < of.n; i++) {
        to[i] = of.at[i];
        to[i].score = -1e6f - (float)i;   // logits lie within some tens
    }
    for (size_t i = 0; i < r->n; i++) {
        Hit *h = &to[r->hit[i]];
        if (!isfinite(logit[i]))
            return fail(j->cx, E_MODEL, "the reranker gives document %s no finite score",
                        ctx_dup(j->cx, h->doc).p);
        if (logit[i] > h->score) h->score = logit[i];
    }
    return OK;
}

static Status rerank_one(const Job *j, pith *p, const Set *s, const Question *q, Run of,
                         Hit *to, Pace *pace)
{
    Reading r;
    pith_error why;
    TRY(collect(j->cx, &s->corpus, &of, &r, &pace->unknown));
    float *logit = ctx_new(j->cx, float, r.n);
    TRY_NEW(logit);
    double begun = now_ms();
    if (r.n && pith_score(p, q->text.p, r.text, r.n, logit, &why) != PITH_OK)
        return job_why(j, &why);
    pace->ms += now_ms() - begun;
    pace->windows += r.n;
    return assign(j, &r, logit, of, to);
}

/* Loads the model before the clock runs. */
static Status warm_up(const Job *j, pith *p)
{
    const char *text = "warm";
    float logit;
    pith_error why;
    return pith_score(p, text, &text, 1, &logit, &why) == PITH_OK ? OK : job_why(j, &why);
}

static Status rerank_all(const Job *j, pith *p, const Set *s, const Run *before,
                         Run *after, Pace *pace)
{
    TRY(warm_up(j, p));
    for (size_t i = 0; i < s->questions.n; i++) {
        const Question *q = &s->questions.at[i];
        Run of = run_of(before, q->id);
        job_progress(j, i, s->questions.n, "questions");
        if (of.n == 0 || !measure_counts(&s->qrels, q->id)) continue;
        TRY(rerank_one(j, p, s, q, of, after->at + after->n, pace));
        after->n += of.n;
    }
    if (after->n == 0)
        return fail(j->cx, E_FORMAT, "%s ranks nothing for any question that has a "
                    "relevant document", j->opt->run);
    run_sort(after);
    return OK;
}

static Status tell(const Job *j, const Set *s, const Run *before, const Run *after,
                   const Pace *pace)
{
    Table b, a;
    size_t n;
    TRY(measure_run(j->cx, &s->questions, &s->qrels, before, &b));
    TRY(measure_run(j->cx, &s->questions, &s->qrels, after, &a));
    json_t *figures = json_object();
    if (!figures) return fail(j->cx, E_MEMORY, "no memory for the comparison");
    job_count(j, "queries", a.n);
    job_figure(j, "ndcg@10", table_mean(&a, NDCG10));
    job_figure(j, "ndcg@10_before", table_mean(&b, NDCG10));
    job_figure(j, "pairs_per_s",
               pace->ms > 0 ? (double)pace->windows / pace->ms * 1e3 : 0);
    job_count(j, "pairs", pace->windows);
    json_object_set_new(j->result, "before_after", figures);
    TRY(table_compare(j->cx, &b, &a, figures, &n));
    if (pace->unknown)
        job_warn(j, "%zu documents of the run are not in the corpus: they stay last",
                 pace->unknown);
    if (j->opt->run_out) TRY(run_write(j->cx, j->opt->run_out, after, "pith-rerank"));
    return job_per_query(j, &a);
}

Status eval_rerank(const Job *j)
{
    Set s;
    Run before, after;
    Pace pace = { 0 };
    pith *p = NULL;
    if (!j->opt->run) return fail(j->cx, E_ARG, "--run FILE is wanted: what to rerank");
    TRY(job_read(j, true, &s));
    TRY(run_read(j->cx, j->opt->run, &before));
    after = (Run){ ctx_new(j->cx, Hit, before.n), 0 };
    TRY_NEW(after.at);
    TRY(job_store(j, &s.corpus, false, &p));
    Status st = rerank_all(j, p, &s, &before, &after, &pace);
    pith_close(p);
    return st == OK ? tell(j, &s, &before, &after, &pace) : st;
}
