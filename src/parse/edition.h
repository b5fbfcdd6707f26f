/* edition.h -- the text edition of a document that is no text itself, as it is written.
 *
 * Citations need bytes to point at. A PDF has none that a person could read, so what was
 * read from it is written out as one UTF-8 text, part behind part: a blank line between
 * parts, a line break between items and rows. Offsets count in that text, and the same
 * bytes of the source give the same edition.
 *
 * Invariant: the edition is handed on in windows, each verbatim, about a megabyte at
 * most unless a single part is larger; memory is bounded by a window. */
#ifndef PITH_PARSE_EDITION_H
#define PITH_PARSE_EDITION_H

#include "parse/parts.h"

enum { EDITION_WINDOW = 1 << 20, EDITION_PART_MAX = 16 << 20 };   // bytes

typedef struct Edition {
    Ctx own;                // parts of the window
    const Sink *to;
    Buf text;               // of the window
    Parsed window;          // texts are set when it is handed on
    size_t parts;           // in all windows
    int page;
} Edition;

/* cx is asked whether to stop. edition_close is to be called in any case. */
void edition_open(Edition *e, Ctx *cx, const Sink *to);
/* What the document calls itself, before the first part: later ones may be too late. */
MUST_USE Status edition_title(Edition *e, Str title);
/* The page on which what follows stands; 0: none. */
void edition_page(Edition *e, int page);
/* A part: white space around it goes, control characters become spaces and bytes that are
 * no UTF-8 U+FFFD; within all but code, runs of white space become one space. Nothing is
 * left: no part. level: of a heading, 1 to 6; else 0. A part above EDITION_PART_MAX is
 * cut there. E_MEMORY, E_CANCELLED, or what the sink says. */
MUST_USE Status edition_add(Edition *e, PartKind kind, int level, Str text);
/* Hands on what is left; a document without parts gives one empty window. */
MUST_USE Status edition_end(Edition *e);
void edition_close(Edition *e);
/* The end of a parser: edition_end where st is OK, an error told to cx, and
 * edition_close. */
MUST_USE Status edition_finish(Edition *e, Ctx *cx, Status st);

#endif
