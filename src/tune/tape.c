/* tape.c -- see tape.h: memory, laid out once, and the operands in it. */
#include "tune/tape_impl.h"

#include "model/machine.h"

#include <stdlib.h>
#include <string.h>

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

size_t lora_a(const LmShape *s, size_t rank, size_t block, Linear l)
{
    size_t at = block * lora_block(s, rank);
    Linear first = group_first(group_of(l));
    for (Linear i = 0; i < first; i++) at += rank * (lm_in(s, i) + lm_out(s, i));
    return at + (size_t)(l - first) * rank * lm_in(s, l);
}

size_t lora_b(const LmShape *s, size_t rank, size_t block, Linear l)
{
    Linear first = group_first(group_of(l));
    size_t at = lora_a(s, rank, block, first);
    at += group_size(group_of(l)) * rank * lm_in(s, l);
    for (Linear i = first; i < l; i++) at += rank * lm_out(s, i);
    return at;
}

/* ---- memory ----------------------------------------------------------------------- */

enum { LINE = 64 };

/* Hands out pieces of one allocation; with no memory behind it, only counts. */
typedef struct Layout {
    char *memory;
    size_t used;
} Layout;

static void *piece(Layout *l, size_t n, size_t size)
{
    size_t at = l->used;
    /* a vector read past the end stays inside */
    l->used += (n * size + LINE - 1) / LINE * LINE + LINE;
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

/* In the type that the products read. */
static void *values(Layout *l, GemmType type, size_t rows, size_t width)
{
    return piece(l, rows * width, type == GEMM_F32 ? sizeof(float) : sizeof(uint16_t));
}

static void lay_out_block(Layout *l, const LmShape *s, GemmType type, size_t rank,
                          size_t T, Kept *k)
{
    k->x = reals(l, T, s->dim);
    k->mid = reals(l, T, s->dim);
    k->normed[0] = values(l, type, T, s->dim);
    k->normed[1] = values(l, type, T, s->dim);
    k->qkv = values(l, type, T, group_out(s, GROUP_QKV));
    k->plain = values(l, type, s->head_norms ? T : 0,
                      lm_out(s, LIN_Q) + lm_out(s, LIN_K));
    k->mixed = values(l, type, T, group_in(s, GROUP_O));
    k->lse = reals(l, s->heads, T);
    k->gate_up = values(l, type, T, 2 * s->ffn);
    k->wide = values(l, type, T, s->ffn);
    for (int i = 0; i < 2; i++) k->branch[i] = reals(l, s->post_norms ? T : 0, s->dim);
    for (Group g = 0; g < GROUPS; g++)
        k->u[g] = values(l, type, T, group_size(g) * rank);
}

static void lay_out(Layout *l, const LmShape *s, GemmType type, size_t rank, size_t T,
                    Tape *t)
{
    size_t mixed = group_in(s, GROUP_O);
    size_t out = larger(2 * s->ffn, larger(s->dim, group_out(s, GROUP_QKV)));
    Kept none, *kept = piece(l, s->layers, sizeof *kept);
    t->kept = kept;
    for (size_t i = 0; i < s->layers; i++)
        lay_out_block(l, s, type, rank, T, kept ? &kept[i] : &none);
    t->last = reals(l, T, s->dim);
    t->out = reals(l, T, out);
    t->mixed = reals(l, T, mixed);
    t->d = reals(l, T, s->dim);
    t->dnormed = reals(l, T, s->dim);
    t->dwide = reals(l, T, s->ffn);
    t->dmixed = reals(l, T, mixed);
    t->u = reals(l, T, 3 * rank);
    t->du = reals(l, T, 3 * rank);
    t->dy = values(l, type, T, out);
    t->du_held = values(l, type, T, 3 * rank);
    for (int i = 0; i < 3; i++)
        t->packed[i] = piece(l, larger(gemm_packed_bytes(T, s->head_dim),
                                       gemm_packed_bytes(s->head_dim, T)), 1);
    t->scores = reals(l, QUERIES, T);
    t->dscores = reals(l, QUERIES, T);
    t->weighed = reals(l, s->heads, T);
    for (int i = 0; i < 2; i++) {
        t->cosine[i] = reals(l, T, s->rope_dims / 2);
        t->sine[i] = reals(l, T, s->rope_dims / 2);
    }
    t->row = reals(l, 1, larger(larger(out, mixed), 2 * PAIRS));
    t->drow = reals(l, 1, out);
    t->logits = reals(l, CHUNK, s->vocab);
    t->hidden = reals(l, CHUNK, s->dim);
    t->dhidden = reals(l, CHUNK, s->dim);
    t->hidden_held = values(l, type, CHUNK, s->dim);
    t->mark = piece(l, s->vocab + 1, 1);
    t->pair = piece(l, s->vocab / 2 + 1, sizeof *t->pair);
    t->some = piece(l, CHUNK, 2 * PAIRS * sizeof *t->some);
    t->some_words = piece(l, gemm_packed_bytes(2 * PAIRS, s->dim), 1);
    t->position = piece(l, T, sizeof *t->position);
}

size_t tape_bytes(const LmShape *s, GemmWay way, size_t rank, size_t tokens)
{
    Layout l = { NULL, 0 };
    Tape t;
    lay_out(&l, s, gemm_type(way), rank, tokens, &t);
    return l.used;
}

Status tape_open(Ctx *cx, const Lm *lm, LoraShape lora, size_t tokens, Tape **out)
{
    Layout l = { NULL, 0 };
    Tape *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) return fail(cx, E_MEMORY, "no memory for training");
    lay_out(&l, &lm->shape, gemm_type(lm->way), lora.rank, tokens, t);
    l = (Layout){ aligned_alloc(LINE, (l.used + LINE - 1) / LINE * LINE), 0 };
    t->memory = l.memory;
    if (l.memory) {
        machine_large_pages(l.memory, l.used);
        memset(l.memory, 0, l.used);
    }
    Status st = l.memory ? gemm_room_open(cx, lm->way, &t->room)
                         : fail(cx, E_MEMORY,
                                "no memory for training on %zu tokens: take a "
                                "smaller --seq", tokens);
    if (st != OK) {
        tape_close(t);
        return st;
    }
    lay_out(&l, &lm->shape, gemm_type(lm->way), lora.rank, tokens, t);
    t->lm = lm;
    t->lora = lora;
    t->capacity = tokens;
    for (size_t i = 0; i < 2; i++)
        lm_angles(&lm->shape, i, lm->rope_scale, tokens, t->cosine[i], t->sine[i]);
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

static size_t value_bytes(const Tape *t)
{
    return gemm_type(t->lm->way) == GEMM_F32 ? sizeof(float) : sizeof(uint16_t);
}

void hold_row(const Tape *t, const float *x, size_t width, size_t i, void *to)
{
    gemm_keep(t->room, width, x, (char *)to + i * width * value_bytes(t));
}

GemmMatrix hold(const Tape *t, const float *x, size_t rows, size_t width, void *to)
{
    gemm_keep(t->room, rows * width, x, to);
    return held(t, to, width);
}

GemmMatrix held(const Tape *t, const void *p, size_t width)
{
    return (GemmMatrix){ p, width, gemm_type(t->lm->way), false };
}

const float *row_of(const Tape *t, const void *p, size_t width, size_t i, float *row)
{
    gemm_kept(t->room, width, (const char *)p + i * width * value_bytes(t), row);
    return row;
}

GemmMatrix columns(GemmMatrix m, size_t j)
{
    m.p = (const char *)m.p + j * (m.type == GEMM_F32 ? sizeof(float) : sizeof(uint16_t));
    return m;
}

GemmMatrix below(GemmMatrix m, size_t i)
{
    return columns(m, i * m.stride);
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
