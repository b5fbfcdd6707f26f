/* stats.h -- what a figure over a sample of questions says about all questions. */
#ifndef PITH_EVAL_STATS_H
#define PITH_EVAL_STATS_H

#include <stddef.h>
#include <stdint.h>

/* The arithmetic mean; 0 for n = 0. */
double stats_mean(const double *x, size_t n);
/* The value at share q of [0,1] by the nearest rank; sorts x in place; 0 for n = 0. */
double stats_percentile(double *x, size_t n, double q);

typedef struct Paired {
    double difference;   // mean of b - mean of a
    double low, high;    // 95 % interval of the difference
    double p;            // two-sided: how often chance alone differs as much
} Paired;

enum { STATS_RESAMPLES = 10000 };
#define STATS_SEED 20090719u

/* Paired bootstrap over n questions answered by both (Efron and Tibshirani, 1993, ch. 16;
 * for rankings Smucker, Allan and Carterette, 2007). The same seed gives the same result
 * on every machine. n = 0 gives zeros and p = 1. */
Paired stats_paired(const double *a, const double *b, size_t n, uint64_t seed);

/* The regularized incomplete beta function I_x(a, b), [0,1]; a, b > 0. */
double stats_beta(double a, double b, double x);
/* The chance of at most k successes among n, each of chance p of [0,1]. */
double stats_binomial(size_t k, size_t n, double p);
/* A number of [0, n) from a stream of its own, which *state is; n > 0. */
size_t stats_random(uint64_t *state, size_t n);

/* The largest error rate that k errors among n leave possible at this confidence, say
 * .95: the upper bound of Clopper and Pearson (1934). 1 for n = 0; k <= n. */
double stats_upper_bound(size_t k, size_t n, double confidence);

#endif
