/* pdf_lines.c -- the words of a page become lines.
 *
 * Words whose baselines are about the same are a row. A row is cut into lines where a gap
 * is wider than justified text has, or where a rule stands between two words; within code
 * gaps are the author's, and only a rule cuts. */
#include "parse/pdf_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float SAME_ROW = .3f, CUT = .9f;   // ems

static int by_y(const void *pa, const void *pb)
{
    const PdfWord *a = pa, *b = pb;
    if (a->y != b->y) return a->y < b->y ? -1 : 1;
    return a->x0 < b->x0 ? -1 : a->x0 > b->x0 ? 1 : a->at < b->at ? -1 : 1;
}

static int by_row(const void *pa, const void *pb)
{
    const PdfWord *a = pa, *b = pb;
    if (a->row != b->row) return a->row < b->row ? -1 : 1;
    if (a->x0 != b->x0) return a->x0 < b->x0 ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

static void number_rows(PdfPage *p)
{
    uint32_t row = 0;
    float y = 0, size = 0;
    if (p->n_words == 0) return;
    qsort(p->words, p->n_words, sizeof *p->words, by_y);
    for (size_t i = 0; i < p->n_words; i++) {
        PdfWord *w = &p->words[i];
        float em = w->size < size ? w->size : size;
        if (i == 0 || w->y - y > SAME_ROW * em) row++, y = w->y, size = w->size;
        w->row = row;
    }
    qsort(p->words, p->n_words, sizeof *p->words, by_row);
}

static bool ruled_between(const PdfPage *p, const PdfWord *a, const PdfWord *b)
{
    float y = a->y - .3f * a->size;
    if (b->x0 - a->x1 < .15f * a->size) return false;
    for (size_t i = 0; i < p->n_down; i++) {
        const PdfRule *r = &p->down[i];
        if (r->x0 > a->x1 - 1 && r->x1 < b->x0 + 1 && r->y0 < y && r->y1 > y) return true;
    }
    return false;
}

static bool is_cut(const PdfPage *p, const PdfWord *a, const PdfWord *b)
{
    float em = a->size > b->size ? a->size : b->size;
    if (a->row != b->row) return true;
    if (b->x0 - a->x1 > CUT * em && !(a->mono && b->mono)) return true;
    return p->n_down && ruled_between(p, a, b);
}

/* A line's size is that of most of its characters: the longest run of one size. */
static PdfLine measure(const PdfPage *p, uint32_t first, uint32_t n)
{
    const PdfWord *w = &p->words[first];
    PdfLine l = { .x0 = w->x0, .x1 = w->x1, .y = w->y, .size = w->size, .first = first,
                  .n = n, .row = w->row };
    uint32_t best = 0, run = 0;
    for (uint32_t i = 0; i < n; i++, w++) {
        run = i && fabsf(w->size - w[-1].size) < .3f ? run + w->chars : w->chars;
        if (run > best) best = run, l.size = w->size, l.y = w->y;
        if (w->x1 > l.x1) l.x1 = w->x1;
        l.chars += w->chars;
        if (w->mono) l.mono += w->chars;
        if (w->bold) l.bold += w->chars;
    }
    return l;
}

Status pdf_lines(Ctx *cx, PdfPage *p)
{
    size_t n = 0;
    number_rows(p);
    for (size_t i = 0; i < p->n_words; i++)
        n += i == 0 || is_cut(p, &p->words[i - 1], &p->words[i]);
    p->lines = ctx_new(cx, PdfLine, n);
    TRY_NEW(p->lines);
    for (size_t i = 0, from = 0; i < p->n_words; i++) {
        if (i + 1 < p->n_words && !is_cut(p, &p->words[i], &p->words[i + 1])) continue;
        p->lines[p->n_lines++] = measure(p, (uint32_t)from, (uint32_t)(i + 1 - from));
        from = i + 1;
    }
    return OK;
}

PdfLine pdf_line_merge(const PdfPage *p, const PdfLine *a, const PdfLine *b)
{
    PdfLine l = measure(p, a->first, b->first + b->n - a->first);
    l.block = a->block;
    l.hang = a->hang;
    return l;
}

static void put_word(const PdfPage *p, const PdfWord *w, bool first, Buf *out)
{
    if (!first && !w->glued) buf_add(out, STR(" "));
    if (w->mark) buf_add(out, STR("["));
    buf_add(out, pdf_word(p, w));
    if (w->mark) buf_add(out, STR("]"));
}

void pdf_line_text(const PdfPage *p, const PdfLine *l, Buf *out)
{
    const PdfWord *w = &p->words[l->first];
    uint32_t rtl = 0;
    for (uint32_t i = 0; i < l->n; i++) rtl += w[i].rtl ? w[i].chars : 0;
    if (2 * rtl > l->chars)
        for (uint32_t i = l->n; i-- > 0;) put_word(p, &w[i], i + 1 == l->n, out);
    else
        for (uint32_t i = 0; i < l->n; i++) put_word(p, &w[i], i == 0, out);
}
