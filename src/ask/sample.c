/* sample.c -- see sample.h. */
#include "ask/sample.h"

#include "base/random.h"

#include <math.h>

/* The chunks that stand at places[0..n), which rise, counted over all documents. */
static Status at_places(Ctx *cx, Store *store, const size_t *places, size_t n,
                        int64_t *out)
{
    Document *doc;
    size_t n_docs, before = 0, i = 0;
    TRY(store_list(cx, store, &doc, &n_docs));
    for (size_t d = 0; d < n_docs && i < n; before += (size_t)doc[d++].chunks) {
        size_t n_ids = 0, until = before + (size_t)doc[d].chunks;
        int64_t *ids = NULL;
        if (places[i] < until)
            TRY(store_chunk_ids(cx, store, doc[d].id, &ids, &n_ids));
        for (; i < n && places[i] < until; i++)
            out[i] = places[i] - before < n_ids ? ids[places[i] - before] : 0;
    }
    return OK;
}

static void shuffle(int64_t *id, size_t n, uint64_t *state)
{
    for (size_t i = n; i > 1; i--) {
        size_t other = random_next(state) % i;
        int64_t swap = id[i - 1];
        id[i - 1] = id[other];
        id[other] = swap;
    }
}

Status sample(Ctx *cx, Store *store, size_t n, uint64_t seed, Passages *out)
{
    StoreStats stats;
    *out = (Passages){ 0 };
    if (n == 0) return fail(cx, E_ARG, "0 passages wanted: ask for at least 1");
    TRY(store_stats(cx, store, &stats));
    size_t all = (size_t)stats.chunks;
    if (n > all) n = all;
    size_t *place = ctx_new(cx, size_t, n);
    int64_t *id = ctx_new(cx, int64_t, n);
    Chunk *chunk = ctx_new(cx, Chunk, n);
    out->at = ctx_new(cx, Passage, n);
    if (!place || !id || !chunk || !out->at) return cx->status;
    for (size_t i = 0; i < n; i++) {
        size_t low = all * i / n, high = all * (i + 1) / n;
        place[i] = low + random_next(&seed) % (high - low);
    }
    TRY(at_places(cx, store, place, n, id));
    shuffle(id, n, &seed);
    TRY(store_chunks(cx, store, id, n, chunk, NULL));
    for (size_t i = 0; i < n; i++)
        if (chunk[i].id)
            out->at[out->n++] = (Passage){ .chunk = chunk[i], .rerank = NAN,
                                           .sentence = NAN };
    return OK;
}
