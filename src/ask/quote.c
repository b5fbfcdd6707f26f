/* quote.c -- see quote.h.
 *
 * All places where a quotation may begin are sorted by the text that follows them (a
 * suffix array over word borders: Manber and Myers, SIAM Journal on Computing 22, 1993).
 * The quotation so far is an interval of it: the places whose text begins with it. Each
 * byte narrows the interval by two binary searches.
 *
 * Invariant: from every state that is reached by allowed bytes, an end is reached by
 * allowed bytes: a stretch of text that may be quoted ends at the end of a word. */
#include "ask/quote_impl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MOST = 1 << 20 };

static const Marks all_marks[] = {
    { { "\"", 1 }, { "\"", 1 } },
    { { "\xE2\x80\x9C", 3 }, { "\xE2\x80\x9D", 3 } },   // 66 and 99
    { { "\xE2\x80\x9E", 3 }, { "\xE2\x80\x9C", 3 } },   // low 99 and 66
    { { "\xC2\xAB", 2 }, { "\xC2\xBB", 2 } },           // guillemets
    { { "\xE3\x80\x8C", 3 }, { "\xE3\x80\x8D", 3 } },   // corner brackets
};
enum { N_MARKS = sizeof all_marks / sizeof *all_marks };

/* ---- characters and marks --------------------------------------------------------- */

Str quote_first_char(Str s)
{
    unsigned char lead = (unsigned char)s.p[0];
    size_t n = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
    size_t i = 1;
    while (i < n && i < s.n && ((unsigned char)s.p[i] & 0xC0) == 0x80) i++;
    return (Str){ s.p, i == n || i == s.n ? i : 1 };
}

static bool is_cut(Str s, Str c)
{
    unsigned char lead = (unsigned char)c.p[0];
    size_t n = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
    return c.p + c.n == s.p + s.n && c.n < n;
}

static const Marks *opened_by(Str c)
{
    for (size_t i = 0; i < N_MARKS; i++)
        if (str_eq(c, all_marks[i].open)) return &all_marks[i];
    return NULL;
}

/* Bytes of the quotation mark at the head of s; 0: none is there. */
static size_t mark_at(Str s)
{
    for (size_t i = 0; i < N_MARKS; i++) {
        if (str_starts(s, all_marks[i].open)) return all_marks[i].open.n;
        if (str_starts(s, all_marks[i].close)) return all_marks[i].close.n;
    }
    return 0;
}

/* A letter or digit of a script that puts spaces between its words: behind one, a mark is
 * an inch or an apostrophe and opens nothing. Characters of two bytes from U+00C0 on are
 * such letters, but for a few. */
static bool is_spaced_letter(Str c)
{
    return c.n == 1 ? isalnum((unsigned char)c.p[0]) != 0
                    : c.n == 2 && (unsigned char)c.p[0] >= 0xC3;
}

/* ---- the passages ----------------------------------------------------------------- */

/* What stands in the source like a mark of ours, "[1]" or "[2,3]". */
static size_t number_at(Str s)
{
    size_t i = 1;
    if (s.n < 3 || s.p[0] != '[') return 0;
    while (i < s.n && (isdigit((unsigned char)s.p[i]) || s.p[i] == ',')) i++;
    return i > 1 && i < s.n && s.p[i] == ']' ? i + 1 : 0;
}

/* The white space at the head of s, where it holds an empty line. */
static size_t gap_at(Str s)
{
    size_t i = 0, lines = 0;
    for (; i < s.n && isspace((unsigned char)s.p[i]); i++) lines += s.p[i] == '\n';
    return lines > 1 ? i : 0;
}

/* 1 in may_end[i]: a border of words, or of characters where no word is, stands behind
 * byte i. */
static Status read_borders(Ctx *cx, Words *w, Str text, uint8_t *border)
{
    for (size_t i = 0; i <= text.n; i++)
        border[i] = i == text.n || ((unsigned char)text.p[i] & 0xC0) != 0x80;
    TRY(words_begin(cx, w, text));
    for (Word x; words_next(w, &x);)
        memset(border + x.start + 1, 0, x.end - x.start - 1);
    TRY(words_end(cx, w));
    TRY(words_begin(cx, w, text));
    size_t end = 0;         // of the last word that is no part of another
    for (Word x; words_next(w, &x);) {
        if (x.end <= end) continue;
        border[x.start] = border[x.end] = 1;    // pairs of characters overlap
        end = x.end;
    }
    return words_end(cx, w);
}

/* Adds the places of a stretch [from, to) of a passage where a quotation may begin. */
static void add_starts(Quoter *q, size_t passage, size_t from, size_t to)
{
    const char *text = q->ps->at[passage].chunk.text.p;
    const uint8_t *border = q->may_end[passage];
    while (to > from && (!border[to] || isspace((unsigned char)text[to - 1]))) to--;
    for (size_t i = from; i < to; i++) {
        bool first = i == from || isspace((unsigned char)text[i - 1]);
        Str here = { text + i, to - i };
        if (!border[i] || isspace((unsigned char)text[i])) continue;
        if (!first && ispunct((unsigned char)*here.p)) continue;
        q->start[q->n++] = (Start){ here.p, (uint32_t)here.n, (uint32_t)passage };
    }
}

/* Cuts [from, to) where no quotation may go over. */
static void add_stretches(Quoter *q, size_t passage, size_t from, size_t to)
{
    const char *text = q->ps->at[passage].chunk.text.p;
    size_t begun = from;
    for (size_t i = from; i < to;) {
        Str rest = { text + i, to - i };
        size_t skip = mark_at(rest);
        if (!skip) skip = number_at(rest);
        if (!skip) skip = gap_at(rest);
        bool full = i - begun >= QUOTE_MOST - 4 && q->may_end[passage][i];
        if (skip || full || i - begun == QUOTE_MOST) {
            add_starts(q, passage, begun, i);
            begun = i + skip;
        }
        i += skip ? skip : 1;
    }
    add_starts(q, passage, begun, to);
}

static bool is_blank(const char *p, size_t n)
{
    while (n > 0 && isspace((unsigned char)*p)) p++, n--;
    return n == 0;
}

/* The text that the model read: all of it, or runs of the sentences that were kept. */
static void add_passage(Quoter *q, size_t passage)
{
    const Passage *p = &q->ps->at[passage];
    const char *text = p->chunk.text.p;
    if (!p->kept) add_stretches(q, passage, 0, p->chunk.text.n);
    for (size_t i = 0, j; p->kept && i < p->n_kept; i = j) {
        size_t end = p->kept[i].end;
        for (j = i + 1; j < p->n_kept; j++) {
            if (p->kept[j].start < end || !is_blank(text + end, p->kept[j].start - end))
                break;
            end = p->kept[j].end;
        }
        add_stretches(q, passage, p->kept[i].start, end);
    }
}

static int by_text(const void *a, const void *b)
{
    const Start *x = a, *y = b;
    int c = str_cmp((Str){ x->p, x->n }, (Str){ y->p, y->n });
    if (c) return c;
    if (x->passage != y->passage) return x->passage < y->passage ? -1 : 1;
    return (x->p > y->p) - (x->p < y->p);
}

static Status read_passages(Ctx *cx, Words *w, Quoter *q)
{
    size_t bytes = 0;
    TRY_NEW(q->may_end = ctx_new(cx, uint8_t *, q->ps->n));
    for (size_t i = 0; i < q->ps->n; i++) {
        Str text = q->ps->at[i].chunk.text;
        if (text.n >= UINT32_MAX) return fail(cx, E_LIMIT, "a passage passes 4 GiB");
        TRY_NEW(q->may_end[i] = ctx_new(cx, uint8_t, text.n + 1));
        TRY(read_borders(cx, w, text, q->may_end[i]));
        bytes += text.n;
    }
    TRY_NEW(q->start = ctx_new(cx, Start, bytes));
    for (size_t i = 0; i < q->ps->n; i++) add_passage(q, i);
    if (q->n > 1) qsort(q->start, q->n, sizeof *q->start, by_text);
    return OK;
}

Status quoter_open(Ctx *cx, const Passages *ps, bool begin, Quoter **out)
{
    Words *w;
    *out = NULL;
    Quoter *q = ctx_new(cx, Quoter, 1);
    TRY_NEW(q);
    *q = (Quoter){ .ps = ps, .text = BUF(ANSWER_MOST) };
    TRY(words_open(cx, &w));
    Status st = read_passages(cx, w, q);
    words_close(w);
    q->begin = begin && q->n > 0;
    if (st == OK) *out = q;
    return st;
}

void quoter_close(Quoter *q)
{
    if (q) buf_free(&q->text);
}

/* ---- the state -------------------------------------------------------------------- */

/* The byte of start i behind depth others; -1 at the end of its stretch. */
static int byte_at(const Quoter *q, size_t i, size_t depth)
{
    return depth < q->start[i].n ? (unsigned char)q->start[i].p[depth] : -1;
}

/* The first start of [lo, hi) whose byte there is `least` or more. */
static size_t bound(const Quoter *q, const Place *at, int least)
{
    size_t lo = at->lo, hi = at->hi;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (byte_at(q, mid, at->depth) < least) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

bool quoter_narrow(const Quoter *q, Place *at, Str bytes)
{
    for (size_t i = 0; i < bytes.n && at->lo < at->hi; i++, at->depth++) {
        int b = (unsigned char)bytes.p[i];
        size_t lo = bound(q, at, b);
        at->hi = bound(q, at, b + 1);
        at->lo = lo;
    }
    return at->lo < at->hi;
}

const Start *quoter_ending(const Quoter *q, const Place *at)
{
    const Start *best = NULL;
    for (size_t i = at->lo; at->depth > 0 && i < at->hi; i++) {
        const Start *s = &q->start[i];
        const char *text = q->ps->at[s->passage].chunk.text.p, *end = s->p + at->depth;
        if (!q->may_end[s->passage][end - text] || isspace((unsigned char)end[-1]))
            continue;
        if (!best || s->passage < best->passage
            || (s->passage == best->passage && s->p < best->p))
            best = s;
    }
    return best;
}

bool quoter_step(const Quoter *q, Place *at, Str c)
{
    if (at->marks && str_eq(c, at->marks->close)) {
        bool fits = quoter_ending(q, at) != NULL;
        *at = (Place){ 0 };
        return fits;
    }
    if (at->marks) return quoter_narrow(q, at, c);
    const Marks *opened = opened_by(c);
    bool glued = at->letter;
    at->letter = is_spaced_letter(c);
    if (!opened) return true;
    if (!glued) *at = (Place){ .marks = opened, .hi = q->n };
    return !glued && q->n > 0;
}

/* A character of which only the first bytes are there. */
static bool may_begin(const Quoter *q, const Place *at, Str c)
{
    Place there = *at;
    if (!at->marks || quoter_narrow(q, &there, c)) return true;
    return str_starts(at->marks->close, c) && quoter_ending(q, at);
}

/* Whether s begins with an opening mark, or is the head of one. */
static bool opens(Str s)
{
    for (size_t i = 0; i < N_MARKS; i++)
        if (str_starts(s, all_marks[i].open) || str_starts(all_marks[i].open, s))
            return s.n > 0;
    return false;
}

bool quoter_allows(const Quoter *q, Str bytes)
{
    Place at = q->at;
    if (q->begin && q->text.n == 0 && !opens(bytes)) return false;
    if (bytes.n == 0) return !at.marks || quoter_ending(q, &at);
    while (bytes.n > 0) {
        Str c = quote_first_char(bytes);
        if (is_cut(bytes, c)) return may_begin(q, &at, c);
        if (!quoter_step(q, &at, c)) return false;
        bytes = (Str){ bytes.p + c.n, bytes.n - c.n };
    }
    return true;
}

/* ---- the text --------------------------------------------------------------------- */

static Str give(Quoter *q)
{
    Str all = buf_str(&q->text), ready = { all.p + q->passed, q->safe - q->passed };
    q->passed = q->safe;
    return ready;
}

/* Text may be shown outside of quotations, up to where one could end, and where it stands
 * in no passage anyway. */
static bool may_show(const Quoter *q)
{
    return !q->at.marks || q->at.lo == q->at.hi || quoter_ending(q, &q->at);
}

Str quoter_feed(Quoter *q, Str piece)
{
    size_t end = q->text.n;
    buf_add(&q->text, piece);
    while (!q->text.failed && end < q->text.n) {
        Str c = quote_first_char((Str){ q->text.p + end, q->text.n - end });
        end += c.n;
        (void)quoter_step(q, &q->at, c);
        if (may_show(q)) q->safe = end;
    }
    return give(q);
}

Str quoter_finish(Quoter *q)
{
    const Marks *open = q->at.marks;
    if (q->at.lo == q->at.hi || q->text.failed) return give(q);
    /* Text is held from its opening mark on, until something stands between the two. */
    Str said = { q->text.p, q->safe };
    bool begun = quote_is_open(said);
    q->text.n = q->safe;
    q->at = (Place){ 0 };
    if (begun) buf_add(&q->text, open->close);
    q->safe = q->text.n;
    return give(q);
}
