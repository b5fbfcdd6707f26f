/* likeness.h -- how much a generator's next words change when its weights take another
 * form: measured on texts, against what the original expects there.
 *
 * Of each place, the original's 64 likeliest tokens are remembered and the rest is one
 * lump. The divergence over those 65 is at most that over the whole vocabulary, and
 * differs from it in the fourth digit. */
#ifndef PITH_MODEL_LIKENESS_H
#define PITH_MODEL_LIKENESS_H

#include "base/ctx.h"

enum { LIKENESS_TOKENS = 128 };     // of a text, at most; longer ones are cut

/* What the original expects. */
typedef struct Expected Expected;

/* Reads n texts with the model at path, by libllama. E_ARG: fewer than 16 places in all;
 * E_MODEL, E_FORMAT, E_MEMORY, E_CANCELLED. *out is NULL then. */
MUST_USE Status expected_open(Ctx *cx, const char *path, int threads, const Str *texts,
                              size_t n, Expected **out);
void expected_close(Expected *e);

typedef struct Likeness {
    size_t places;          // tokens that were foretold
    double perplexity;      // of the texts, by this model; >= 1
    double original;        // by the original
    double divergence;      // mean Kullback-Leibler divergence from the original, nats
    double same;            // [0,1]: places whose likeliest token is the original's
} Likeness;

/* The same texts, read with another form of the same model. E_MODEL: its vocabulary is
 * another. */
MUST_USE Status likeness(Ctx *cx, const Expected *e, const char *path, Likeness *out);

#endif
