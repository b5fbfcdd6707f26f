/* weights.h -- how many bytes of a generator's file one token costs. */
#ifndef PITH_MODEL_WEIGHTS_H
#define PITH_MODEL_WEIGHTS_H

#include "base/ctx.h"

typedef struct Weights {
    uint64_t bytes;         // read for each token that is written: all tensors but the
                            // table of embeddings, unless that is the head as well
    const char *quant;      // the type of most of them, "q4_K"; static
} Weights;

/* Of a dense model; one of experts reads less. E_FORMAT: not a sound GGUF file. */
MUST_USE Status weights_read(Ctx *cx, const char *path, Weights *out);

#endif
