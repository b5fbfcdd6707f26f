/* quote.h -- quotations that cannot be made up.
 *
 * A model that is held to a Quoter says between quotation marks nothing but words of the
 * passages, byte for byte, from the beginning of a word to the end of one. Bytes count,
 * not tokens: however a text falls into tokens, each may be said whose bytes go on what
 * stands in a passage. What a quotation may hold is all that the model read, but it ends
 * where a quotation mark, a mark like "[1]" or an empty line stands in the source.
 *
 * Whoever is not held (a model elsewhere) has its quotations looked up all the same, and
 * whoever was not asked to quote has what it repeats looked up. */
#ifndef PITH_ASK_QUOTE_H
#define PITH_ASK_QUOTE_H

#include "ask/passage.h"

typedef struct Quoter Quoter;

typedef struct Quote {
    size_t passage;         // index into the passages
    size_t start, end;      // bytes of the document's source
    Str text;               // the very words, in the passage's text
} Quote;

typedef struct Quotes {
    Quote *at;              // in the order of the answer
    size_t n;
    size_t unfounded;       // quotations that stand in no passage
} Quotes;

/* ps is borrowed until quoter_close. begin: the answer is to begin with a quotation,
 * where there is anything to quote. E_MEMORY; *out is NULL then. */
MUST_USE Status quoter_open(Ctx *cx, const Passages *ps, bool begin, Quoter **out);
void quoter_close(Quoter *q);

/* Whether an answer may go on with these bytes, which may end within a character, behind
 * what was fed; no bytes: whether it may end. Never refuses all that a vocabulary with
 * every byte has. */
bool quoter_allows(const Quoter *q, Str bytes);
/* More text, whole characters. What may be shown of it and of what was held back: not the
 * half word at the end of a quotation that is still growing, which may break off. It is
 * borrowed until the next call. Text beyond 1 MiB is lost. */
Str quoter_feed(Quoter *q, Str piece);
/* The end: a quotation that broke off is closed behind its last whole word. */
Str quoter_finish(Quoter *q);
/* The quotations of a text, in cx. */
MUST_USE Status quoter_find(Ctx *cx, const Quoter *q, Str text, Quotes *out);
/* What a text without quotation marks repeats word for word all the same: runs of 5 words
 * and more, each as long as it goes, and claims (up to a mark "[1]" or the end of a line)
 * of 2 that stand in a passage whole. */
MUST_USE Status quoter_copied(Ctx *cx, const Quoter *q, Str text, Quotes *out);

/* Whether a quotation that begins in text has not ended there. One longer than any may be
 * is none. */
bool quote_is_open(Str text);

#endif
