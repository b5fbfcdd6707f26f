/* warm.c -- see warm.h. Each passage has an arena of its own: a store has many. */
#include "ask/warm.h"

#include "ask/prompt.h"

static Status warm_one(Ctx *cx, Store *store, Model *writer, int64_t id, ReadAhead *out)
{
    Prompt prompt;
    Passage p = { 0 };
    Passages one = { .at = &p, .n = 1 };
    *out = READ_SHORT;
    TRY(ctx_check(cx));
    TRY(store_chunks(cx, store, &id, 1, &p.chunk, NULL));
    if (p.chunk.id == 0) return OK;     // gone meanwhile
    TRY(prompt_build(cx, &one, STR("?"), PROMPT_PLAIN, &prompt));
    return model_read_ahead(cx, writer, prompt.message, 2, &prompt.excerpts, out);
}

static void count(ReadAhead what, Warmed *out)
{
    if (what == READ_KEPT) out->read++;
    else if (what == READ_BEFORE) out->before++;
    else out->left++;
}

/* False in *more: there is no room for further ones. */
static Status warm_document(Ctx *cx, Store *store, Model *writer, const Document *d,
                            Warmed *out, bool *more)
{
    int64_t *id;
    size_t n;
    TRY(store_chunk_ids(cx, store, d->id, &id, &n));
    for (size_t i = 0; i < n && *more; i++) {
        Ctx own = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
        ReadAhead what;
        Status st = warm_one(&own, store, writer, id[i], &what);
        if (st == OK) count(what, out);
        else fail(cx, st, "%s", own.reason);
        ctx_end(&own);
        TRY(st);
        *more = what != READ_NO_ROOM;
    }
    return OK;
}

Status warm(Ctx *cx, Store *store, Model *writer, const WarmOptions *opt, Warmed *out)
{
    Document *doc;
    size_t n;
    bool more = true;
    *out = (Warmed){ 0 };
    TRY(store_list(cx, store, &doc, &n));
    for (size_t i = 0; i < n; i++) out->passages += (size_t)doc[i].chunks;
    for (size_t i = 0; i < n && more; i++) {
        TRY(warm_document(cx, store, writer, &doc[i], out, &more));
        if (opt->on_progress) opt->on_progress(opt->arg, out);
    }
    out->left = out->passages - out->read - out->before;
    return OK;
}
