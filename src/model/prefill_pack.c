/* prefill_pack.c -- weights as the machine's products want them.
 *
 * A job is one matrix of one block: its tensors are dequantized by ggml, laid one below
 * the other and packed. Jobs share nothing, so all threads pack. */
#include "model/prefill_impl.h"

#include <stdlib.h>
#include <string.h>

enum { SLICE = 1536, STEP = 64 };   // outputs of a gate: at most, and in multiples of

/* The jobs of a block. */
enum { JOB_QKV, JOB_O, JOB_DOWN, JOB_GATE_UP };   // and one gate_up for each slice

typedef struct Pack {
    Prefill *p;
    Ctx *caller;             // of the calling thread: worker 0 alone may ask it
    Ctx cx[CREW_MAX];
    float *w[CREW_MAX], *bias[CREW_MAX];
} Pack;

/* Equal slices, small enough that a thread's rows of one stay in its cache. */
static size_t slices_of(size_t ffn)
{
    for (size_t n = 1; n <= PREFILL_SLICES; n++)
        if (ffn % (n * STEP) == 0 && ffn / n <= SLICE) return n;
    return 1;
}

static size_t largest_matrix(const LmShape *s, size_t slices)
{
    size_t qkv = s->dim * (prefill_q_width(s) + 2 * prefill_kv_width(s));
    size_t gate_up = s->dim * 2 * (s->ffn / slices), down = s->dim * s->ffn;
    size_t most = qkv > gate_up ? qkv : gate_up;
    return most > down ? most : down;
}

/* Bytes of so many packed weights. */
static uint64_t packed(const Prefill *p, uint64_t weights)
{
    switch (p->way) {
    case MATMUL_INT8: return weights + weights / 16;   // four bytes for each 64
    case MATMUL_BF16: return weights * 2;
    default: return weights * 4;
    }
}

uint64_t prefill_pack_bytes(const Prefill *p)
{
    const LmShape *s = &p->shape;
    uint64_t weights = 2 * prefill_q_width(s) + 2 * prefill_kv_width(s) + 3 * s->ffn;
    return packed(p, weights * s->dim * s->layers);
}

uint64_t prefill_head_bytes(const Prefill *p)
{
    return packed(p, p->shape.dim * p->shape.vocab);
}

/* Rows first .. first + n of a layer go to row `at` of the worker's matrix. */
static Status add_rows(Pack *k, size_t worker, size_t block, Linear l, size_t first,
                       size_t n, size_t at)
{
    const LmShape *s = &k->p->shape;
    Ctx *cx = &k->cx[worker];
    LmTensor t;
    char name[64];
    size_t in = lm_in(s, l), out = lm_out(s, l);
    snprintf(name, sizeof name, "blk.%zu.%s.weight", block, lm_linear_name(l));
    TRY(lm_tensor(cx, &k->p->file, name, in, out, &t));
    lm_rows(&t, first, n, k->w[worker] + at * in);
    snprintf(name, sizeof name, "blk.%zu.%s.bias", block, lm_linear_name(l));
    memset(k->bias[worker] + at, 0, n * sizeof(float));
    if (!lm_file_has(&k->p->file, name)) return OK;
    TRY(lm_tensor(cx, &k->p->file, name, out, 1, &t));
    if (t.type != GGML_TYPE_F32)
        return fail(cx, E_MODEL, "%s: %s is not f32", k->p->file.path, name);
    memcpy(k->bias[worker] + at, (const float *)(const void *)t.data + first,
           n * sizeof(float));
    return OK;
}

static Status close_matrix(Pack *k, size_t worker, size_t in, size_t out, Matmul **to)
{
    MatmulWeights w = { in, out, k->w[worker], k->bias[worker] };
    return matmul_open(&k->cx[worker], k->p->way, &w, to);
}

static Status pack_qkv(Pack *k, size_t worker, size_t block)
{
    const LmShape *s = &k->p->shape;
    size_t q = prefill_q_width(s), kv = prefill_kv_width(s);
    TRY(add_rows(k, worker, block, LIN_Q, 0, q, 0));
    TRY(add_rows(k, worker, block, LIN_K, 0, kv, q));
    TRY(add_rows(k, worker, block, LIN_V, 0, kv, q + kv));
    return close_matrix(k, worker, s->dim, q + 2 * kv, &k->p->block[block].qkv);
}

static Status pack_gate_up(Pack *k, size_t worker, size_t block, size_t slice)
{
    const LmShape *s = &k->p->shape;
    size_t n = s->ffn / k->p->slices;
    TRY(add_rows(k, worker, block, LIN_GATE, slice * n, n, 0));
    TRY(add_rows(k, worker, block, LIN_UP, slice * n, n, n));
    return close_matrix(k, worker, s->dim, 2 * n, &k->p->block[block].gate_up[slice]);
}

static Status pack_one(Pack *k, size_t worker, size_t block, size_t job)
{
    const LmShape *s = &k->p->shape;
    PrefillBlock *b = &k->p->block[block];
    switch (job) {
    case JOB_QKV: return pack_qkv(k, worker, block);
    case JOB_O:
        TRY(add_rows(k, worker, block, LIN_O, 0, s->dim, 0));
        return close_matrix(k, worker, prefill_q_width(s), s->dim, &b->o);
    case JOB_DOWN:
        TRY(add_rows(k, worker, block, LIN_DOWN, 0, s->dim, 0));
        return close_matrix(k, worker, s->ffn, s->dim, &b->down);
    default: return pack_gate_up(k, worker, block, job - JOB_GATE_UP);
    }
}

static bool pack_job(void *arg, size_t worker, size_t i)
{
    Pack *k = arg;
    size_t jobs = JOB_GATE_UP + k->p->slices;
    if (worker == 0 && ctx_check(k->caller) != OK) return false;
    return pack_one(k, worker, i / jobs, i % jobs) == OK;
}

static Status vector(Ctx *cx, const LmTensor *t, float **out)
{
    *out = malloc(t->width * sizeof **out);
    if (!*out) return fail(cx, E_MEMORY, "no memory for a norm");
    lm_rows(t, 0, 1, *out);
    return OK;
}

static Status pack_norms(Ctx *cx, Prefill *p)
{
    LmTensor t;
    for (size_t i = 0; i < p->shape.layers; i++)
        for (Norm n = 0; n < NORMS; n++) {
            if (!lm_has_norm(&p->shape, n)) continue;
            TRY(lm_norm(cx, &p->file, i, n, &t));
            TRY(vector(cx, &t, &p->block[i].norm[n]));
        }
    return OK;
}

static Status pack_all(Ctx *cx, Pack *k)
{
    Prefill *p = k->p;
    size_t jobs = p->shape.layers * (JOB_GATE_UP + p->slices);
    if (crew_run(p->threads, jobs, pack_job, k)) return OK;
    for (size_t i = 0; i < p->threads; i++)
        if (k->cx[i].status != OK)
            return fail(cx, k->cx[i].status, "%s", k->cx[i].reason);
    return cx->status;       // it was cancelled
}

Status prefill_pack(Ctx *cx, Prefill *p)
{
    const LmShape *s = &p->shape;
    Pack *k = calloc(1, sizeof *k);
    Status st = k ? OK : fail(cx, E_MEMORY, "no memory to pack weights");
    p->slices = slices_of(s->ffn);
    if (st == OK) st = pack_norms(cx, p);
    for (size_t i = 0; st == OK && i < p->threads; i++) {
        k->w[i] = malloc(largest_matrix(s, p->slices) * sizeof(float));
        k->bias[i] = malloc((2 * s->ffn + 3 * prefill_q_width(s) + s->dim)
                            * sizeof(float));
        if (!k->w[i] || !k->bias[i])
            st = fail(cx, E_MEMORY, "no memory to pack weights");
    }
    if (st == OK) {
        k->p = p;
        k->caller = cx;
        st = pack_all(cx, k);
    }
    for (size_t i = 0; k && i < p->threads; i++) {
        free(k->w[i]);
        free(k->bias[i]);
        ctx_end(&k->cx[i]);
    }
    free(k);
    return st;
}

/* ---- the head --------------------------------------------------------------------- */

typedef struct PackHead {
    Prefill *p;
    LmTensor head;
    Ctx *caller, cx[CREW_MAX];
} PackHead;

static bool head_job(void *arg, size_t worker, size_t i)
{
    PackHead *k = arg;
    const LmShape *s = &k->p->shape;
    size_t first = i * PREFILL_HEAD, left = s->vocab - first;
    size_t n = left < PREFILL_HEAD ? left : PREFILL_HEAD;
    if (worker == 0 && ctx_check(k->caller) != OK) return false;
    float *w = malloc(n * s->dim * sizeof *w);
    if (!w) return fail(&k->cx[worker], E_MEMORY, "no memory to pack a head"), false;
    lm_rows(&k->head, first, n, w);
    MatmulWeights weights = { s->dim, n, w, NULL };
    Status st = matmul_open(&k->cx[worker], k->p->way, &weights, &k->p->head[i]);
    free(w);
    return st == OK;
}

void prefill_head_close(Prefill *p)
{
    for (size_t i = 0; p->head && i < p->head_slices; i++) matmul_close(p->head[i]);
    free(p->head);
    free(p->out_norm);
    p->head = NULL;
    p->out_norm = NULL;
}

static Status pack_head(Ctx *cx, PackHead *k)
{
    Prefill *p = k->p;
    const char *name = p->shape.tied ? "token_embd.weight" : "output.weight";
    LmTensor norm;
    TRY(lm_tensor(cx, &p->file, name, p->shape.dim, p->shape.vocab, &k->head));
    TRY(lm_tensor(cx, &p->file, "output_norm.weight", p->shape.dim, 1, &norm));
    TRY(vector(cx, &norm, &p->out_norm));
    for (size_t i = 0; i < norm.width; i++) p->out_norm[i] *= p->shape.logit_scale;
    p->head_slices = (p->shape.vocab + PREFILL_HEAD - 1) / PREFILL_HEAD;
    p->head = calloc(p->head_slices, sizeof *p->head);
    if (!p->head) return fail(cx, E_MEMORY, "no memory to pack a head");
    if (crew_run(p->threads, p->head_slices, head_job, k)) return OK;
    for (size_t i = 0; i < p->threads; i++)
        if (k->cx[i].status != OK)
            return fail(cx, k->cx[i].status, "%s", k->cx[i].reason);
    return cx->status;       // it was cancelled
}

Status prefill_pack_head(Ctx *cx, Prefill *p)
{
    if (p->head) return OK;
    PackHead *k = calloc(1, sizeof *k);
    if (!k) return fail(cx, E_MEMORY, "no memory to pack a head");
    k->p = p;
    k->caller = cx;
    Status st = pack_head(cx, k);
    if (st != OK) prefill_head_close(p);
    for (size_t i = 0; i < p->threads; i++) ctx_end(&k->cx[i]);
    free(k);
    return st;
}
