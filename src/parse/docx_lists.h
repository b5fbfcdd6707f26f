/* docx_lists.h -- the numbers that Word writes before list items and headings.
 *
 * They stand nowhere in the text of a file: numbering.xml says how each level counts
 * (ECMA-376 part 1, 17.9), and one counts along. */
#ifndef PITH_PARSE_DOCX_LISTS_H
#define PITH_PARSE_DOCX_LISTS_H

#include "parse/pack.h"

enum { LIST_DEPTH = 9, LIST_MARK = 64 };

typedef struct ListLevel {
    char format;            // '1', 'a', 'A', 'i', 'I'; '-': a bullet; 0: nothing
    int start, count;       // count: of the last item, 0 before the first
    char text[32];          // "%1.%2)"; %n is the number of level n
} ListLevel;

/* What several lists may have in common, their counters too. */
typedef struct ListKind {
    long id;
    ListLevel level[LIST_DEPTH];
} ListKind;

typedef struct List {
    long id, kind;
} List;

typedef struct Lists {
    ListKind *kinds;        // in the arena
    size_t n_kinds, kinds_room;
    List *lists;
    size_t n_lists, lists_room;
    int depth;              // of the level that is read
} Lists;

/* None where the member is absent or no XML. */
MUST_USE Status lists_read(Pack *p, Str member, Lists *out);
/* Counts an item of a list and gives its mark: "- ", "3.2 ", "(b) "; "- " where nothing
 * is known of the list. */
Str lists_mark(Lists *l, long list, int depth, char to[LIST_MARK]);

#endif
