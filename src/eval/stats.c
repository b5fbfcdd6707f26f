/* stats.c -- see stats.h. */
#include "eval/stats.h"

#include <math.h>
#include <stdlib.h>

double stats_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return n ? sum / (double)n : 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stats_percentile(double *x, size_t n, double q)
{
    if (n == 0) return 0;
    qsort(x, n, sizeof *x, by_value);
    double rank = ceil(q * (double)n);
    if (rank < 1) rank = 1;
    return x[rank < (double)n ? (size_t)rank - 1 : n - 1];
}

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Uniform in [0, n), by the high half of a product; the bias is below n / 2^64. */
static size_t random_below(uint64_t *state, size_t n)
{
    return (size_t)((unsigned __int128)random_next(state) * n >> 64);
}

static double resampled_mean(const double *a, const double *b, size_t n, uint64_t *state)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        size_t pick = random_below(state, n);
        sum += b[pick] - a[pick];
    }
    return sum / (double)n;
}

Paired stats_paired(const double *a, const double *b, size_t n, uint64_t seed)
{
    double mean[STATS_RESAMPLES];   // 80 kB of stack
    size_t as_far = 0;
    Paired out = { .p = 1 };
    if (n == 0) return out;
    out.difference = stats_mean(b, n) - stats_mean(a, n);
    double far = fabs(out.difference) - 1e-12;   // rounding must not hide a tie
    for (int i = 0; i < STATS_RESAMPLES; i++) {
        mean[i] = resampled_mean(a, b, n, &seed);
        as_far += fabs(mean[i] - out.difference) >= far;   // centred: if none were better
    }
    out.p = (double)as_far / STATS_RESAMPLES;
    out.low = stats_percentile(mean, STATS_RESAMPLES, .025);
    out.high = stats_percentile(mean, STATS_RESAMPLES, .975);
    return out;
}

/* P(X <= k) for X binomial(n, p), 0 < p < 1; terms by their logarithms. */
static double binomial_cdf(size_t k, size_t n, double p)
{
    double N = (double)n, sum = 0;
    int sign;
    for (size_t i = 0; i <= k; i++) {
        double I = (double)i;
        double choose = lgamma_r(N + 1, &sign) - lgamma_r(I + 1, &sign)
                        - lgamma_r(N - I + 1, &sign);
        sum += exp(choose + I * log(p) + (N - I) * log1p(-p));
    }
    return sum;
}

double stats_upper_bound(size_t k, size_t n, double confidence)
{
    double low = 0, high = 1;
    if (n == 0 || k >= n) return 1;
    for (int i = 0; i < 60; i++) {   // bisection to 2^-60
        double p = (low + high) / 2;
        if (p <= 0 || p >= 1) break;
        if (binomial_cdf(k, n, p) > 1 - confidence) low = p;
        else high = p;
    }
    return high;
}
