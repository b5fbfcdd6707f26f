/* stems.h -- the words of a text as hashes of their stems, to compare texts by. */
#ifndef PITH_ASK_STEMS_H
#define PITH_ASK_STEMS_H

#include "base/words.h"

typedef struct Stems {
    uint64_t *at;       // in the request's arena
    size_t n;
} Stems;

/* All words of text in their order, function words included. */
MUST_USE Status stems_in_order(Ctx *cx, Words *w, Str text, Stems *out);
/* All words of text, sorted by hash. */
MUST_USE Status stems_sorted(Ctx *cx, Words *w, Str text, Stems *out);
/* The distinct words that are no function words, sorted by hash. */
MUST_USE Status stems_content(Ctx *cx, Words *w, Str text, Stems *out);

/* Whether a sorted s has the stem. */
bool stems_have(const Stems *s, uint64_t stem);
/* The share of a's words that a sorted b has, too, [0,1]; 0 where a has none. */
float stems_share(const Stems *a, const Stems *b);

#endif
