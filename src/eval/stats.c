/* stats.c -- see stats.h. */
#include "eval/stats.h"

#include "base/random.h"

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

/* Uniform in [0, n), by the high half of a product; the bias is below n / 2^64. */
size_t stats_random(uint64_t *state, size_t n)
{
    return (size_t)((unsigned __int128)random_next(state) * n >> 64);
}

static double resampled_mean(const double *a, const double *b, size_t n, uint64_t *state)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        size_t pick = stats_random(state, n);
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

/* The continued fraction of the incomplete beta function (DLMF 8.17.22) by the modified
 * method of Lentz (Thompson and Barnett, 1986); converges fast for x < (a+1)/(a+b+2). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabs(d) < tiny) d = tiny;
    d = 1 / d;
    double f = d;
    for (int m = 1; m <= 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d, c = 1 + even / c;
        if (fabs(d) < tiny) d = tiny;
        if (fabs(c) < tiny) c = tiny;
        d = 1 / d;
        f *= d * c;
        d = 1 + odd * d, c = 1 + odd / c;
        if (fabs(d) < tiny) d = tiny;
        if (fabs(c) < tiny) c = tiny;
        d = 1 / d;
        f *= d * c;
        if (fabs(d * c - 1) < 1e-15) break;
    }
    return f;
}

double stats_beta(double a, double b, double x)
{
    int sign;
    if (!(x > 0)) return 0;
    if (x >= 1) return 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - stats_beta(b, a, 1 - x);
    double scale = lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign);
    return exp(scale + a * log(x) + b * log1p(-x)) * beta_fraction(a, b, x) / a;
}

double stats_binomial(size_t k, size_t n, double p)
{
    if (k >= n) return 1;
    return stats_beta((double)(n - k), (double)k + 1, 1 - p);
}

double stats_upper_bound(size_t k, size_t n, double confidence)
{
    double low = 0, high = 1;
    if (n == 0 || k >= n) return 1;
    for (int i = 0; i < 60; i++) {   // bisection to 2^-60
        double p = (low + high) / 2;
        if (p <= 0 || p >= 1) break;
        if (stats_binomial(k, n, p) > 1 - confidence) low = p;
        else high = p;
    }
    return high;
}
