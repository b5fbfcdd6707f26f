/* pdf_learn.c -- what only the whole document tells.
 *
 * Headers and footers: rows at the edge of a page whose text, numbers aside, stands on
 * several pages at the same height; where most pages have one at a height, whatever
 * stands outermost there is one too, for the names of chapters change. Words: whether
 * a hyphen at the end of a line belongs to the word is answered by how the word is
 * written elsewhere. Size: the text's is the one that most characters have. */
#include "parse/pdf_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EDGE_ROWS = 3, EDGES_MAX = 1 << 20, SEEN_MAX = 1 << 21, KEY_MAX = 400 };
static const float EDGE = .14f;     // of a sheet's height

/* ---- words ------------------------------------------------------------------------- */

static bool is_letter(unsigned char c)
{
    return ((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 0x80 || (c >= '0' && c <= '9');
}

static uint64_t hash_on(uint64_t h, Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 'A' && c <= 'Z') c |= 32;
        h = (h ^ c) * 0x100000001B3u;
    }
    return h;
}

static const uint64_t HASH = 0xCBF29CE484222325u;

/* Without what stands around a word: quotes, brackets, full stops. */
static Str bare(Str s)
{
    while (s.n && !is_letter((unsigned char)*s.p)) s.p++, s.n--;
    while (s.n && !is_letter((unsigned char)s.p[s.n - 1])) s.n--;
    return s;
}

/* The place of h, or the free one where it would go; room is a power of two. */
static size_t place(const PdfLearn *d, uint64_t h)
{
    size_t i = h & (d->seen_room - 1);
    while (d->seen[i] && d->seen[i] != h) i = (i + 1) & (d->seen_room - 1);
    return i;
}

static Status seen_grow(Ctx *cx, PdfLearn *d)
{
    uint64_t *old = d->seen;
    size_t room = d->seen_room;
    d->seen_room = room ? room * 2 : 4096;
    d->seen = ctx_new(cx, uint64_t, d->seen_room);
    TRY_NEW(d->seen);
    for (size_t i = 0; i < room; i++)
        if (old[i]) d->seen[place(d, old[i])] = old[i];
    return OK;
}

static Status see(Ctx *cx, PdfLearn *d, Str word)
{
    word = bare(word);
    if (word.n < 2 || word.n > 64 || d->n_seen >= SEEN_MAX) return OK;
    if (2 * d->n_seen >= d->seen_room) TRY(seen_grow(cx, d));
    uint64_t h = hash_on(HASH, word) | 1;
    size_t i = place(d, h);
    d->n_seen += d->seen[i] == 0;
    d->seen[i] = h;
    return OK;
}

bool pdf_seen(const PdfLearn *d, Str a, Str b, bool hyphen)
{
    uint64_t h = HASH;
    if (!d->seen) return false;
    if (b.n == 0) h = hash_on(h, bare(a));
    else {
        while (a.n && !is_letter((unsigned char)*a.p)) a.p++, a.n--;
        while (b.n && !is_letter((unsigned char)b.p[b.n - 1])) b.n--;
        h = hash_on(h, a);
        if (hyphen) h = hash_on(h, STR("-"));
        h = hash_on(h, b);
    }
    return d->seen[place(d, h | 1)] != 0;
}

/* The parts of a compound are words too. */
static Status see_parts(Ctx *cx, PdfLearn *d, Str w)
{
    TRY(see(cx, d, w));
    for (const char *hyphen; (hyphen = w.n ? memchr(w.p, '-', w.n) : NULL);) {
        size_t n = (size_t)(hyphen - w.p);
        if (n) TRY(see(cx, d, (Str){ w.p, n }));
        w = (Str){ hyphen + 1, w.n - n - 1 };
        if (w.n && !memchr(w.p, '-', w.n)) TRY(see(cx, d, w));
    }
    return OK;
}

/* A word at the end of a line is half of one where it ends in a hyphen. */
static Status see_words(Ctx *cx, PdfLearn *d, const PdfPage *p, const PdfLine *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        Str w = pdf_word(p, &p->words[l->first + i]);
        if (i + 1 == l->n && str_ends(w, STR("-"))) break;
        TRY(see_parts(cx, d, w));
    }
    return OK;
}

/* ---- headers and footers ----------------------------------------------------------- */

static bool is_roman(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("ivxlcIVXLC", s.p[i])) return false;
    return s.n > 0 && s.n < 8;
}

/* Digits count as one sign whatever the number, and so does a Roman one alone. */
static uint64_t edge_key(const PdfPage *p, const PdfLine *from, const PdfLine *to)
{
    uint64_t h = HASH;
    for (const PdfLine *l = from; l < to; l++) {
        for (uint32_t i = 0; i < l->n; i++) {
            Str w = pdf_word(p, &p->words[l->first + i]);
            if (is_roman(w)) w = STR("0");
            for (size_t k = 0; k < w.n; k++) {
                bool digit = w.p[k] >= '0' && w.p[k] <= '9';
                if (digit && k && w.p[k - 1] >= '0' && w.p[k - 1] <= '9') continue;
                h = hash_on(h, digit ? STR("0") : (Str){ w.p + k, 1 });
            }
        }
    }
    return h;
}

static Status edge_add(Ctx *cx, PdfLearn *d, const PdfEdge *e)
{
    if (d->n_edges >= EDGES_MAX) return OK;
    TRY(ctx_grow(cx, &d->edges, d->n_edges, &d->edges_room, sizeof *d->edges));
    d->edges[d->n_edges++] = *e;
    return OK;
}

/* The rows at the top, then those at the bottom. */
static Status edges(Ctx *cx, PdfLearn *d, const PdfPage *p, int number)
{
    float height = p->bottom - p->top;
    uint32_t rows = p->n_lines ? p->lines[p->n_lines - 1].row : 0;
    for (size_t i = 0, to; i < p->n_lines; i = to) {
        const PdfLine *l = &p->lines[i];
        for (to = i + 1; to < p->n_lines && p->lines[to].row == l->row;) to++;
        uint32_t below = rows - l->row;
        bool top = l->row <= EDGE_ROWS && l->y - p->top < EDGE * height;
        bool bottom = below < EDGE_ROWS && p->bottom - l->y < EDGE * height;
        if (!top && !bottom) continue;
        PdfEdge e = { .key = edge_key(p, l, &p->lines[to]), .y = l->y - p->top,
                      .page = (uint32_t)number, .row = l->row,
                      .outer = top ? l->row == 1 : below == 0 };
        TRY(edge_add(cx, d, &e));
    }
    return OK;
}

static int by_key(const void *pa, const void *pb)
{
    const PdfEdge *a = *(PdfEdge *const *)pa, *b = *(PdfEdge *const *)pb;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    if (a->y != b->y) return a->y < b->y ? -1 : 1;
    return a < b ? -1 : a > b;
}

static int by_height(const void *pa, const void *pb)
{
    const PdfEdge *a = *(PdfEdge *const *)pa, *b = *(PdfEdge *const *)pb;
    if (a->y != b->y) return a->y < b->y ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* The same text on three pages, or on two of a few: left and right ones may differ. */
static void find_again(const PdfLearn *d, PdfEdge **at)
{
    size_t least = d->pages < 6 ? 2 : 3;
    for (size_t i = 0, to; i < d->n_edges; i = to) {
        for (to = i + 1; to < d->n_edges; to++)
            if (at[to]->key != at[i]->key || at[to]->y > at[to - 1]->y + 2) break;
        for (size_t k = i; k < to && to - i >= least; k++)
            at[k]->again = at[k]->drop = true;
    }
}

/* Where three in ten of the pages have a header, the outermost rows of the others are. */
static void find_heights(const PdfLearn *d, PdfEdge **at)
{
    for (size_t i = 0, to; i < d->n_edges; i = to) {
        size_t again = 0;
        for (to = i; to < d->n_edges && at[to]->y < at[i]->y + 1.5f; to++)
            again += at[to]->again;
        for (size_t k = i; k < to && again >= 3 && 10 * again >= 3 * d->pages; k++)
            at[k]->drop |= at[k]->outer;
    }
}

static size_t first_edge(const PdfLearn *d, uint32_t page)
{
    size_t low = 0, high = d->n_edges;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (d->edges[mid].page < page) low = mid + 1;
        else high = mid;
    }
    return low;
}

void pdf_strip(const PdfLearn *d, PdfPage *p, int number)
{
    size_t first = first_edge(d, (uint32_t)number), n = 0;
    for (size_t i = 0; i < p->n_lines; i++) {
        bool drop = false;
        for (size_t k = first; k < d->n_edges; k++) {
            if (d->edges[k].page != (uint32_t)number) break;
            drop |= d->edges[k].drop && d->edges[k].row == p->lines[i].row;
        }
        if (!drop) p->lines[n++] = p->lines[i];
    }
    p->n_lines = n;
}

/* ---- sizes ------------------------------------------------------------------------- */

static size_t half_points(float size)
{
    return size >= 127 ? 255 : (size_t)(2 * size + .5f);
}

static void find_body(PdfLearn *d)
{
    size_t best = 20;
    for (size_t i = 0; i < 256; i++)
        if (d->sizes[i] > d->sizes[best]) best = i;
    d->body = (float)best / 2;
}

int pdf_size_level(const PdfLearn *d, float size)
{
    int level = 1;
    for (size_t i = half_points(size) + 2; i < 256; i++)
        level += d->sizes[i] > 0 && d->sizes[i - 1] == 0;
    return level < 6 ? level : 6;
}

/* The largest lines of the first page, where they are few and stand together. */
static Status find_title(Ctx *cx, PdfLearn *d, const PdfPage *p)
{
    Buf b = BUF(1000);
    float y = 0;
    for (size_t i = 0; i < p->n_lines; i++)
        if (p->lines[i].size > d->title_size && p->lines[i].chars > 2)
            d->title_size = p->lines[i].size;
    for (size_t i = 0; i < p->n_lines; i++) {
        const PdfLine *l = &p->lines[i];
        if (l->size < .95f * d->title_size) continue;
        if (b.n && l->y - y > 2.5f * l->size) break;
        if (b.n) buf_add(&b, STR(" "));
        pdf_line_text(p, l, &b);
        y = l->y;
    }
    if (!b.failed) d->title = ctx_dup(cx, buf_str(&b));
    buf_free(&b);
    return d->title.p || cx->status == OK ? OK : E_MEMORY;
}

Status pdf_learn(Ctx *cx, PdfLearn *d, const PdfPage *p, int number)
{
    if (number == 1) TRY(find_title(cx, d, p));
    for (size_t i = 0; i < p->n_lines; i++) {
        const PdfLine *l = &p->lines[i];
        d->sizes[half_points(l->size)] += l->chars;
        d->chars += l->chars;
        TRY(see_words(cx, d, p, l));
    }
    d->pages++;
    return edges(cx, d, p, number);
}

Status pdf_learned(Ctx *cx, PdfLearn *d)
{
    PdfEdge **at = ctx_new(cx, PdfEdge *, d->n_edges);
    TRY_NEW(at);
    for (size_t i = 0; i < d->n_edges; i++) at[i] = &d->edges[i];
    qsort(at, d->n_edges, sizeof *at, by_key);
    find_again(d, at);
    qsort(at, d->n_edges, sizeof *at, by_height);
    find_heights(d, at);
    find_body(d);
    if (d->title_size < 1.15f * d->body) d->title = STR("");
    return OK;
}

/* ---- keys -------------------------------------------------------------------------- */

Str pdf_key(Ctx *cx, Str s)
{
    char *p = ctx_new(cx, char, KEY_MAX);
    size_t n = 0;
    if (!p) return (Str){ NULL, 0 };
    for (size_t i = 0; i < s.n && n < KEY_MAX; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_letter(c)) p[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
    }
    return (Str){ p, n };
}
