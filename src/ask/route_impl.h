/* route_impl.h -- what the two halves of route.h say to each other. */
#ifndef PITH_ASK_ROUTE_IMPL_H
#define PITH_ASK_ROUTE_IMPL_H

#include "ask/route.h"

enum { ROUTE_NAME_STEMS = 6 };

/* A run of capitalised words in the question. */
typedef struct RouteName {
    Str text;
    size_t at;                      // where it begins
    uint64_t stem[ROUTE_NAME_STEMS];
    size_t n_stems;
    int passage;                    // the first that has it; -1: none
} RouteName;

MUST_USE Status route_features(Ctx *cx, const RouteInput *in, float *f, RouteSeen *seen);

#endif
