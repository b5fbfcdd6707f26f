/* texts.c -- see texts.h. Each document has an arena of its own. */
#include "api/texts.h"

typedef struct Visit {
    TextVisitor visit;
    void *arg;
    size_t document;
} Visit;

static Status one_document(Ctx *cx, Store *s, int64_t id, const Visit *v)
{
    int64_t *chunk;
    size_t n;
    Chunk c;
    TRY(store_chunk_ids(cx, s, id, &chunk, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(ctx_check(cx));
        TRY(store_chunks(cx, s, &chunk[i], 1, &c, NULL));
        if (c.id) TRY(v->visit(cx, v->arg, v->document, c.text));
    }
    return OK;
}

Status texts_each(Ctx *cx, Store *s, TextVisitor visit, void *arg)
{
    Document *doc;
    size_t n;
    TRY(store_list(cx, s, &doc, &n));
    for (size_t i = 0; i < n; i++) {
        Ctx one = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
        Status st = one_document(&one, s, doc[i].id, &(Visit){ visit, arg, i });
        if (st != OK) fail(cx, st, "%s", one.reason[0] ? one.reason : "out of memory");
        ctx_end(&one);
        TRY(st);
    }
    return OK;
}
