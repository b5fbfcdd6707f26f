/* forward.c -- a sample through the blocks, as libllama computes it. */
#include "model/rows.h"
#include "tune/tape_impl.h"

#include <string.h>

/* u (n rank, T) = scale A x'. */
static bool squeeze(Tape *t, const float *a, Group g, size_t in, GemmMatrix x, float *u)
{
    GemmJob job = { .m = g.n * t->lora.rank, .n = t->T, .n_parts = 1,
                    .scale = t->lora.scale,
                    .c = u, .c_stride = t->T };
    job.part[0] = (GemmPart){ floats(a, in), turned(x), in };
    return gemm_run(t->room, &job);
}

static void add_bias(Tape *t, const float *bias, size_t n, float *y, size_t stride)
{
    for (size_t i = 0; bias && i < t->T; i++) rows_add(n, bias, y + i * stride);
}

bool group_forward(Tape *t, const float *p, size_t block, Group g, const float *x,
                   bool add,
                   float *y)
{
    const LmShape *s = &t->lm->shape;
    const LmBlock *b = &t->lm->block[block];
    size_t in = lm_in(s, g.first), stride = group_out(s, g), rank = t->lora.rank, at = 0;
    float *u = t->kept[block].u + g.first * rank * t->T;
    GemmMatrix rows = operand(t, 0, x, t->T, in);
    if (p && !squeeze(t, p + lora_a(s, rank, block, g.first), g, in, rows, u))
        return false;
    for (Linear l = g.first; l < g.first + (Linear)g.n; l++) {
        size_t out = lm_out(s, l);
        GemmJob job = { .m = t->T, .n = out, .n_parts = p ? 2 : 1, .scale = 1, .add = add,
                        .c = y + at, .c_stride = stride };
        job.part[0] = (GemmPart){ rows, turned(weight(t, b->w[l], in)), in };
        if (p)
            job.part[1] = (GemmPart){ turned(floats(u, t->T)),
                                      floats(p + lora_b(s, rank, block, l), out), rank };
        if (!gemm_run(t->room, &job)) return false;
        add_bias(t, b->bias[l], out, y + at, stride);
        u += rank * t->T;
        at += out;
    }
    return true;
}

void rope_all(Tape *t, float *qkv, bool back)
{
    const LmShape *s = &t->lm->shape;
    size_t stride = group_out(s, group_qkv), half = s->rope_dims / 2;
    for (size_t i = 0; i < t->T; i++)
        for (size_t h = 0; h < s->heads + s->kv_heads; h++)
            rows_rope(s->rope_dims, qkv + i * stride + h * s->head_dim,
                      t->cosine + t->position[i] * half, t->sine + t->position[i] * half,
                      s->neox, back);
}

static void norm_all(Tape *t, const float *x, const float *gain, float *y)
{
    size_t dim = t->lm->shape.dim;
    for (size_t i = 0; i < t->T; i++)
        rows_norm(dim, x + i * dim, gain, t->lm->shape.eps, y + i * dim);
}

static bool block_forward(Tape *t, const float *p, const Sample *s, size_t i, float *out)
{
    const LmShape *shape = &t->lm->shape;
    const LmBlock *b = &t->lm->block[i];
    const Kept *k = &t->kept[i];
    size_t row = t->T * shape->dim * sizeof(float);
    norm_all(t, k->x, b->attn_norm, t->normed);
    if (!group_forward(t, p, i, group_qkv, t->normed, false, k->qkv)) return false;
    rope_all(t, k->qkv, false);
    if (!attention_forward(t, s, k)) return false;
    memcpy(k->mid, k->x, row);
    if (!group_forward(t, p, i, group_o, k->mixed, true, k->mid)) return false;

    norm_all(t, k->mid, b->ffn_norm, t->normed);
    if (!group_forward(t, p, i, group_gate_up, t->normed, false, k->gate_up))
        return false;
    for (size_t r = 0; r < t->T; r++) {
        const float *gate = k->gate_up + r * 2 * shape->ffn;
        rows_swiglu(shape->ffn, gate, gate + shape->ffn, t->wide + r * shape->ffn);
    }
    memcpy(out, k->mid, row);
    return group_forward(t, p, i, group_down, t->wide, true, out);
}

static void look_up(const Lm *lm, int32_t token, float *out)
{
    size_t dim = lm->shape.dim, at = (size_t)token * dim;
    if (gemm_type(lm->way) == GEMM_BF16)
        gemm_from_bf16(dim, (const uint16_t *)lm->embed + at, out);
    else memcpy(out, (const float *)lm->embed + at, dim * sizeof *out);
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
        look_up(t->lm, s->token[i], t->kept[0].x + i * shape->dim);
    for (size_t i = 0; i < shape->layers; i++) {
        float *out = i + 1 < shape->layers ? t->kept[i + 1].x : t->last;
        if (!block_forward(t, p, s, i, out)) return false;
    }
    return true;
}
