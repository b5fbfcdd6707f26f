/* attention.c -- causal attention within each sequence, forward and backward.
 *
 * QUERIES rows of one head at a time meet the keys up to the last of them. Probabilities
 * are computed again in the backward pass from the log of their sum, as in
 * FlashAttention-2 (Dao, arXiv 2307.08691), so that memory grows with the tokens and not
 * with their square. There they are made turned around, keys by queries: three of the
 * four products that follow read them so. */
#include "model/rows.h"
#include "tune/tape_impl.h"

#include <string.h>

/* A head of keys and values of one sequence, and what is packed of it. */
typedef struct Keys {
    const Sample *sample;
    size_t block;
    size_t begin, tokens;        // rows of the sample
    size_t at_k, at_v;           // columns in a row of qkv
    GemmMatrix qkv;              // from the sequence's first row on
    GemmMatrix k, v;             // the same, of the head: (tokens, head_dim)
    GemmMatrix b[3];             // packed: as forward or backward want it
} Keys;

/* One head of queries, rows first .. first + rows, which see the keys 0 .. keys. */
typedef struct Block {
    size_t head, at_q;
    size_t first, rows, keys;
} Block;

typedef bool BlockFn(Tape *t, const Kept *k, const Keys *x, const Block *b, void *arg);

/* m (k, n) for many products. */
static GemmMatrix packed(Tape *t, int which, GemmMatrix m, size_t k, size_t n)
{
    return m.type == GEMM_F32 ? m : gemm_pack(&m, k, n, t->packed[which]);
}

static bool each_block(Tape *t, const Kept *k, const Keys *x, size_t shared, BlockFn *fn,
                       void *arg)
{
    const LmShape *s = &t->lm->shape;
    size_t n = s->heads / s->kv_heads;
    for (size_t h = shared * n; h < (shared + 1) * n; h++)
        for (size_t first = 0; first < x->tokens; first += QUERIES) {
            size_t left = x->tokens - first, rows = left < QUERIES ? left : QUERIES;
            Block b = { h, h * s->head_dim, first, rows, first + rows };
            if (!fn(t, k, x, &b, arg)) return false;
        }
    return true;
}

/* Calls fn for each block of queries of each head of each sequence. */
static bool each(Tape *t, const Sample *s, size_t block, bool back, BlockFn *fn,
                 void *arg)
{
    const LmShape *m = &t->lm->shape;
    const Kept *k = &t->kept[block];
    size_t dim = m->head_dim;
    for (size_t q = 0; q < s->n_sequences; q++)
        for (size_t shared = 0; shared < m->kv_heads; shared++) {
            Keys x = { .sample = s, .block = block, .begin = s->begin[q] };
            x.tokens = s->begin[q + 1] - s->begin[q];
            x.at_k = (m->heads + shared) * dim;
            x.at_v = x.at_k + m->kv_heads * dim;
            x.qkv = below(held(t, k->qkv, group_out(m, GROUP_QKV)), x.begin);
            x.k = columns(x.qkv, x.at_k);
            x.v = columns(x.qkv, x.at_v);
            if (back) x.b[0] = packed(t, 0, x.k, x.tokens, dim);
            else x.b[0] = packed(t, 0, turned(x.k), dim, x.tokens);
            if (!back) x.b[1] = packed(t, 1, x.v, x.tokens, dim);
            if (!each_block(t, k, &x, shared, fn, arg)) return false;
        }
    return true;
}

/* ---- forward ---------------------------------------------------------------------- */

/* t->scores (rows, keys) = the probabilities; zero for keys that a query does not see. */
static bool probabilities(Tape *t, const Kept *k, const Keys *x, const Block *b)
{
    float *lse = k->lse + b->head * t->T + x->begin + b->first;
    GemmMatrix q = columns(below(x->qkv, b->first), b->at_q);
    GemmJob job = { .m = b->rows, .n = b->keys, .n_parts = 1, .scale = 1, .c = t->scores,
                    .c_stride = b->keys,
                    .part = { { q, x->b[0], t->lm->shape.head_dim } } };
    if (!gemm_run(t->room, &job)) return false;
    for (size_t i = 0; i < b->rows; i++) {
        float *row = t->scores + i * b->keys;
        size_t end = b->first + i + 1;
        size_t first = lm_first_seen(&t->lm->shape, x->block, end - 1);
        lse[i] = rows_softmax(end - first, row + first, t->lm->shape.attn_scale);
        memset(row, 0, first * sizeof *row);
        memset(row + end, 0, (b->keys - end) * sizeof *row);
    }
    return true;
}

static bool mix(Tape *t, const Kept *k, const Keys *x, const Block *b, void *arg)
{
    size_t width = group_in(&t->lm->shape, GROUP_O);
    (void)arg;
    if (!probabilities(t, k, x, b)) return false;
    GemmJob job = { .m = b->rows, .n = t->lm->shape.head_dim, .n_parts = 1, .scale = 1,
                    .c = t->mixed + (x->begin + b->first) * width + b->at_q,
                    .c_stride = width,
                    .part = { { floats(t->scores, b->keys), x->b[1], b->keys } } };
    return gemm_run(t->room, &job);
}

bool attention_forward(Tape *t, const Sample *s, size_t block)
{
    return each(t, s, block, false, mix, NULL);
}

/* ---- backward --------------------------------------------------------------------- */

typedef struct Back {
    GemmMatrix dmixed;           // (T, heads head_dim)
    float *dqkv;
} Back;

/* How many of a block's queries, in order, do not see key j any more or never did: those
 * from *end on, and those before the result. */
static size_t seen_by(const Tape *t, const Keys *x, const Block *b, size_t j, size_t *end)
{
    *end = b->rows;
    while (*end > 0 && lm_first_seen(&t->lm->shape, x->block, b->first + *end - 1) > j)
        --*end;
    size_t first = j > b->first ? j - b->first : 0;
    return first < *end ? first : *end;
}

/* t->scores (keys, rows) = the probabilities, t->dscores the derivative by the scores. */
static bool derive_scores(Tape *t, const Kept *k, const Keys *x, const Block *b,
                          GemmMatrix q, GemmMatrix dout)
{
    size_t dim = t->lm->shape.head_dim, at = b->head * t->T + x->begin + b->first;
    GemmJob s = { .m = b->keys, .n = b->rows, .n_parts = 1, .scale = 1, .c = t->scores,
                  .c_stride = b->rows, .part = { { x->k, turned(q), dim } } };
    GemmJob dp = { .m = b->keys, .n = b->rows, .n_parts = 1, .scale = 1, .c = t->dscores,
                   .c_stride = b->rows, .part = { { x->v, turned(dout), dim } } };
    if (!gemm_run(t->room, &s) || !gemm_run(t->room, &dp)) return false;
    for (size_t j = 0; j < b->keys; j++) {
        float *p = t->scores + j * b->rows, *d = t->dscores + j * b->rows;
        size_t end, first = seen_by(t, x, b, j, &end);
        memset(p, 0, first * sizeof *p);
        memset(d, 0, first * sizeof *d);
        rows_attend_back(end - first, t->lm->shape.attn_scale, k->lse + at + first,
                         t->weighed + at + first, p + first, d + first);
        memset(p + end, 0, (b->rows - end) * sizeof *p);
        memset(d + end, 0, (b->rows - end) * sizeof *d);
    }
    return true;
}

/* One block of queries, backward: dq, and what it adds to dk and dv. */
static bool unmix(Tape *t, const Kept *k, const Keys *x, const Block *b, void *arg)
{
    const LmShape *s = &t->lm->shape;
    const Back *to = arg;
    size_t dim = s->head_dim, stride = group_out(s, GROUP_QKV);
    GemmMatrix q = columns(below(x->qkv, b->first), b->at_q);
    GemmMatrix dout = columns(below(to->dmixed, x->begin + b->first), b->at_q);
    GemmMatrix p = floats(t->scores, b->rows), ds = floats(t->dscores, b->rows);
    float *base = to->dqkv + x->begin * stride;
    if (!derive_scores(t, k, x, b, q, dout)) return false;

    GemmJob dv = { .m = b->keys, .n = dim, .n_parts = 1, .scale = 1, .add = true,
                   .c = base + x->at_v, .c_stride = stride,
                   .part = { { p, dout, b->rows } } };
    GemmJob dk = { .m = b->keys, .n = dim, .n_parts = 1, .scale = 1, .add = true,
                   .c = base + x->at_k, .c_stride = stride,
                   .part = { { ds, q, b->rows } } };
    GemmJob dq = { .m = b->rows, .n = dim, .n_parts = 1, .scale = 1,
                   .c = base + b->first * stride + b->at_q, .c_stride = stride,
                   .part = { { turned(ds), x->b[0], b->keys } } };
    return gemm_run(t->room, &dv) && gemm_run(t->room, &dk) && gemm_run(t->room, &dq);
}

/* t->weighed: of each query, the mean derivative by its probabilities, which is the
 * product of its output and the derivative by that. */
static void weigh(Tape *t, const Kept *k)
{
    const LmShape *s = &t->lm->shape;
    size_t dim = s->head_dim, width = group_in(s, GROUP_O);
    for (size_t i = 0; i < t->T; i++) {
        const float *out = row_of(t, k->mixed, width, i, t->row);
        const float *d = t->dmixed + i * width;
        for (size_t h = 0; h < s->heads; h++)
            t->weighed[h * t->T + i] = rows_dot(dim, out + h * dim, d + h * dim);
    }
}

bool attention_backward(Tape *t, const Sample *s, size_t block, float *dqkv)
{
    const LmShape *m = &t->lm->shape;
    size_t width = group_in(m, GROUP_O);
    Back to = { hold(t, t->dmixed, t->T, width, t->dy), dqkv };
    weigh(t, &t->kept[block]);
    memset(dqkv, 0, t->T * group_out(m, GROUP_QKV) * sizeof *dqkv);
    return each(t, s, block, true, unmix, &to);
}
