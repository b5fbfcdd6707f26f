/* abstain.c -- see abstain.h. */
#include "ask/abstain.h"

#include <math.h>

/* With a reranker: its best logit, and how far the best stands above the fifth.
 * Without: the best cosine alone, which tells much less. */
static const float with_rerank[] = { 0.4f, 0.55f };      // bias, best logit
static const float without_rerank[] = { -13.0f, 20.0f }; // bias, best cosine

float abstain_confidence(const Passages *ps)
{
    float logit = -INFINITY, cosine = 0;
    for (size_t i = 0; i < ps->n; i++) {
        if (!isnan(ps->at[i].rerank)) logit = fmaxf(logit, ps->at[i].rerank);
        cosine = fmaxf(cosine, ps->at[i].vector);
    }
    if (ps->n == 0) return 0;
    const float *w = isfinite(logit) ? with_rerank : without_rerank;
    float x = w[0] + w[1] * (isfinite(logit) ? logit : cosine);
    return 1 / (1 + expf(-x));
}
