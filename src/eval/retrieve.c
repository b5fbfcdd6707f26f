/* retrieve.c -- pith search as a ranking of documents.
 *
 * pith ranks passages; a document stands where its best passage stands. PER_DOCUMENT
 * passages are asked for a document wanted, and more where they came from too few
 * documents; the time told is that of the first search. */
#include "eval/measures.h"
#include "eval/verbs.h"

#include <math.h>
#include <string.h>

enum { PER_DOCUMENT = 3, PER_DOCUMENT_MAX = 50, K_MAX = 10000 };

/* Adds the documents of results, best first, at most k, to the run. */
static Status add_documents(Ctx *cx, Str query, const pith_results *r, size_t k, Run *run)
{
    const size_t begun = run->n;
    for (size_t i = 0; i < r->n && run->n - begun < k; i++) {
        Str doc = str_z(r->at[i].document);
        bool seen = false;
        for (size_t h = begun; h < run->n && !seen; h++)
            seen = str_eq(run->at[h].doc, doc);
        if (seen) continue;
        Hit *hit = &run->at[run->n];
        *hit = (Hit){ query, ctx_dup(cx, doc), (float)r->at[i].score, 0 };
        TRY_NEW(hit->doc.p);
        if (run->n > begun && !(hit->score < hit[-1].score))   // a tie keeps pith's order
            hit->score = nextafterf(hit[-1].score, -INFINITY);
        run->n++;
    }
    return OK;
}

static Status rank(const Job *j, pith *p, const Question *q, Run *run, double *ms)
{
    size_t k = (size_t)j->opt->k, wanted = k * PER_DOCUMENT;
    const size_t begun = run->n;
    *ms = 0;
    for (;;) {
        pith_results *r = NULL;
        pith_error why;
        if (wanted > K_MAX) wanted = K_MAX;
        pith_search_options o = {
            .k = (int)wanted, .mode = j->opt->mode, .rerank = j->opt->rerank,
            .rewrite = j->opt->rewrite, .decompose = j->opt->decompose,
            .hyde = j->opt->hyde,
        };
        double start = now_ms();
        if (pith_search(p, q->text.p, &o, &r, &why) != PITH_OK) return job_why(j, &why);
        if (*ms == 0) *ms = now_ms() - start;
        run->n = begun;
        Status st = add_documents(j->cx, q->id, r, k, run);
        bool all = r->n < wanted;
        pith_results_free(r);
        if (st != OK || all || run->n - begun == k) return st;
        if (wanted >= k * PER_DOCUMENT_MAX || wanted == K_MAX) return OK;
        wanted *= 4;
    }
}

/* Ranks for all questions that count; *ms has one time for each of them. */
static Status rank_all(const Job *j, pith *p, const Set *s, Run *run, double *ms)
{
    size_t n = 0;
    for (size_t i = 0; i < s->questions.n; i++) {
        const Question *q = &s->questions.at[i];
        job_progress(j, i, s->questions.n, "questions");
        if (measure_counts(&s->qrels, q->id)) TRY(rank(j, p, q, run, &ms[n++]));
    }
    run_sort(run);
    return OK;
}

/* The whole table with the times as a last column, for --per-query. */
static Status with_times(Ctx *cx, const Table *t, const double *ms, Table *out)
{
    const char **column = ctx_new(cx, const char *, N_MEASURES + 1);
    TRY_NEW(column);
    memcpy(column, measure_name, sizeof measure_name);
    column[N_MEASURES] = "ms";
    TRY(table_new(cx, column, N_MEASURES + 1, t->n, out));
    for (size_t i = 0; i < t->n; i++) {
        double *row = table_row(out, t->id[i]);
        memcpy(row, t->at + i * t->width, N_MEASURES * sizeof *row);
        row[N_MEASURES] = ms[i];
        out->question[i] = t->question[i];
    }
    return OK;
}

static Status compare_baseline(const Job *j, const Set *s, const Table *t)
{
    Run baseline;
    Table b;
    size_t n;
    TRY(run_read(j->cx, j->opt->baseline, &baseline));
    TRY(measure_run(j->cx, &s->questions, &s->qrels, &baseline, &b));
    json_t *figures = json_object();
    if (!figures || json_object_set_new(j->result, "against_baseline", figures) != 0)
        return fail(j->cx, E_MEMORY, "no memory for the comparison");
    return table_compare(j->cx, &b, t, figures, &n);
}

static Status tell(const Job *j, const Set *s, const Run *run, const double *ms)
{
    Table t, all;
    double p50, p99;
    TRY(measure_run(j->cx, &s->questions, &s->qrels, run, &t));
    TRY(with_times(j->cx, &t, ms, &all));
    TRY(table_percentile(j->cx, &all, N_MEASURES, .5, &p50));
    TRY(table_percentile(j->cx, &all, N_MEASURES, .99, &p99));
    job_count(j, "queries", t.n);
    for (size_t m = 0; m < N_MEASURES; m++)
        job_figure(j, measure_name[m], table_mean(&t, m));
    job_figure(j, "ms_p50", p50);
    job_figure(j, "ms_p99", p99);
    if (j->opt->baseline) TRY(compare_baseline(j, s, &t));
    if (j->opt->run_out) TRY(run_write(j->cx, j->opt->run_out, run, "pith"));
    return job_per_query(j, &all);
}

Status eval_retrieve(const Job *j)
{
    Set s;
    pith *p = NULL;
    if (j->opt->k > K_MAX)
        return fail(j->cx, E_ARG, "--k %d: at most %d documents", j->opt->k, K_MAX);
    TRY(job_read(j, true, &s));
    Run run = { ctx_new(j->cx, Hit, s.questions.n * (size_t)j->opt->k), 0 };
    double *ms = ctx_new(j->cx, double, s.questions.n);
    if (!run.at || !ms) return E_MEMORY;
    TRY(job_store(j, &s.corpus, true, &p));
    Status st = rank_all(j, p, &s, &run, ms);
    pith_close(p);
    return st == OK ? tell(j, &s, &run, ms) : st;
}
