/* wordset.h -- a text as the set of its stems without function words: enough to say that
 * two questions are one, and that an answer's words stand in a passage. */
#ifndef PITH_EVAL_WORDSET_H
#define PITH_EVAL_WORDSET_H

#include "base/words.h"

typedef struct WordSet {
    Str *at;            // in byte order, each once
    size_t n;
} WordSet;

MUST_USE Status wordset_of(Ctx *cx, Words *w, Str text, WordSet *out);
/* The share of a's stems that b has too, [0,1]; 1 where a has none. */
double wordset_share(const WordSet *a, const WordSet *b);
/* The stems in one row with spaces between, the same for all orders of the words; .p is
 * NULL on E_MEMORY. */
Str wordset_key(Ctx *cx, const WordSet *s);

#endif
