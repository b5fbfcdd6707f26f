/* quantize.h -- a generator's file written anew with its weights in another form.
 *
 * Of the matrices, those of the blocks change, and the head where that is asked for. The
 * table of embeddings is looked up and not read through, so it stays as it is, as do
 * norms, biases, vocabulary and metadata: the copy has the lineage of its source
 * (lineage.h), so that adapters fit both. */
#ifndef PITH_MODEL_QUANTIZE_H
#define PITH_MODEL_QUANTIZE_H

#include "base/ctx.h"

typedef struct QuantizeOptions {
    const char *blocks;     // of the blocks' matrices: "q4_0", "q8_0", ...
    const char *head;       // of the head, where it has its own matrix; NULL: as it is
    int threads;            // > 0
    /* Called often, with the share that is done. May be NULL. */
    void (*on_progress)(void *arg, double share);
    void *arg;
} QuantizeOptions;

/* Writes source to path in that form; a row whose width does not suit stays as it is.
 * E_ARG: no such form, or one that wants more than the weights. E_FORMAT: the source is
 * cut short. E_MODEL: a type that does not become f32. E_IO, also where the disk has no
 * room, which is asked before. E_CANCELLED. On failure nothing is left at path. */
MUST_USE Status quantize_file(Ctx *cx, const char *source, const char *path,
                              const QuantizeOptions *opt);

#endif
