/* draft.h -- guesses how a text goes on, from how it went on before.
 *
 * An answer often copies: from the passages it was asked about, or from itself. The
 * longest suffix of the text that stands somewhere earlier in it is found, and what
 * followed there is the draft (prompt lookup, Saxena 2023). A model that reads all of a
 * draft at once keeps as much of it as it would have said anyway.
 *
 * A draft costs a reading, so its length follows how the last ones fared, and where they
 * fail, ever more tokens pass without one. */
#ifndef PITH_MODEL_DRAFT_H
#define PITH_MODEL_DRAFT_H

#include "base/ctx.h"

typedef struct Draft Draft;

enum { DRAFT_MOST = 23 };    // tokens of one draft

/* Holds a text of at most max_tokens (< 2^28). E_MEMORY; *out is NULL then. */
MUST_USE Status draft_open(Ctx *cx, size_t max_tokens, Draft **out);
void draft_close(Draft *d);

/* Goes on with n tokens; those beyond max_tokens are not kept. */
void draft_add(Draft *d, const int32_t *token, size_t n);
/* The length of the longest suffix of the text that ends earlier in it too, and where it
 * first ended: *behind is the place of the token that followed. 0: none; *behind is not
 * set. */
size_t draft_match(const Draft *d, size_t *behind);

/* At most `most` tokens that may follow, to out (DRAFT_MOST); often none. Counts as a
 * turn: it is asked once before each step. */
size_t draft_propose(Draft *d, size_t most, int32_t *out);
/* Of the n > 0 tokens proposed last, the first `kept` were right. */
void draft_judge(Draft *d, size_t n, size_t kept);

#endif
