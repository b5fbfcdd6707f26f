/* find.c -- search, vectors and ranking: what a search worker does.
 *
 * Embeddings are OpenAI's, ranking is Jina's in shape; search is our own. */
#include "serve/route.h"

#include "base/ctx.h"
#include "serve/field.h"
#include "serve/report.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_MAX = 2048, K_MAX = 1000, RERANK_MAX = 200 };

void find_passages(Request *r, pith *p)
{
    static const char *const modes[] = { "hybrid", "words", "vectors", NULL };
    static const char *const known[] = { "query", "k", "mode", "rerank", NULL };
    pith_search_options opt = { 0 };
    const char *query = NULL;
    pith_results *found = NULL;
    pith_error why;
    if (!field_only(r, known) || !field_text(r, "query", true, &query)
        || !field_int(r, "k", 1, K_MAX, &opt.k)
        || !field_choice(r, "mode", modes, &opt.mode)
        || !field_int(r, "rerank", 0, RERANK_MAX, &opt.rerank))
        return;
    if (pith_search(p, query, &opt, &found, &why)) {
        reply_pith(r, &why);
        return;
    }
    report_stages(r, found->stages, found->n_stages);
    char *text = pith_results_json(found);
    pith_results_free(found);
    reply_json(r, 200, text ? json_loads(text, 0, NULL) : NULL);
    pith_string_free(text);
}

/* ---- embeddings ------------------------------------------------------------------- */

static json_t *vector_numbers(const float *v, int dim)
{
    json_t *all = json_array();
    for (int i = 0; i < dim; i++) json_array_append_new(all, json_real((double)v[i]));
    return all;
}

/* The float32 bytes, little endian, in base64: what OpenAI's clients ask for. */
static json_t *vector_base64(const float *v, int dim)
{
    size_t bytes = (size_t)dim * sizeof *v;
    size_t n = sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(n);
    if (!text) return NULL;
    sodium_bin2base64(text, n, (const unsigned char *)v, bytes,
                      sodium_base64_VARIANT_ORIGINAL);
    json_t *j = json_string(text);
    free(text);
    return j;
}

static json_t *vectors_json(const float *v, size_t n, int dim, bool base64)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) {
        const float *row = v + i * (size_t)dim;
        json_array_append_new(all, json_pack("{ss so sI}", "object", "embedding",
            "embedding",
            (base64 ? vector_base64 : vector_numbers)(row, dim), "index", (json_int_t)i));
    }
    return all;
}

/* OpenAI's usage is in tokens; pith counts none here, so words stand in for them. */
static json_int_t count_words(const char *const *texts, size_t n)
{
    json_int_t words = 0;
    for (size_t i = 0; i < n; i++)
        for (const char *z = texts[i]; *z; ) {
            z += strspn(z, " \t\r\n");
            words += *z != '\0';
            z += strcspn(z, " \t\r\n");
        }
    return words;
}

static void embed(Request *r, pith *p, const char **texts, size_t n, int kind, int format)
{
    float *v = NULL;
    int dim, want = 0;
    pith_error why;
    if (!field_int(r, "dimensions", 1, 1 << 16, &want)) return;
    if (pith_embed(p, kind == 0, texts, n, &v, &dim, &why)) {
        reply_pith(r, &why);
        return;
    }
    json_int_t used = count_words(texts, n);
    if (want && want != dim)
        reply_error(r, 400, "dimensions", "this model's vectors have %d dimensions", dim);
    else
        reply_json(r, 200, json_pack("{ss so ss s{sI sI}}", "object", "list", "data",
            vectors_json(v, n, dim, format == 1), "model", r->server->model[1], "usage",
            "prompt_tokens", used, "total_tokens", used));
    pith_vectors_free(v);
}

void find_vectors(Request *r, pith *p)
{
    static const char *const formats[] = { "float", "base64", NULL };
    static const char *const kinds[] = { "query", "document", NULL };
    const char **texts = NULL;
    size_t n;
    int format = 0, kind = 1;
    if (!field_ignored(r, "model")
        || !field_choice(r, "encoding_format", formats, &format)
        || !field_choice(r, "input_type", kinds, &kind)
        || !field_texts(r, "input", TEXTS_MAX, &texts, &n))
        return;
    embed(r, p, texts, n, kind, format);
    free(texts);
}

/* ---- ranking ---------------------------------------------------------------------- */

typedef struct Ranked {
    size_t index;
    double score;       // [0,1]
} Ranked;

static int by_score(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static json_t *ranking_json(const Ranked *at, size_t n, const char **texts)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *j = json_pack("{sI sf}", "index", (json_int_t)at[i].index,
                              "relevance_score", at[i].score);
        if (j && texts)
            json_object_set_new(j, "document", json_pack("{ss}", "text",
                                                         texts[at[i].index]));
        json_array_append_new(all, j);
    }
    return all;
}

static void rank(Request *r, pith *p, const char *query, const char **texts, size_t n,
                 size_t top, bool shown)
{
    float *score = malloc(n * sizeof *score);
    Ranked *order = malloc(n * sizeof *order);
    pith_error why;
    if (!score || !order) {
        reply_error(r, 503, NULL, "out of memory for %zu scores", n);
    } else if (pith_score(p, query, texts, n, score, &why)) {
        reply_pith(r, &why);
    } else {
        for (size_t i = 0; i < n; i++)
            order[i] = (Ranked){ i, 1 / (1 + exp(-(double)score[i])) };
        qsort(order, n, sizeof *order, by_score);
        json_int_t used = count_words(texts, n) + count_words(&query, 1);
        reply_json(r, 200, json_pack("{ss ss s{sI} so}", "model", r->server->model[2],
            "object", "list", "usage", "total_tokens", used, "results",
            ranking_json(order, top < n ? top : n, shown ? texts : NULL)));
    }
    free(score);
    free(order);
}

void find_ranking(Request *r, pith *p)
{
    const char *query = NULL, **texts = NULL;
    int top = TEXTS_MAX;
    bool shown = true;
    size_t n;
    if (!field_ignored(r, "model") || !field_text(r, "query", true, &query)
        || !field_int(r, "top_n", 1, TEXTS_MAX, &top)
        || !field_flag(r, "return_documents", &shown)
        || !field_texts(r, "documents", TEXTS_MAX, &texts, &n))
        return;
    rank(r, p, query, texts, n, (size_t)top, shown);
    free(texts);
}
