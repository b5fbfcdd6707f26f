/* head.c -- the last norm, the logits and the loss.
 *
 * Logits are the widest thing in a small model (49,152 to 151,936 values a token), so
 * they are made for the positions that predict a token to learn alone, CHUNK rows at a
 * time, and turned into their derivative where they stand.
 *
 * Of that nearly all is as good as nothing: a word's share of the probability. Where
 * products are in bf16 anyway, only words go on of which some row of the chunk has more
 * than LEAST, as in Cut Cross-Entropy (Wijmans et al., arXiv 2411.09009, section 4.3). */
#include "model/rows.h"
#include "tune/tape_impl.h"

#include <string.h>

#define LEAST 0x1p-15f
/* Whether position i predicts a token to learn: the next one, in the same sequence. A
 * sequence's first token is predicted by nothing and is never to learn. */
static bool predicts(const Sample *s, size_t i)
{
    return i + 1 < s->n && s->learn[i + 1];
}

size_t sample_targets(const Sample *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) n += predicts(s, i);
    return n;
}

static bool logits_of(Tape *t, size_t rows, const float *hidden, float *out)
{
    const LmShape *s = &t->lm->shape;
    GemmMatrix x = hold(t, hidden, rows, s->dim, t->hidden_held);
    GemmJob job = { .m = rows, .n = s->vocab, .n_parts = 1, .scale = 1, .c = out,
                    .c_stride = s->vocab, .part = { { x, t->lm->head, s->dim } } };
    return gemm_run(t->room, &job);
}

bool tape_logits(Tape *t, size_t position, float *out)
{
    const LmShape *s = &t->lm->shape;
    rows_norm(s->dim, t->last + position * s->dim, t->lm->final_norm, s->eps, t->hidden);
    return logits_of(t, 1, t->hidden, out);
}

/* t->pair: pairs of words of which one has a derivative of at least `least` in one of
 * n rows. Returns how many. */
static size_t mark_pairs(Tape *t, size_t n, float least)
{
    size_t vocab = t->lm->shape.vocab, pairs = 0;
    memset(t->mark, 0, vocab + 1);
    for (size_t i = 0; i < n; i++)
        rows_mark(vocab, t->logits + i * vocab, least, t->mark);
    for (size_t v = 0; v < vocab; v += 2)
        if (t->mark[v] || t->mark[v + 1]) t->pair[pairs++] = (uint32_t)(v / 2);
    return pairs;
}

/* The derivatives by the logits of these pairs, to t->some (n, 2 pairs). */
static GemmMatrix some_of(Tape *t, size_t n, const uint32_t *pair, size_t pairs)
{
    size_t vocab = t->lm->shape.vocab;
    for (size_t i = 0; i < n; i++) {
        const float *row = t->logits + i * vocab;
        float *two = t->row;
        for (size_t j = 0; j < pairs; j++) {
            size_t v = 2 * (size_t)pair[j];
            two[2 * j] = row[v];
            two[2 * j + 1] = v + 1 < vocab ? row[v + 1] : 0;
        }
        gemm_keep(t->room, 2 * pairs, two, t->some + i * 2 * pairs);
    }
    return held(t, t->some, 2 * pairs);
}

/* t->dhidden (n, dim) from the derivatives by the logits. */
static bool through_words(Tape *t, size_t n, float weight_of)
{
    const LmShape *m = &t->lm->shape;
    GemmJob job = { .m = n, .n = m->dim, .n_parts = 1, .scale = 1, .c = t->dhidden,
                    .c_stride = m->dim };
    if (gemm_type(t->lm->way) == GEMM_F32) {
        job.part[0] = (GemmPart){ floats(t->logits, m->vocab), t->lm->head_back,
                                  m->vocab };
        return gemm_run(t->room, &job);
    }
    size_t all = mark_pairs(t, n, LEAST * weight_of);
    for (size_t at = 0, pairs; at < all; at += pairs, job.add = true) {
        pairs = all - at < PAIRS ? all - at : PAIRS;
        job.part[0] = (GemmPart){
            some_of(t, n, t->pair + at, pairs),
            gemm_packed_pairs(&t->lm->head_back, m->dim, t->pair + at, pairs,
                              t->some_words), 2 * pairs };
        if (!gemm_run(t->room, &job)) return false;
    }
    return true;
}

/* Loss and derivative of n positions. */
static bool chunk(Tape *t, const Sample *s, const size_t *at, size_t n, float weight_of,
                  double *loss, bool derive)
{
    const LmShape *m = &t->lm->shape;
    for (size_t i = 0; i < n; i++)
        rows_norm(m->dim, t->last + at[i] * m->dim, t->lm->final_norm, m->eps,
                  t->hidden + i * m->dim);
    if (!logits_of(t, n, t->hidden, t->logits)) return false;
    for (size_t i = 0; i < n; i++)
        *loss += rows_cross_entropy(m->vocab, t->logits + i * m->vocab,
                                    (size_t)s->token[at[i] + 1], weight_of);
    if (!derive) return true;
    if (!through_words(t, n, weight_of)) return false;
    for (size_t i = 0; i < n; i++)
        rows_norm_back(m->dim, t->last + at[i] * m->dim, t->lm->final_norm, m->eps,
                       t->dhidden + i * m->dim, t->d + at[i] * m->dim);
    return true;
}

bool head_backward(Tape *t, const Sample *s, float weight_of, double *loss, bool derive)
{
    size_t at[CHUNK], n = 0;
    memset(t->d, 0, t->T * t->lm->shape.dim * sizeof *t->d);
    for (size_t i = 0; i < s->n; i++) {
        if (predicts(s, i)) at[n++] = i;
        if (n < CHUNK && i + 1 < s->n) continue;
        if (n && !chunk(t, s, at, n, weight_of, loss, derive)) return false;
        n = 0;
    }
    return true;
}
