/* record.c -- see record.h. */
#include "parse/record.h"

#include "parse/edition.h"

#include <string.h>

enum { WINDOW_PARTS = 8192 };

void record_open(Record *r, Ctx *cx, Str source, const Sink *to)
{
    *r = (Record){ .to = to, .source = source, .text = BUF(2 * EDITION_PART_MAX) };
    r->own = (Ctx){ .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
}

/* Adds text, its control characters as spaces. */
static void put(Buf *b, Str text)
{
    size_t from = b->n;
    buf_add(b, text);
    for (size_t i = from; i < b->n; i++)
        if ((unsigned char)b->p[i] < ' ') b->p[i] = ' ';
}

void record_name(Record *r, Str text)
{
    if (r->text.n + text.n <= EDITION_PART_MAX) put(&r->text, text);
}

Status record_value(Record *r, Str text, size_t at, size_t n)
{
    if (text.n == 0 || r->text.n + text.n > EDITION_PART_MAX) return OK;
    if (r->map.n == 0) r->start = at;
    Run run = { .text = r->text.n, .text_n = text.n, .source = at, .source_n = n };
    TRY(offsets_add(&r->own, &r->map, run));
    put(&r->text, text);
    if (r->text.failed) return fail(&r->own, E_MEMORY, "out of memory for a record");
    r->end = at + n;
    return OK;
}

/* A window reaches to the end of its last record. */
static Status hand_on(Record *r)
{
    Parsed *w = &r->window;
    size_t end = w->n ? w->at[w->n - 1].end : r->handed;
    w->base = r->handed;
    w->source = (Str){ r->source.p + r->handed, end - r->handed };
    Status st = r->to->take(r->to->arg, w);
    r->handed = end;
    r->bytes = 0;
    *w = (Parsed){ 0 };
    r->map = (Offsets){ 0 };
    ctx_end(&r->own);
    return st;
}

static Status keep(Record *r)
{
    Part p = { .kind = r->text.n > RECORD_ROW ? PART_PARAGRAPH : PART_ROW,
               .start = r->start, .end = r->end, .map = r->map };
    TRY_NEW((p.text = ctx_dup(&r->own, buf_str(&r->text))).p);
    r->bytes += r->text.n;
    return parts_add(&r->own, &r->window, &p);
}

Status record_end(Record *r)
{
    TRY(ctx_check(&r->own));
    if (r->text.failed) return fail(&r->own, E_MEMORY, "out of memory for a record");
    if (r->map.n) TRY(keep(r));
    r->map = (Offsets){ 0 };
    r->text.n = 0;
    bool full = r->window.n == WINDOW_PARTS || r->bytes > EDITION_WINDOW;
    return full ? hand_on(r) : OK;
}

Status record_close(Record *r, Ctx *cx, Status st)
{
    if (st == OK) st = record_end(r);
    if (st == OK && (r->window.n || r->handed == 0)) st = hand_on(r);
    if (st != OK && cx->status == OK) fail(cx, st, "%s", r->own.reason);
    ctx_end(&r->own);
    buf_free(&r->text);
    return st;
}
