/* tape.c -- see tape.h: memory, laid out once, and the groups of layers. */
#include "tune/tape_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const Group group_qkv = { LIN_Q, 3 }, group_o = { LIN_O, 1 },
    group_gate_up = { LIN_GATE, 2 },
            group_down = { LIN_DOWN, 1 };

size_t group_out(const LmShape *s, Group g)
{
    size_t out = 0;
    for (size_t i = 0; i < g.n; i++) out += lm_out(s, g.first + (Linear)i);
    return out;
}

/* ---- adapters --------------------------------------------------------------------- */

static size_t lora_block(const LmShape *s, size_t rank)
{
    size_t n = 0;
    for (Linear l = 0; l < LINEARS; l++) n += rank * (lm_in(s, l) + lm_out(s, l));
    return n;
}

size_t lora_count(const LmShape *s, size_t rank)
{
    return s->layers * lora_block(s, rank);
}

/* Which layers come first in the group of l. */
static Linear group_first(Linear l)
{
    return l <= LIN_V ? LIN_Q : l == LIN_UP ? LIN_GATE : l;
}

static Linear group_last(Linear l)
{
    return l <= LIN_V ? LIN_V : l == LIN_GATE ? LIN_UP : l;
}

size_t lora_a(const LmShape *s, size_t rank, size_t block, Linear l)
{
    size_t at = block * lora_block(s, rank);
    for (Linear i = 0; i < group_first(l); i++) at += rank * (lm_in(s, i) + lm_out(s, i));
    return at + (size_t)(l - group_first(l)) * rank * lm_in(s, l);
}

size_t lora_b(const LmShape *s, size_t rank, size_t block, Linear l)
{
    Linear last = group_last(l);
    size_t at = lora_a(s, rank, block, last) + rank * lm_in(s, last);
    for (Linear i = group_first(l); i < l; i++) at += rank * lm_out(s, i);
    return at;
}

/* ---- memory ----------------------------------------------------------------------- */

/* Hands out pieces of one allocation; with no memory behind it, only counts. */
typedef struct Layout {
    char *memory;
    size_t used;
} Layout;

static void *piece(Layout *l, size_t n, size_t size)
{
    size_t at = l->used;
    /* a vector read past the end stays inside */
    l->used += (n * size + 63) / 64 * 64 + 64;
    return l->memory ? l->memory + at : NULL;
}

static float *reals(Layout *l, size_t rows, size_t width)
{
    return piece(l, rows * width, sizeof(float));
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void lay_out_block(Layout *l, const LmShape *s, size_t rank, size_t T, Kept *k)
{
    k->x = reals(l, T, s->dim);
    k->mid = reals(l, T, s->dim);
    k->qkv = reals(l, T, group_out(s, group_qkv));
    k->mixed = reals(l, T, lm_in(s, LIN_O));
    k->gate_up = reals(l, T, 2 * s->ffn);
    k->u = reals(l, LINEARS * rank, T);
}

static void lay_out(Layout *l, const LmShape *s, size_t rank, size_t T, Tape *t)
{
    size_t widest = larger(2 * s->ffn, larger(s->dim, group_out(s, group_qkv)));
    size_t mixed = lm_in(s, LIN_O);
    Kept none, *kept = piece(l, s->layers, sizeof *kept);
    t->kept = kept;
    for (size_t i = 0; i < s->layers; i++)
        lay_out_block(l, s, rank, T, kept ? &kept[i] : &none);
    t->last = reals(l, T, s->dim);
    t->normed = reals(l, T, s->dim);
    t->wide = reals(l, T, s->ffn);
    t->d = reals(l, T, s->dim);
    t->dnormed = reals(l, T, s->dim);
    t->dwide = reals(l, T, s->ffn);
    t->dmixed = reals(l, T, mixed);
    t->dout = reals(l, T, widest);
    t->du = reals(l, 3 * rank, T);
    for (int i = 0; i < 2; i++) t->operand[i] = reals(l, T, larger(widest, mixed));
    t->scores = reals(l, QUERIES, T);
    t->dscores = reals(l, QUERIES, T);
    t->cosine = reals(l, T, s->rope_dims / 2);
    t->sine = reals(l, T, s->rope_dims / 2);
    t->logits = reals(l, CHUNK, s->vocab);
    t->hidden = reals(l, CHUNK, s->dim);
    t->dhidden = reals(l, CHUNK, s->dim);
    t->position = piece(l, T, sizeof *t->position);
}

size_t tape_bytes(const LmShape *s, size_t rank, size_t tokens)
{
    Layout l = { NULL, 0 };
    Tape t;
    lay_out(&l, s, rank, tokens, &t);
    return l.used + CHUNK * s->vocab * sizeof(uint16_t);   // a product's packed logits
}

/* Cosines and sines of positions 0 .. T - 1. */
static void angles(Tape *t)
{
    const LmShape *s = &t->lm->shape;
    size_t half = s->rope_dims / 2;
    for (size_t i = 0; i < half; i++) {
        double step = pow((double)s->rope_base, -2.0 * (double)i / (double)s->rope_dims)
                    / (double)t->lm->rope_scale[i];
        for (size_t p = 0; p < t->capacity; p++) {
            t->cosine[p * half + i] = (float)cos((double)p * step);
            t->sine[p * half + i] = (float)sin((double)p * step);
        }
    }
}

Status tape_open(Ctx *cx, const Lm *lm, LoraShape lora, size_t tokens, Tape **out)
{
    Layout l = { NULL, 0 };
    Tape *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) return fail(cx, E_MEMORY, "no memory for training");
    lay_out(&l, &lm->shape, lora.rank, tokens, t);
    l = (Layout){ calloc(1, l.used), 0 };
    t->memory = l.memory;
    Status st = l.memory ? gemm_room_open(cx, lm->way, &t->room)
                         : fail(cx, E_MEMORY,
                                "no memory for training on %zu tokens: take a "
                                "smaller --seq", tokens);
    if (st != OK) {
        tape_close(t);
        return st;
    }
    lay_out(&l, &lm->shape, lora.rank, tokens, t);
    t->lm = lm;
    t->lora = lora;
    t->capacity = tokens;
    angles(t);
    *out = t;
    return OK;
}

void tape_close(Tape *t)
{
    if (!t) return;
    gemm_room_close(t->room);
    free(t->memory);
    free(t);
}

/* ---- operands --------------------------------------------------------------------- */

GemmMatrix operand(Tape *t, int which, const float *x, size_t rows, size_t width)
{
    if (gemm_type(t->lm->way) == GEMM_F32) return floats(x, width);
    gemm_to_bf16(rows * width, x, t->operand[which]);
    return (GemmMatrix){ t->operand[which], width, GEMM_BF16, false };
}

GemmMatrix columns(GemmMatrix m, size_t j)
{
    m.p = (const char *)m.p + j * (m.type == GEMM_BF16 ? sizeof(uint16_t)
                                   : sizeof(float));
    return m;
}

GemmMatrix turned(GemmMatrix m)
{
    m.turned = !m.turned;
    return m;
}

GemmMatrix floats(const float *p, size_t stride)
{
    return (GemmMatrix){ p, stride, GEMM_F32, false };
}

GemmMatrix weight(const Tape *t, const void *w, size_t stride)
{
    return (GemmMatrix){ w, stride, gemm_type(t->lm->way), false };
}
