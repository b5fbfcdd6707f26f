/* pdf_order.c -- the lines of a page in the order of reading.
 *
 * A gutter is a strip that no line crosses over some rows, with lines beside each
 * other on both of its sides. The part of a page that has the longest gutter is taken
 * out: what stands above it is read first, then the part, column by column or, where
 * it is a table, row by row, then what stands below; each of them in the same way.
 * (Columns first and only then heights, unlike the X-Y cut of Nagy and Seth, 1984: a
 * gap across both columns does not tear them.) What has no gutter is read from top to
 * bottom. */
#include "parse/pdf_order_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 2000, DEPTH = 8, CANDIDATES = 24 };
static const float BESIDE = .7f, GUTTER = .5f;  // ems

/* ---- gutters ----------------------------------------------------------------------- */

typedef struct Gutter {
    size_t from, to;        // lines of the set
    size_t beside;          // how often a line has one at its side across the gutter
} Gutter;

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

typedef struct Left { float x; size_t n; } Left;

static int by_count(const void *a, const void *b)
{
    const Left *x = a, *y = b;
    if (x->n != y->n) return x->n > y->n ? -1 : 1;
    return x->x < y->x ? -1 : x->x > y->x;
}

/* Where lines begin, the commonest first: a gutter ends at one of these. */
static Status lefts(Order *o, const LineSet *s, float *out, size_t *n)
{
    float *x = ctx_new(o->cx, float, s->n);
    Left *at = ctx_new(o->cx, Left, s->n);
    size_t kinds = 0;
    if (!x || !at) return E_MEMORY;
    for (size_t i = 0; i < s->n; i++) x[i] = order_line(o, s, i)->x0;
    qsort(x, s->n, sizeof *x, by_value);
    for (size_t i = 0; i < s->n; i++) {
        if (kinds == 0 || x[i] > at[kinds - 1].x + 3) at[kinds++] = (Left){ x[i], 0 };
        at[kinds - 1].n++;
    }
    qsort(at, kinds, sizeof *at, by_count);
    for (*n = 0; *n < kinds && *n < CANDIDATES && at[*n].n > 1; ++*n) out[*n] = at[*n].x;
    return OK;
}

typedef struct Sweep {
    float x;
    size_t from, left, right, beside;
    float left_y, right_y;  // of the last
} Sweep;

static void sweep_restart(Sweep *w, size_t from)
{
    *w = (Sweep){ .x = w->x, .from = from, .left_y = -1e6f, .right_y = -1e6f };
}

static void sweep_end(const Sweep *w, size_t to, Gutter *best)
{
    size_t fewer = w->left < w->right ? w->left : w->right;
    bool found = w->beside >= 2 && fewer >= 2 && 2 * w->beside >= fewer;
    if (found && w->beside > best->beside) *best = (Gutter){ w->from, to, w->beside };
}

/* The best run of lines that leave the strip before x free. */
static void sweep(Order *o, const LineSet *s, float x, Gutter *best)
{
    Sweep w = { .x = x };
    sweep_restart(&w, 0);
    for (size_t i = 0; i < s->n; i++) {
        const PdfLine *l = order_line(o, s, i);
        bool right = l->x0 >= x - 1.5f, left = l->x1 <= x - GUTTER * l->size;
        if (!right && !left) {
            sweep_end(&w, i, best);
            sweep_restart(&w, i + 1);
            continue;
        }
        float other = right ? w.left_y : w.right_y;
        w.beside += l->y - other < BESIDE * l->size;
        if (right) w.right++, w.right_y = l->y;
        else w.left++, w.left_y = l->y;
    }
    sweep_end(&w, s->n, best);
}

/* ---- columns ----------------------------------------------------------------------- */

typedef struct Extent { float x0, x1; } Extent;

static int by_left(const void *a, const void *b)
{
    const Extent *x = a, *y = b;
    return x->x0 < y->x0 ? -1 : x->x0 > y->x0;
}

Status order_columns(Order *o, const LineSet *s, Columns *out)
{
    Extent *e = ctx_new(o->cx, Extent, s->n);
    TRY_NEW(e);
    for (size_t i = 0; i < s->n; i++) {
        const PdfLine *l = order_line(o, s, i);
        e[i] = (Extent){ l->x0, l->x1 };
    }
    qsort(e, s->n, sizeof *e, by_left);
    out->n = 0;
    for (size_t i = 0; i < s->n; i++) {
        Column *c = out->n ? &out->at[out->n - 1] : NULL;
        if (c && (e[i].x0 < c->x1 + 2 || out->n == COLUMNS_MAX)) {
            if (e[i].x1 > c->x1) c->x1 = e[i].x1;
        } else out->at[out->n++] = (Column){ .x0 = e[i].x0, .x1 = e[i].x1 };
    }
    for (size_t i = 0; i < s->n; i++) {
        const PdfLine *l = order_line(o, s, i);
        Column *c = &out->at[order_column(out, l)];
        c->lines++;
        c->chars += l->chars;
        c->fill += (l->x1 - l->x0) / (c->x1 - c->x0 + .01f);
    }
    return OK;
}

size_t order_column(const Columns *c, const PdfLine *l)
{
    size_t i = 0;
    while (i + 1 < c->n && l->x0 > c->at[i].x1) i++;
    return i;
}

/* Prose fills its columns, or they are alike and side by side, as in an index. */
static bool is_prose(const Columns *c)
{
    bool filled = true, alike = true;
    float pitch = c->n > 1 ? c->at[1].x0 - c->at[0].x0 : 0;
    for (size_t i = 0; i < c->n; i++) {
        const Column *k = &c->at[i];
        float lines = (float)k->lines, chars = (float)k->chars;
        if (k->lines < 3 || chars < 12 * lines) return false;
        filled &= k->fill >= .72f * lines && chars >= 18 * lines;
        alike &= i == 0 || fabsf(k->x0 - k[-1].x0 - pitch) < .06f * pitch;
    }
    float whole = c->at[c->n - 1].x1 - c->at[0].x0;
    alike &= pitch * (float)c->n > .8f * whole && pitch * (float)c->n < 1.25f * whole;
    return filled || alike;
}

/* ---- order ------------------------------------------------------------------------- */

static Status put(Order *o, const PdfLine *l)
{
    if (o->n == o->room) return fail(o->cx, E_INTERNAL, "a line was read twice");
    o->out[o->n++] = *l;
    return OK;
}

Status order_put(Order *o, const PdfLine *l)
{
    PdfLine copy = *l;
    copy.block = o->block;
    return put(o, &copy);
}

/* From top to bottom; what stands in one row is one line. */
static Status flow(Order *o, const LineSet *s)
{
    o->block++;
    for (size_t i = 0, next; i < s->n; i = next) {
        PdfLine l = *order_line(o, s, i);
        float label = l.x1;
        for (next = i + 1; next < s->n; next++) {
            const PdfLine *b = order_line(o, s, next);
            if (b->row != l.row) break;
            if (next == i + 1 && label - l.x0 < 8 * l.size) l.hang = b->x0;
            l = pdf_line_merge(o->page, &l, b);
        }
        TRY(order_put(o, &l));
    }
    return OK;
}

static Status ordered(Order *o, const LineSet *s, int depth);

static Status by_column(Order *o, const LineSet *s, const Columns *c, int depth)
{
    uint32_t *at = ctx_new(o->cx, uint32_t, s->n);
    TRY_NEW(at);
    for (size_t k = 0; k < c->n; k++) {
        LineSet column = { .at = at };
        for (size_t i = 0; i < s->n; i++)
            if (order_column(c, order_line(o, s, i)) == k) at[column.n++] = s->at[i];
        TRY(ordered(o, &column, depth + 1));
        at += column.n;
    }
    return OK;
}

/* The part with the gutter. */
static Status beside(Order *o, const LineSet *s, int depth)
{
    Columns c;
    Table t;
    TRY(order_columns(o, s, &c));
    table_measure(o, s, &t);
    if (c.n > 1 && t.across < 3 && is_prose(&c)) return by_column(o, s, &c, depth);
    if (table_is(o, &c, &t)) {
        LineSet above = { s->at, t.from }, body = { s->at + t.from, t.to - t.from };
        LineSet below = { s->at + t.to, s->n - t.to };
        if (above.n) TRY(flow(o, &above));
        TRY(table_rows(o, &body, &t));
        return below.n ? flow(o, &below) : OK;
    }
    return flow(o, s);
}

static Status ordered(Order *o, const LineSet *s, int depth)
{
    float x[CANDIDATES];
    size_t n;
    Gutter g = { 0 };
    if (s->n == 0) return OK;
    if (s->n > LINES_MAX || depth > DEPTH) return flow(o, s);
    TRY(lefts(o, s, x, &n));
    for (size_t i = 0; i < n; i++) sweep(o, s, x[i], &g);
    if (g.beside == 0) return flow(o, s);
    LineSet above = { s->at, g.from }, part = { s->at + g.from, g.to - g.from };
    LineSet below = { s->at + g.to, s->n - g.to };
    TRY(ordered(o, &above, depth + 1));
    TRY(beside(o, &part, depth));
    return ordered(o, &below, depth + 1);
}

Status pdf_order(Ctx *cx, PdfPage *page)
{
    Order o = { .cx = cx, .page = page, .room = page->n_lines };
    LineSet all = { ctx_new(cx, uint32_t, page->n_lines), page->n_lines };
    o.out = ctx_new(cx, PdfLine, page->n_lines);
    if (!all.at || !o.out) return E_MEMORY;
    for (size_t i = 0; i < all.n; i++) all.at[i] = (uint32_t)i;
    TRY(ordered(&o, &all, 0));
    page->lines = o.out;
    page->n_lines = o.n;
    return OK;
}
