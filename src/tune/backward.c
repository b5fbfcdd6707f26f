/* backward.c -- from the loss back to the adapters; see tape.h. */
#include "model/rows.h"
#include "tune/tape_impl.h"

#include <string.h>

/* du (n rank, T) = scale B dy', and the adapters' derivatives. */
static bool adapters(Tape *t, const float *p, size_t block, Group g, GemmMatrix x,
                     GemmMatrix dy, float *grad)
{
    const LmShape *s = &t->lm->shape;
    size_t rank = t->lora.rank, in = lm_in(s, g.first), at = 0, T = t->T;
    const float *u = t->kept[block].u + g.first * rank * T;
    for (size_t i = 0; i < g.n; i++) {
        Linear l = g.first + (Linear)i;
        size_t out = lm_out(s, l), b = lora_b(s, rank, block, l);
        GemmMatrix mine = columns(dy, at);
        GemmJob du = { .m = rank, .n = T, .n_parts = 1, .scale = t->lora.scale,
                       .c = t->du + i * rank * T, .c_stride = T,
                       .part = { { floats(p + b, out), turned(mine), out } } };
        GemmJob db = { .m = rank, .n = out, .n_parts = 1, .scale = 1, .add = true,
                       .c = grad + b, .c_stride = out,
                       .part = { { floats(u + i * rank * T, T), mine, T } } };
        if (!gemm_run(t->room, &du) || !gemm_run(t->room, &db)) return false;
        at += out;
    }
    GemmJob da = { .m = g.n * rank, .n = in, .n_parts = 1, .scale = 1, .add = true,
                   .c = grad + lora_a(s, rank, block, g.first), .c_stride = in,
                   .part = { { floats(t->du, T), x, T } } };
    return gemm_run(t->room, &da);
}

bool group_backward(Tape *t, const float *p, size_t block, Group g, const float *x,
                    const float *dy, float *dx, float *grad)
{
    const LmShape *s = &t->lm->shape;
    const LmBlock *b = &t->lm->block[block];
    size_t rank = t->lora.rank, in = lm_in(s, g.first), at = 0, T = t->T;
    GemmMatrix rows = operand(t, 0, x, T, in),
        back = operand(t, 1, dy, T, group_out(s, g));
    if (!adapters(t, p, block, g, rows, back, grad)) return false;
    for (size_t i = 0; dx && i < g.n; i++) {
        Linear l = g.first + (Linear)i;
        size_t out = lm_out(s, l);
        GemmJob job = { .m = T, .n = in, .n_parts = 2, .scale = 1, .add = i > 0, .c = dx,
                        .c_stride = in };
        job.part[0] = (GemmPart){ columns(back, at), weight(t, b->w[l], in), out };
        job.part[1] = (GemmPart){ turned(floats(t->du + i * rank * T, T)),
                                  floats(p + lora_a(s, rank, block, l), in), rank };
        if (!gemm_run(t->room, &job)) return false;
        at += out;
    }
    return true;
}

static void norm_again(Tape *t, const float *x, const float *gain)
{
    size_t dim = t->lm->shape.dim;
    for (size_t i = 0; i < t->T; i++)
        rows_norm(dim, x + i * dim, gain, t->lm->shape.eps, t->normed + i * dim);
}

/* t->d += what goes back through the norm of x. */
static void norm_back(Tape *t, const float *x, const float *gain)
{
    size_t dim = t->lm->shape.dim;
    for (size_t i = 0; i < t->T; i++)
        rows_norm_back(dim, x + i * dim, gain, t->lm->shape.eps, t->dnormed + i * dim,
                       t->d + i * dim);
}

static bool ffn_backward(Tape *t, const float *p, size_t i, float *grad)
{
    const LmBlock *b = &t->lm->block[i];
    const Kept *k = &t->kept[i];
    size_t ffn = t->lm->shape.ffn;
    for (size_t r = 0; r < t->T; r++) {
        const float *gate = k->gate_up + r * 2 * ffn;
        rows_swiglu(ffn, gate, gate + ffn, t->wide + r * ffn);
    }
    if (!group_backward(t, p, i, group_down, t->wide, t->d, t->dwide, grad)) return false;
    for (size_t r = 0; r < t->T; r++) {
        const float *gate = k->gate_up + r * 2 * ffn;
        float *dgate = t->dout + r * 2 * ffn;
        rows_swiglu_back(ffn, gate, gate + ffn, t->dwide + r * ffn, dgate, dgate + ffn);
    }
    norm_again(t, k->mid, b->ffn_norm);
    if (!group_backward(t, p, i, group_gate_up, t->normed, t->dout, t->dnormed, grad))
        return false;
    norm_back(t, k->mid, b->ffn_norm);
    return true;
}

static bool block_backward(Tape *t, const float *p, const Sample *s, size_t i,
                           float *grad)
{
    const LmBlock *b = &t->lm->block[i];
    const Kept *k = &t->kept[i];
    /* nothing is trained below the first block */
    float *below = i > 0 ? t->dnormed : NULL;
    if (!ffn_backward(t, p, i, grad)) return false;
    if (!group_backward(t, p, i, group_o, k->mixed, t->d, t->dmixed, grad)) return false;
    if (!attention_backward(t, s, k, t->dout)) return false;
    rope_all(t, t->dout, true);
    norm_again(t, k->x, b->attn_norm);
    if (!group_backward(t, p, i, group_qkv, t->normed, t->dout, below, grad))
        return false;
    if (below) norm_back(t, k->x, b->attn_norm);
    return true;
}

bool tape_backward(Tape *t, const float *p, const Sample *s, float weight, double *loss,
                   float *grad)
{
    if (!head_backward(t, s, weight, loss, grad != NULL)) return false;
    for (size_t i = t->lm->shape.layers; grad && i > 0; i--)
        if (!block_backward(t, p, s, i - 1, grad)) return false;
    return true;
}
