/* prefill.c -- see prefill.h: opening, closing, and the memory between.
 *
 * Invariant: the first n tokens of the sequence have their keys and values in every
 * block; memory taken never passes max_bytes. */
#include "model/prefill_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROW = 1024, LINE = 64 };     // tokens; bytes of a cache line

bool prefill_way(MatmulWay *out)
{
    *out = matmul_best();
    return *out == MATMUL_INT8 || *out == MATMUL_BF16;
}

/* ---- open and close --------------------------------------------------------------- */

static void rooms_close(Prefill *p)
{
    for (size_t i = 0; i < p->threads; i++) {
        PrefillRoom *r = &p->room[i];
        matmul_room_close(r->matmul);
        gemm_room_close(r->gemm);
        free(r->memory);
        *r = (PrefillRoom){ 0 };
    }
    p->room_keys = 0;
}

static void block_close(PrefillBlock *b)
{
    matmul_close(b->qkv);
    matmul_close(b->o);
    matmul_close(b->down);
    for (int i = 0; i < PREFILL_SLICES; i++) matmul_close(b->gate_up[i]);
    free(b->attn_norm);
    free(b->ffn_norm);
    free(b->k);
    free(b->v);
}

void prefill_close(Prefill *p)
{
    if (!p) return;
    rooms_close(p);
    for (size_t i = 0; p->block && i < p->shape.layers; i++) block_close(&p->block[i]);
    free(p->block);
    free(p->rope_scale);
    free(p->cosine);
    free(p->sine);
    free(p->x);
    free(p->q);
    prefill_head_close(p);
    free(p->step);
    free(p->logits);
    lm_file_close(&p->file);
    free(p);
}

/* Llama 3 stretches some frequencies by a table in the file. */
static Status read_rope_scale(Ctx *cx, Prefill *p)
{
    const char *name = "rope_freqs.weight";
    size_t n = p->shape.rope_dims / 2;
    LmTensor t;
    p->rope_scale = malloc(n * sizeof *p->rope_scale);
    if (!p->rope_scale) return fail(cx, E_MEMORY, "no memory for positions");
    for (size_t i = 0; i < n; i++) p->rope_scale[i] = 1;
    if (!lm_file_has(&p->file, name)) return OK;
    TRY(lm_tensor(cx, &p->file, name, n, 1, &t));
    lm_rows(&t, 0, 1, p->rope_scale);
    return OK;
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

static Status open_all(Ctx *cx, Prefill *p, const char *path)
{
    TRY(lm_file_open(cx, path, &p->file));
    p->shape = p->file.shape;
    p->packed_bytes = prefill_pack_bytes(p);
    if (p->packed_bytes > p->max_bytes)
        return fail(cx, E_LIMIT, "%s: packed weights would take %.0f MiB, %.0f are "
                    "allowed", path, mib(p->packed_bytes), mib(p->max_bytes));
    TRY(lm_tensor(cx, &p->file, "token_embd.weight", p->shape.dim, p->shape.vocab,
                  &p->embed));
    TRY(read_rope_scale(cx, p));
    p->block = calloc(p->shape.layers, sizeof *p->block);
    if (!p->block) return fail(cx, E_MEMORY, "%s: no memory", path);
    return prefill_pack(cx, p);
}

Status prefill_open(Ctx *cx, const char *path, const PrefillOptions *opt, Prefill **out)
{
    Prefill *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p) return fail(cx, E_MEMORY, "%s: no memory", path);
    p->way = opt->way;
    p->gemm_way = opt->way == MATMUL_PLAIN ? GEMM_WAY_PLAIN : gemm_best();
    p->threads = opt->threads > CREW_MAX ? CREW_MAX : (size_t)opt->threads;
    p->max_bytes = opt->max_bytes;
    Status st = open_all(cx, p, path);
    if (st == OK) *out = p;
    else prefill_close(p);
    return st;
}

/* ---- room for tokens -------------------------------------------------------------- */

static uint64_t token_bytes(const LmShape *s)
{
    return 4 * s->layers * prefill_kv_width(s) + 4 * s->rope_dims;
}

static size_t cap_for(const Prefill *p, size_t tokens)
{
    size_t cap = (tokens + GROW - 1) / GROW * GROW;
    return cap < p->shape.window ? cap : p->shape.window;
}

/* Moves n of the `from` tokens a head has room for, to where it has room for `to`. */
static Status grow_half(Ctx *cx, const LmShape *s, size_t n, size_t from, size_t to,
                        uint16_t **at)
{
    size_t dim = s->head_dim;
    uint16_t *new = malloc(s->kv_heads * to * dim * sizeof *new);
    if (!new) return fail(cx, E_MEMORY, "no memory for the keys of %zu tokens", to);
    for (size_t h = 0; n && h < s->kv_heads; h++)
        memcpy(new + h * to * dim, *at + h * from * dim, n * dim * sizeof *new);
    free(*at);
    *at = new;
    return OK;
}

static Status grow_angles(Ctx *cx, Prefill *p, size_t cap)
{
    const LmShape *s = &p->shape;
    size_t half = s->rope_dims / 2;
    float *cosine = malloc(cap * half * sizeof *cosine);
    float *sine = malloc(cap * half * sizeof *sine);
    if (!cosine || !sine) {
        free(cosine);
        free(sine);
        return fail(cx, E_MEMORY, "no memory for %zu positions", cap);
    }
    for (size_t i = 0; i < half; i++) {
        double step = pow((double)s->rope_base, -2.0 * (double)i / (double)s->rope_dims)
                    / (double)p->rope_scale[i];
        for (size_t at = 0; at < cap; at++) {
            cosine[at * half + i] = (float)cos((double)at * step);
            sine[at * half + i] = (float)sin((double)at * step);
        }
    }
    free(p->cosine);
    free(p->sine);
    p->cosine = cosine;
    p->sine = sine;
    return OK;
}

/* A failure half way leaves blocks of different sizes: the sequence is empty then, and
 * cap is 0, so that all are made anew. */
static Status grow(Ctx *cx, Prefill *p, size_t need)
{
    if (need <= p->cap) return OK;
    size_t cap = cap_for(p, need), old = p->cap, n = p->n;
    p->cap = p->n = 0;
    TRY(grow_angles(cx, p, cap));
    for (size_t i = 0; i < p->shape.layers; i++) {
        TRY(grow_half(cx, &p->shape, n, old, cap, &p->block[i].k));
        TRY(grow_half(cx, &p->shape, n, old, cap, &p->block[i].v));
    }
    p->cap = cap;
    p->n = n;
    return OK;
}

typedef struct Layout {
    char *memory;            // NULL: only the size is wanted
    size_t used;
} Layout;

static void *piece(Layout *l, size_t n, size_t size)
{
    void *at = l->memory ? l->memory + l->used : NULL;
    l->used += (n * size + LINE) / LINE * LINE;
    return at;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void lay_out(Layout *l, const Prefill *p, size_t keys, PrefillRoom *r)
{
    const LmShape *s = &p->shape;
    size_t q = prefill_q_width(s), qkv = q + 2 * prefill_kv_width(s);
    size_t queries = PREFILL_ROWS * (s->heads / s->kv_heads);
    r->wide = piece(l, PREFILL_ROWS * larger(s->ffn, qkv), sizeof(float));
    r->normed = piece(l, PREFILL_ROWS * larger(s->dim, q), sizeof(float));
    r->y = piece(l, PREFILL_ROWS * larger(s->dim, 2 * s->ffn / p->slices), sizeof(float));
    r->k = piece(l, keys * s->head_dim, sizeof(float));
    r->v = piece(l, keys * s->head_dim, sizeof(float));
    r->q = piece(l, queries * s->head_dim, sizeof(float));
    r->mixed = piece(l, queries * s->head_dim, sizeof(float));
    r->sum = piece(l, queries, sizeof(float));
    r->scores = piece(l, prefill_attend_scores(s, keys), sizeof(float));
}

static Status room_open(Ctx *cx, Prefill *p, size_t bytes, PrefillRoom *r)
{
    const LmShape *s = &p->shape;
    size_t in = larger(larger(s->dim, s->ffn), prefill_q_width(s));
    if (!(r->memory = aligned_alloc(LINE, bytes)))
        return fail(cx, E_MEMORY, "no memory to read a prompt");
    Layout l = { r->memory, 0 };
    lay_out(&l, p, p->cap, r);
    TRY(matmul_room_open(cx, p->way, in, &r->matmul));
    return gemm_room_open(cx, p->gemm_way, &r->gemm);
}

static size_t room_bytes(const Prefill *p, size_t keys)
{
    Layout l = { NULL, 0 };
    PrefillRoom none;
    lay_out(&l, p, keys, &none);
    return l.used;
}

static Status rooms_open(Ctx *cx, Prefill *p)
{
    if (p->room_keys >= p->cap) return OK;
    rooms_close(p);
    for (size_t i = 0; i < p->threads; i++) {
        Status st = room_open(cx, p, room_bytes(p, p->cap), &p->room[i]);
        if (st != OK) return rooms_close(p), st;
    }
    p->room_keys = p->cap;
    return OK;
}

static Status rows_room(Ctx *cx, Prefill *p, size_t n)
{
    if (n <= p->rows_cap) return OK;
    size_t q = prefill_q_width(&p->shape);
    free(p->x);
    free(p->q);
    p->rows_cap = 0;
    p->x = malloc(n * p->shape.dim * sizeof *p->x);
    p->q = malloc(n * q * sizeof *p->q);
    if (!p->x || !p->q) return fail(cx, E_MEMORY, "no memory for %zu tokens", n);
    p->rows_cap = n;
    return OK;
}

/* What it takes with room for `keys` tokens, `rows` of them in one call. */
static uint64_t bytes_for(const Prefill *p, size_t keys, size_t rows)
{
    uint64_t row = (p->shape.dim + prefill_q_width(&p->shape)) * sizeof(float);
    uint64_t fixed = p->packed_bytes + (p->head ? prefill_head_bytes(p) : 0)
                   + (p->logits ? prefill_step_bytes(p) : 0);
    if (keys == 0) return fixed;
    return fixed + keys * token_bytes(&p->shape) + rows * row
         + p->threads * room_bytes(p, keys);
}

uint64_t prefill_bytes(const Prefill *p)
{
    return bytes_for(p, p->room_keys, p->rows_cap);
}

/* ---- the call --------------------------------------------------------------------- */

static Status check(Ctx *cx, const Prefill *p, const int32_t *token, size_t past,
                    size_t n)
{
    if (past > p->n) return fail(cx, E_ARG, "%zu tokens are kept of %zu", past, p->n);
    if (n > p->shape.window || past > p->shape.window - n)
        return fail(cx, E_LIMIT, "%zu tokens; the model's window has %zu", past + n,
                    p->shape.window);
    for (size_t i = 0; i < n; i++)
        if (token[i] < 0 || (size_t)token[i] >= p->shape.vocab)
            return fail(cx, E_ARG, "token %d; the vocabulary has %zu", token[i],
                        p->shape.vocab);
    size_t cap = larger(p->cap, cap_for(p, past + n)), rows = larger(p->rows_cap, n);
    uint64_t bytes = bytes_for(p, cap, rows);
    if (bytes > p->max_bytes)
        return fail(cx, E_LIMIT, "%zu tokens would take %.0f MiB, %.0f are allowed",
                    past + n, mib(bytes), mib(p->max_bytes));
    return OK;
}

Status prefill_room(Ctx *cx, Prefill *p, const int32_t *token, size_t past, size_t n)
{
    TRY(check(cx, p, token, past, n));
    p->n = past;
    if (n == 0) return OK;
    TRY(grow(cx, p, past + n));
    TRY(rooms_open(cx, p));
    return rows_room(cx, p, n);
}

Status prefill_run(Ctx *cx, Prefill *p, const int32_t *token, size_t past, size_t n)
{
    TRY(prefill_room(cx, p, token, past, n));
    if (n == 0) return OK;
    TRY(prefill_pass(cx, p, token, past, n));
    p->n = past + n;
    return OK;
}

size_t prefill_tokens(const Prefill *p)
{
    return p->n;
}
