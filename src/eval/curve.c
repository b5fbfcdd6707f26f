/* curve.c -- see curve.h. */
#include "eval/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double score_of(const Curve *c, size_t place)
{
    return c->score ? c->score[c->order[place]] : 0;
}

/* Highest score first; equal ones as they came, so that an order never depends on the
 * sort. */
static int by_score(const void *a, const void *b, void *arg)
{
    const double *score = arg;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    if (score && score[x] != score[y]) return score[x] < score[y] ? 1 : -1;
    return (x > y) - (x < y);
}

Status curve_make(Ctx *cx, const Outcomes *of, const double *score, Curve *out)
{
    *out = (Curve){ *of, score, ctx_new(cx, size_t, of->n) };
    TRY_NEW(out->order);
    for (size_t i = 0; i < of->n; i++) out->order[i] = i;
    qsort_r(out->order, of->n, sizeof *out->order, by_score, (void *)score);
    return OK;
}

/* The run of equal scores that begins at this place: its end, how many questions it has
 * when each counts `times` times (NULL: once), and what escalating them gains. */
static size_t run_of(const Curve *c, size_t at, const unsigned *times, double *n,
                     double *gain)
{
    double score = score_of(c, at);
    *n = *gain = 0;
    for (; at < c->of.n && score_of(c, at) == score; at++) {
        size_t i = c->order[at];
        double t = times ? times[i] : 1;
        *n += t;
        *gain += t * (c->of.large[i] - c->of.small[i]);
    }
    return at;
}

/* Area under the curve, its quality summed over questions instead of averaged. */
static double area(const Curve *c, const unsigned *times)
{
    double sum = 0, quality = 0, all = 0, n, gain;
    for (size_t i = 0; i < c->of.n; i++) {
        double t = times ? times[i] : 1;
        quality += t * c->of.small[i];
        all += t;
    }
    for (size_t at = 0; at < c->of.n;) {
        at = run_of(c, at, times, &n, &gain);
        sum += n * (quality + gain / 2);
        quality += gain;
    }
    return all > 0 ? sum / (all * all) : 0;
}

double curve_auc(const Curve *c)
{
    return area(c, NULL);
}

double curve_quality(const Curve *c, double share)
{
    double left = share * (double)c->of.n, n, gain;
    double quality = stats_mean(c->of.small, c->of.n) * (double)c->of.n;
    for (size_t at = 0; at < c->of.n && left > 0;) {
        at = run_of(c, at, NULL, &n, &gain);
        quality += gain * fmin(1, left / n);
        left -= n;
    }
    return c->of.n ? quality / (double)c->of.n : 0;
}

double curve_share(const Curve *c, double quality)
{
    size_t n = c->of.n;
    for (size_t k = 0; k < n; k++)
        if (curve_quality(c, (double)k / (double)n) >= quality - 1e-12)
            return (double)k / (double)n;
    return 1;
}

Status curve_compare(Ctx *cx, const Curve *a, const Curve *b, uint64_t seed, Paired *out)
{
    size_t n = a->of.n, as_far = 0;
    unsigned *times = ctx_new(cx, unsigned, n);
    double *difference = ctx_new(cx, double, STATS_RESAMPLES);
    TRY_NEW(times);
    TRY_NEW(difference);
    *out = (Paired){ .difference = curve_auc(b) - curve_auc(a), .p = 1 };
    if (n == 0) return OK;
    for (int i = 0; i < STATS_RESAMPLES; i++) {
        memset(times, 0, n * sizeof *times);
        for (size_t k = 0; k < n; k++) times[stats_random(&seed, n)]++;
        difference[i] = area(b, times) - area(a, times);
        as_far += fabs(difference[i] - out->difference) >= fabs(out->difference) - 1e-12;
    }
    out->p = (double)as_far / STATS_RESAMPLES;
    out->low = stats_percentile(difference, STATS_RESAMPLES, .025);
    out->high = stats_percentile(difference, STATS_RESAMPLES, .975);
    return ctx_check(cx);
}
