/* route.c -- is the router worth its keep? Each question of a collection is answered by
 * both models over the same passages; then the curve that the router's score draws is
 * held against the line of chance and against the best single feature, chosen in
 * hindsight: a baseline that no router has before it knows the answers. */
#include "eval/curve.h"
#include "eval/halves.h"
#include "eval/pair.h"
#include "eval/route_figures.h"
#include "eval/trial.h"
#include "eval/verbs.h"

#include <math.h>

enum { SPLITS = 100 };

/* What the router took before there was a draft: (n) milliseconds. */
typedef struct Times {
    double *ms;
    size_t n;
} Times;

static Status ask_all(const Job *j, pith *p, const Questions *qs, Table *t, Times *times)
{
    Kept *kept;
    Status st = OK;
    TRY_NEW(times->ms = ctx_new(j->cx, double, qs->n));
    TRY(pairs_kept(j->cx, &kept));
    for (size_t i = 0; i < qs->n && st == OK; i++) {
        const Question *q = &qs->at[i];
        double ms = NAN;
        job_progress(j, i, qs->n, "questions");
        if (q->unanswerable) continue;
        st = pair_ask(j, p, kept, q, table_row(t, q->id), &ms);
        if (!isnan(ms)) times->ms[times->n++] = ms;
    }
    kept_close(kept);
    if (st == OK && t->n == 0)
        st = fail(j->cx, E_FORMAT, "there is no question that can be answered");
    return st;
}

static void tell_times(const Job *j, const Times *t)
{
    if (t->n == 0) return;
    job_figure(j, "decision_ms_p50", stats_percentile(t->ms, t->n, .5));
    job_figure(j, "decision_ms_p95", stats_percentile(t->ms, t->n, .95));
}

/* Are the answers that stay as seldom wrong as is promised? */
static Status promise(const Job *j, const Routed *r)
{
    Promise p;
    Scored *s;
    TRY(trials_promise(j, &p));
    TRY(routed_scored(j->cx, &r->of, r->draft, &s));
    Halves h = halves_of(s, r->of.n, j->opt->splits ? (size_t)j->opt->splits : SPLITS,
                         &p);
    json_t *all = json_pack("{sf sf sI sI sI sf sf}", "risk", p.risk, "confidence",
        p.confidence, "made", (json_int_t)h.made, "within", (json_int_t)h.within,
        "not_refuted", (json_int_t)h.not_refuted, "risk_measured", h.risk, "kept_here",
        h.coverage);
    if (all && json_object_set_new(j->result, "promise", all) == 0) return OK;
    return fail(j->cx, E_MEMORY, "no memory for a promise");
}

/* How often each is the better one, and how the score does before the draft. */
static Status others(const Job *j, const Routed *r)
{
    Curve before;
    size_t large = 0, small = 0;
    for (size_t i = 0; i < r->of.n; i++) {
        large += r->of.large[i] > r->of.small[i] + .01;
        small += r->of.small[i] > r->of.large[i] + .01;
    }
    TRY(curve_make(j->cx, &r->of, r->score, &before));
    job_figure(j, "auc_before_draft", curve_auc(&before));
    job_count(j, "queries", r->of.n);
    job_count(j, "refused", r->unasked);
    job_count(j, "large_better", large);
    job_count(j, "small_better", small);
    return OK;
}

static Status figures(const Job *j, const Table *t)
{
    Routed r;
    Curve c;
    size_t best;
    TRY(routed_of(j->cx, t, &r));
    if (r.of.n == 0)
        return fail(j->cx, E_FORMAT, "all %zu questions were refused: see --no-abstain",
                    r.unasked);
    TRY(routed_best(j->cx, &r, &best));
    TRY(curve_make(j->cx, &r.of, r.draft, &c));
    TRY(routed_tell(j->cx, &r, r.draft, best, j->result));
    json_object_set_new(j->result, "best_single",
                        json_string(pith_route_feature((int)best)));
    TRY(others(j, &r));
    if (j->opt->risk > 0) TRY(promise(j, &r));
    return routed_curve(j->cx, &c, j->result);
}

/* Stopped on request: the rows that are whole are kept. */
static Status stopped(const Job *j, Table *t)
{
    if (t->n < 2 || !j->opt->per_query) return E_CANCELLED;
    t->n--;         // the question in work
    TRY(job_per_query(j, t));
    job_warn(j, "%zu questions were asked: %s has them", t->n, j->opt->per_query);
    return E_CANCELLED;
}

static Status ask_folder(const Job *j, Table *t, Times *times)
{
    Set s;
    pith *p = NULL;
    TRY(job_read(j, false, &s));
    TRY(pairs_new(j->cx, s.questions.n, t));
    TRY(job_store(j, &s.corpus, true, &p));
    Status st = ask_all(j, p, &s.questions, t, times);
    pith_close(p);
    return st == E_CANCELLED ? stopped(j, t) : st;
}

/* What --per-query wrote. */
static Status read_rows(const Job *j, const char *path, Table *t)
{
    TRY(table_read(j->cx, path, t));
    return pairs_check(j->cx, path, t);
}

Status eval_route(const Job *j)
{
    Table t;
    Times times = { 0 };
    const char *operand = j->opt->operand[0];
    if (str_ends(str_z(operand), STR(".tsv"))) TRY(read_rows(j, operand, &t));
    else TRY(ask_folder(j, &t, &times));
    TRY(figures(j, &t));
    tell_times(j, &times);
    return job_per_query(j, &t);
}
