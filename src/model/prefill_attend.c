/* prefill_attend.c -- causal attention of a few rows over all keys before them.
 *
 * Heads that share keys (Ainslie et al., arXiv 2305.13245) stand below one another as
 * queries of one product, so that keys are packed once for all of them. Keys behind a
 * query get the probability zero and add exactly nothing, and sums run over keys in order
 * from the first: a row's result is the same whichever rows are computed beside it. */
#include "model/prefill_impl.h"
#include "model/rows.h"

#include <ggml.h>
#include <string.h>

enum { QUERIES = 32, SCORES = 1 << 18, PIECE = 1024 };   // SCORES: floats, in the cache

static size_t group_of(const LmShape *s)
{
    return s->heads / s->kv_heads;
}

/* Tokens whose queries are taken at a time. */
static size_t tokens_at_a_time(const LmShape *s, size_t keys)
{
    size_t n = SCORES / (group_of(s) * keys);
    return n < 1 ? 1 : n > QUERIES ? QUERIES : n;
}

size_t prefill_attend_scores(const LmShape *s, size_t keys)
{
    size_t one = group_of(s) * keys;
    return one > SCORES ? one : SCORES;
}

static GemmMatrix operand(const Prefill *p, const void *at, bool turned)
{
    return (GemmMatrix){ at, p->shape.head_dim, gemm_type(p->gemm_way), turned };
}

/* n values to the type of operands. */
static void put(const Prefill *p, size_t n, const float *from, void *to)
{
    if (gemm_type(p->gemm_way) == GEMM_BF16) gemm_to_bf16(n, from, to);
    else memcpy(to, from, n * sizeof *from);
}

static void *behind(const Prefill *p, void *base, size_t n)
{
    return (char *)base + n * (gemm_type(p->gemm_way) == GEMM_BF16 ? 2 : 4);
}

static void from_half(const Prefill *p, size_t n, const uint16_t *from, void *to)
{
    float piece[PIECE];
    for (size_t i = 0; i < n; i += PIECE) {
        size_t most = n - i < PIECE ? n - i : PIECE;
        ggml_fp16_to_fp32_row(from + i, piece, (int64_t)most);
        put(p, most, piece, behind(p, to, i));
    }
}

/* The queries of `tokens` tokens and one group of heads: (tokens, group, head_dim). */
static void gather(const Prefill *p, size_t head, size_t tokens, const float *q, void *to)
{
    const LmShape *s = &p->shape;
    size_t n = group_of(s) * s->head_dim;
    for (size_t i = 0; i < tokens; i++)
        put(p, n, q + i * prefill_q_width(s) + head * n, behind(p, to, i * n));
}

/* Queries of tokens at some positions, each of which sees the keys up to its own, or the
 * last of these: r->mixed, to be divided by r->sum. */
static bool mix(const Prefill *p, PrefillRoom *r, size_t layer, const uint32_t *at,
                size_t tokens)
{
    const LmShape *s = &p->shape;
    size_t group = group_of(s), dim = s->head_dim, keys = at[tokens - 1] + (size_t)1;
    GemmJob job = { .m = tokens * group, .n = keys, .n_parts = 1, .scale = 1,
                    .c = r->scores, .c_stride = keys };
    job.part[0] = (GemmPart){ operand(p, r->q, false), operand(p, r->k, true), dim };
    if (!gemm_run(r->gemm, &job)) return false;
    for (size_t i = 0; i < tokens * group; i++) {
        float *row = r->scores + i * keys;
        size_t end = at[i / group] + (size_t)1, first = lm_first_seen(s, layer, end - 1);
        r->sum[i] = rows_weights(end - first, row + first, s->attn_scale);
        memset(row, 0, first * sizeof *row);
        memset(row + end, 0, (keys - end) * sizeof *row);
    }
    GemmJob sum = { .m = tokens * group, .n = dim, .n_parts = 1, .scale = 1,
                    .c = r->mixed, .c_stride = dim };
    GemmMatrix scores = { r->scores, keys, GEMM_F32, false };
    sum.part[0] = (GemmPart){ scores, operand(p, r->v, false), keys };
    return gemm_run(r->gemm, &sum);
}

/* The values of `tokens` tokens and one group of heads to where they belong. */
static void scatter(const Prefill *p, const PrefillRoom *r, size_t head, size_t tokens,
                    float *out)
{
    const LmShape *s = &p->shape;
    size_t group = group_of(s), dim = s->head_dim;
    for (size_t i = 0; i < tokens * group; i++)
        rows_scale(dim, r->mixed + i * dim, 1 / r->sum[i],
                   out + i / group * prefill_q_width(s)
                   + (head * group + i % group) * dim);
}

bool prefill_attend_head(PrefillRoom *r, size_t head, const PrefillQueries *a)
{
    const Prefill *p = a->seq->of;
    const PrefillKeys *b = &a->seq->block[a->layer];
    const LmShape *s = &p->shape;
    size_t keys = a->at[a->rows - 1] + (size_t)1, step = tokens_at_a_time(s, keys);
    size_t width = prefill_q_width(s), behind = head * a->seq->cap * s->head_dim;
    from_half(p, keys * s->head_dim, b->k + behind, r->k);
    from_half(p, keys * s->head_dim, b->v + behind, r->v);
    for (size_t i = 0; i < a->rows; i += step) {
        size_t tokens = a->rows - i < step ? a->rows - i : step;
        gather(p, head, tokens, a->q + i * width, r->q);
        if (!mix(p, r, a->layer, a->at + i, tokens)) return false;
        scatter(p, r, head, tokens, a->out + i * width);
    }
    return true;
}
