/* glossary.h -- what the owner's abbreviations and terms mean, told to the search.
 *
 * A small vocabulary's weak spot: an embedder has never seen a house's own abbreviation,
 * and a passage that has only the long form shares no word with it. The owner says once
 * what a term means, and a question that has the term is searched for with its meaning
 * behind it. The model that answers reads the question as it was put. */
#ifndef PITH_ASK_GLOSSARY_H
#define PITH_ASK_GLOSSARY_H

#include "base/ctx.h"

typedef struct GlossaryEntry {
    Str term, meaning;
} GlossaryEntry;

typedef struct Glossary {
    GlossaryEntry *at;          // in the arena, in the file's order
    size_t n, room;
} Glossary;

enum { GLOSSARY_TERMS = 8 };    // of one question that are expanded, at most

/* Appends the lines of text: "term = meaning"; blank lines and what follows a '#' at the
 * front of a line are skipped. A term may have several lines. name goes before errors.
 * E_FORMAT, with the line: no '=', nothing on one side of it, no UTF-8. Strings borrow
 * from text. */
MUST_USE Status glossary_parse(Ctx *cx, const char *name, Str text, Glossary *g);

/* The question, followed by the meanings of the terms in it that it does not have itself:
 * "What is the SLA? (service level agreement)". A term with a capital letter is found as
 * it is written, in the plural too ("SLAs"), any other in either case, between characters
 * that are no letters or digits. *terms counts those found; none gives the question
 * itself. */
MUST_USE Status glossary_expand(Ctx *cx, const Glossary *g, Str question, Str *out,
                                size_t *terms);

#endif
