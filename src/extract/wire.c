/* wire.c -- see wire.h. A record is a head, then parts, runs, title, text and names. */
#include "extract/wire.h"

#include "parse/charset.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { MARK = 0x50697468, WINDOW = 1, END = 2, LEVELS = 6, PAGES = 1 << 28 };

typedef struct Head {
    uint32_t mark, type;
    uint32_t parts, runs;
    uint32_t title, text, names;    // bytes
    uint32_t verbatim;              // of an end: its status
    uint64_t base;
} Head;

/* Texts and names lie one behind the other; in a verbatim window a text is the slice of
 * the window's source. */
typedef struct WirePart {
    uint32_t kind, level, page;
    uint32_t text, name;            // bytes
    uint32_t runs;
    uint64_t start, end;
} WirePart;

typedef struct WireRun {
    uint32_t text, text_n;
    uint64_t source;                // from the part's start
    uint32_t source_n;
} WireRun;

/* ---- writing ----------------------------------------------------------------------- */

static Status write_all(Ctx *cx, int fd, Str s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(cx, E_IO, "nobody reads what was read: %s",
                               strerror(errno));
        s.p += n;
        s.n -= (size_t)n;
    }
    return OK;
}

static size_t runs_of(const Part *p)
{
    return p->map.n < WIRE_RUNS ? p->map.n : WIRE_RUNS;
}

/* Parts [first, last) of a window, and its source from `from`. */
typedef struct Slice {
    const Parsed *of;
    size_t first, last;
    size_t from;            // bytes of the whole
    size_t text, names, runs;
} Slice;

/* Takes in as many parts as a record may have, one at least. */
static Slice slice_at(const Parsed *w, size_t first, size_t from)
{
    Slice s = { .of = w, .first = first, .last = first, .from = from };
    for (; s.last < w->n && s.last - first < WIRE_PARTS; s.last++) {
        const Part *p = &w->at[s.last];
        size_t text = w->verbatim ? p->end - from : s.text + p->text.n;
        size_t runs = s.runs + runs_of(p), names = s.names + p->name.n;
        bool full = text > WIRE_TEXT || runs > WIRE_RUNS || names > WIRE_TEXT;
        if (full && s.last > first) break;
        s.text = text;
        s.runs = runs;
        s.names = names;
    }
    return s;
}

static Head head_of(const Slice *s, Str title)
{
    return (Head){ .mark = MARK, .type = WINDOW, .parts = (uint32_t)(s->last - s->first),
                   .runs = (uint32_t)s->runs, .title = (uint32_t)title.n,
                   .text = (uint32_t)s->text, .names = (uint32_t)s->names,
                   .verbatim = s->of->verbatim, .base = s->from };
}

static void put(Buf *b, const void *p, size_t n)
{
    buf_add(b, (Str){ p, n });
}

/* A heading has a level of 1 to 6, all else has none. */
static uint32_t level_of(const Part *p)
{
    int level = p->level < 1 ? 1 : p->level > LEVELS ? LEVELS : p->level;
    return p->kind == PART_HEADING ? (uint32_t)level : 0;
}

static void put_parts(Buf *b, const Slice *s)
{
    for (size_t i = s->first; i < s->last; i++) {
        const Part *p = &s->of->at[i];
        WirePart w = { .kind = (uint32_t)p->kind, .level = level_of(p),
                       .page = (uint32_t)p->page, .text = (uint32_t)p->text.n,
                       .name = (uint32_t)p->name.n, .runs = (uint32_t)runs_of(p),
                       .start = p->start, .end = p->end };
        put(b, &w, sizeof w);
    }
}

static void put_runs(Buf *b, const Slice *s)
{
    for (size_t i = s->first; i < s->last; i++) {
        const Part *p = &s->of->at[i];
        for (size_t r = 0; r < runs_of(p); r++) {
            const Run *run = &p->map.at[r];
            WireRun w = { .text = (uint32_t)run->text, .text_n = (uint32_t)run->text_n,
                          .source = run->source - p->start,
                          .source_n = (uint32_t)run->source_n };
            put(b, &w, sizeof w);
        }
    }
}

static Status put_slice(Ctx *cx, int fd, const Slice *s, Str title)
{
    const Parsed *w = s->of;
    Head h = head_of(s, title);
    Buf b = BUF((size_t)1 << 30);
    put(&b, &h, sizeof h);
    put_parts(&b, s);
    put_runs(&b, s);
    buf_add(&b, title);
    if (w->verbatim) buf_add(&b, (Str){ w->source.p + (s->from - w->base), s->text });
    for (size_t i = s->first; !w->verbatim && i < s->last; i++)
        buf_add(&b, w->at[i].text);
    for (size_t i = s->first; i < s->last; i++) buf_add(&b, w->at[i].name);
    Status st = b.failed ? fail(cx, E_MEMORY, "out of memory for a window")
                         : write_all(cx, fd, buf_str(&b));
    buf_free(&b);
    return st;
}

static Status check_sizes(Ctx *cx, const Parsed *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const Part *p = &w->at[i];
        if (p->text.n <= WIRE_PART && p->name.n <= WIRE_PART &&
            p->end - p->start <= UINT32_MAX) continue;
        return fail(cx, E_LIMIT, "one paragraph of it has %zu bytes, the limit is %d",
                    p->text.n, WIRE_PART);
    }
    return OK;
}

static Str head_of_title(Str s)
{
    if (s.n <= WIRE_TITLE) return s;
    s.n = WIRE_TITLE;
    while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80) s.n--;
    return s;
}

Status wire_window(Ctx *cx, int fd, const Parsed *w)
{
    Str title = head_of_title(w->title);
    size_t first = 0, from = w->base;
    TRY(check_sizes(cx, w));
    do {
        Slice s = slice_at(w, first, from);
        TRY(put_slice(cx, fd, &s, title));
        first = s.last;
        if (first < w->n) from = w->verbatim ? from + s.text : w->at[first].start;
    } while (first < w->n);
    return OK;
}

Status wire_end(Ctx *cx, int fd, Status st, const char *reason)
{
    Str why = str_z(reason);
    Head h = { .mark = MARK, .type = END, .title = (uint32_t)why.n,
               .verbatim = (uint32_t)st };
    Buf b = BUF(sizeof h + 1024);
    put(&b, &h, sizeof h);
    buf_add(&b, why);
    Status done = b.failed ? fail(cx, E_MEMORY, "out of memory for the end")
                           : write_all(cx, fd, buf_str(&b));
    buf_free(&b);
    return done;
}

/* ---- reading ----------------------------------------------------------------------- */

static Status broken(Ctx *cx)
{
    return fail(cx, E_FORMAT, "what its reader gave is no text");
}

static bool is_clean(Str s)
{
    return charset_invalid(s) == 0 && !(s.n && memchr(s.p, 0, s.n));
}

static bool begins_character(Str s, size_t at)
{
    return at == s.n || ((unsigned char)s.p[at] & 0xC0) != 0x80;
}

static Status read_str(Ctx *cx, WireIn *in, size_t n, Str *out)
{
    char *p = ctx_new(cx, char, n + 1);
    TRY_NEW(p);
    TRY(in->read(in->arg, cx, p, n));
    *out = (Str){ p, n };
    return is_clean(*out) ? OK : broken(cx);
}

static Status read_end(Ctx *cx, WireIn *in, const Head *h, WireEnd *end)
{
    char raw[sizeof end->reason];
    *end = (WireEnd){ .is = true, .status = (Status)h->verbatim };
    if (h->title >= sizeof raw || h->verbatim > E_INTERNAL) return broken(cx);
    TRY(in->read(in->arg, cx, raw, h->title));
    if (!is_clean((Str){ raw, h->title })) return broken(cx);
    for (size_t i = 0; i < h->title; i++)
        end->reason[i] = (unsigned char)raw[i] < ' ' || raw[i] == 0x7F ? ' ' : raw[i];
    return OK;
}

static Status check_head(Ctx *cx, WireIn *in, const Head *h)
{
    bool sane = h->mark == MARK && h->type == WINDOW && h->parts <= WIRE_PARTS &&
                h->runs <= WIRE_RUNS && h->title <= WIRE_TITLE && h->verbatim <= 1 &&
                h->text <= WIRE_PART + WIRE_TEXT && h->names <= WIRE_PART + WIRE_TEXT &&
                h->base >= in->passed && h->base <= in->text_max;
    if (!sane) return broken(cx);
    in->text += h->text;
    if (in->text <= in->text_max) return OK;
    return fail(cx, E_LIMIT, "its text has more than %.0f MiB, the limit for its size",
                (double)in->text_max / 1048576);
}

/* Where the parts of a window take their texts, names and runs from. */
typedef struct Taking {
    Ctx *cx;
    WireIn *in;
    const Parsed *window;
    Str text, names;            // what is left; of a verbatim window all of it
    const WireRun *run;
    size_t runs;                // left
} Taking;

static bool take_slice(Str *from, size_t n, Str *out)
{
    if (n > from->n || !begins_character(*from, n)) return false;
    *out = (Str){ from->p, n };
    from->p += n;
    from->n -= n;
    return true;
}

static bool take_text(Taking *k, const WirePart *w, Part *p)
{
    const Parsed *of = k->window;
    if (w->text == 0 || w->end < w->start || w->start < k->in->passed ||
        w->end > k->in->text_max) return false;
    if (!of->verbatim) return take_slice(&k->text, w->text, &p->text);
    if (w->end - w->start != w->text || w->start < of->base ||
        w->end - of->base > k->text.n) return false;
    size_t at = w->start - of->base;
    p->text = (Str){ k->text.p + at, w->text };
    return begins_character(k->text, at) && begins_character(k->text, at + w->text);
}

/* Runs in order, inside their text and their part. */
static Status take_runs(Taking *k, const WirePart *w, Part *p)
{
    uint64_t text = 0, source = 0;
    if (w->runs > k->runs || (k->window->verbatim && w->runs)) return broken(k->cx);
    for (uint32_t i = 0; i < w->runs; i++) {
        WireRun r = k->run[i];
        bool sane = r.text >= text && r.source >= source && r.text_n && r.source_n &&
                    (uint64_t)r.text + r.text_n <= w->text &&
                    r.source <= w->end - w->start &&
                    r.source_n <= w->end - w->start - r.source;
        if (!sane) return broken(k->cx);
        text = (uint64_t)r.text + r.text_n;
        source = r.source + r.source_n;
        Run run = { r.text, r.text_n, w->start + r.source, r.source_n };
        TRY(offsets_add(k->cx, &p->map, run));
    }
    k->run += w->runs;
    k->runs -= w->runs;
    return OK;
}

static Status take_part(Taking *k, const WirePart *w, Part *p)
{
    bool heading = w->kind == PART_HEADING;
    *p = (Part){ .kind = (PartKind)w->kind, .level = (int)w->level, .page = (int)w->page,
                 .start = w->start, .end = w->end };
    if (w->kind > PART_ROW || w->page > PAGES || w->level > LEVELS ||
        heading != (w->level > 0) || (!heading && w->name)) return broken(k->cx);
    if (!take_text(k, w, p) || !take_slice(&k->names, w->name, &p->name))
        return broken(k->cx);
    TRY(take_runs(k, w, p));
    k->in->passed = w->end;
    return OK;
}

static Status take_parts(Taking *k, const WirePart *wire, Parsed *out)
{
    for (size_t i = 0; i < out->n; i++) TRY(take_part(k, &wire[i], &out->at[i]));
    if (out->verbatim) k->in->passed = out->base + k->text.n;
    bool all = k->names.n == 0 && k->runs == 0 && (out->verbatim || k->text.n == 0);
    return all ? OK : broken(k->cx);
}

static Status read_window(Ctx *cx, WireIn *in, const Head *h, Parsed *out)
{
    Taking k = { .cx = cx, .in = in, .window = out, .runs = h->runs };
    WirePart *parts = ctx_new(cx, WirePart, h->parts);
    WireRun *runs = ctx_new(cx, WireRun, h->runs);
    TRY_NEW(parts);
    TRY_NEW(runs);
    TRY(in->read(in->arg, cx, parts, h->parts * sizeof *parts));
    TRY(in->read(in->arg, cx, runs, h->runs * sizeof *runs));
    *out = (Parsed){ .n = h->parts, .room = h->parts, .base = h->base,
                     .verbatim = h->verbatim };
    TRY(read_str(cx, in, h->title, &out->title));
    TRY(read_str(cx, in, h->text, &k.text));
    TRY(read_str(cx, in, h->names, &k.names));
    TRY_NEW(out->at = ctx_new(cx, Part, h->parts));
    if (out->verbatim) out->source = k.text;
    if (out->verbatim && h->base + h->text > in->text_max) return broken(cx);
    k.run = runs;
    return take_parts(&k, parts, out);
}

Status wire_read(Ctx *cx, WireIn *in, Parsed *out, WireEnd *end)
{
    Head h;
    *end = (WireEnd){ 0 };
    TRY(in->read(in->arg, cx, &h, sizeof h));
    if (h.mark == MARK && h.type == END) return read_end(cx, in, &h, end);
    TRY(check_head(cx, in, &h));
    return read_window(cx, in, &h, out);
}
