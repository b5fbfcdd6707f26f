/* sentences.h -- where the sentences of a text end, by the rules of its language.
 *
 * ICU (UAX #29, in English with CLDR's abbreviations) proposes; what it does not know is
 * told here: more abbreviations, initials ("J. S. Bach"), ordinals ("am 3. Oktober"),
 * quotation marks of Chinese and Japanese, numbers that begin a sentence. */
#ifndef PITH_BASE_SENTENCES_H
#define PITH_BASE_SENTENCES_H

#include "base/ctx.h"
#include "base/language.h"

typedef struct Span {
    size_t start, end;   // bytes, end excluded
} Span;

typedef struct Sentences Sentences;

/* NULL: no memory. Belongs to one thread. */
Sentences *sentences_new(void);
void sentences_free(Sentences *s);

/* The sentences of text, which is of language l, in order and without the white space
 * between them; a line break followed by a blank line ends one too. The array is in cx's
 * arena. E_LIMIT: 2 GiB or more. E_INTERNAL: ICU's data is absent. */
MUST_USE Status sentences_cut(Ctx *cx, Sentences *s, Language l, Str text, Span **out,
                              size_t *n);

#endif
