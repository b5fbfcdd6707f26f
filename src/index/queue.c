/* queue.c -- see queue.h. */
#include "index/queue.h"

#include <string.h>

enum { CHUNK_TOKENS = 200, PATIENCE = 4 * QUEUE_CHUNKS };

static const uint64_t FILE_BYTES_MAX = 256u << 20, SOURCE_BYTES_MAX = 8u << 20;

Status queue_open(Ctx *cx, Store *s, Model *embedder, const IndexOptions *opt,
                  IndexReport *report, Queue *out)
{
    *out = (Queue){ .cx = cx, .store = s, .embedder = embedder, .report = report };
    out->work = (Ctx){ .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    if (opt) out->opt = *opt;
    if (out->opt.chunk_tokens <= 0) out->opt.chunk_tokens = CHUNK_TOKENS;
    if (out->opt.max_file_bytes == 0) out->opt.max_file_bytes = FILE_BYTES_MAX;
    *report = (IndexReport){ 0 };
    if (!(model_info(embedder)->can & CAN_EMBED))
        return fail(cx, E_MODEL, "%.*s cannot embed: name an embedding model",
                    (int)model_info(embedder)->name.n, model_info(embedder)->name.p);
    return words_open(cx, &out->words);
}

void queue_close(Queue *q)
{
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

/* ---- embedding --------------------------------------------------------------------- */

/* Chunk number i of all that wait, and its document. */
typedef struct Place {
    size_t document, chunk;
} Place;

static Str next_text(Ctx *cx, const Queue *q, Place *at)
{
    while (at->chunk == q->at[at->document].n) at->document++, at->chunk = 0;
    const Pending *p = &q->at[at->document];
    return embedding_text(cx, p->doc.title, &p->chunks[at->chunk++]);
}

/* n texts from *at on to vectors (n, dim); their memory is given back at once. */
static Status embed_some(Queue *q, Place *at, size_t n, float *vectors)
{
    Ctx cx = CTX_INIT;
    Str texts[QUEUE_CHUNKS];
    Status st = OK;
    for (size_t i = 0; i < n && st == OK; i++) {
        texts[i] = next_text(&cx, q, at);
        if (!texts[i].p) st = E_MEMORY;
    }
    if (st == OK) st = model_embed(&cx, q->embedder, EMBED_PASSAGE, texts, n, vectors);
    if (st != OK) fail(&q->work, st, "%s", cx.reason);
    ctx_end(&cx);
    return st;
}

static Status embed_all(Queue *q, float *vectors)
{
    size_t dim = (size_t)model_info(q->embedder)->dim;
    Place at = { 0, 0 };
    for (size_t done = 0; done < q->chunks;) {
        size_t n = q->chunks - done < QUEUE_CHUNKS ? q->chunks - done : QUEUE_CHUNKS;
        if (q->chunks > PATIENCE) TRY(ctx_check(&q->work));
        TRY(embed_some(q, &at, n, vectors + done * dim));
        done += n;
        q->now.chunks_done += n;
        queue_tell(q, q->at[at.document].doc.uri.p);
    }
    return OK;
}

static Status put_all(Queue *q, const float *vectors)
{
    const ModelInfo *m = model_info(q->embedder);
    EmbedderId by = { .name = m->name, .fingerprint = m->fingerprint, .dim = m->dim };
    for (size_t i = 0; i < q->n; i++) {
        const Pending *p = &q->at[i];
        TRY(store_put(&q->work, q->store, &p->doc, p->chunks, p->n, vectors, &by));
        vectors += p->n * (size_t)m->dim;
        q->report->chunks += p->n;
        if (p->known) q->report->changed++;
        else q->report->added++;
        q->now.files_done++;
        q->now.bytes_done += (uint64_t)p->doc.bytes;
        queue_tell(q, p->doc.uri.p);
    }
    return OK;
}

Status queue_flush(Queue *q)
{
    size_t dim = (size_t)model_info(q->embedder)->dim;
    Status st = OK;
    if (q->n) {
        float *vectors = ctx_alloc(&q->work, q->chunks, dim * sizeof *vectors);
        st = vectors ? embed_all(q, vectors) : E_MEMORY;
        if (st == OK) st = put_all(q, vectors);
    }
    if (st != OK) st = queue_fail(q, st);
    ctx_end(&q->work);
    q->n = q->chunks = 0;
    q->bytes = 0;
    return st;
}

Status queue_add(Queue *q, const Pending *p)
{
    q->at[q->n++] = *p;
    q->chunks += p->n;
    bool enough = q->n == QUEUE_DOCUMENTS || q->chunks >= QUEUE_CHUNKS ||
                  q->bytes >= SOURCE_BYTES_MAX;
    return enough ? queue_flush(q) : OK;
}
