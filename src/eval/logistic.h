/* logistic.h -- logistic regression on few features, for weights that a person can read.
 *
 * The target is a share, [0,1], rather than a class (Papke and Wooldridge, 1996): .5 says
 * that two answers are as good, 1 that the second one alone is. Features are scaled to
 * mean 0 and deviation 1, and the weights are held small by an L2 penalty, so that
 * a feature that says little weighs little. */
#ifndef PITH_EVAL_LOGISTIC_H
#define PITH_EVAL_LOGISTIC_H

#include "base/ctx.h"

enum { LOGISTIC_MAX = 64 };

typedef struct Samples {
    size_t n, width;
    const double *x;        // (n, width)
    const double *y;        // (n), [0,1]
    const double *times;    // (n) how much each counts, > 0; NULL: 1
} Samples;

typedef struct Logistic {
    size_t width;
    double bias;
    double weight[LOGISTIC_MAX];    // of a scaled feature
    double mean[LOGISTIC_MAX];
    double scale[LOGISTIC_MAX];     // > 0; 1 for a feature that never varies
} Logistic;

/* penalty, > 0: per sample, of the squared weights' half; the bias is free. Newton's
 * method, which the penalty makes sure to converge. E_ARG: no sample, or more features
 * than LOGISTIC_MAX; E_FORMAT: a value that is not finite. */
MUST_USE Status logistic_fit(Ctx *cx, const Samples *s, double penalty, Logistic *out);
/* The share that x (width) makes likely. */
double logistic_predict(const Logistic *m, const double *x);

#endif
