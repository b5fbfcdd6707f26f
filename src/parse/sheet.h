/* sheet.h -- the rows of a spreadsheet, each so that it can be read alone.
 *
 * A row far below its header says nothing by itself, and a passage is a few rows. So the
 * names of the columns go into each row: "Item: Bolt M6 | Price: 0.12". The first row of
 * two cells or more is the header where it looks like one; before it, and where none
 * does, cells stand between ' | '. */
#ifndef PITH_PARSE_SHEET_H
#define PITH_PARSE_SHEET_H

#include "parse/edition.h"

enum { SHEET_CELLS = 4096 };        // of one row; more are not read

typedef struct SheetCell {
    size_t column;                  // from 0
    size_t at, n;                   // in the row's text
} SheetCell;

typedef struct SheetRow {
    Buf text;
    SheetCell *cells;               // (SHEET_CELLS), on the heap
    size_t n;
} SheetRow;

typedef struct Sheet {
    Edition *e;
    SheetRow row, header;
    bool decided;                   // whether there is a header
} Sheet;

/* E_MEMORY. sheet_close is to be called in any case. */
MUST_USE Status sheet_open(Sheet *s, Edition *e);
void sheet_close(Sheet *s);
/* Forgets the header: another table begins. */
void sheet_begin(Sheet *s);
/* A cell of the open row, columns ascending. Empty ones may be left out. */
void sheet_cell(Sheet *s, size_t column, Str value);
/* Writes the row. E_MEMORY, or what the edition says. */
MUST_USE Status sheet_end_row(Sheet *s);

/* Do these cells look like the names of columns: short, none empty, a number or said
 * twice? */
bool sheet_is_header(const Str *cells, size_t n);

#endif
