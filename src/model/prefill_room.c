/* prefill_room.c -- the memory that calls share: what each thread works in, the rows of a
 * call, the angles of positions; and how much it may be, with keys and values.
 *
 * Invariant: what is taken never passes max_bytes. A step's memory is counted from the
 * beginning where steps are possible, so that who was let in is not refused later. */
#include "model/prefill_impl.h"

#include <stdlib.h>

enum { LINE = 64 };          // bytes of a cache line

double prefill_mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

/* ---- what each thread works in ---------------------------------------------------- */

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

static size_t room_bytes(const Prefill *p, size_t keys)
{
    Layout l = { NULL, 0 };
    PrefillRoom none;
    lay_out(&l, p, keys, &none);
    return l.used;
}

static Status room_open(Ctx *cx, Prefill *p, size_t keys, PrefillRoom *r)
{
    const LmShape *s = &p->shape;
    size_t in = larger(larger(s->dim, s->ffn), prefill_q_width(s));
    if (!(r->memory = aligned_alloc(LINE, room_bytes(p, keys))))
        return fail(cx, E_MEMORY, "no memory to read a prompt");
    Layout l = { r->memory, 0 };
    lay_out(&l, p, keys, r);
    TRY(matmul_room_open(cx, p->way, in, &r->matmul));
    return gemm_room_open(cx, p->gemm_way, &r->gemm);
}

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

static Status rooms_open(Ctx *cx, Prefill *p, size_t keys)
{
    if (p->room_keys >= keys) return OK;
    rooms_close(p);
    for (size_t i = 0; i < p->threads; i++) {
        Status st = room_open(cx, p, keys, &p->room[i]);
        if (st != OK) return rooms_close(p), st;
    }
    p->room_keys = keys;
    return OK;
}

/* ---- what all share --------------------------------------------------------------- */

static size_t rows_of(const Prefill *p)
{
    return PREFILL_ROWS * p->threads;
}

static Status rows_open(Ctx *cx, Prefill *p)
{
    size_t x = rows_of(p) * p->shape.dim, q = rows_of(p) * prefill_q_width(&p->shape);
    if (x == 0 || q == 0) return fail(cx, E_INTERNAL, "a model without width");
    if (!p->x) p->x = malloc(x * sizeof *p->x);
    if (!p->q) p->q = malloc(q * sizeof *p->q);
    return p->x && p->q ? OK : fail(cx, E_MEMORY, "no memory for %zu tokens", rows_of(p));
}

/* Kinds of blocks that are turned differently. */
static size_t kinds(const LmShape *s)
{
    return s->every ? 2 : 1;
}

static Status angles_open(Ctx *cx, Prefill *p, size_t cap)
{
    if (p->angles >= cap) return OK;
    const LmShape *s = &p->shape;
    size_t n = cap * (s->rope_dims / 2);
    for (size_t k = 0; k < kinds(s); k++) {
        float *cosine = malloc(n * sizeof *cosine), *sine = malloc(n * sizeof *sine);
        if (!cosine || !sine) {
            free(cosine);
            free(sine);
            return fail(cx, E_MEMORY, "no memory for %zu positions", cap);
        }
        lm_angles(s, k, p->rope_scale, cap, cosine, sine);
        free(p->cosine[k]);
        free(p->sine[k]);
        p->cosine[k] = cosine;
        p->sine[k] = sine;
    }
    p->angles = cap;
    return OK;
}

void prefill_room_close(Prefill *p)
{
    rooms_close(p);
    free(p->x);
    free(p->q);
    for (int k = 0; k < 2; k++) {
        free(p->cosine[k]);
        free(p->sine[k]);
    }
}

/* ---- how much it may be ----------------------------------------------------------- */

/* With room for `keys` tokens in all sequences, the longest of `longest`. */
static uint64_t bytes_for(const Prefill *p, size_t keys, size_t longest)
{
    const LmShape *s = &p->shape;
    uint64_t bytes = p->packed_bytes;
    if (prefill_can_step(p)) bytes += prefill_head_bytes(p) + prefill_step_bytes(p);
    if (longest == 0) return bytes;
    return bytes + keys * 4 * s->layers * prefill_kv_width(s)
         + longest * kinds(s) * 4 * s->rope_dims + p->threads * room_bytes(p, longest)
         + rows_of(p) * (s->dim + prefill_q_width(s)) * sizeof(float);
}

uint64_t prefill_bytes(const Prefill *p)
{
    return bytes_for(p, p->keys, p->room_keys);
}

Status prefill_room_for(Ctx *cx, Prefill *p, size_t cap, size_t more)
{
    uint64_t bytes = bytes_for(p, p->keys + more, larger(p->room_keys, cap));
    if (bytes > p->max_bytes)
        return fail(cx, E_LIMIT, "%zu tokens would take %.0f MiB, %.0f are allowed", cap,
                    prefill_mib(bytes), prefill_mib(p->max_bytes));
    TRY(angles_open(cx, p, cap));
    TRY(rooms_open(cx, p, cap));
    return rows_open(cx, p);
}
