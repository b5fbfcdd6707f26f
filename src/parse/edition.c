/* edition.c -- see edition.h. */
#include "parse/edition.h"

#include "base/ascii.h"
#include "parse/charset.h"

#include <string.h>

enum { WINDOW_PARTS = 8192, TITLE_BYTES = 1000 };

void edition_open(Edition *e, Ctx *cx, const Sink *to)
{
    *e = (Edition){ .to = to, .text = BUF((size_t)1 << 30) };
    e->own = (Ctx){ .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    e->window.verbatim = true;
}

void edition_close(Edition *e)
{
    ctx_end(&e->own);
    buf_free(&e->text);
}

void edition_page(Edition *e, int page)
{
    e->page = page;
}

/* ---- cleaning ---------------------------------------------------------------------- */

/* One character of s at i into b; a control character counts as a space. */
static size_t put_character(Buf *b, Str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    size_t n = charset_character((Str){ s.p + i, s.n - i });
    if (n == 0) buf_add(b, STR("\xEF\xBF\xBD"));
    else if (c < ' ' || c == 0x7F) buf_add(b, STR(" "));
    else buf_add(b, (Str){ s.p + i, n });
    return n ? n : 1;
}

/* Words with one space between them. */
static void put_words(Buf *b, Str s)
{
    size_t begun = b->n;
    bool gap = false;
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_space(s.p[i]) || c < ' ' || c == 0x7F) {
            gap = true;
            i++;
            continue;
        }
        if (gap && b->n > begun) buf_add(b, STR(" "));
        gap = false;
        i += put_character(b, s, i);
    }
}

/* Lines as they are, without the blank ones around them. */
static void put_lines(Buf *b, Str s)
{
    size_t first = 0, next;
    while (first < s.n && str_trim(line_at(s, first, &next)).n == 0) first = next;
    while (s.n > first && is_space(s.p[s.n - 1])) s.n--;
    for (size_t i = first; i < s.n;) {
        if (s.p[i] == '\n' || s.p[i] == '\t') buf_add(b, (Str){ &s.p[i++], 1 });
        else if (s.p[i] == '\r') i++;
        else i += put_character(b, s, i);
    }
}

static Str shorter(Str s, size_t most)
{
    if (s.n <= most) return s;
    s.n = most;
    while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80) s.n--;
    return s;
}

Status edition_title(Edition *e, Str title)
{
    Buf b = BUF(4 * TITLE_BYTES);
    put_words(&b, shorter(title, TITLE_BYTES));
    Str kept = b.failed ? (Str){ NULL, 0 } : ctx_dup(&e->own, buf_str(&b));
    buf_free(&b);
    if (!kept.p) return fail(&e->own, E_MEMORY, "out of memory for a title");
    e->window.title = kept;
    return OK;
}

/* ---- windows ----------------------------------------------------------------------- */

/* The buffer stands still now: the parts can point into it. */
static void settle(Edition *e)
{
    Parsed *w = &e->window;
    w->source = buf_str(&e->text);
    for (size_t i = 0; i < w->n; i++) {
        Part *p = &w->at[i];
        p->text = (Str){ w->source.p + (p->start - w->base), p->end - p->start };
        if (p->kind == PART_HEADING) p->name = p->text;
    }
}

static Status hand_on(Edition *e)
{
    settle(e);
    Status st = e->to->take(e->to->arg, &e->window);
    size_t base = e->window.base + e->text.n;
    e->text.n = 0;
    ctx_end(&e->own);
    e->window = (Parsed){ .base = base, .verbatim = true };
    return st;
}

static bool is_list(PartKind k)
{
    return k == PART_ITEM || k == PART_ROW;
}

static void separate(Edition *e, PartKind kind)
{
    const Parsed *w = &e->window;
    if (e->parts == 0) return;
    bool list = w->n && w->at[w->n - 1].kind == kind && is_list(kind);
    buf_add(&e->text, list ? STR("\n") : STR("\n\n"));
}

Status edition_add(Edition *e, PartKind kind, int level, Str text)
{
    Status st = ctx_check(&e->own);
    if (st != OK) return st;
    if (e->window.n == WINDOW_PARTS || e->text.n > EDITION_WINDOW) {
        st = hand_on(e);
        if (st != OK) return st;
    }
    size_t before = e->text.n;
    separate(e, kind);
    size_t from = e->text.n;
    text = shorter(text, EDITION_PART_MAX);
    if (kind == PART_CODE) put_lines(&e->text, text);
    else put_words(&e->text, text);
    if (e->text.failed) return fail(&e->own, E_MEMORY, "out of memory for its text");
    if (e->text.n == from) {
        e->text.n = before;
        return OK;
    }
    Part p = { .kind = kind, .level = kind == PART_HEADING ? level : 0, .page = e->page,
               .start = e->window.base + from, .end = e->window.base + e->text.n };
    e->parts++;
    return parts_add(&e->own, &e->window, &p);
}

Status edition_end(Edition *e)
{
    return hand_on(e);
}

Status edition_finish(Edition *e, Ctx *cx, Status st)
{
    if (st == OK) st = edition_end(e);
    if (st != OK && cx->status == OK) fail(cx, st, "%s", e->own.reason);
    edition_close(e);
    return st;
}
