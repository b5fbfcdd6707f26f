/* query_map.h -- a linear map of query vectors, made of the vectors that are searched.
 *
 * Vectors of one collection lie close together: what its texts have in common makes most
 * of every cosine, and says nothing about which of them answers. So the common part is
 * taken off the query, and directions in which the collection varies much are made
 * shorter: q' = (C / m + 1)^-whiten (q - center * mean), C the covariance, m its mean
 * variance (all-but-the-top, Mu and Viswanath, 2018; whitening, Su et al., 2021, here of
 * one side only and in part, so that no stored vector changes). */
#ifndef PITH_ASK_QUERY_MAP_H
#define PITH_ASK_QUERY_MAP_H

#include "base/ctx.h"

typedef struct QueryMapShape {
    double whiten;      // [0,1]; 0: directions stay as they are
    double center;      // [0,1] of the mean
} QueryMapShape;

typedef struct QueryMap {
    QueryMapShape shape;
    int dim;
    float *weight;      // (dim, dim), symmetric, row by row
    float *bias;        // (dim)
} QueryMap;

enum { QUERY_MAP_DIM = 4096 };

/* From n vectors (n, dim), in cx's arena. E_ARG: fewer than 2 vectors, a shape out of its
 * range, dim not of 1 to QUERY_MAP_DIM; E_CANCELLED. Takes about 20 dim^3 steps. */
MUST_USE Status query_map_fit(Ctx *cx, const float *vectors, size_t n, int dim,
                              const QueryMapShape *shape, QueryMap *out);
/* out (dim), of unit length, of the query (dim); zeros stay zeros. */
void query_map_apply(const QueryMap *m, const float *query, float *out);
/* How much further apart scores lie for it, as measured on three collections. */
float query_map_span(const QueryMap *m);

#endif
