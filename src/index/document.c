/* document.c -- see document.h. */
#include "index/document.h"

#include "index/piece.h"

#include <string.h>

enum { TITLE_BYTES = 300 };

static Str file_name(Str uri)
{
    const char *slash = uri.n ? memrchr(uri.p, '/', uri.n) : NULL;
    size_t skip = slash ? (size_t)(slash - uri.p) + 1 : 0;
    return skip < uri.n ? (Str){ uri.p + skip, uri.n - skip } : uri;
}

static Str shorter(Str s, size_t most)
{
    size_t n = s.n < most ? s.n : most;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    return (Str){ s.p, n };
}

Status document_is_same(Ctx *cx, Store *s, const Origin *o, bool *known, bool *same)
{
    Document d;
    *known = *same = false;
    Status st = store_find(cx, s, o->uri, &d);
    if (st == E_NOTFOUND) {
        ctx_forgive(cx);
        return OK;
    }
    *known = st == OK;
    *same = st == OK && str_eq(d.hash, o->hash) &&
            (o->title.n == 0 || str_eq(d.title, shorter(o->title, TITLE_BYTES)));
    return st;
}

Status document_begin(Ctx *cx, Queue *q, const Origin *o, int fd, Extract **out)
{
    ExtractSource s = { .fd = fd, .bytes = o->bytes, .kind = o->kind, .name = o->uri };
    return extract_begin(cx, q->extractor, &s, out);
}

/* What the windows of one document come to. */
typedef struct Cutting {
    Queue *q;
    const Origin *origin;
    Chunker chunker;
    Trail trail;            // where the last window ended
    char title[TITLE_BYTES];    // that of the first window, which counts for all
    size_t title_n, windows;
    Pending first;          // the document, with the chunks of its first window
} Cutting;

/* The strings of the document in q->work, where it waits. */
static Status describe(Cutting *k, Str title)
{
    const Origin *o = k->origin;
    Ctx *cx = &k->q->work;
    title = o->title.n ? o->title : title.n ? title : file_name(o->uri);
    k->first.doc = (Document){
        .uri = ctx_dup(cx, o->uri), .title = ctx_dup(cx, shorter(title, TITLE_BYTES)),
        .hash = ctx_dup(cx, o->hash), .bytes = (int64_t)o->bytes,
        .mtime_ns = o->mtime_ns, .root = ctx_dup(cx, o->root) };
    const Document *d = &k->first.doc;
    return d->uri.p && d->title.p && d->hash.p && d->root.p ? OK : E_MEMORY;
}

/* Texts that are slices of the window become slices of a copy. */
static Status keep_texts(Ctx *cx, const Parsed *window, Pending *p)
{
    if (!window->verbatim || p->n == 0) return OK;
    Str kept = ctx_dup(cx, window->source);
    TRY_NEW(kept.p);
    for (size_t i = 0; i < p->n; i++)
        p->chunks[i].text.p = kept.p + (p->chunks[i].text.p - window->source.p);
    return OK;
}

static Status cut_first(Cutting *k, const Parsed *window)
{
    Ctx *cx = &k->q->work;
    Str title = shorter(window->title, TITLE_BYTES);
    if (title.n) memcpy(k->title, title.p, title.n);
    k->title_n = title.n;
    TRY(describe(k, window->title));
    TRY(chunk_parts(cx, &k->chunker, window, &k->first.chunks, &k->first.n));
    k->chunker.section = trail_keep(&k->trail, k->chunker.section);
    k->q->bytes += window->source.n;
    return keep_texts(cx, window, &k->first);
}

/* The first window waits no longer: the document is put as it comes. */
static Status cut_next(Cutting *k, const Parsed *window)
{
    Queue *q = k->q;
    Ctx cx = { .cancelled = q->work.cancelled, .cancel_arg = q->work.cancel_arg };
    Parsed part = *window;
    Chunk *chunks;
    size_t n;
    if (k->windows == 1) TRY(queue_stream(q, &k->first));
    part.title = (Str){ k->title, k->title_n };
    Status st = chunk_parts(&cx, &k->chunker, &part, &chunks, &n);
    if (st != OK) fail(&q->work, st, "%s", cx.reason);
    else st = queue_stream_add(q, chunks, n);
    k->chunker.section = trail_keep(&k->trail, k->chunker.section);
    ctx_end(&cx);           // only now: the sections lay there
    return st;
}

static Status cut_window(void *arg, const Parsed *window)
{
    Cutting *k = arg;
    Status st = k->windows == 0 ? cut_first(k, window) : cut_next(k, window);
    k->windows++;
    return st;
}

Status document_end(Queue *q, const Origin *o, bool known, Extract *e)
{
    Cutting k = { .q = q, .origin = o, .first = { .known = known } };
    k.chunker = (Chunker){ .embedder = q->embedder, .words = q->words,
                           .aim = q->opt.chunk_tokens };
    Status st = extract_end(&q->work, e, &(Sink){ cut_window, &k });
    if (st == OK && k.windows == 0) st = describe(&k, (Str){ "", 0 });
    if (k.windows > 1) return queue_stream_end(q, st);
    return st == OK ? queue_add(q, &k.first) : st;
}
