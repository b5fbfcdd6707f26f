/* backward.c -- from the loss back to the adapters; see tape.h. */
#include "model/rows.h"
#include "tune/tape_impl.h"

#include <string.h>

/* du (T, n rank) = scale dy B', and the adapters' derivatives. */
static bool adapters(Tape *t, const float *p, size_t block, Group g, GemmMatrix x,
                     GemmMatrix dy, float *grad)
{
    const LmShape *s = &t->lm->shape;
    size_t rank = t->lora.rank, in = group_in(s, g), at = 0, T = t->T;
    size_t width = group_size(g) * rank;
    GemmMatrix u = held(t, t->kept[block].u[g], width);
    for (size_t i = 0; i < group_size(g); i++) {
        Linear l = group_first(g) + (Linear)i;
        size_t out = lm_out(s, l), b = lora_b(s, rank, block, l);
        GemmMatrix mine = columns(dy, at);
        GemmJob du = { .m = T, .n = rank, .n_parts = 1, .scale = t->lora.scale,
                       .c = t->du + i * rank, .c_stride = width,
                       .part = { { mine, turned(floats(p + b, out)), out } } };
        GemmJob db = { .m = rank, .n = out, .n_parts = 1, .scale = 1, .add = true,
                       .c = grad + b, .c_stride = out,
                       .part = { { turned(columns(u, i * rank)), mine, T } } };
        if (!gemm_run(t->room, &du) || !gemm_run(t->room, &db)) return false;
        at += out;
    }
    GemmMatrix du = hold(t, t->du, T, width, t->du_held);
    GemmJob da = { .m = width, .n = in, .n_parts = 1, .scale = 1, .add = true,
                   .c = grad + lora_a(s, rank, block, group_first(g)), .c_stride = in,
                   .part = { { turned(du), x, T } } };
    return gemm_run(t->room, &da);
}

bool group_backward(Tape *t, const float *p, size_t block, Group g, GemmMatrix x,
                    GemmMatrix dy, float *dx, float *grad)
{
    const LmShape *s = &t->lm->shape;
    size_t rank = t->lora.rank, in = group_in(s, g), out = group_out(s, g);
    size_t width = group_size(g) * rank;
    if (!adapters(t, p, block, g, x, dy, grad)) return false;
    if (!dx) return true;
    const float *a = p + lora_a(s, rank, block, group_first(g));
    GemmJob job = { .m = t->T, .n = in, .n_parts = 2, .scale = 1, .c = dx, .c_stride = in,
                    .part = { { dy, t->lm->block[block].back[g], out },
                              { held(t, t->du_held, width), floats(a, in), width } } };
    return gemm_run(t->room, &job);
}

/* t->d += what goes back through the norm of x. */
static void norm_back(Tape *t, const float *x, const float *gain)
{
    size_t dim = t->lm->shape.dim;
    for (size_t i = 0; i < t->T; i++)
        rows_norm_back(dim, x + i * dim, gain, t->lm->shape.eps, t->dnormed + i * dim,
                       t->d + i * dim);
}

/* The derivative by what a group gave, from that by the row it was added to. */
static GemmMatrix unjoin(Tape *t, size_t block, Group g)
{
    const LmShape *s = &t->lm->shape;
    size_t dim = s->dim, which = g == GROUP_DOWN;
    const float *gain = t->lm->block[block].norm[which ? NORM_FFN_POST : NORM_ATTN_POST];
    const float *out = t->kept[block].branch[which];
    if (!gain && s->branch_scale == 1) return hold(t, t->d, t->T, dim, t->dy);
    for (size_t i = 0; i < t->T; i++) {
        float *d = t->d + i * dim;
        memset(t->drow, 0, dim * sizeof *d);
        if (gain) rows_norm_back(dim, out + i * dim, gain, s->eps, d, t->drow);
        else rows_scale(dim, d, s->branch_scale, t->drow);
        hold_row(t, t->drow, dim, i, t->dy);
    }
    return held(t, t->dy, dim);
}

/* dqkv: of row r, by normed queries and keys; becomes that by what they were. */
static void unnorm_heads(Tape *t, size_t block, size_t r, float *dqkv)
{
    const LmShape *s = &t->lm->shape;
    const LmBlock *b = &t->lm->block[block];
    size_t dim = s->head_dim, n = s->heads + s->kv_heads;
    if (!s->head_norms) return;
    const float *x = row_of(t, t->kept[block].plain, n * dim, r, t->row);
    memset(t->drow, 0, n * dim * sizeof *dqkv);
    for (size_t h = 0; h < n; h++)
        rows_norm_back(dim, x + h * dim, b->norm[h < s->heads ? NORM_Q : NORM_K], s->eps,
                       dqkv + h * dim, t->drow + h * dim);
    memcpy(dqkv, t->drow, n * dim * sizeof *dqkv);
}

static bool ffn_backward(Tape *t, const float *p, size_t i, float *grad)
{
    const Kept *k = &t->kept[i];
    size_t dim = t->lm->shape.dim, ffn = t->lm->shape.ffn;
    GemmMatrix wide = held(t, k->wide, ffn), normed = held(t, k->normed[1], dim);
    GemmMatrix dy = unjoin(t, i, GROUP_DOWN);
    if (!group_backward(t, p, i, GROUP_DOWN, wide, dy, t->dwide, grad)) return false;
    for (size_t r = 0; r < t->T; r++) {
        const float *gate = row_of(t, k->gate_up, 2 * ffn, r, t->row);
        const float *d = t->dwide + r * ffn;
        if (t->lm->shape.gelu)
            rows_geglu_back(ffn, gate, gate + ffn, d, t->drow, t->drow + ffn);
        else rows_swiglu_back(ffn, gate, gate + ffn, d, t->drow, t->drow + ffn);
        hold_row(t, t->drow, 2 * ffn, r, t->dy);
    }
    dy = held(t, t->dy, 2 * ffn);
    if (!group_backward(t, p, i, GROUP_GATE_UP, normed, dy, t->dnormed, grad))
        return false;
    norm_back(t, k->mid, t->lm->block[i].norm[NORM_FFN]);
    return true;
}

static bool block_backward(Tape *t, const float *p, const Sample *s, size_t i,
                           float *grad)
{
    const Kept *k = &t->kept[i];
    GemmMatrix mixed = held(t, k->mixed, group_in(&t->lm->shape, GROUP_O));
    GemmMatrix normed = held(t, k->normed[0], t->lm->shape.dim);
    size_t width = group_out(&t->lm->shape, GROUP_QKV);
    /* nothing is trained below the first block */
    float *below_it = i > 0 ? t->dnormed : NULL;
    if (!ffn_backward(t, p, i, grad)) return false;
    GemmMatrix dy = unjoin(t, i, GROUP_O);
    if (!group_backward(t, p, i, GROUP_O, mixed, dy, t->dmixed, grad)) return false;
    if (!attention_backward(t, s, i, t->out)) return false;
    for (size_t r = 0; r < t->T; r++) {
        rope_row(t, i, r, t->out + r * width, true);
        unnorm_heads(t, i, r, t->out + r * width);
        hold_row(t, t->out + r * width, width, r, t->dy);
    }
    dy = held(t, t->dy, width);
    if (!group_backward(t, p, i, GROUP_QKV, normed, dy, below_it, grad)) return false;
    if (below_it) norm_back(t, k->x, t->lm->block[i].norm[NORM_ATTN]);
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
