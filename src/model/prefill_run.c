/* prefill_run.c -- the forward pass: RMSNorm, rotated queries and keys, attention, gated
 * feed-forward, as libllama computes the families of lm_family.c.
 *
 * A job takes some rows through the second half of one block and the first half of the
 * next; then all threads wait for each other, for attention wants the keys and values of
 * the rows before. Of the last block only keys and values are wanted, so that its second
 * half is never computed. */
#include "model/prefill_impl.h"
#include "model/rows.h"

#include <ggml.h>
#include <string.h>

typedef struct Pass {
    Prefill *p;
    PrefillSeq *seq;
    Ctx *cx;                 // of the calling thread: worker 0 alone may ask it
    const int32_t *token;    // (n)
    const uint32_t *at;      // (n): positions
    size_t n;
    size_t layer, jobs, rows;    // rows: of a job; the last may have fewer
} Pass;

/* Rows of the call: `first` counts from its start. */
typedef struct Span {
    size_t first, n;
} Span;

static void look_up(const Pass *a, Span s)
{
    size_t dim = a->p->shape.dim;
    for (size_t i = s.first; i < s.first + s.n; i++)
        lm_word(&a->p->shape, &a->p->embed, a->token[i], a->p->x + i * dim);
}

static void norm(const Prefill *p, const float *gain, Span s, float *to)
{
    size_t dim = p->shape.dim;
    for (size_t i = 0; i < s.n; i++)
        rows_norm(dim, p->x + (s.first + i) * dim, gain, p->shape.eps, to + i * dim);
}

void prefill_rotate(const Prefill *p, size_t layer, Norm which, size_t heads, size_t at,
                    float *x)
{
    const LmShape *s = &p->shape;
    const float *gain = p->block[layer].norm[which];
    size_t half = s->rope_dims / 2, kind = lm_kind(s, layer);
    float head[PREFILL_HEAD_DIM];
    for (size_t h = 0; h < heads; h++, x += s->head_dim) {
        if (gain) {
            memcpy(head, x, s->head_dim * sizeof *x);
            rows_norm(s->head_dim, head, gain, s->eps, x);
        }
        rows_rope(s->rope_dims, x, p->cosine[kind] + at * half,
                  p->sine[kind] + at * half, s->neox, false);
    }
}

void prefill_gate(const Prefill *p, size_t n, const float *gate, const float *up,
                  float *y)
{
    if (p->shape.gelu) rows_geglu(n, gate, up, y);
    else rows_swiglu(n, gate, up, y);
}

void prefill_join(const Prefill *p, const float *gain, size_t n, const float *y,
                  float *spare, float *x)
{
    const LmShape *s = &p->shape;
    size_t dim = s->dim;
    if (!gain && s->branch_scale == 1) {
        rows_add(n * dim, y, x);
        return;
    }
    for (size_t i = 0; i < n; i++, y += dim, x += dim) {
        if (gain) rows_norm(dim, y, gain, s->eps, spare);
        else rows_scale(dim, y, s->branch_scale, spare);
        rows_add(dim, spare, x);
    }
}

void prefill_keep_head(const PrefillSeq *s, const float *x, size_t head, size_t at,
                       uint16_t *to)
{
    size_t dim = s->of->shape.head_dim;
    ggml_fp32_to_fp16_row(x, to + (head * s->cap + at) * dim, (int64_t)dim);
}

static void keep(const PrefillSeq *s, const float *row, size_t at, uint16_t *to)
{
    const LmShape *shape = &s->of->shape;
    for (size_t h = 0; h < shape->kv_heads; h++)
        prefill_keep_head(s, row + h * shape->head_dim, h, at, to);
}

/* Queries of the rows to p->q, keys and values to the block. */
static bool first_half(const Pass *a, PrefillRoom *r, Span s)
{
    Prefill *p = a->p;
    const PrefillBlock *b = &p->block[a->layer];
    size_t q = prefill_q_width(&p->shape), kv = prefill_kv_width(&p->shape);
    norm(p, b->norm[NORM_ATTN], s, r->normed);
    if (!matmul_run(b->qkv, r->matmul, s.n, r->normed, r->wide)) return false;
    for (size_t i = 0; i < s.n; i++) {
        float *row = r->wide + i * (q + 2 * kv);
        size_t at = a->at[s.first + i];
        prefill_rotate(p, a->layer, NORM_Q, p->shape.heads, at, row);
        prefill_rotate(p, a->layer, NORM_K, p->shape.kv_heads, at, row + q);
        memcpy(p->q + (s.first + i) * q, row, q * sizeof *row);
        keep(a->seq, row + q, at, a->seq->block[a->layer].k);
        keep(a->seq, row + q + kv, at, a->seq->block[a->layer].v);
    }
    return true;
}

static bool feed_forward(const Prefill *p, PrefillRoom *r, const PrefillBlock *b, Span s)
{
    size_t ffn = p->shape.ffn, n = ffn / p->slices;
    for (size_t i = 0; i < p->slices; i++) {
        if (!matmul_run(b->gate_up[i], r->matmul, s.n, r->normed, r->y)) return false;
        for (size_t k = 0; k < s.n; k++)
            prefill_gate(p, n, r->y + k * 2 * n, r->y + k * 2 * n + n,
                         r->wide + k * ffn + i * n);
    }
    return matmul_run(b->down, r->matmul, s.n, r->wide, r->y);
}

static bool second_half(const Pass *a, PrefillRoom *r, Span s)
{
    Prefill *p = a->p;
    const PrefillBlock *b = &p->block[a->layer - 1];
    size_t dim = p->shape.dim, q = prefill_q_width(&p->shape);
    float *x = p->x + s.first * dim;
    PrefillQueries queries = { a->seq, a->layer - 1, a->at + s.first, s.n,
                               p->q + s.first * q, r->normed };
    for (size_t h = 0; h < p->shape.kv_heads; h++)
        if (!prefill_attend_head(r, h, &queries)) return false;
    if (!matmul_run(b->o, r->matmul, s.n, r->normed, r->y)) return false;
    prefill_join(p, b->norm[NORM_ATTN_POST], s.n, r->y, r->normed, x);
    norm(p, b->norm[NORM_FFN], s, r->normed);
    if (!feed_forward(p, r, b, s)) return false;
    prefill_join(p, b->norm[NORM_FFN_POST], s.n, r->y, r->normed, x);
    return true;
}

/* The rows that see most keys come first, so that no thread is left with them. */
static bool job(void *arg, size_t worker, size_t i)
{
    const Pass *a = arg;
    PrefillRoom *r = &a->p->room[worker];
    Span s = { (a->jobs - 1 - i) * a->rows, a->rows };
    if (s.first + s.n > a->n) s.n = a->n - s.first;
    if (worker == 0 && ctx_check(a->cx) != OK) return false;
    if (a->layer == 0) look_up(a, s);
    else if (!second_half(a, r, s)) return false;
    return first_half(a, r, s);
}

/* Jobs of equal size, as many for each thread. */
static void share_out(Pass *a)
{
    size_t threads = a->p->threads, each = PREFILL_ROWS * threads;
    size_t rounds = (a->n + each - 1) / each;
    a->rows = (a->n + rounds * threads - 1) / (rounds * threads);
    a->jobs = (a->n + a->rows - 1) / a->rows;
}

Status prefill_pass(Ctx *cx, PrefillSeq *s, const PrefillRows *rows)
{
    Prefill *p = s->of;
    Pass a = { .p = p, .seq = s, .cx = cx, .token = rows->token, .at = rows->at,
               .n = rows->n };
    share_out(&a);
    for (; a.layer < p->shape.layers; a.layer++)
        if (!crew_run(p->threads, a.jobs, job, &a)) {
            TRY(ctx_check(cx));
            return fail(cx, E_INTERNAL, "a matrix product of %zu rows went wrong",
                        a.rows);
        }
    return OK;
}
