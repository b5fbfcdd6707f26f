/* batch.h -- answers to several callers at a time, from one reading of the weights.
 *
 * Who writes a token reads all weights for it, and they serve a row of every other
 * answer as well. So callers that want tokens meet here: one of those that wait
 * computes a round for all, the others sleep, and whoever wants something next computes
 * the next (flat combining, Hendler et al. 2010). There is no thread besides the
 * callers' own. A prompt is read in slices, by turns with the rounds of those who
 * write, so that nobody waits for a long one to end.
 *
 * What a caller gets is the same to the bit whoever else is there: prefill.h. A batch may
 * be used from any thread, a seat by one at a time. */
#ifndef PITH_MODEL_BATCH_H
#define PITH_MODEL_BATCH_H

#include "model/prefill.h"

typedef struct Batch Batch;
typedef struct Seat Seat;

enum { BATCH_SEATS = PREFILL_STEP };   // most of a batch

typedef struct BatchOptions {
    size_t seats;            // answers at a time; 1 to BATCH_SEATS
    size_t window;           // tokens of one, with its prompt
    size_t threads;          // that the Prefill has
} BatchOptions;

/* Takes p, also on failure. E_MEMORY; *out is NULL then. */
MUST_USE Status batch_open(Ctx *cx, Prefill *p, const BatchOptions *opt, Batch **out);
/* Nobody sits there. */
void batch_close(Batch *b);
/* To ask what it can, not to compute with. */
const Prefill *batch_prefill(const Batch *b);

typedef struct BatchPrompt {
    const int32_t *token;    // (n), borrowed for the call; n > 0
    size_t n, more;          // more: tokens that it will be gone on with at most
    const PrefillKnown *known;   // of all but the last; borrowed for the call
    size_t n_known;
} BatchPrompt;

/* Waits for a seat and its memory, in the order of coming, then reads all tokens of the
 * prompt but the last, whose logits will be wanted. What is known is not computed, and
 * what any sequence there begins with is not read again: *reused of the tokens. Of
 * several prompts the one that has least left goes first, but none waits for more tokens
 * of later ones than it has itself. E_LIMIT: it would not fit if it were alone.
 * E_CANCELLED, and as prefill_run; *out is NULL then. */
MUST_USE Status batch_sit(Ctx *cx, Batch *b, const BatchPrompt *prompt, size_t *reused,
                          Seat **out);
/* Its tokens may be reused by those who come later. */
void batch_leave(Seat *s);
/* What the seat holds; until its next call. */
const PrefillSeq *batch_seq(const Seat *s);

/* Goes on with the first of n tokens, and with as many of those behind it as there is
 * time for: *n says how many. *logits is (*n, vocab) and lives until batch_looked, which
 * is owed, and for which all others wait. E_CANCELLED, and as prefill_step. */
MUST_USE Status batch_step(Ctx *cx, Seat *s, const int32_t *token, size_t *n,
                           const float **logits);
/* The logits are done with; the last `drop` of the step's tokens are taken back. */
void batch_looked(Seat *s, size_t drop);

#endif
