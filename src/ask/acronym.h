/* acronym.h -- abbreviations where a text explains them: "acute coronary syndrome (ACS)",
 * "ACS (acute coronary syndrome)", "ACS stands for acute coronary syndrome".
 *
 * Which words before a bracket belong to what stands in it is found as by Schwartz and
 * Hearst, "A Simple Algorithm for Identifying Abbreviation Definitions in Biomedical
 * Text" (PSB 2003): the letters of the short form, from the last to the first, each in
 * the nearest place, the first one at the start of a word. */
#ifndef PITH_ASK_ACRONYM_H
#define PITH_ASK_ACRONYM_H

#include "base/str.h"

typedef struct Acronym {
    Str term, meaning;      // borrow from the text; a meaning may run over a line's end
} Acronym;

/* The next pair that the text explains at or behind *at, which moves on; false: no more.
 * A term has 2 to 10 bytes, a capital and a second one or a digit; the s of a plural,
 * "TLRs", is no part of it. */
bool acronym_next(Str text, size_t *at, Acronym *out);

#endif
