/* prefill_step.c -- the forward pass for a few rows: who writes reads all weights for
 * each token, so that memory is what it waits for, and all threads must ask for it.
 *
 * A team of threads goes through the blocks together. Each takes some columns of every
 * product and some heads of each sequence's attention; norms, gates and sums of the
 * residual stream are so little that each does them for itself. Five times a block they
 * meet.
 *
 * Invariant: between two meetings a thread writes only what no other reads or writes.
 * Rows are computed by what prefill_run.c uses too, with the same results to the bit. */
#include "model/prefill_impl.h"
#include "model/rows.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 4000 };    // looks at a clock that stands still before one gives way

typedef struct Team {
    Prefill *p;
    const PrefillPart *part;
    size_t parts, n;         // n: rows of all parts
    size_t threads;
    pthread_mutex_t start;   // held until `threads` is known
    atomic_size_t here, turn;
    atomic_bool failed;
    float *x;                // (threads, rows, dim): each thread's residual stream
    float *qkv;              // (rows, qkv's width)
    float *mixed;            // (rows, heads * head_dim)
    float *y;                // (rows, dim)
    float *gates;            // (slices, rows, gates and ups of one)
} Team;

typedef struct Member {
    Team *team;
    size_t number;
    pthread_t thread;
} Member;

/* ---- scratch memory --------------------------------------------------------------- */

static size_t qkv_width(const LmShape *s)
{
    return prefill_q_width(s) + 2 * prefill_kv_width(s);
}

static size_t step_floats(const Prefill *p)
{
    const LmShape *s = &p->shape;
    return PREFILL_STEP * (qkv_width(s) + prefill_q_width(s) + (p->threads + 1) * s->dim
                           + 2 * s->ffn);
}

uint64_t prefill_step_bytes(const Prefill *p)
{
    return (step_floats(p) + PREFILL_STEP * p->shape.vocab) * sizeof(float);
}

static Status step_room(Ctx *cx, Prefill *p)
{
    if (!p->step) p->step = malloc(step_floats(p) * sizeof(float));
    if (!p->logits) p->logits = malloc(PREFILL_STEP * p->shape.vocab * sizeof(float));
    if (p->step && p->logits) return OK;
    return fail(cx, E_MEMORY, "no memory for the logits of %d tokens", PREFILL_STEP);
}

static void lay_out(Team *t)
{
    const LmShape *s = &t->p->shape;
    t->x = t->p->step;
    t->qkv = t->x + t->p->threads * PREFILL_STEP * s->dim;
    t->mixed = t->qkv + PREFILL_STEP * qkv_width(s);
    t->y = t->mixed + PREFILL_STEP * prefill_q_width(s);
    t->gates = t->y + PREFILL_STEP * s->dim;
}

/* ---- the pass --------------------------------------------------------------------- */

/* All wait for the last. A short wait is spun away, in a long one others may run. */
static void meet(Team *t)
{
    size_t turn = atomic_load(&t->turn);
    if (atomic_fetch_add(&t->here, 1) + 1 == t->threads) {
        atomic_store(&t->here, 0);
        atomic_store(&t->turn, turn + 1);
        return;
    }
    for (int i = 0; atomic_load(&t->turn) == turn; i++)
        if (i > PATIENCE) sched_yield();
}

/* This member's columns of y (n, stride) = x W'. */
static void multiply(Member *e, const Matmul *m, const float *x, float *y, size_t stride)
{
    Team *t = e->team;
    MatmulJob job = { t->n, x, y, stride, e->number, t->threads, false, false };
    if (!matmul_run_share(m, t->p->room[e->number].matmul, &job))
        atomic_store(&t->failed, true);
}

static void norm(const Member *e, const float *gain, const float *x)
{
    const LmShape *s = &e->team->p->shape;
    float *to = e->team->p->room[e->number].normed;
    for (size_t i = 0; i < e->team->n; i++)
        rows_norm(s->dim, x + i * s->dim, gain, s->eps, to + i * s->dim);
}

/* One head of a part's keys, and the queries that share it. `first`: the part's row. */
static void attend_head(Member *e, size_t layer, const PrefillPart *part, size_t first,
                        size_t head)
{
    Team *t = e->team;
    Prefill *p = t->p;
    const LmShape *s = &p->shape;
    PrefillKeys *b = &part->seq->block[layer];
    size_t q = prefill_q_width(s), group = q / s->kv_heads, dim = s->head_dim;
    uint32_t position[PREFILL_STEP];
    for (size_t i = 0; i < part->n; i++) {
        float *row = t->qkv + (first + i) * qkv_width(s), *k = row + q + head * dim;
        size_t at = part->seq->n + i;
        position[i] = (uint32_t)at;
        prefill_rotate(p, layer, NORM_Q, group / dim, at, row + head * group);
        prefill_rotate(p, layer, NORM_K, 1, at, k);
        memcpy(p->q + (first + i) * q + head * group, row + head * group,
               group * sizeof *row);
        prefill_keep_head(part->seq, k, head, at, b->k);
        prefill_keep_head(part->seq, k + s->kv_heads * dim, head, at, b->v);
    }
    PrefillQueries a = { part->seq, layer, position, part->n, p->q + first * q,
                         t->mixed + first * q };
    if (!prefill_attend_head(&p->room[e->number], head, &a))
        atomic_store(&t->failed, true);
}

/* The heads of all parts go to the threads in turn. */
static void attend(Member *e, size_t layer)
{
    Team *t = e->team;
    size_t first = 0, turn = 0;
    for (size_t i = 0; i < t->parts; first += t->part[i++].n)
        for (size_t h = 0; h < t->p->shape.kv_heads; h++)
            if (turn++ % t->threads == e->number)
                attend_head(e, layer, &t->part[i], first, h);
}

static void feed_forward(Member *e, const PrefillBlock *b)
{
    Team *t = e->team;
    const Prefill *p = t->p;
    PrefillRoom *r = &t->p->room[e->number];
    size_t ffn = p->shape.ffn, n = ffn / p->slices;
    for (size_t i = 0; i < p->slices; i++)
        multiply(e, b->gate_up[i], r->normed, t->gates + i * t->n * 2 * n, 2 * n);
    meet(t);
    for (size_t i = 0; i < p->slices; i++)
        for (size_t k = 0; k < t->n; k++) {
            const float *gate = t->gates + (i * t->n + k) * 2 * n;
            prefill_gate(p, n, gate, gate + n, r->wide + k * ffn + i * n);
        }
    multiply(e, b->down, r->wide, t->y, p->shape.dim);
    meet(t);
}

static void block(Member *e, size_t layer, float *x)
{
    Team *t = e->team;
    const LmShape *s = &t->p->shape;
    const PrefillBlock *b = &t->p->block[layer];
    float *normed = t->p->room[e->number].normed;
    norm(e, b->norm[NORM_ATTN], x);
    multiply(e, b->qkv, normed, t->qkv, qkv_width(s));
    meet(t);
    attend(e, layer);
    meet(t);
    multiply(e, b->o, t->mixed, t->y, s->dim);
    meet(t);
    prefill_join(t->p, b->norm[NORM_ATTN_POST], t->n, t->y, normed, x);
    norm(e, b->norm[NORM_FFN], x);
    feed_forward(e, b);
    prefill_join(t->p, b->norm[NORM_FFN_POST], t->n, t->y, normed, x);
}

static void look_up(const Team *t, float *x)
{
    const Prefill *p = t->p;
    for (const PrefillPart *a = t->part; a < t->part + t->parts; a++)
        for (size_t i = 0; i < a->n; i++, x += p->shape.dim)
            lm_word(&p->shape, &p->embed, a->token[i], x);
}

static void *take_part(void *arg)
{
    Member *e = arg;
    Team *t = e->team;
    Prefill *p = t->p;
    size_t dim = p->shape.dim, vocab = p->shape.vocab;
    float *x = t->x + e->number * PREFILL_STEP * dim;
    pthread_mutex_lock(&t->start);
    pthread_mutex_unlock(&t->start);
    look_up(t, x);
    for (size_t i = 0; i < p->shape.layers; i++) block(e, i, x);
    norm(e, p->out_norm, x);
    for (size_t i = 0; i < p->head_slices; i++)
        multiply(e, p->head[i], p->room[e->number].normed, p->logits + i * PREFILL_HEAD,
                 vocab);
    return NULL;
}

/* As many as the system gives. */
static bool together(Team *t)
{
    Member member[CREW_MAX] = { { .team = t } };
    pthread_mutex_init(&t->start, NULL);
    pthread_mutex_lock(&t->start);
    for (t->threads = 1; t->threads < t->p->threads; t->threads++) {
        Member *e = &member[t->threads];
        *e = (Member){ .team = t, .number = t->threads };
        if (pthread_create(&e->thread, NULL, take_part, e)) break;
    }
    pthread_mutex_unlock(&t->start);
    take_part(&member[0]);
    for (size_t i = 1; i < t->threads; i++) pthread_join(member[i].thread, NULL);
    pthread_mutex_destroy(&t->start);
    return !atomic_load(&t->failed);
}

/* ---- the call --------------------------------------------------------------------- */

/* Attention in 32-bit floats by oneDNN is not the same to the bit for one row and for
 * six, so a draft could change an answer: without bf16 libllama writes. */
bool prefill_can_step(const Prefill *p)
{
    uint64_t weights = p->packed_bytes + prefill_head_bytes(p);
    if (p->way == MATMUL_PLAIN) return true;
    return p->way == MATMUL_INT8 && p->gemm_way == GEMM_WAY_BF16
        && weights <= p->file.bytes / 100 * p->step_percent
        && weights + prefill_step_bytes(p) <= p->max_bytes;
}

uint64_t prefill_step_weights(const Prefill *p)
{
    return prefill_can_step(p) ? p->packed_bytes + prefill_head_bytes(p) : 0;
}

Status prefill_step(Ctx *cx, Prefill *p, PrefillPart *part, size_t n)
{
    Team t = { .p = p, .part = part, .parts = n };
    for (size_t i = 0; i < n; i++) t.n += part[i].n;
    if (t.n < 1 || t.n > PREFILL_STEP)
        return fail(cx, E_ARG, "a step of %zu tokens: 1 to %d", t.n, PREFILL_STEP);
    TRY(ctx_check(cx));
    TRY(prefill_pack_head(cx, p));
    TRY(step_room(cx, p));
    for (size_t i = 0; i < n; i++)
        TRY(prefill_room(cx, part[i].seq, part[i].token, part[i].seq->n, part[i].n));
    lay_out(&t);
    if (!together(&t))
        return fail(cx, E_INTERNAL, "a product of %zu rows went wrong", t.n);
    const float *logits = p->logits;
    for (size_t i = 0; i < n; i++) {
        part[i].seq->n += part[i].n;
        part[i].logits = logits;
        logits += part[i].n * p->shape.vocab;
    }
    return OK;
}
