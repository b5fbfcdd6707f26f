/* vec.h -- what a transformer does to its rows between matrix products.
 *
 * One table of functions for each kind of CPU. VEC_PLAIN is portable C and says what the
 * others compute; they agree with it to 1e-4 (attention to 2e-2: it multiplies bf16). */
#ifndef PITH_MODEL_VEC_H
#define PITH_MODEL_VEC_H

#include "base/ctx.h"

typedef struct Heads {
    size_t heads, dim;        // dim: of one head; a row of q has heads * dim values
    size_t tokens, queries;   // of one sequence; queries <= tokens: the first ones
    const float *q;           // (queries, heads * dim)
    const float *kv;          // (tokens, 2 * heads * dim): a row's keys, then its values
    float *out;               // (queries, heads * dim)
} Heads;

typedef struct Vec {
    const char *name;
    /* x (n) = LayerNorm(x + y), Ba et al., arXiv 1607.06450. y may be NULL. */
    void (*add_norm)(size_t n, float *x, const float *y, const float *gain,
                     const float *bias, float eps);
    /* x (n) = x Phi(x), Hendrycks and Gimpel, arXiv 1606.08415; Phi from erf. */
    void (*gelu)(size_t n, float *x);
    /* softmax(q k' / sqrt(dim)) v for all heads of one sequence; every token sees every
     * token. room: attend_room bytes, aligned to 64. */
    void (*attend)(const Heads *h, void *room);
    size_t (*attend_room)(size_t max_tokens, size_t dim);
} Vec;

/* The best table for this machine and heads of that many values. */
const Vec *vec_best(size_t head_dim);
const Vec *vec_plain(void);

#endif
