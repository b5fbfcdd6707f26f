/* parts.h -- what a document is made of: headings, paragraphs, code, items, rows.
 *
 * A parser gives its parts in windows: a small document is one window, a large one as
 * many as its memory asks for. Offsets are bytes of the document's text in UTF-8. That
 * text is the file's own bytes where those are UTF-8, a byte order mark counted; what
 * charset.h made of them where they are not; and for what is no text itself (PDF, Office,
 * e-mail, archives) its text edition, which edition.h writes.
 *
 * Invariant: parts come in the order of the source and do not overlap. In a verbatim
 * format the text of a part is source[start, end) byte for byte; in HTML it is the
 * readable text, whose words stand in source[start, end) in their order. */
#ifndef PITH_PARSE_PARTS_H
#define PITH_PARSE_PARTS_H

#include "base/offsets.h"

typedef enum PartKind {
    PART_HEADING,
    PART_PARAGRAPH,
    PART_CODE,          // lines matter; cut between lines, not between sentences
    PART_ITEM,          // of a list
    PART_ROW,           // of a table, cells between ' | '
} PartKind;

typedef struct Part {
    PartKind kind;
    int level;          // of a heading, 1 the highest; else 0
    int page;           // where it begins, from 1; 0: the source has no pages
    Str text;           // never empty
    Str name;           // of a heading: its words without markup; else empty
    size_t start, end;  // bytes of the whole source, end excluded
    Offsets map;        // of text in the source; empty in a verbatim format
} Part;

/* A window: the parts of source, which begins at byte `base` of the whole. */
typedef struct Parsed {
    Part *at;           // in the arena
    size_t n, room;
    Str title;          // as the source names itself; may be empty
    Str source;         // borrowed
    size_t base;        // bytes; 0 in the first window
    bool verbatim;      // texts are slices of the source
} Parsed;

/* Who is given the windows, in order. A window lives until take returns. An error ends
 * the parse and is its result. */
typedef struct Sink {
    Status (*take)(void *arg, const Parsed *window);
    void *arg;
} Sink;

/* Appends a copy of *p. */
MUST_USE Status parts_add(Ctx *cx, Parsed *out, const Part *p);
/* The bytes of a UTF-8 byte order mark at the front of s: 3 or 0. */
size_t mark_length(Str s);
/* The line of s from `at`, its line break excluded; *next is where the next begins. */
Str line_at(Str s, size_t at, size_t *next);

#endif
