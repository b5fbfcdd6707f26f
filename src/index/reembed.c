/* reembed.c -- the documents of one store into another, with vectors of another embedder.
 *
 * The old store is only read: until the new one is whole, nothing is lost. */
#include "index/index.h"
#include "index/queue.h"

static Status copy_document(Queue *q, Store *from, const Document *d)
{
    Pending p = { .doc = *d };
    int64_t *ids;
    TRY(store_chunk_ids(&q->work, from, d->id, &ids, &p.n));
    TRY_NEW(p.chunks = ctx_new(&q->work, Chunk, p.n));
    TRY(store_chunks(&q->work, from, ids, p.n, p.chunks, NULL));
    for (size_t i = 0; i < p.n; i++) p.chunks[i].id = 0;
    p.doc.id = 0;
    return queue_add(q, &p);
}

static Status copy_all(Ctx *cx, Queue *q, Store *from)
{
    Document *doc;
    size_t n;
    TRY(store_list(cx, from, &doc, &n));
    q->now.files_total = n;
    for (size_t i = 0; i < n; i++) q->now.bytes_total += (uint64_t)doc[i].bytes;
    for (size_t i = 0; i < n; i++) {
        TRY(ctx_check(cx));
        Status st = copy_document(q, from, &doc[i]);
        if (st != OK) return queue_fail(q, st);
    }
    return queue_flush(q);
}

Status index_reembed(Ctx *cx, Store *from, Store *to, Model *embedder,
                     const IndexOptions *opt, IndexReport *out)
{
    Queue q;
    *out = (IndexReport){ 0 };
    Status st = queue_open(cx, to, embedder, opt, out, &q);
    if (st == OK) st = copy_all(cx, &q, from);
    queue_close(&q);
    return st;
}
