/* retrieve.c -- see retrieve.h.
 *
 * Invariant: every candidate has its true cosine, also those that only the words found,
 * so that a chunk is never punished for having been found by one side. */
#include "ask/retrieve.h"

#include "ask/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WITHOUT_DEPTH = 4 };   // how much deeper to look where documents are left out

typedef struct Candidate {
    int64_t chunk;
    float words, vector;
} Candidate;

static int by_chunk(const void *a, const void *b)
{
    int64_t x = ((const Candidate *)a)->chunk, y = ((const Candidate *)b)->chunk;
    return (x > y) - (x < y);
}

/* Joins both lists, sorted by chunk, each chunk once. */
static size_t unite(Candidate *c, const Hits *words, const Hits *vectors)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < words->n; i++)
        c[n++] = (Candidate){ words->at[i].chunk, words->at[i].score, 0 };
    for (size_t i = 0; i < vectors->n; i++)
        c[n++] = (Candidate){ vectors->at[i].chunk, 0, vectors->at[i].score };
    qsort(c, n, sizeof *c, by_chunk);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && c[kept - 1].chunk == c[i].chunk) {
            c[kept - 1].words += c[i].words;
            c[kept - 1].vector += c[i].vector;
        } else {
            c[kept++] = c[i];
        }
    }
    return kept;
}

static float dot(const float *a, const float *b, int dim)
{
    float s = 0;
    for (int i = 0; i < dim; i++) s += a[i] * b[i];
    return s;
}

/* Scores in place: fused and score of each passage. Before, its score is the cosine with
 * what is searched with. */
static void fuse(Passage *p, size_t n, const RetrieveOptions *opt, const QueryMap *map)
{
    float w = opt->words_weight > 0 ? opt->words_weight : RETRIEVE_WORDS_WEIGHT;
    float span = RETRIEVE_SPAN * (map ? query_map_span(map) : 1);
    float best = 0, high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        best = fmaxf(best, p[i].words);
        high = fmaxf(high, p[i].score);
    }
    for (size_t i = 0; i < n; i++) {
        float words = best > 0 ? p[i].words / best : 0;
        float vector = fmaxf(1 - (high - p[i].score) / span, 0);
        if (opt->mode == RETRIEVE_WORDS) p[i].fused = words;
        else if (opt->mode == RETRIEVE_VECTORS) p[i].fused = fmaxf(p[i].score, 0);
        else p[i].fused = w * words + (1 - w) * vector;
        p[i].score = p[i].fused;
    }
}

static bool is_left_out(const RetrieveOptions *opt, Str uri)
{
    for (size_t i = 0; i < opt->n_without; i++) {
        Str name = opt->without[i];
        if (str_eq(uri, name)) return true;
        if (uri.n > name.n && str_ends(uri, name) && uri.p[uri.n - name.n - 1] == '/')
            return true;
    }
    return false;
}

typedef struct QueryVector {
    float *at;      // (dim); NULL: none
    float *mapped;  // what is searched with: that, or its map
    int dim;
} QueryVector;

/* Reads the candidates' chunks; those deleted meanwhile are left out. */
static Status load(Ctx *cx, Store *store, const RetrieveOptions *opt, const Candidate *c,
                   size_t n, const QueryVector *q, Passages *out)
{
    const float *query = q->at;
    const int dim = q->dim;
    int64_t *ids = ctx_new(cx, int64_t, n);
    Chunk *chunks = ctx_new(cx, Chunk, n);
    float *vectors = query ? ctx_alloc(cx, n * (size_t)dim, sizeof *vectors) : NULL;
    out->at = ctx_new(cx, Passage, n);
    if (!ids || !chunks || !out->at || (query && !vectors)) return cx->status;
    for (size_t i = 0; i < n; i++) ids[i] = c[i].chunk;
    TRY(store_chunks(cx, store, ids, n, chunks, vectors));
    for (size_t i = 0; i < n; i++) {
        if (chunks[i].id == 0 || is_left_out(opt, chunks[i].uri)) continue;
        Passage *p = &out->at[out->n++];
        *p = (Passage){ .chunk = chunks[i], .words = c[i].words, .rerank = NAN,
                        .sentence = NAN };
        if (!query) continue;
        const float *v = vectors + i * (size_t)dim;
        p->vector = dot(query, v, dim);
        p->score = q->mapped == query ? p->vector : dot(q->mapped, v, dim);
    }
    return OK;
}

/* A statement is looked for among its like: the prefix that tells a question from a
 * passage costs it .0075 nDCG@10 on SciFact's claims, and brings .005 to .011 to
 * questions (NQ, Cranfield, Medlars). */
/* The unit vector half way between two. */
static void average(float *a, const float *b, int dim)
{
    float length = 0;
    for (int i = 0; i < dim; i++) a[i] += b[i];
    length = sqrtf(dot(a, a, dim));
    for (int i = 0; i < dim && length > 0; i++) a[i] /= length;
}

static Status embed_query(Ctx *cx, Store *store, Model *embedder, Str query, Str passage,
                          float **out)
{
    StoreStats stats;
    const ModelInfo *info = model_info(embedder);
    TRY(store_stats(cx, store, &stats));
    if (stats.dim && !str_eq(stats.fingerprint, info->fingerprint))
        return fail(cx, E_MODEL, "the store was embedded with %.*s, not with %.*s: "
                    "name that embedder, or run `pith reembed`", (int)stats.embedder.n,
                    stats.embedder.p, (int)info->name.n, info->name.p);
    TRY_NEW(*out = ctx_new(cx, float, (size_t)info->dim));
    EmbedKind kind = query_is_statement(query) ? EMBED_PASSAGE : EMBED_QUERY;
    TRY(model_embed(cx, embedder, kind, &query, 1, *out));
    if (passage.n == 0) return OK;
    float *other = ctx_new(cx, float, (size_t)info->dim);
    TRY_NEW(other);
    TRY(model_embed(cx, embedder, EMBED_PASSAGE, &passage, 1, other));
    average(*out, other, info->dim);
    return OK;
}

/* A statement is no question: a map that brings questions .006 nDCG@10 on NQ costs
 * SciFact's claims .014. */
static const QueryMap *map_for(const RetrieveOptions *opt, Str query)
{
    return query_is_statement(query) ? NULL : opt->map;
}

static Status map_query(Ctx *cx, const QueryMap *map, QueryVector *q)
{
    q->mapped = q->at;
    if (!map) return OK;
    if (map->dim != q->dim)
        return fail(cx, E_ARG, "a map of %d values for queries of %d", map->dim, q->dim);
    TRY_NEW(q->mapped = ctx_new(cx, float, (size_t)q->dim));
    query_map_apply(map, q->at, q->mapped);
    return OK;
}

Status retrieve(Ctx *cx, Store *store, Model *embedder, const RetrieveOptions *opt,
                Str query, Passages *out)
{
    *out = (Passages){ 0 };
    if (opt->k == 0) return fail(cx, E_ARG, "0 passages wanted: ask for at least 1");
    size_t side = opt->candidates ? opt->candidates : opt->k > 100 ? opt->k : 100;
    Hits words = { 0 }, vectors = { 0 };
    QueryVector q = { 0 };
    if (opt->n_without) side *= WITHOUT_DEPTH;
    if (opt->mode != RETRIEVE_WORDS) {
        Stage *s = stage_begin(cx, "embed");
        TRY(embed_query(cx, store, embedder, query, opt->passage, &q.at));
        q.dim = model_info(embedder)->dim;
        TRY(map_query(cx, map_for(opt, query), &q));
        stage_end(s);
    }
    Stage *s = stage_begin(cx, "retrieve");
    if (opt->mode != RETRIEVE_VECTORS) TRY(store_words(cx, store, query, side, &words));
    if (q.at) TRY(store_vectors(cx, store, q.mapped, side, &vectors));
    Candidate *c = ctx_new(cx, Candidate, words.n + vectors.n);
    TRY_NEW(c);
    size_t n = unite(c, &words, &vectors);
    TRY(load(cx, store, opt, c, n, &q, out));
    fuse(out->at, out->n, opt, map_for(opt, query));
    passages_sort(out->at, out->n);
    if (out->n > opt->k) out->n = opt->k;
    out->unknown = words.unknown;
    stage_figure(s, "words", (double)words.n);
    stage_figure(s, "vectors", (double)vectors.n);
    stage_figure(s, "passages", (double)out->n);
    stage_end(s);
    return OK;
}
