/* examples.h -- what a model is trained on: conversations from JSONL, as tokens.
 *
 * A line is {"messages":[{"role","content"}, ...]} or {"question","answer","context"?};
 * the latter becomes the conversation that `pith ask` would hold. Others are ignored. */
#ifndef PITH_TUNE_EXAMPLES_H
#define PITH_TUNE_EXAMPLES_H

#include "base/ctx.h"
#include "model/model.h"
#include "tune/tape.h"

typedef struct Examples {
    int32_t *token;          // of all examples, end to end
    uint8_t *learn;          // beside each
    size_t *begin;           // (n + 1)
    size_t n, n_tokens;
    size_t cut;              // examples that lost their end, being longer than a row
    size_t dropped;          // whose answer begins behind the end of a row
    size_t cap_tokens, cap;
} Examples;

/* Reads the file; words: the model's vocabulary; seq: tokens that a row has.
 * E_FORMAT: a line is none of the two shapes (its number is told), or there is nothing to
 * learn. */
MUST_USE Status examples_read(Ctx *cx, const char *path, Model *words, size_t seq,
                              Examples *out);
void examples_free(Examples *e);

/* Rows packed from examples, in an order that the seed and the epoch decide: drawn, then
 * moved back or forth a little so that rows are nearly full. */
typedef struct Packer {
    const Examples *all;
    size_t seq;
    uint64_t seed;
    uint64_t epoch, next;    // where the next row begins: all that there is to save
    uint32_t *order;         // (n): of this epoch
    uint32_t *drawn, *after; // (n): scratch of the drawing
    uint64_t ordered;        // 1 + the epoch that `order` belongs to
} Packer;

MUST_USE Status packer_open(Ctx *cx, const Examples *all, size_t seq, uint64_t seed,
                            Packer *out);
void packer_close(Packer *p);
/* The next row: examples in order as long as they fit. token, learn: (seq); begin: (seq +
 * 1). After the last example a new epoch begins. */
void packer_row(Packer *p, int32_t *token, uint8_t *learn, uint32_t *begin, Sample *out);

#endif
