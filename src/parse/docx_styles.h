/* docx_styles.h -- what a Word document's styles say of its paragraphs. */
#ifndef PITH_PARSE_DOCX_STYLES_H
#define PITH_PARSE_DOCX_STYLES_H

#include "parse/pack.h"

typedef struct Style {
    Str id, base;           // base: the id of the style that it is made from
    int level;              // 1 to 9 of a heading; 0: it is none; -1: not said here
    long list;              // of numbering.xml; 0: no list; -1: not said here
    int depth;              // in that list, from 0
    bool contents;          // of a table of contents
} Style;

typedef struct Styles {
    Style *at;              // in the arena
    size_t n, room;
    bool inside;            // of a style, while it is read
} Styles;

/* None where the member is absent or no XML. What a style inherits is filled in. */
MUST_USE Status styles_read(Pack *p, Str member, Styles *out);
/* A plain one where there is none of that id. */
Style styles_find(const Styles *s, Str id);

#endif
