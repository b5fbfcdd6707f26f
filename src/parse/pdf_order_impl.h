/* pdf_order_impl.h -- sets of lines, their columns, and tables among them.
 *
 * A set has lines of one page in the order of rows, within a row from left to right. */
#ifndef PITH_PARSE_PDF_ORDER_IMPL_H
#define PITH_PARSE_PDF_ORDER_IMPL_H

#include "parse/pdf_impl.h"

typedef struct LineSet {
    uint32_t *at;           // of PdfPage.lines
    size_t n;
} LineSet;

typedef struct Order {
    Ctx *cx;
    const PdfPage *page;
    PdfLine *out;
    size_t n, room;
    uint32_t block;
} Order;

static inline const PdfLine *order_line(const Order *o, const LineSet *s, size_t i)
{
    return &o->page->lines[s->at[i]];
}

enum { COLUMNS_MAX = 32 };

typedef struct Column {
    float x0, x1;
    size_t lines, chars;
    float fill;             // sum over its lines of how much of its width they take
} Column;

typedef struct Columns {
    Column at[COLUMNS_MAX];
    size_t n;
} Columns;

/* The strips that a set's lines leave free divide its columns. */
MUST_USE Status order_columns(Order *o, const LineSet *s, Columns *out);
size_t order_column(const Columns *c, const PdfLine *l);
/* Appends a line to what is read, in the block that is open. */
MUST_USE Status order_put(Order *o, const PdfLine *l);

/* ---- pdf_table.c ------------------------------------------------------------------- */

typedef struct Table {
    size_t from, to;        // lines of the set, without what only stands near
    const PdfRule **rule;   // those across it, from top to bottom; in the arena
    size_t across;
} Table;

void table_measure(Order *o, const LineSet *s, Table *t);
/* Rules across, or at least three columns. */
bool table_is(const Order *o, const Columns *c, const Table *t);
/* Its rows as lines with cells, which stand between rules where these divide rows; else a
 * row begins where the first column has a line. */
MUST_USE Status table_rows(Order *o, const LineSet *s, const Table *t);

#endif
