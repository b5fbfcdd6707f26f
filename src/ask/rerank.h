/* rerank.h -- read the best candidates together with the question, and order them anew.
 *
 * A cross-encoder sees question and passage at once and is far better at telling an
 * answer from a near miss than either side of the retrieval; but on some collections it
 * alone is worse than the retrieval. So its logit, on a scale from the best of the query
 * to RERANK_SPAN below, is blended with the fused score, and passages below its depth
 * keep their place behind those it read. */
#ifndef PITH_ASK_RERANK_H
#define PITH_ASK_RERANK_H

#include "ask/passage.h"
#include "model/model.h"

typedef struct RerankOptions {
    size_t depth;       // how many of the best are read; 0: none
    double budget_ms;   // no further batch of 16 after this; 0: no limit
    float weight;       // [0,1] of the reranker in the sum; 0: RERANK_WEIGHT
                        // or RERANK_STATEMENT
} RerankOptions;

/* Chosen on five collections; docs/ABLATION.md has the table. */
#define RERANK_WEIGHT 0.5f
#define RERANK_STATEMENT 0.15f   // the weight where the query states a claim
#define RERANK_SPAN 20.0f   // logits

/* Reorders ps in place and fills rerank of those read. E_MODEL: ranker cannot score. */
MUST_USE Status rerank(Ctx *cx, Model *ranker, const RerankOptions *opt, Str question,
                       Passages *ps);

#endif
