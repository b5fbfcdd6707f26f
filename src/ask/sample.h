/* sample.h -- some passages of a store, drawn at random: to make questions of. */
#ifndef PITH_ASK_SAMPLE_H
#define PITH_ASK_SAMPLE_H

#include "ask/passage.h"

/* At most n chunks, one at random from each n-th part of the store in the order of its
 * documents, in a random order; all of them where it has no more. The same seed and store
 * give the same. E_ARG: n = 0. */
MUST_USE Status sample(Ctx *cx, Store *store, size_t n, uint64_t seed, Passages *out);

#endif
