/* read.c -- documents and chunks out of the store. */
#include "store/impl.h"

#include <string.h>

/* Columns as Q_FIND and Q_LIST give them. */
static Status take_document(Ctx *cx, sqlite3_stmt *q, Document *d)
{
    *d = (Document){
        .id = sqlite3_column_int64(q, 0),
        .uri = db_text(cx, q, 1),
        .title = db_text(cx, q, 2),
        .hash = db_text(cx, q, 3),
        .bytes = sqlite3_column_int64(q, 4),
        .mtime_ns = sqlite3_column_int64(q, 5),
        .chunks = sqlite3_column_int64(q, 6),
        .root = db_text(cx, q, 7),
    };
    bool all = d->uri.p && d->title.p && d->hash.p && d->root.p;
    return all ? OK : E_MEMORY;
}

Status store_find(Ctx *cx, Store *s, Str uri, Document *out)
{
    sqlite3_stmt *q;
    bool more;
    TRY(db_query(cx, s, Q_FIND, &q));
    db_bind(q, 1, uri);
    TRY(db_step(cx, s, q, &more));
    if (!more) return fail(cx, E_NOTFOUND, "no document %.*s", (int)uri.n, uri.p);
    Status st = take_document(cx, q, out);
    sqlite3_reset(q);
    return st;
}

Status store_any_below(Ctx *cx, Store *s, Str prefix, bool *out)
{
    sqlite3_stmt *q;
    TRY(db_query(cx, s, Q_FROM, &q));
    db_bind(q, 1, prefix);
    TRY(db_step(cx, s, q, out));
    if (!*out) return OK;
    Str uri = db_text(cx, q, 0);
    sqlite3_reset(q);
    *out = uri.p && str_starts(uri, prefix);
    return uri.p ? OK : E_MEMORY;
}

Status store_list(Ctx *cx, Store *s, Document **out, size_t *n)
{
    sqlite3_stmt *q;
    Document *at = NULL;
    size_t count = 0, cap = 0;
    bool more;
    Status st;
    TRY(db_query(cx, s, Q_LIST, &q));
    while ((st = db_step(cx, s, q, &more)) == OK && more) {
        if ((st = ctx_grow(cx, &at, count, &cap, sizeof *at)) != OK) break;
        if ((st = take_document(cx, q, &at[count++])) != OK) break;
    }
    sqlite3_reset(q);
    TRY(st);
    *out = at;
    *n = count;
    return OK;
}

Status store_stats(Ctx *cx, Store *s, StoreStats *out)
{
    sqlite3_stmt *q;
    uint64_t epoch;
    bool more;
    TRY(meta_load(cx, s, &epoch));
    TRY(db_query(cx, s, Q_COUNTS, &q));
    TRY(db_step(cx, s, q, &more));
    *out = (StoreStats){
        .documents = sqlite3_column_int64(q, 0),
        .chunks = sqlite3_column_int64(q, 1),
        .text_bytes = sqlite3_column_int64(q, 2),
        .path = ctx_dup(cx, str_z(s->path)),
        .embedder = ctx_dup(cx, s->by.name),
        .fingerprint = ctx_dup(cx, s->by.fingerprint),
        .dim = s->by.dim,
    };
    sqlite3_reset(q);
    out->file_bytes = store_file_bytes(s);
    return out->path.p && out->embedder.p && out->fingerprint.p ? OK : E_MEMORY;
}

static Status take_vector(Ctx *cx, Store *s, int64_t id, float *out)
{
    sqlite3_stmt *q;
    bool more;
    TRY(db_query(cx, s, Q_VECTOR, &q));
    sqlite3_bind_int64(q, 1, id);
    TRY(db_step(cx, s, q, &more));
    if (!more) return db_fail(cx, s, SQLITE_CORRUPT);
    bool whole = db_vector(s, q, 1, out);
    sqlite3_reset(q);
    return whole ? OK : db_fail(cx, s, SQLITE_CORRUPT);
}

static Status take_chunk(Ctx *cx, Store *s, int64_t id, Chunk *out)
{
    sqlite3_stmt *q;
    bool more;
    *out = (Chunk){ 0 };
    TRY(db_query(cx, s, Q_CHUNK, &q));
    sqlite3_bind_int64(q, 1, id);
    TRY(db_step(cx, s, q, &more));
    if (!more) return OK;
    *out = (Chunk){
        .id = id,
        .document = sqlite3_column_int64(q, 0),
        .text = db_text(cx, q, 1),
        .section = db_text(cx, q, 2),
        .start = (size_t)sqlite3_column_int64(q, 3),
        .end = (size_t)sqlite3_column_int64(q, 4),
        .tokens = sqlite3_column_int(q, 5),
        .uri = db_text(cx, q, 6),
        .title = db_text(cx, q, 7),
        .map = db_text(cx, q, 8),
        .page = sqlite3_column_int(q, 9),
        .page_end = sqlite3_column_int(q, 10),
    };
    sqlite3_reset(q);
    bool all = out->text.p && out->section.p && out->uri.p && out->title.p &&
               out->map.p;
    return all ? OK : E_MEMORY;
}

static Status take_chunks(Ctx *cx, Store *s, const int64_t *ids, size_t n, Chunk *out,
                          float *vectors)
{
    uint64_t epoch;
    TRY(meta_load(cx, s, &epoch));
    size_t dim = (size_t)s->by.dim;
    for (size_t i = 0; i < n; i++) {
        TRY(take_chunk(cx, s, ids[i], &out[i]));
        if (!vectors) continue;
        if (out[i].id) TRY(take_vector(cx, s, ids[i], vectors + i * dim));
        else memset(vectors + i * dim, 0, dim * sizeof *vectors);
    }
    return OK;
}

/* One view for all, so that no chunk comes from a newer document than its neighbour. */
Status store_chunks(Ctx *cx, Store *s, const int64_t *ids, size_t n, Chunk *out,
                    float *vectors)
{
    bool own = !s->in_group;
    if (own) TRY(db_do(cx, s, Q_BEGIN_READ, 0, 0));
    Status st = take_chunks(cx, s, ids, n, out, vectors);
    if (own) view_end(s);
    return st;
}

Status store_chunk_ids(Ctx *cx, Store *s, int64_t document, int64_t **ids, size_t *n)
{
    sqlite3_stmt *q;
    size_t cap = 16;
    bool more;
    Status st;
    *n = 0;
    TRY_NEW(*ids = ctx_new(cx, int64_t, cap));
    TRY(db_query(cx, s, Q_CHUNKS_OF, &q));
    sqlite3_bind_int64(q, 1, document);
    while ((st = db_step(cx, s, q, &more)) == OK && more) {
        if ((st = ctx_grow(cx, ids, *n, &cap, sizeof **ids)) != OK) break;
        (*ids)[(*n)++] = sqlite3_column_int64(q, 0);
    }
    sqlite3_reset(q);
    return st;
}
