/* filter.h -- drop the passages and the sentences a small model should not have to read.
 *
 * A model of 0.5 to 3B answers worse as its prompt fills with near misses, and reading is
 * most of an answer's time on a CPU. The reranker, which has already judged the passages,
 * judges each sentence within its neighbours; what is far below the best goes. Passages
 * that say again what a better one said go too. Offsets are untouched: a passage keeps
 * its text and a list of the sentences that go on. */
#ifndef PITH_ASK_FILTER_H
#define PITH_ASK_FILTER_H

#include "ask/passage.h"
#include "model/model.h"

typedef struct FilterOptions {
    size_t max_passages;    // of the best, that are looked at; 0: 8
    float margin;           // a sentence goes on from a weight of -margin
                            // (evidence.h); 0: 25
    float max_overlap;      // [0,1] share of words said before: a repeat; 0: 0.8
    bool whole;             // passages with a sentence that goes on go on whole
} FilterOptions;

/* Shortens ps: order kept, texts untouched, kept filled unless `whole`. The best sentence
 * always stays. E_MODEL: ranker cannot score. */
MUST_USE Status filter(Ctx *cx, Model *ranker, const FilterOptions *opt, Str question,
                       Passages *ps);

#endif
