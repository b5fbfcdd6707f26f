/* forward.c -- a sample through the blocks, as libllama computes it. */
#include "model/rows.h"
#include "tune/tape_impl.h"

#include <string.h>

/* u (T, n rank) = scale x A', kept. */
static bool squeeze(Tape *t, const float *a, size_t block, Group g, GemmMatrix x)
{
    size_t in = group_in(&t->lm->shape, g), n = group_size(g) * t->lora.rank;
    GemmJob job = { .m = t->T, .n = n, .n_parts = 1, .scale = t->lora.scale, .c = t->u,
                    .c_stride = n, .part = { { x, turned(floats(a, in)), in } } };
    if (!gemm_run(t->room, &job)) return false;
    hold(t, t->u, t->T, n, t->kept[block].u[g]);
    return true;
}

bool group_forward(Tape *t, const float *p, size_t block, Group g, GemmMatrix x, bool add,
                   float *y)
{
    const LmShape *s = &t->lm->shape;
    const LmBlock *b = &t->lm->block[block];
    size_t in = group_in(s, g), stride = group_out(s, g), rank = t->lora.rank, at = 0;
    Linear first = group_first(g);
    GemmMatrix u = held(t, t->kept[block].u[g], group_size(g) * rank);
    if (p && !squeeze(t, p + lora_a(s, rank, block, first), block, g, x)) return false;
    for (size_t i = 0; i < group_size(g); i++) {
        Linear l = first + (Linear)i;
        size_t out = lm_out(s, l);
        GemmJob job = { .m = t->T, .n = out, .n_parts = p ? 2 : 1, .scale = 1, .add = add,
                        .c = y + at, .c_stride = stride,
                        .part = { { x, b->forward[l], in } } };
        if (p)
            job.part[1] = (GemmPart){ columns(u, i * rank),
                                      floats(p + lora_b(s, rank, block, l), out), rank };
        if (!gemm_run(t->room, &job)) return false;
        at += out;
    }
    for (size_t i = 0; b->bias[g] && i < t->T; i++)
        rows_add(stride, b->bias[g], y + i * stride);
    return true;
}

void rope_row(const Tape *t, size_t block, size_t i, float *qkv, bool back)
{
    const LmShape *s = &t->lm->shape;
    size_t kind = lm_kind(s, block), at = t->position[i] * (s->rope_dims / 2);
    for (size_t h = 0; h < s->heads + s->kv_heads; h++)
        rows_rope(s->rope_dims, qkv + h * s->head_dim, t->cosine[kind] + at,
                  t->sine[kind] + at, s->neox, back);
}

/* Norms the heads of queries and keys of row i, and keeps what they were. */
static void norm_heads(const Tape *t, size_t block, size_t i, float *qkv)
{
    const LmShape *s = &t->lm->shape;
    const LmBlock *b = &t->lm->block[block];
    size_t dim = s->head_dim, n = s->heads + s->kv_heads;
    if (!s->head_norms) return;
    hold_row(t, qkv, n * dim, i, t->kept[block].plain);
    memcpy(t->row, qkv, n * dim * sizeof *qkv);
    for (size_t h = 0; h < n; h++)
        rows_norm(dim, t->row + h * dim, b->norm[h < s->heads ? NORM_Q : NORM_K], s->eps,
                  qkv + h * dim);
}

/* The norm of x, as the products read it. */
static GemmMatrix norm_all(Tape *t, const float *x, const float *gain, void *to)
{
    size_t dim = t->lm->shape.dim;
    for (size_t i = 0; i < t->T; i++) {
        rows_norm(dim, x + i * dim, gain, t->lm->shape.eps, t->row);
        hold_row(t, t->row, dim, i, to);
    }
    return held(t, to, dim);
}

/* to (T, dim) = x + what the group gives of y, by the norm behind it, if there is one. */
static bool join(Tape *t, const float *p, size_t block, Group g, GemmMatrix y,
                 const float *x, float *to)
{
    const LmShape *s = &t->lm->shape;
    size_t dim = s->dim, which = g == GROUP_DOWN;
    const float *gain = t->lm->block[block].norm[which ? NORM_FFN_POST : NORM_ATTN_POST];
    float *out = gain ? t->kept[block].branch[which] : t->out;
    memcpy(to, x, t->T * dim * sizeof *to);
    if (!gain && s->branch_scale == 1) return group_forward(t, p, block, g, y, true, to);
    if (!group_forward(t, p, block, g, y, false, out)) return false;
    for (size_t i = 0; i < t->T; i++) {
        if (gain) rows_norm(dim, out + i * dim, gain, s->eps, t->row);
        else rows_scale(dim, out + i * dim, s->branch_scale, t->row);
        rows_add(dim, t->row, to + i * dim);
    }
    return true;
}

static bool attend(Tape *t, const float *p, const Sample *s, size_t i)
{
    const LmShape *shape = &t->lm->shape;
    const Kept *k = &t->kept[i];
    GemmMatrix x = norm_all(t, k->x, t->lm->block[i].norm[NORM_ATTN], k->normed[0]);
    if (!group_forward(t, p, i, GROUP_QKV, x, false, t->out)) return false;
    for (size_t r = 0, width = group_out(shape, GROUP_QKV); r < t->T; r++) {
        norm_heads(t, i, r, t->out + r * width);
        rope_row(t, i, r, t->out + r * width, false);
        hold_row(t, t->out + r * width, width, r, k->qkv);
    }
    if (!attention_forward(t, s, i)) return false;
    x = hold(t, t->mixed, t->T, group_in(shape, GROUP_O), k->mixed);
    return join(t, p, i, GROUP_O, x, k->x, k->mid);
}

static bool feed_forward(Tape *t, const float *p, size_t i, float *out)
{
    const LmShape *shape = &t->lm->shape;
    const Kept *k = &t->kept[i];
    GemmMatrix x = norm_all(t, k->mid, t->lm->block[i].norm[NORM_FFN], k->normed[1]);
    if (!group_forward(t, p, i, GROUP_GATE_UP, x, false, t->out)) return false;
    for (size_t r = 0; r < t->T; r++) {
        const float *gate = t->out + r * 2 * shape->ffn;
        if (shape->gelu) rows_geglu(shape->ffn, gate, gate + shape->ffn, t->row);
        else rows_swiglu(shape->ffn, gate, gate + shape->ffn, t->row);
        hold_row(t, t->row, shape->ffn, r, k->wide);
        hold_row(t, gate, 2 * shape->ffn, r, k->gate_up);
    }
    return join(t, p, i, GROUP_DOWN, held(t, k->wide, shape->ffn), k->mid, out);
}

bool tape_forward(Tape *t, const float *p, const Sample *s)
{
    const LmShape *shape = &t->lm->shape;
    t->T = s->n;
    t->adapted = p != NULL;
    for (size_t q = 0; q < s->n_sequences; q++)
        for (uint32_t i = s->begin[q]; i < s->begin[q + 1]; i++)
            t->position[i] = i - s->begin[q];
    for (size_t i = 0; i < s->n; i++)
        lm_look_up(t->lm, s->token[i], t->kept[0].x + i * shape->dim);
    for (size_t i = 0; i < shape->layers; i++) {
        float *out = i + 1 < shape->layers ? t->kept[i + 1].x : t->last;
        if (!attend(t, p, s, i) || !feed_forward(t, p, i, out)) return false;
    }
    return true;
}
