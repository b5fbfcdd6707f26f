/* retrieve.h -- find the chunks that may answer, by words, by vectors or by both.
 *
 * The two sides are joined by a convex combination of scores (Bruch, Gai and Ingber,
 * "An Analysis of Fusion Functions for Hybrid Retrieval", 2023), which keeps what rank
 * fusion throws away: how much better the first is than the second. BM25 is divided by
 * the best of the query (its least value is 0); a cosine counts 1 at the best of the
 * query and 0 at RETRIEVE_SPAN below it. Unlike a stretch between the lowest and the
 * highest candidate, this does not depend on how many candidates there are. */
#ifndef PITH_ASK_RETRIEVE_H
#define PITH_ASK_RETRIEVE_H

#include "ask/passage.h"
#include "ask/query_map.h"
#include "model/model.h"

typedef enum RetrieveMode {
    RETRIEVE_HYBRID,
    RETRIEVE_WORDS,
    RETRIEVE_VECTORS
} RetrieveMode;

typedef struct RetrieveOptions {
    RetrieveMode mode;
    size_t k;              // passages wanted; > 0
    size_t candidates;     // from each side; 0: max(100, k)
    float words_weight;    // [0,1] of the words in the sum; 0: RETRIEVE_WORDS_WEIGHT
    Str passage;           // made up: its vector is averaged with the query's; n = 0:
                           // none
    const QueryMap *map;   // of questions, of the embedder's dim; NULL: none
    const Str *without;    // documents to leave out: a uri, or its end from a '/' on
    size_t n_without;
} RetrieveOptions;

/* Chosen on six collections; ARCHITECTURE.md has the table. */
#define RETRIEVE_WORDS_WEIGHT 0.25f
#define RETRIEVE_SPAN 0.2f   // of cosine

/* Fills out with at most k passages, best first; equal scores by uri, then position.
 * embedder may be NULL for RETRIEVE_WORDS. An empty store gives none.
 * E_MODEL: the store's vectors were made by another embedder. */
MUST_USE Status retrieve(Ctx *cx, Store *store, Model *embedder,
                         const RetrieveOptions *opt, Str query, Passages *out);

#endif
