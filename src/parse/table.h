/* table.h -- a table of a text document to rows: cells between ' | '.
 *
 * A cell over several columns is written once, one over several rows in each of them, so
 * that every row can be read alone. A row of one cell, or with a cell as long as a page's
 * column, is layout and not a table: its paragraphs are paragraphs. */
#ifndef PITH_PARSE_TABLE_H
#define PITH_PARSE_TABLE_H

#include "parse/edition.h"

enum { TABLE_COLUMNS = 64 };    // that can merge
enum { TABLE_KEPT = 200 };      // bytes of a cell that is said again

typedef struct Table {
    Buf row;                    // cells, each ended by a NUL; a line break a paragraph
    size_t cell;                // where the open one begins in row
    size_t cells;
    int column, span;           // of the open cell
    bool merged;                // with the cell above
    bool dropped;               // the row was deleted
    size_t longest;             // bytes of the longest cell so far
    unsigned short n[TABLE_COLUMNS];
    char above[TABLE_COLUMNS][TABLE_KEPT];  // what merged cells say
} Table;

/* table_close is to be called in any case. */
void table_open(Table *t);
void table_close(Table *t);

void table_begin(Table *t);
void table_row(Table *t);
void table_cell(Table *t);
/* Of the open cell: columns it covers; it is, or begins, one over several rows. */
void table_span(Table *t, long columns);
void table_merged(Table *t, bool begins);
/* The open row was deleted. */
void table_drop(Table *t);
/* A paragraph of the open cell. */
void table_text(Table *t, Str text);
/* Writes the row. E_MEMORY, or what the edition says. */
MUST_USE Status table_end_row(Table *t, Edition *e);

#endif
