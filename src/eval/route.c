/* route.c -- is the router worth its keep? Each question of a collection is answered by
 * both models over the same passages; then the curve that the router's score draws is
 * held against the line of chance and against the best single feature, chosen in
 * hindsight: a baseline that no router has before it knows the answers. */
#include "eval/curve.h"
#include "eval/pair.h"
#include "eval/route_figures.h"
#include "eval/verbs.h"

static Status ask_all(const Job *j, pith *p, const Questions *qs, Table *t)
{
    Kept *kept;
    Status st = OK;
    TRY(pairs_kept(j->cx, &kept));
    for (size_t i = 0; i < qs->n && st == OK; i++) {
        const Question *q = &qs->at[i];
        job_progress(j, i, qs->n, "questions");
        if (q->unanswerable) continue;
        st = pair_ask(j, p, kept, q, table_row(t, q->id));
    }
    kept_close(kept);
    if (st == OK && t->n == 0)
        st = fail(j->cx, E_FORMAT, "there is no question that can be answered");
    return st;
}

/* The promise is made on every second question and kept, or not, on the others. */
static Status risk(const Job *j, const Routed *r)
{
    size_t half = (r->of.n + 1) / 2, kept = 0, wrong = 0;
    double *small = ctx_new(j->cx, double, half), *score = ctx_new(j->cx, double, half);
    double threshold, share;
    Curve c;
    TRY_NEW(small);
    TRY_NEW(score);
    if (j->opt->risk >= 1) return fail(j->cx, E_ARG, "--risk: below 1 is wanted");
    for (size_t i = 0; i < half; i++) {
        small[i] = r->of.small[2 * i];
        score[i] = r->draft[2 * i];
    }
    TRY(curve_make(j->cx, &(Outcomes){ half, small, small }, score, &c));
    TRY(route_promise(j->cx, &c, j->opt->risk, &threshold, &share));
    for (size_t i = 1; i < r->of.n; i += 2) {
        if (r->draft[i] >= threshold) continue;
        kept++;
        wrong += r->of.small[i] < ROUTE_WRONG;
    }
    job_figure(j, "risk_promised", j->opt->risk);
    job_figure(j, "risk_measured", kept ? (double)wrong / (double)kept : 0);
    job_count(j, "risk_kept", kept);
    job_count(j, "risk_wrong", wrong);
    return OK;
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
    if (j->opt->risk > 0) TRY(risk(j, &r));
    return routed_curve(j->cx, &c, j->result);
}

Status eval_route(const Job *j)
{
    Set s;
    Table t;
    pith *p = NULL;
    TRY(job_read(j, false, &s));
    TRY(pairs_new(j->cx, s.questions.n, &t));
    TRY(job_store(j, &s.corpus, true, &p));
    Status st = ask_all(j, p, &s.questions, &t);
    pith_close(p);
    TRY(st);
    TRY(figures(j, &t));
    return job_per_query(j, &t);
}
