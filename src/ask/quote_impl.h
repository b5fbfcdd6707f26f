/* quote_impl.h -- what the two halves of quote.h say to each other. */
#ifndef PITH_ASK_QUOTE_IMPL_H
#define PITH_ASK_QUOTE_IMPL_H

#include "ask/quote.h"

enum { QUOTE_MOST = 4096 };     // bytes; sorting compares no more

typedef struct Marks {
    Str open, close;
} Marks;

/* Where a quotation may begin. */
typedef struct Start {
    const char *p;
    uint32_t n;             // bytes to the end of its stretch
    uint32_t passage;
} Start;

/* Where an answer stands. Outside of quotations marks is NULL. */
typedef struct Place {
    const Marks *marks;
    size_t lo, hi;          // starts whose text begins with the quotation so far
    size_t depth;           // its bytes
    bool letter;            // outside: the last character is one of a spaced script
} Place;

struct Quoter {
    const Passages *ps;
    uint8_t **may_end;      // [passage][byte]: behind it a quotation may end
    Start *start;           // sorted
    size_t n;
    bool begin;             // with a quotation, if with anything
    Place at;
    Buf text;               // all that was fed
    size_t safe, passed;    // bytes that may be shown; that were
};

/* The first character of s, which is not empty; one that is cut short is all of s, a byte
 * that begins none stands for itself. */
Str quote_first_char(Str s);
/* Takes one character; false: it makes a quotation that stands nowhere, or opens one
 * where none can begin. */
bool quoter_step(const Quoter *q, Place *at, Str c);
/* Goes on by bytes within a quotation; false: nothing goes on so. */
bool quoter_narrow(const Quoter *q, Place *at, Str bytes);
/* The start, first in the passages, whose quotation may end here; NULL: there is none. */
const Start *quoter_ending(const Quoter *q, const Place *at);

#endif
