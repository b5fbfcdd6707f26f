/* document.c -- see document.h. */
#include "index/document.h"

#include "parse/parse.h"

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

/* What the windows of one document come to. */
typedef struct Cutting {
    Queue *q;
    Chunker chunker;
    Pending *out;
    size_t room;            // of out->chunks
    Str title;              // as the document names itself
} Cutting;

static Status keep(Cutting *k, const Chunk *chunks, size_t n)
{
    if (k->out->n + n > k->room) {
        size_t room = k->out->n + n > 2 * k->room ? k->out->n + n : 2 * k->room;
        Chunk *at = ctx_new(&k->q->work, Chunk, room);
        TRY_NEW(at);
        if (k->out->n) memcpy(at, k->out->chunks, k->out->n * sizeof *at);
        k->out->chunks = at;
        k->room = room;
    }
    if (n) memcpy(k->out->chunks + k->out->n, chunks, n * sizeof *chunks);
    k->out->n += n;
    return OK;
}

static Status cut_window(void *arg, const Parsed *window)
{
    Cutting *k = arg;
    Chunk *chunks;
    size_t n;
    if (window->base == 0) k->title = window->title;
    TRY(chunk_parts(&k->q->work, &k->chunker, window, &chunks, &n));
    return keep(k, chunks, n);
}

Status document_read(Queue *q, const Origin *o, Pending *out)
{
    Cutting k = { .q = q, .out = out, .title = { "", 0 } };
    k.chunker = (Chunker){ .embedder = q->embedder, .words = q->words,
                           .aim = q->opt.chunk_tokens };
    Input in = { .bytes = o->bytes, .name = o->uri };
    Kind kind = o->kind ? o->kind : kind_of(o->uri, o->bytes);
    *out = (Pending){ 0 };
    TRY(parse_document(&q->work, kind, &in, &(Sink){ cut_window, &k }));
    Str title = o->title.n ? o->title : k.title.n ? k.title : file_name(o->uri);
    out->doc = (Document){ .uri = o->uri, .title = shorter(title, TITLE_BYTES),
                           .hash = o->hash, .bytes = (int64_t)o->bytes.n,
                           .mtime_ns = o->mtime_ns, .root = o->root };
    return OK;
}
