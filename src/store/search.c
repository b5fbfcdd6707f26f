/* search.c -- BM25 over the postings and the exact nearest vectors.
 *
 * Both give every chunk a score in one array, take those not below the k-th best, ties
 * included, and order them by score, uri and position: what comes out depends on what is
 * in the store alone, not on how it came there. Document frequencies, lengths and their
 * mean are counted over the chunks that are alive. */
#include "store/impl.h"
#include "store/terms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define K1 1.2f   // Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009
#define B 0.75f

typedef struct Found {
    float score;
    int64_t id;
    size_t row;
    Str uri;            // filled where scores are equal
    int64_t ordinal;
} Found;

static Status scratch(Ctx *cx, Store *s, size_t bytes, void **out)
{
    if (bytes > s->scratch_size) {
        free(s->scratch);
        s->scratch_size = 0;
        s->scratch = malloc(bytes + bytes / 4);
        if (!s->scratch)
            return fail(cx, E_MEMORY, "no memory to search %zu bytes", bytes);
        s->scratch_size = bytes + bytes / 4;
    }
    *out = s->scratch;
    return OK;
}

/* ---- the best --------------------------------------------------------------------- */

/* A heap of the k best, the least on top. */
static void sift(float *heap, size_t n, float x)
{
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < n; i = c) {
        if (c + 1 < n && heap[c + 1] < heap[c]) c++;
        if (heap[c] >= x) break;
        heap[i] = heap[c];
    }
    heap[i] = x;
}

/* The k-th best of n scores above floor; floor where there are fewer. */
static Status kth_best(Ctx *cx, const float *score, size_t n, size_t k, float floor,
                       float *out)
{
    float *heap = ctx_new(cx, float, k);
    TRY_NEW(heap);
    for (size_t i = 0; i < k; i++) heap[i] = floor;
    for (size_t i = 0; i < n; i++)
        if (score[i] > heap[0]) sift(heap, k, score[i]);
    *out = heap[0];
    return OK;
}

/* The rows whose score is above floor and not below the k-th best. */
static Status best_rows(Ctx *cx, const Matrix *m, const float *score, size_t k,
                        float floor, Found **out, size_t *n)
{
    float least;
    size_t count = 0;
    if (k > m->rows) k = m->rows;
    *n = 0;
    if (k == 0) return OK;
    TRY(kth_best(cx, score, m->rows, k, floor, &least));
    for (size_t i = 0; i < m->rows; i++) count += score[i] > floor && score[i] >= least;
    TRY_NEW(*out = ctx_new(cx, Found, count));
    for (size_t i = 0; i < m->rows; i++)
        if (score[i] > floor && score[i] >= least)
            (*out)[(*n)++] = (Found){ .score = score[i], .row = i,
                                      .id = matrix_block(m, i)->id[i % MATRIX_ROWS] };
    return OK;
}

static int by_score(const void *a, const void *b)
{
    const Found *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int by_place(const void *a, const void *b)
{
    const Found *x = a, *y = b;
    int c = str_cmp(x->uri, y->uri);
    return c ? c : (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

static Status place(Ctx *cx, Store *s, Found *f)
{
    sqlite3_stmt *q;
    bool more;
    TRY(db_query(cx, s, Q_PLACE, &q));
    sqlite3_bind_int64(q, 1, f->id);
    TRY(db_step(cx, s, q, &more));
    if (!more) return db_fail(cx, s, SQLITE_CORRUPT);
    f->uri = db_text(cx, q, 0);
    f->ordinal = sqlite3_column_int64(q, 1);
    sqlite3_reset(q);
    return f->uri.p ? OK : E_MEMORY;
}

/* Orders f and gives the first k. */
static Status rank(Ctx *cx, Store *s, Found *f, size_t n, size_t k, Hits *out)
{
    qsort(f, n, sizeof *f, by_score);
    if (k > n) k = n;
    for (size_t i = 0, j; i < k; i = j) {
        for (j = i + 1; j < n && f[j].score == f[i].score; j++) {}
        if (j - i < 2) continue;
        for (size_t t = i; t < j; t++) TRY(place(cx, s, &f[t]));
        qsort(f + i, j - i, sizeof *f, by_place);
    }
    TRY_NEW(out->at = ctx_new(cx, Hit, k));
    for (size_t i = 0; i < k; i++) out->at[i] = (Hit){ f[i].id, f[i].score };
    out->n = k;
    return OK;
}

/* ---- words ------------------------------------------------------------------------ */

/* How often each chunk has the word in work. */
typedef struct Tally {
    float *count;       // (rows), 0 but for those listed
    uint32_t *row;      // those with the word, in no order
    size_t df;
} Tally;

/* Counts the living chunks of a list. */
static Status count_list(Ctx *cx, Store *s, const Key *key, Tally *t)
{
    sqlite3_stmt *q;
    bool more;
    const Matrix *m = s->matrix;
    TRY(db_query(cx, s, Q_POSTINGS, &q));
    sqlite3_bind_blob64(q, 1, key->at.p, key->at.n, SQLITE_STATIC);
    for (;;) {
        TRY(db_step(cx, s, q, &more));
        if (!more) return OK;
        const uint8_t *p = sqlite3_column_blob(q, 0);
        PostingReader r = { p, p ? p + sqlite3_column_bytes(q, 0) : p, 0 };
        Posting post;
        size_t hint = 0;
        int got;
        while ((got = postings_next(&r, &post)) > 0) {
            size_t row = matrix_row(m, post.id, hint);
            if (row == SIZE_MAX) continue;      // gone before the matrix saw it
            hint = row;
            if (matrix_gone(m, row)) continue;
            if (t->count[row] == 0) t->row[t->df++] = (uint32_t)row;
            t->count[row] += key->weight * (float)post.count;
        }
        if (got == 0) continue;
        sqlite3_reset(q);
        return db_fail(cx, s, SQLITE_CORRUPT);
    }
}

/* Adds what the word gives to each chunk that has it, and forgets the counts. */
static void add_scores(const Matrix *m, Tally *t, float times, float *score)
{
    size_t alive = m->rows - m->n_gone;
    float n = (float)alive, mean = (float)((double)m->words / (double)alive);
    float idf = times * logf(1 + (n - (float)t->df + 0.5f) / ((float)t->df + 0.5f));
    float flat = K1 * (1 - B), slope = K1 * B / mean;
    for (size_t i = 0; i < t->df; i++) {
        size_t row = t->row[i];
        float tf = t->count[row];
        float length = (float)matrix_block(m, row)->words[row % MATRIX_ROWS];
        score[row] += idf * tf * (K1 + 1) / (tf + flat + slope * length);
        t->count[row] = 0;
    }
    t->df = 0;
}

static Status score_term(Ctx *cx, Store *s, Str query, Term *term, Tally *t, float *score,
                         bool *unknown)
{
    TRY(ctx_check(cx));
    if (!term->stop) TRY(terms_compounds(cx, s, query, term));
    for (size_t i = 0; i < term->n; i++) TRY(count_list(cx, s, &term->key[i], t));
    *unknown = t->df == 0 && term->telling && !term->stop;
    add_scores(s->matrix, t, term->times, score);
    return OK;
}

static Status words_in_view(Ctx *cx, Store *s, Str query, size_t k, Hits *out)
{
    Term *term;
    Found *found = NULL;
    void *room = NULL;
    size_t n, count;
    bool unknown;
    const Matrix *m = s->matrix;
    if (!m || m->rows == m->n_gone) return OK;
    TRY(terms_of(cx, s, query, &term, &n));
    TRY(scratch(cx, s, m->rows * (2 * sizeof(float) + sizeof(uint32_t)), &room));
    float *score = room;
    Tally t = { .count = score + m->rows, .row = (void *)(score + 2 * m->rows) };
    memset(score, 0, 2 * m->rows * sizeof *score);
    for (size_t i = 0; i < n; i++) {
        TRY(score_term(cx, s, query, &term[i], &t, score, &unknown));
        out->unknown += unknown;
    }
    TRY(best_rows(cx, m, score, k, 0, &found, &count));
    return count ? rank(cx, s, found, count, k, out) : OK;
}

Status store_words(Ctx *cx, Store *s, Str query, size_t k, Hits *out)
{
    *out = (Hits){ 0 };
    TRY(view_begin(cx, s));
    Status st = words_in_view(cx, s, query, k, out);
    view_end(s);
    return st;
}

/* ---- vectors ---------------------------------------------------------------------- */

/* In eight sums, the same on every machine. */
static float dot(const float *a, const float *b, size_t n)
{
    float sum[8] = { 0 };
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++) sum[j] += a[i + j] * b[i + j];
    for (; i < n; i++) sum[0] += a[i] * b[i];
    for (size_t j = 0; j < 4; j++) sum[j] += sum[j + 4];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static Status exact_score(Ctx *cx, Store *s, const float *query, Found *f)
{
    sqlite3_stmt *q;
    bool more;
    float v[MATRIX_MAX_DIM];
    TRY(db_query(cx, s, Q_VECTOR, &q));
    sqlite3_bind_int64(q, 1, f->id);
    TRY(db_step(cx, s, q, &more));
    if (!more) return db_fail(cx, s, SQLITE_CORRUPT);
    bool whole = db_vector(s, q, 1, v);
    if (whole) f->score = dot(v, query, (size_t)s->by.dim);
    sqlite3_reset(q);
    return whole ? OK : db_fail(cx, s, SQLITE_CORRUPT);
}

static Status vectors_in_view(Ctx *cx, Store *s, const float *query, size_t k, Hits *out)
{
    void *score = NULL;
    Found *found = NULL;
    size_t n, wide = 4 * k > 64 ? 4 * k : 64;
    const Matrix *m = s->matrix;
    if (!m || m->rows == m->n_gone || k == 0) return OK;
    for (int i = 0; i < m->dim; i++)
        if (!isfinite(query[i]))
            return fail(cx, E_ARG, "a query's vector has a component that is no number");
    TRY(scratch(cx, s, m->rows * sizeof(float), &score));
    TRY(matrix_scan(cx, m, query, score));
    TRY(best_rows(cx, m, score, wide, -INFINITY, &found, &n));
    for (size_t i = 0; i < n; i++) TRY(exact_score(cx, s, query, &found[i]));
    return n ? rank(cx, s, found, n, k, out) : OK;
}

Status store_vectors(Ctx *cx, Store *s, const float *query, size_t k, Hits *out)
{
    *out = (Hits){ 0 };
    TRY(view_begin(cx, s));
    Status st = vectors_in_view(cx, s, query, k, out);
    view_end(s);
    return st;
}
