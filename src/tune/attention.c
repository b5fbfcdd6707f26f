/* attention.c -- causal attention within each sequence, forward and backward.
 *
 * QUERIES rows of one head at a time meet the keys up to the last of them. Probabilities
 * are computed again in the backward pass, as in FlashAttention (Dao et al., arXiv
 * 2205.14135), so that memory grows with the tokens and not with their square. */
#include "model/rows.h"
#include "tune/tape_impl.h"

#include <math.h>
#include <string.h>

/* One head of one sequence: where its columns are, as operands. */
typedef struct Head {
    GemmMatrix q, k, v;          // from the sequence's first row on
    size_t at_q, at_k, at_v;     // columns in a row of qkv
    size_t begin;                // row of the sample
} Head;

/* Rows first .. first + rows of the sequence, which see the keys 0 .. keys. */
typedef struct Block {
    size_t first, rows, keys;
} Block;

static GemmMatrix below(GemmMatrix m, size_t rows)
{
    return columns(m, rows * m.stride);
}

static Head head_of(const Tape *t, GemmMatrix qkv, size_t begin, size_t h)
{
    const LmShape *s = &t->lm->shape;
    size_t shared = h / (s->heads / s->kv_heads);
    Head x = { .at_q = h * s->head_dim, .begin = begin };
    x.at_k = (s->heads + shared) * s->head_dim;
    x.at_v = x.at_k + s->kv_heads * s->head_dim;
    x.q = columns(below(qkv, begin), x.at_q);
    x.k = columns(below(qkv, begin), x.at_k);
    x.v = columns(below(qkv, begin), x.at_v);
    return x;
}

static float root(const Tape *t)
{
    return 1 / sqrtf((float)t->lm->shape.head_dim);
}

/* t->scores (rows, keys) = the probabilities; zero for keys behind the query. */
static bool probabilities(Tape *t, const Head *h, Block b)
{
    size_t dim = t->lm->shape.head_dim;
    GemmJob job = { .m = b.rows, .n = b.keys, .n_parts = 1, .scale = 1, .c = t->scores,
                    .c_stride = b.keys };
    job.part[0] = (GemmPart){ below(h->q, b.first), turned(h->k), dim };
    if (!gemm_run(t->room, &job)) return false;
    for (size_t i = 0; i < b.rows; i++) {
        float *row = t->scores + i * b.keys;
        size_t seen = b.first + i + 1;
        rows_softmax(seen, row, root(t));
        memset(row + seen, 0, (b.keys - seen) * sizeof *row);
    }
    return true;
}

static bool mix(Tape *t, const Head *h, Block b, float *mixed)
{
    size_t width = lm_in(&t->lm->shape, LIN_O);
    if (!probabilities(t, h, b)) return false;
    GemmJob job = { .m = b.rows, .n = t->lm->shape.head_dim, .n_parts = 1, .scale = 1,
                    .c = mixed + (h->begin + b.first) * width + h->at_q,
                    .c_stride = width };
    job.part[0] = (GemmPart){ floats(t->scores, b.keys), h->v, b.keys };
    return gemm_run(t->room, &job);
}

/* One block of queries, backward: dq, and what it adds to dk and dv. */
static bool unmix(Tape *t, const Head *h, Block b, GemmMatrix dmixed, float *dqkv)
{
    const LmShape *s = &t->lm->shape;
    size_t dim = s->head_dim, stride = group_out(s, group_qkv);
    GemmMatrix dout = columns(below(dmixed, h->begin + b.first), h->at_q);
    GemmMatrix p = floats(t->scores, b.keys), ds = floats(t->dscores, b.keys);
    float *base = dqkv + h->begin * stride;
    if (!probabilities(t, h, b)) return false;

    GemmJob dp = { .m = b.rows, .n = b.keys, .n_parts = 1, .scale = 1, .c = t->dscores,
                   .c_stride = b.keys, .part = { { dout, turned(h->v), dim } } };
    GemmJob dv = { .m = b.keys, .n = dim, .n_parts = 1, .scale = 1, .add = true,
                   .c = base + h->at_v, .c_stride = stride,
                   .part = { { turned(p), dout, b.rows } } };
    GemmJob dq = { .m = b.rows, .n = dim, .n_parts = 1, .scale = 1,
                   .c = base + b.first * stride + h->at_q, .c_stride = stride,
                   .part = { { ds, h->k, b.keys } } };
    GemmJob dk = { .m = b.keys, .n = dim, .n_parts = 1, .scale = 1, .add = true,
                   .c = base + h->at_k, .c_stride = stride,
                   .part = { { turned(ds), below(h->q, b.first), b.rows } } };
    if (!gemm_run(t->room, &dp) || !gemm_run(t->room, &dv)) return false;
    for (size_t i = 0; i < b.rows; i++)
        rows_softmax_back(b.keys, t->scores + i * b.keys, t->dscores + i * b.keys,
                          root(t));
    return gemm_run(t->room, &dq) && gemm_run(t->room, &dk);
}

static Block block_at(size_t first, size_t tokens)
{
    size_t rows = tokens - first < QUERIES ? tokens - first : QUERIES;
    return (Block){ first, rows, first + rows };
}

bool attention_forward(Tape *t, const Sample *s, const Kept *k)
{
    const LmShape *shape = &t->lm->shape;
    GemmMatrix qkv = operand(t, 0, k->qkv, t->T, group_out(shape, group_qkv));
    for (size_t q = 0; q < s->n_sequences; q++) {
        size_t tokens = s->begin[q + 1] - s->begin[q];
        for (size_t head = 0; head < shape->heads; head++) {
            Head h = head_of(t, qkv, s->begin[q], head);
            for (size_t first = 0; first < tokens; first += QUERIES)
                if (!mix(t, &h, block_at(first, tokens), k->mixed)) return false;
        }
    }
    return true;
}

bool attention_backward(Tape *t, const Sample *s, const Kept *k, float *dqkv)
{
    const LmShape *shape = &t->lm->shape;
    size_t width = group_out(shape, group_qkv);
    GemmMatrix qkv = operand(t, 0, k->qkv, t->T, width);
    GemmMatrix dmixed = operand(t, 1, t->dmixed, t->T, lm_in(shape, LIN_O));
    memset(dqkv, 0, t->T * width * sizeof *dqkv);
    for (size_t q = 0; q < s->n_sequences; q++) {
        size_t tokens = s->begin[q + 1] - s->begin[q];
        for (size_t head = 0; head < shape->heads; head++) {
            Head h = head_of(t, qkv, s->begin[q], head);
            for (size_t first = 0; first < tokens; first += QUERIES)
                if (!unmix(t, &h, block_at(first, tokens), dmixed, dqkv)) return false;
        }
    }
    return true;
}
