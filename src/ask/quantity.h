/* quantity.h -- the numbers of a text, each with what it counts.
 *
 * A small model copies a number right and hangs it on the wrong thing: "three years. 74
 * bicycles" becomes "for 74 years". So a number of an answer has to stand in the source
 * beside one of the words that the answer has behind it. Where either side has none there
 * ("it was 74."), and for years ("in 1871 engineers built it"), the number alone is
 * compared: what is not said cannot be wrong. */
#ifndef PITH_ASK_QUANTITY_H
#define PITH_ASK_QUANTITY_H

#include "base/words.h"

enum { QUANTITY_WORDS = 4 };    // read behind a number, up to a mark or another number

typedef struct Quantity {
    uint64_t value;                 // hash: "1,200" is "1200", "three" is "3"
    uint64_t of[QUANTITY_WORDS + 1];    // stems of the content words, and of its sign
    size_t n_of;
    uint64_t before;                // stem of the word ahead; 0: none, or a function word
    size_t start;                   // of the number in its text
} Quantity;

typedef struct Quantities {
    Quantity *at;       // in their order; in the request's arena
    size_t n;
} Quantities;

MUST_USE Status quantities_read(Ctx *cx, Words *w, Str text, Quantities *out);
/* Whether a text with these quantities says this one, too. */
bool quantities_say(const Quantities *all, const Quantity *q);
/* Whether the number stands there, of whatever. */
bool quantities_name(const Quantities *all, uint64_t value);

#endif
