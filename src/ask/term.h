/* term.h -- whether a text has a term: whole words, not letters of longer ones. */
#ifndef PITH_ASK_TERM_H
#define PITH_ASK_TERM_H

#include "base/str.h"

/* Does text have the term, a word or several, with no letter or digit right before or
 * behind? As it is written: capitals count, and the s of a plural may follow, "SLAs". */
bool term_is_in(Str text, Str term, bool as_written);

#endif
