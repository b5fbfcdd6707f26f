/* pdf_table.c -- rows and cells of a table, from its rules or from its first column. */
#include "parse/pdf_order_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_MAX = 1 << 20 };    // bytes of a row
static const float NEAR = 20;   // points from the text to the outermost rule

static int by_height(const void *a, const void *b)
{
    const PdfRule *x = *(const PdfRule *const *)a, *y = *(const PdfRule *const *)b;
    return x->y0 < y->y0 ? -1 : x->y0 > y->y0;
}

static void extent(const Order *o, const LineSet *s, PdfRule *box)
{
    *box = (PdfRule){ 1e6f, -1e6f, 1e6f, -1e6f };
    for (size_t i = 0; i < s->n; i++) {
        const PdfLine *l = order_line(o, s, i);
        if (l->x0 < box->x0) box->x0 = l->x0;
        if (l->x1 > box->x1) box->x1 = l->x1;
        if (l->y - l->size < box->y0) box->y0 = l->y - l->size;
        if (l->y > box->y1) box->y1 = l->y;
    }
}

/* Rules of different columns at one height count once. */
static void rules_across(Order *o, const LineSet *s, Table *t)
{
    const PdfPage *p = o->page;
    PdfRule box;
    size_t n = 0;
    extent(o, s, &box);
    t->across = 0;
    t->rule = ctx_new(o->cx, const PdfRule *, p->n_across);
    if (!t->rule) return;
    for (size_t i = 0; i < p->n_across; i++) {
        const PdfRule *r = &p->across[i];
        if (r->y0 < box.y0 - NEAR || r->y0 > box.y1 + NEAR) continue;
        if (r->x1 > box.x0 && r->x0 < box.x1) t->rule[n++] = r;
    }
    qsort(t->rule, n, sizeof *t->rule, by_height);
    for (size_t i = 0; i < n; i++)
        if (t->across == 0 || t->rule[i]->y0 > t->rule[t->across - 1]->y0 + 3)
            t->rule[t->across++] = t->rule[i];
}

static bool alone(const Order *o, const LineSet *s, size_t i)
{
    uint32_t row = order_line(o, s, i)->row;
    bool before = i > 0 && order_line(o, s, i - 1)->row == row;
    return !before && !(i + 1 < s->n && order_line(o, s, i + 1)->row == row);
}

/* Lines above the first rule and below the last are none of a ruled table; without rules,
 * lines at the first column's place that have a row for themselves are not. */
void table_measure(Order *o, const LineSet *s, Table *t)
{
    rules_across(o, s, t);
    t->from = 0;
    t->to = s->n;
    if (t->across >= 3) {
        float top = t->rule[0]->y0, end = t->rule[t->across - 1]->y0;
        while (t->from < t->to && order_line(o, s, t->from)->y < top) t->from++;
        while (t->to > t->from && order_line(o, s, t->to - 1)->y > end + 2) t->to--;
        return;
    }
    float left = 1e6f;
    for (size_t i = 0; i < s->n; i++)
        if (order_line(o, s, i)->x0 < left) left = order_line(o, s, i)->x0;
    while (t->from < t->to && alone(o, s, t->from)) t->from++;
    while (t->to > t->from && alone(o, s, t->to - 1)
           && order_line(o, s, t->to - 1)->x0 < left + 3) t->to--;
}

bool table_is(const Order *o, const Columns *c, const Table *t)
{
    (void)o;
    return t->to > t->from && (t->across >= 3 || c->n >= 3);
}

/* Do rules divide the rows, rather than only head and body? */
static bool ruled_rows(const Order *o, const LineSet *s, const Table *t)
{
    size_t rows = 0;
    for (size_t i = 0; i < s->n; i++)
        rows += i == 0 || order_line(o, s, i)->row != order_line(o, s, i - 1)->row;
    return t->across >= 4 && rows <= 4 * (t->across - 1);
}

static size_t band(const Table *t, const PdfLine *l)
{
    size_t i = 0;
    while (i < t->across && t->rule[i]->y0 < l->y - .2f * l->size) i++;
    return i;
}

typedef struct Rows {
    Order *o;
    const LineSet *s;
    const Table *t;
    const Columns *c;
    bool ruled;
} Rows;

/* Where the row that begins at line i ends. */
static size_t row_end(const Rows *r, size_t i)
{
    const PdfLine *first = order_line(r->o, r->s, i);
    size_t to = i + 1;
    for (; to < r->s->n; to++) {
        const PdfLine *l = order_line(r->o, r->s, to);
        if (r->ruled ? band(r->t, l) != band(r->t, first)
                     : l->row != first->row && order_column(r->c, l) == 0) break;
        const PdfLine *before = order_line(r->o, r->s, to - 1);
        if (!r->ruled && l->y - before->y > 1.9f * l->size) break;
    }
    return to;
}

/* The cells of lines [from, to), the lines of a cell with line breaks between them. */
static Str row_cells(const Rows *r, size_t from, size_t to)
{
    Buf b = BUF(CELL_MAX);
    for (size_t k = 0; k < r->c->n; k++) {
        bool filled = false;
        if (k) buf_add(&b, STR(" | "));
        for (size_t i = from; i < to; i++) {
            const PdfLine *l = order_line(r->o, r->s, i);
            if (order_column(r->c, l) != k) continue;
            if (filled) buf_add(&b, STR("\n"));
            pdf_line_text(r->o->page, l, &b);
            filled = true;
        }
    }
    Str cells = b.failed ? (Str){ NULL, 0 } : ctx_dup(r->o->cx, buf_str(&b));
    buf_free(&b);
    return cells;
}

Status table_rows(Order *o, const LineSet *s, const Table *t)
{
    Columns c;
    TRY(order_columns(o, s, &c));
    Rows r = { o, s, t, &c, ruled_rows(o, s, t) };
    o->block++;
    for (size_t i = 0, to; i < s->n; i = to) {
        to = row_end(&r, i);
        PdfLine row = *order_line(o, s, i);
        row.table = true;
        row.cells = row_cells(&r, i, to);
        if (!row.cells.p) return fail(o->cx, E_MEMORY, "out of memory for a row");
        for (size_t k = i; k < to; k++)
            if (order_line(o, s, k)->x1 > row.x1) row.x1 = order_line(o, s, k)->x1;
        TRY(order_put(o, &row));
    }
    return OK;
}
