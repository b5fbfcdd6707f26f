/* head.c -- the last norm, the logits and the loss.
 *
 * Logits are the widest thing in a small model (49,152 to 151,936 values a token), so
 * they are made for the positions that predict a token to learn alone, CHUNK rows at a
 * time, and turned into their derivative where they stand. */
#include "model/rows.h"
#include "tune/tape_impl.h"

#include <string.h>

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

/* The derivatives by the logits as a product reads them: where they are, narrowed. */
static GemmMatrix narrowed(Tape *t, size_t rows)
{
    size_t vocab = t->lm->shape.vocab;
    if (gemm_type(t->lm->way) == GEMM_F32) return floats(t->logits, vocab);
    for (size_t i = 0; i < rows; i++) {
        float *row = t->logits + i * vocab;
        gemm_keep(t->room, vocab, row, row);
    }
    return held(t, t->logits, 2 * vocab);
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
    GemmJob job = { .m = n, .n = m->dim, .n_parts = 1, .scale = 1, .c = t->dhidden,
                    .c_stride = m->dim,
                    .part = { { narrowed(t, n), t->lm->head_back, m->vocab } } };
    if (!gemm_run(t->room, &job)) return false;
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
