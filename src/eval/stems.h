/* stems.h -- a text as the set of its stems without function words: enough to say that
 * two questions are one, and that an answer's words stand in a passage. */
#ifndef PITH_EVAL_STEMS_H
#define PITH_EVAL_STEMS_H

#include "base/words.h"

typedef struct Stems {
    Str *at;            // in byte order, each once
    size_t n;
    size_t words;       // of the text, function words and repetitions counted
} Stems;

MUST_USE Status stems_of(Ctx *cx, Words *w, Str text, Stems *out);
/* The share of a's stems that b has too, [0,1]; 1 where a has none. */
double stems_share(const Stems *a, const Stems *b);
/* The stems in one row with spaces between, the same for all orders of the words; .p is
 * NULL on E_MEMORY. */
Str stems_key(Ctx *cx, const Stems *s);

#endif
