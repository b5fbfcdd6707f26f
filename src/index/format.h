/* format.h -- a source in UTF-8 to a list of parts: headings, paragraphs, code, items.
 *
 * Offsets are bytes of the UTF-8 form of the source: the file's own bytes where it is
 * UTF-8, a byte order mark counted, and else what charset.h made of it.
 *
 * Invariant: parts come in the order of the source and do not overlap. In a verbatim
 * format (text, Markdown) the text of a part is source[start, end) byte for byte; in HTML
 * it is the readable text, whose words stand in source[start, end) in their order. */
#ifndef PITH_INDEX_FORMAT_H
#define PITH_INDEX_FORMAT_H

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
    Str text;           // never empty
    Str name;           // of a heading: its words without markup; else empty
    size_t start, end;  // bytes of the source, end excluded
    Offsets map;        // of text in the source; empty in a verbatim format
} Part;

typedef struct Parsed {
    Part *at;           // in the arena
    size_t n, room;
    Str title;          // as the source names itself; may be empty
    Str source;         // borrowed
    bool verbatim;      // texts are slices of the source
} Parsed;

/* The three extractors. Any bytes are a document, if a poor one: the only errors are
 * E_MEMORY and E_LIMIT (1 GiB or more). Source is UTF-8 and outlives *out. */
MUST_USE Status text_parse(Ctx *cx, Str source, Parsed *out);
/* The same for source code: a part is a run of lines between blank lines. */
MUST_USE Status code_parse(Ctx *cx, Str source, Parsed *out);
/* CommonMark with GitHub's tables, by md4c. YAML and TOML front matter is no text; its
 * title is used. */
MUST_USE Status markdown_parse(Ctx *cx, Str source, Parsed *out);
/* By libxml2's HTML parser as a stream, nothing fetched. Scripts, styles, navigation and
 * footers are left out. */
MUST_USE Status html_parse(Ctx *cx, Str source, Parsed *out);

/* Appends a copy of *p. */
MUST_USE Status parts_add(Ctx *cx, Parsed *out, const Part *p);
/* The bytes of a UTF-8 byte order mark at the front of s: 3 or 0. */
size_t mark_length(Str s);
/* The line of s from `at`, its line break excluded; *next is where the next begins. */
Str line_at(Str s, size_t at, size_t *next);

#endif
