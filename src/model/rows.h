/* rows.h -- what a decoder does to its rows between matrix products, and the derivatives.
 *
 * Portable C that compilers turn into vectors, once for each kind of CPU. Sums are kept
 * in 16 lanes, so that their order, and with it every bit, is the same in each run. */
#ifndef PITH_MODEL_ROWS_H
#define PITH_MODEL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* y (n) = RMSNorm(x) * gain, Zhang and Sennrich, arXiv 1910.07467. */
void rows_norm(size_t n, const float *x, const float *gain, float eps, float *y);
/* dx (n) += the derivative by x of dy . RMSNorm(x). */
void rows_norm_back(size_t n, const float *x, const float *gain, float eps,
                    const float *dy,
                    float *dx);

/* y (n) = silu(gate) * up, Shazeer, arXiv 2002.05202. */
void rows_swiglu(size_t n, const float *gate, const float *up, float *y);
void rows_swiglu_back(size_t n, const float *gate, const float *up, const float *dy,
                      float *dgate, float *dup);
/* y (n) = gelu(gate) * up, by its approximation with tanh (Hendrycks and Gimpel, arXiv
 * 1606.08415). */
void rows_geglu(size_t n, const float *gate, const float *up, float *y);
void rows_geglu_back(size_t n, const float *gate, const float *up, const float *dy,
                     float *dgate, float *dup);

/* s (n) becomes softmax(scale * s). Returns the log of the sum of e^(scale * s). */
float rows_softmax(size_t n, float *s, float scale);
/* The same, not yet divided by the sum, which is returned; at least 1. */
float rows_weights(size_t n, float *s, float scale);
/* y (n) = factor * x. */
void rows_scale(size_t n, const float *x, float factor, float *y);
/* Of n softmaxes one value s each: s becomes p = e^(scale * s - lse), and dp, the
 * derivative by p, becomes that by s, given the mean of dp under each softmax. */
void rows_attend_back(size_t n, float scale, const float *lse, const float *mean,
                      float *s, float *dp);

/* Returns -log softmax(x)[target], and turns x (n) into weight times its derivative. */
double rows_cross_entropy(size_t n, float *x, size_t target, float weight);

/* mark[i] = 1 where |x[i]| >= least; others stay. */
void rows_mark(size_t n, const float *x, float least, uint8_t *mark);

/* Turns `dims` values of x pairwise by angles, whose cosines and sines (dims / 2) are
 * given: pairs are (2i, 2i + 1), or (i, i + dims / 2) where neox. Su et al., arXiv
 * 2104.09864. back: by minus the angles. */
void rows_rope(size_t dims, float *x, const float *cosine, const float *sine, bool neox,
               bool back);

void rows_add(size_t n, const float *x, float *sum);
float rows_dot(size_t n, const float *a, const float *b);
/* Sum of squares. */
double rows_square(size_t n, const float *x);

/* One step of AdamW, Loshchilov and Hutter, arXiv 1711.05101, algorithm 2. */
typedef struct Adam {
    float rate, beta1, beta2, eps, decay;
    float scale;             // of the gradient: 1, or less where it is clipped
    float fix1, fix2;        // 1 / (1 - beta^step)
} Adam;
void rows_adam(const Adam *a, size_t n, const float *g, float *p, float *m, float *v);

#endif
