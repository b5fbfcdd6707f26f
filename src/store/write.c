/* write.c -- documents into the store.
 *
 * Writes are grouped: a transaction holds up to 64 documents or a second's work, for
 * each commit waits for the disk. Within it a savepoint surrounds each document, and the
 * batch of postings can take back the last document, so that one that fails leaves no
 * trace and takes no other with it. */
#include "store/impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    GROUP_DOCUMENTS = 64,
    GROUP_MS = 1000,
    BATCH_BYTES = 64 << 20,     // postings in memory; then they go to a segment
    GONE_MIN = 256,             // compaction is due from here, and
    GONE_SHARE = 5,             // from one in so many
    TITLE_WEIGHT = 2,           // of words of the text: SciFact .701 -> .705, CACM
                                // .513 -> .530, CISI .399 -> .405 nDCG@10
    SECTION_WEIGHT = 1,
};

/* ---- groups ----------------------------------------------------------------------- */

static void group_abandon(Store *s)
{
    batch_clear(s->batch);
    s->in_group = false;
    s->by = (EmbedderId){ 0 };   // read again when next needed
    view_end(s);
}

static Status none_open(Ctx *cx, Store *s)
{
    if (!s->put.open) return OK;
    return fail(cx, E_ARG, "%s: a document is being put in parts; end it first", s->path);
}

Status group_commit(Ctx *cx, Store *s)
{
    TRY(none_open(cx, s));
    if (!s->in_group) return OK;
    Status st = batch_write(cx, s, s->batch);
    if (st == OK) st = db_do(cx, s, Q_COMMIT, 0, 0);
    if (st != OK) group_abandon(s);
    s->in_group = false;
    return st;
}

static Status group_join(Ctx *cx, Store *s)
{
    if (s->read_only)
        return fail(cx, E_ARG, "%s: opened to read only", s->path);
    TRY(none_open(cx, s));
    if (s->in_group) return OK;
    TRY(db_do(cx, s, Q_BEGIN_WRITE, 0, 0));
    s->in_group = true;
    s->group = 0;
    s->group_since = now_ms();
    return OK;
}

/* Begins one document of a group, which group_leave ends if this gave OK. */
static Status group_enter(Ctx *cx, Store *s)
{
    TRY(group_join(cx, s));
    batch_mark(s->batch);
    Status st = db_do(cx, s, Q_SAVE, 0, 0);
    if (st != OK) group_abandon(s);
    return st;
}

/* Takes back the last document of a group; where that fails, the group. */
static void group_undo(Store *s)
{
    Ctx quiet = CTX_INIT;
    batch_undo(s->batch);
    bool undone = !sqlite3_get_autocommit(s->db) &&
                  db_do(&quiet, s, Q_UNDO, 0, 0) == OK &&
                  db_do(&quiet, s, Q_RELEASE, 0, 0) == OK;
    ctx_end(&quiet);
    s->by = (EmbedderId){ 0 };
    if (!undone) group_abandon(s);
}

/* Ends one document of a group: takes it back where st is a failure. */
static Status group_leave(Ctx *cx, Store *s, Status st)
{
    if (st == OK) st = db_do(cx, s, Q_RELEASE, 0, 0);
    if (st != OK) group_undo(s);
    if (st != OK) return st;
    s->group++;
    if (s->group >= GROUP_DOCUMENTS || now_ms() - s->group_since >= GROUP_MS)
        return group_commit(cx, s);
    return batch_bytes(s->batch) > BATCH_BYTES ? batch_write(cx, s, s->batch) : OK;
}

/* ---- put and remove --------------------------------------------------------------- */

static Status check_document(Ctx *cx, const Document *d, const EmbedderId *by)
{
    if (d->uri.n == 0) return fail(cx, E_ARG, "a document needs a name");
    if (by->name.n == 0 || by->dim < 1 || by->dim > MATRIX_MAX_DIM)
        return fail(cx, E_ARG, "an embedder needs a name and 1 to %d dimensions, not %d",
                    MATRIX_MAX_DIM, by->dim);
    return OK;
}

static Status check_chunks(Ctx *cx, const Chunk *c, size_t n, const float *vectors,
                           int dim)
{
    for (size_t i = 0; i < n; i++)
        if (c[i].start > c[i].end || c[i].end > INT64_MAX)
            return fail(cx, E_ARG, "chunk %zu: ends before it starts", i);
    for (size_t i = 0; i < n * (size_t)dim; i++)
        if (!isfinite(vectors[i]))
            return fail(cx, E_ARG, "a vector with a component that is no number");
    return OK;
}

static Status set_embedder(Ctx *cx, Store *s, const EmbedderId *by)
{
    uint64_t epoch;
    Str dim = ctx_printf(cx, "%d", by->dim);
    TRY_NEW(dim.p);
    TRY(meta_write(cx, s, "embedder", by->name));
    TRY(meta_write(cx, s, "fingerprint", by->fingerprint));
    TRY(meta_write(cx, s, "dim", dim));
    TRY(db_do(cx, s, Q_EPOCH, 0, 0));
    return meta_load(cx, s, &epoch);
}

static Status read_number(Ctx *cx, Store *s, Query query, int column, int64_t *out)
{
    sqlite3_stmt *q;
    bool more;
    TRY(db_query(cx, s, query, &q));
    TRY(db_step(cx, s, q, &more));
    *out = sqlite3_column_int64(q, column);
    sqlite3_reset(q);
    return OK;
}

/* The embedder of the store, set now if it is still empty. */
static Status agree_embedder(Ctx *cx, Store *s, const EmbedderId *by)
{
    uint64_t epoch;
    int64_t documents;
    if (s->by.dim == 0) TRY(meta_load(cx, s, &epoch));
    bool same = s->by.dim == by->dim && str_eq(s->by.name, by->name) &&
                str_eq(s->by.fingerprint, by->fingerprint);
    if (same) return OK;
    TRY(read_number(cx, s, Q_COUNTS, 0, &documents));
    if (documents == 0) return set_embedder(cx, s, by);
    return fail(cx, E_MODEL, "%s: its vectors are of %.*s (%d), not of %.*s (%d); name "
                "that embedder, or run `pith reembed`", s->path, (int)s->by.name.n,
                s->by.name.p, s->by.dim, (int)by->name.n, by->name.p, by->dim);
}

/* Changes the totals. */
static Status count(Ctx *cx, Store *s, int64_t documents, int64_t chunks, int64_t bytes)
{
    sqlite3_stmt *q;
    TRY(db_query(cx, s, Q_COUNT, &q));
    sqlite3_bind_int64(q, 1, documents);
    sqlite3_bind_int64(q, 2, chunks);
    sqlite3_bind_int64(q, 3, bytes);
    return db_run(cx, s, q);
}

static Status remove_chunks(Ctx *cx, Store *s, int64_t document)
{
    sqlite3_stmt *q;
    bool more;
    TRY(db_query(cx, s, Q_TEXT_OF, &q));
    sqlite3_bind_int64(q, 1, document);
    TRY(db_step(cx, s, q, &more));
    int64_t n = sqlite3_column_int64(q, 0), bytes = sqlite3_column_int64(q, 1);
    sqlite3_reset(q);
    TRY(count(cx, s, 0, -n, -bytes));
    TRY(db_do(cx, s, Q_BURY, document, 0));
    TRY(db_do(cx, s, Q_REMOVE_VECTORS, document, 0));
    return db_do(cx, s, Q_REMOVE_CHUNKS, document, 0);
}

/* Id of the document with this name; 0 where there is none. */
static Status find_id(Ctx *cx, Store *s, Str uri, int64_t *id)
{
    sqlite3_stmt *q;
    bool more;
    TRY(db_query(cx, s, Q_FIND, &q));
    db_bind(q, 1, uri);
    TRY(db_step(cx, s, q, &more));
    *id = more ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_reset(q);
    return OK;
}

/* The row of the document, without chunks. */
static Status put_document(Ctx *cx, Store *s, const Document *d, Put *p)
{
    sqlite3_stmt *q;
    TRY(find_id(cx, s, d->uri, &p->id));
    p->fresh = p->id == 0;
    if (!p->fresh) TRY(remove_chunks(cx, s, p->id));
    TRY(db_query(cx, s, p->fresh ? Q_ADD_DOCUMENT : Q_CHANGE_DOCUMENT, &q));
    db_bind(q, 1, d->uri);
    db_bind(q, 2, d->title);
    sqlite3_bind_blob64(q, 3, d->hash.p ? d->hash.p : "", d->hash.n, SQLITE_STATIC);
    sqlite3_bind_int64(q, 4, d->bytes);
    sqlite3_bind_int64(q, 5, d->mtime_ns);
    sqlite3_bind_int64(q, 6, 0);
    db_bind(q, 7, d->root);
    if (!p->fresh) sqlite3_bind_int64(q, 8, p->id);
    TRY(db_run(cx, s, q));
    if (p->fresh) p->id = sqlite3_last_insert_rowid(s->db);
    return OK;
}

/* Notes that the store has texts in l, for the queries. */
static Status note_language(Ctx *cx, Store *s, Language l)
{
    char codes[4 * LANGUAGES + 1] = "";
    size_t n = 0;
    if (s->languages >> l & 1) return OK;
    s->languages |= 1u << l;
    for (int i = 0; i < LANGUAGES; i++)
        if (s->languages >> i & 1)
            n += (size_t)snprintf(codes + n, sizeof codes - n, "%s ",
                                  language_facts[i].code);
    return meta_write(cx, s, "languages", (Str){ codes, n });
}

/* The words of a chunk into the batch, as they are counted and as they are found. */
static Status add_words(Ctx *cx, Store *s, int64_t id, const Chunk *c, Str title,
                        uint32_t *length)
{
    Field f = { .chunk = id, .language = words_language(s->words, c->text), .weight = 1 };
    *length = 0;
    TRY(note_language(cx, s, f.language));
    TRY(batch_add(cx, s->batch, s->words, &f, c->text, length));
    f.weight = TITLE_WEIGHT;
    TRY(batch_add(cx, s->batch, s->words, &f, title, length));
    f.weight = SECTION_WEIGHT;
    return batch_add(cx, s->batch, s->words, &f, c->section, length);
}

static Status put_chunk(Ctx *cx, Store *s, const Chunk *c, Str vector)
{
    sqlite3_stmt *q;
    uint32_t length;
    TRY(db_query(cx, s, Q_ADD_CHUNK, &q));
    sqlite3_bind_int64(q, 1, s->put.id);
    sqlite3_bind_int64(q, 2, s->put.chunks);
    db_bind(q, 3, c->text);
    db_bind(q, 4, c->section);
    sqlite3_bind_int64(q, 5, (int64_t)c->start);
    sqlite3_bind_int64(q, 6, (int64_t)c->end);
    sqlite3_bind_int(q, 7, c->tokens);
    sqlite3_bind_blob64(q, 8, c->map.p ? c->map.p : "", c->map.n, SQLITE_STATIC);
    sqlite3_bind_int(q, 9, c->page);
    sqlite3_bind_int(q, 10, c->page_end);
    TRY(db_run(cx, s, q));
    int64_t id = sqlite3_last_insert_rowid(s->db);
    TRY(add_words(cx, s, id, c, s->put.title, &length));
    TRY(db_query(cx, s, Q_ADD_VECTOR, &q));
    sqlite3_bind_int64(q, 1, id);
    sqlite3_bind_int64(q, 2, length);
    sqlite3_bind_blob64(q, 3, vector.p, vector.n, SQLITE_STATIC);
    return db_run(cx, s, q);
}

static Status put_chunks(Ctx *cx, Store *s, const Chunk *chunks, size_t n,
                         const float *vectors)
{
    size_t dim = (size_t)s->by.dim;
    TRY(check_chunks(cx, chunks, n, vectors, s->by.dim));
    for (size_t i = 0; i < n; i++) {
        Str v = { (const char *)(vectors + i * dim), dim * sizeof *vectors };
        TRY(put_chunk(cx, s, &chunks[i], v));
        s->put.chunks++;
        s->put.bytes += (int64_t)chunks[i].text.n;
        bool full = s->put.alone && batch_bytes(s->batch) > BATCH_BYTES;
        if (full) TRY(batch_write(cx, s, s->batch));
        TRY(ctx_check(cx));
    }
    return OK;
}

static void put_close(Store *s)
{
    ctx_end(&s->put.memory);
    s->put = (Put){ 0 };
}

/* Opens s->put within a group. A document that is alone needs no savepoint: to take it
 * back is to take back the transaction, and SQLite need not keep the pages of before. */
static Status put_open(Ctx *cx, Store *s, const Document *d, const EmbedderId *by,
                       bool alone)
{
    TRY(check_document(cx, d, by));
    TRY(alone ? group_join(cx, s) : group_enter(cx, s));
    s->put = (Put){ .open = true, .alone = alone };
    s->put.title = ctx_dup(&s->put.memory, d->title);
    Status st = s->put.title.p ? OK : fail(cx, E_MEMORY, "no memory for a title");
    if (st == OK) st = agree_embedder(cx, s, by);
    if (st == OK) st = put_document(cx, s, d, &s->put);
    if (st != OK) store_abandon(s);
    return st;
}

Status store_begin(Ctx *cx, Store *s, const Document *d, const EmbedderId *by)
{
    TRY(group_commit(cx, s));
    return put_open(cx, s, d, by, true);
}

static Status is_open(Ctx *cx, const Store *s)
{
    return s->put.open ? OK : fail(cx, E_ARG, "%s: no document was begun", s->path);
}

Status store_append(Ctx *cx, Store *s, const Chunk *chunks, size_t n,
                    const float *vectors)
{
    TRY(is_open(cx, s));
    Status st = put_chunks(cx, s, chunks, n, vectors);
    if (st != OK) store_abandon(s);
    return st;
}

Status store_end(Ctx *cx, Store *s)
{
    TRY(is_open(cx, s));
    Put p = s->put;
    Status st = db_do(cx, s, Q_HAS_CHUNKS, p.id, p.chunks);
    if (st == OK) st = count(cx, s, p.fresh, p.chunks, p.bytes);
    if (st != OK) store_abandon(s);
    if (st != OK) return st;
    put_close(s);
    return p.alone ? group_commit(cx, s) : group_leave(cx, s, OK);
}

void store_abandon(Store *s)
{
    if (!s->put.open) return;
    bool alone = s->put.alone;
    put_close(s);
    if (alone) group_abandon(s);
    else group_undo(s);
}

Status store_put(Ctx *cx, Store *s, const Document *d, const Chunk *chunks, size_t n,
                 const float *vectors, const EmbedderId *by)
{
    TRY(put_open(cx, s, d, by, false));
    TRY(store_append(cx, s, chunks, n, vectors));
    return store_end(cx, s);
}

/* Begins a change of the document of that name. */
static Status begin_change(Ctx *cx, Store *s, Str uri, int64_t *id)
{
    TRY(find_id(cx, s, uri, id));
    if (!*id) return fail(cx, E_NOTFOUND, "no document %.*s", (int)uri.n, uri.p);
    return group_enter(cx, s);
}

Status store_touch(Ctx *cx, Store *s, Str uri, int64_t mtime_ns)
{
    int64_t id;
    TRY(begin_change(cx, s, uri, &id));
    return group_leave(cx, s, db_do(cx, s, Q_TOUCH, id, mtime_ns));
}

Status store_remove(Ctx *cx, Store *s, Str uri)
{
    int64_t id;
    TRY(begin_change(cx, s, uri, &id));
    Status st = remove_chunks(cx, s, id);
    if (st == OK) st = db_do(cx, s, Q_REMOVE_DOCUMENT, id, 0);
    if (st == OK) st = count(cx, s, -1, 0, 0);
    return group_leave(cx, s, st);
}

/* ---- another analyser ------------------------------------------------------------- */

/* The words of the chunk that q stands at, once more. */
static Status repost(Ctx *cx, Store *s, sqlite3_stmt *q)
{
    uint32_t length;
    int64_t id = sqlite3_column_int64(q, 0);
    Chunk c = { .text = db_text(cx, q, 1), .section = db_text(cx, q, 2) };
    Str title = db_text(cx, q, 3);
    if (!c.text.p || !c.section.p || !title.p) return E_MEMORY;
    TRY(add_words(cx, s, id, &c, title, &length));
    TRY(db_do(cx, s, Q_SET_LENGTH, id, length));
    return batch_bytes(s->batch) > BATCH_BYTES ? batch_write(cx, s, s->batch) : OK;
}

Status store_repost(Ctx *cx, Store *s)
{
    sqlite3_stmt *q;
    bool more;
    Status st;
    TRY(db_do(cx, s, Q_REMOVE_ALL_POSTINGS, 0, 0));
    TRY(db_do(cx, s, Q_REMOVE_SEGMENTS, 0, 0));
    TRY(db_query(cx, s, Q_ALL_TEXTS, &q));
    while ((st = db_step(cx, s, q, &more)) == OK && more) {
        Ctx one = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
        st = ctx_check(&one);
        if (st == OK) st = repost(&one, s, q);
        if (st != OK) fail(cx, st, "%s", one.reason[0] ? one.reason : "out of memory");
        ctx_end(&one);
        if (st != OK) break;
    }
    sqlite3_reset(q);
    if (st == OK) st = batch_write(cx, s, s->batch);
    if (st == OK) st = db_do(cx, s, Q_EPOCH, 0, 0);
    if (st != OK) batch_clear(s->batch);
    return st;
}

/* ---- flush ------------------------------------------------------------------------ */

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static Status gone_chunks(Ctx *cx, Store *s, size_t n, int64_t **out)
{
    sqlite3_stmt *q;
    bool more;
    int64_t *at = ctx_new(cx, int64_t, n);
    TRY_NEW(at);
    TRY(db_query(cx, s, Q_GONE_AFTER, &q));
    sqlite3_bind_int64(q, 1, 0);
    for (size_t i = 0;; i++) {
        TRY(db_step(cx, s, q, &more));
        if (!more) break;
        if (i < n) at[i] = sqlite3_column_int64(q, 1);
    }
    qsort(at, n, sizeof *at, by_id);
    *out = at;
    return OK;
}

static Status compact(Ctx *cx, Store *s, size_t n)
{
    int64_t *gone;
    TRY(gone_chunks(cx, s, n, &gone));
    TRY(postings_compact(cx, s, gone, n));
    TRY(db_do(cx, s, Q_UNBURY, 0, 0));
    return db_do(cx, s, Q_EPOCH, 0, 0);
}

/* Clears away what is gone once it is a fifth of all. */
static Status compact_if_due(Ctx *cx, Store *s)
{
    int64_t gone, alive;
    TRY(read_number(cx, s, Q_N_GONE, 0, &gone));
    TRY(read_number(cx, s, Q_COUNTS, 1, &alive));
    if (gone < GONE_MIN || gone * GONE_SHARE < gone + alive) return OK;
    TRY(group_join(cx, s));
    Status st = compact(cx, s, (size_t)gone);
    if (st == OK) return group_commit(cx, s);
    group_abandon(s);
    return st;
}

Status store_commit(Ctx *cx, Store *s)
{
    return group_commit(cx, s);
}

Status store_flush(Ctx *cx, Store *s)
{
    TRY(group_commit(cx, s));
    if (s->read_only) return OK;
    TRY(compact_if_due(cx, s));
    return view_save(cx, s);
}
