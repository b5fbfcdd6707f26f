/* queue.c -- see queue.h. */
#include "index/queue.h"

#include <string.h>

enum {
    CHUNK_TOKENS = 200,
    PATIENCE = 4 * QUEUE_CHUNKS,
    BATCH_MS = 1000,            // what waits longer than this is not to be lost
    BATCH_MIN = 4,              // texts given to a very slow encoder
};

static const uint64_t FILE_BYTES = 256u << 20, FILE_BYTES_MOST = (uint64_t)4 << 30;
static const uint64_t TEXT_BYTES_MAX = 8u << 20;

Status queue_open(Ctx *cx, Store *s, Model *embedder, const IndexOptions *opt,
                  IndexReport *report, Queue *out)
{
    *out = (Queue){ .cx = cx, .store = s, .embedder = embedder, .report = report,
                    .batch = QUEUE_CHUNKS };
    out->work = (Ctx){ .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    if (opt) out->opt = *opt;
    if (out->opt.chunk_tokens <= 0) out->opt.chunk_tokens = CHUNK_TOKENS;
    if (out->opt.max_file_bytes == 0) out->opt.max_file_bytes = FILE_BYTES;
    if (out->opt.max_file_bytes > FILE_BYTES_MOST)
        out->opt.max_file_bytes = FILE_BYTES_MOST;
    *report = (IndexReport){ 0 };
    if (!(model_info(embedder)->can & CAN_EMBED))
        return fail(cx, E_MODEL, "%.*s cannot embed: name an embedding model",
                    (int)model_info(embedder)->name.n, model_info(embedder)->name.p);
    TRY(extractor_open(cx, &out->extractor));
    return words_open(cx, &out->words);
}

void queue_close(Queue *q)
{
    extractor_close(q->extractor);
    words_close(q->words);
    ctx_end(&q->work);
}

void queue_tell(Queue *q, const char *path)
{
    q->now.current = path;
    if (q->opt.on_progress) q->opt.on_progress(q->opt.arg, &q->now);
    q->now.current = NULL;
}

void queue_problem(Queue *q, const char *path, const char *reason)
{
    q->report->failed++;
    if (q->opt.on_problem) q->opt.on_problem(q->opt.arg, path, reason);
}

bool queue_admits(Queue *q, Str uri)
{
    const char *why_not = q->opt.refuse ? q->opt.refuse(q->opt.arg, uri) : NULL;
    if (!why_not) return true;
    Str name = ctx_dup(q->cx, uri);
    queue_problem(q, name.p ? name.p : "", why_not);
    return false;
}

Status queue_fail(Queue *q, Status st)
{
    return fail(q->cx, st, "%s", q->work.reason[0] ? q->work.reason : "out of memory");
}

bool queue_has(const Queue *q, Str uri)
{
    for (size_t i = 0; i < q->n; i++)
        if (str_eq(q->at[i].doc.uri, uri)) return true;
    return false;
}

/* ---- a flush ----------------------------------------------------------------------- */

/* How far the flush is. Chunks are counted through all documents that wait. */
typedef struct Flush {
    size_t document, chunk;     // whose text is next
    size_t embedded;            // chunks
    size_t put, put_chunks;     // documents that are in the store, and their chunks
    float *vectors;             // (q->chunks, dim)
} Flush;

static Str next_text(Ctx *cx, const Queue *q, Flush *f)
{
    while (f->chunk == q->at[f->document].n) f->document++, f->chunk = 0;
    const Pending *p = &q->at[f->document];
    return embedding_text(cx, p->doc.title, &p->chunks[f->chunk++]);
}

/* A quick encoder is given 64 texts at once, a slow one a second's work, so that no more
 * is lost to a kill. */
static size_t batch_for(double ms_per_chunk)
{
    double n = BATCH_MS / (ms_per_chunk > 0 ? ms_per_chunk : 1e-3);
    return n >= QUEUE_CHUNKS ? QUEUE_CHUNKS : n <= BATCH_MIN ? BATCH_MIN : (size_t)n;
}

static Status embed(Ctx *cx, Queue *q, const Str *texts, size_t n, float *vectors)
{
    double begun = now_ms();
    for (size_t i = 0; i < n; i++) TRY_NEW(texts[i].p);
    TRY(model_embed(cx, q->embedder, EMBED_PASSAGE, texts, n, vectors));
    q->now.chunks_done += n;
    if (n >= BATCH_MIN) q->batch = batch_for((now_ms() - begun) / (double)n);
    return OK;
}

static Status embed_batch(Ctx *cx, Queue *q, Flush *f)
{
    Str texts[QUEUE_CHUNKS];
    size_t left = q->chunks - f->embedded, n = left < q->batch ? left : q->batch;
    size_t dim = (size_t)model_info(q->embedder)->dim;
    for (size_t i = 0; i < n; i++) texts[i] = next_text(cx, q, f);
    TRY(embed(cx, q, texts, n, f->vectors + f->embedded * dim));
    f->embedded += n;
    return OK;
}

static EmbedderId embedder_id(const Queue *q)
{
    const ModelInfo *m = model_info(q->embedder);
    return (EmbedderId){ .name = m->name, .fingerprint = m->fingerprint, .dim = m->dim };
}

/* It is durable: count it and say so. */
static void tell_done(Queue *q, const Pending *p)
{
    q->report->chunks += p->n;
    if (p->known) q->report->changed++;
    else q->report->added++;
    q->now.files_done++;
    q->now.bytes_done += (uint64_t)p->doc.bytes;
    queue_tell(q, p->doc.uri.p);
}

/* Puts the documents whose chunks are all embedded, makes them durable, and only then
 * tells of them. */
static Status put_ready(Ctx *cx, Queue *q, Flush *f)
{
    EmbedderId by = embedder_id(q);
    size_t first = f->put;
    for (; f->put < q->n; f->put++) {
        const Pending *p = &q->at[f->put];
        if (f->put_chunks + p->n > f->embedded) break;
        TRY(store_put(cx, q->store, &p->doc, p->chunks, p->n,
                      f->vectors + f->put_chunks * (size_t)by.dim, &by));
        f->put_chunks += p->n;
    }
    if (f->put > first) TRY(store_commit(cx, q->store));
    for (size_t i = first; i < f->put; i++) tell_done(q, &q->at[i]);
    return OK;
}

/* One batch, whose memory is given back at once. cx cannot be cancelled: a batch that was
 * embedded is kept. */
static Status flush_batch(Queue *q, Flush *f)
{
    Ctx cx = CTX_INIT;
    Status st = f->embedded < q->chunks ? embed_batch(&cx, q, f) : OK;
    if (st == OK) st = put_ready(&cx, q, f);
    if (st != OK) fail(&q->work, st, "%s", cx.reason);
    ctx_end(&cx);
    return st;
}

static Status flush_all(Queue *q)
{
    Flush f = { 0 };
    size_t dim = (size_t)model_info(q->embedder)->dim;
    TRY_NEW(f.vectors = ctx_alloc(&q->work, q->chunks, dim * sizeof *f.vectors));
    while (f.put < q->n) {
        if (q->chunks > PATIENCE) TRY(ctx_check(&q->work));
        TRY(flush_batch(q, &f));
        if (f.put < q->n) queue_tell(q, q->at[f.put].doc.uri.p);
    }
    return OK;
}

Status queue_flush(Queue *q)
{
    Status st = flush_all(q);
    if (st != OK) st = queue_fail(q, st);
    ctx_end(&q->work);
    q->n = q->chunks = 0;
    q->bytes = 0;
    return st;
}

Status queue_tick(Queue *q)
{
    return q->n && now_ms() - q->since >= BATCH_MS ? queue_flush(q) : OK;
}

Status queue_add(Queue *q, const Pending *p)
{
    if (q->n == 0) q->since = now_ms();
    q->at[q->n++] = *p;
    q->chunks += p->n;
    bool enough = q->n == QUEUE_DOCUMENTS || q->chunks >= q->batch ||
                  q->bytes >= TEXT_BYTES_MAX;
    return enough ? queue_flush(q) : queue_tick(q);
}

/* ---- a stream ---------------------------------------------------------------------- */

/* Its chunks live in q->work: that is emptied when they are put. */
static Status open_stream(Queue *q, const Pending *first)
{
    Ctx *cx = &q->stream_work;
    EmbedderId by = embedder_id(q);
    q->stream = (Pending){ .known = first->known, .doc = first->doc };
    Document *d = &q->stream.doc;
    TRY_NEW((d->uri = ctx_dup(cx, d->uri)).p);
    TRY_NEW((d->title = ctx_dup(cx, d->title)).p);
    return store_begin(cx, q->store, &first->doc, &by);
}

/* One batch of its chunks, embedded and put, whose memory is given back at once. */
static Status stream_batch(Ctx *cx, Queue *q, const Chunk *chunks, size_t n)
{
    Str texts[QUEUE_CHUNKS];
    float *vectors = ctx_alloc(cx, n, (size_t)embedder_id(q).dim * sizeof *vectors);
    TRY_NEW(vectors);
    for (size_t i = 0; i < n; i++)
        texts[i] = embedding_text(cx, q->stream.doc.title, &chunks[i]);
    TRY(embed(cx, q, texts, n, vectors));
    return store_append(cx, q->store, chunks, n, vectors);
}

Status queue_stream_add(Queue *q, const Chunk *chunks, size_t n)
{
    for (size_t i = 0, step; i < n; i += step) {
        Ctx cx = CTX_INIT;
        step = n - i < q->batch ? n - i : q->batch;
        Status st = ctx_check(&q->work);
        if (st == OK) st = stream_batch(&cx, q, chunks + i, step);
        if (st != OK) fail(&q->work, st, "%s", cx.reason);
        ctx_end(&cx);
        if (st != OK) return queue_fail(q, st);
        q->stream.n += step;
        queue_tell(q, q->stream.doc.uri.p);
    }
    return OK;
}

Status queue_stream(Queue *q, const Pending *first)
{
    Status st = q->n ? flush_all(q) : OK;
    q->n = q->chunks = 0;
    if (st == OK) st = open_stream(q, first);
    if (st != OK) fail(&q->work, st, "%s", q->stream_work.reason);
    if (st == OK) st = queue_stream_add(q, first->chunks, first->n);
    else st = queue_fail(q, st);
    ctx_end(&q->work);
    q->bytes = 0;
    return st;
}

Status queue_stream_end(Queue *q, Status st)
{
    if (st == OK) {
        st = store_end(&q->stream_work, q->store);
        if (st != OK) fail(&q->work, st, "%s", q->stream_work.reason);
        if (st != OK) st = queue_fail(q, st);
    }
    if (st == OK) tell_done(q, &q->stream);
    else store_abandon(q->store);
    ctx_end(&q->stream_work);
    return st;
}
