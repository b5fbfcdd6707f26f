/* augment.h -- what the small model adds to a question so that more is found.
 *
 *   rewrite     the question in words that documents use
 *   decompose   at most three simpler questions, whose answers together give the answer
 *   hyde        a passage that could answer, made up; its vector is averaged with the
 *               question's (Gao, Ma, Lin and Callan, "Precise Zero-Shot Dense Retrieval
 *               without Relevance Labels", 2022)
 *
 * Each costs a generation before anything is searched. The question itself is always
 * searched too, and the lists are joined by their ranks, so that a bad rewrite dilutes
 * and does not replace. */
#ifndef PITH_ASK_AUGMENT_H
#define PITH_ASK_AUGMENT_H

#include "ask/passage.h"
#include "model/model.h"

enum { AUGMENT_PARTS = 3, AUGMENT_QUERIES = 1 + AUGMENT_PARTS };

typedef struct Augmented {
    Str query[AUGMENT_QUERIES];     // to be searched beside the question
    size_t n_queries;
    Str passage;                    // made up; n = 0: none
    int tokens;                     // written for all this
} Augmented;

/* The last question and what was written for it, so that asking it again is free. Zeros
 * are an empty one; augment_forget frees it. */
typedef struct AugmentMemo {
    Ctx own;
    Str question;                   // n = 0: none
    unsigned what;
    const Model *writer;
    Augmented got;
} AugmentMemo;

typedef struct AugmentOptions {
    bool rewrite, decompose, hyde;
    AugmentMemo *memo;              // NULL: none
} AugmentOptions;

bool augment_wanted(const AugmentOptions *opt);
/* Lets the model write; what is of no use (empty, the question again, a refusal) is left
 * out. The texts live in cx, or in the memo until the next call. */
MUST_USE Status augment_write(Ctx *cx, Model *writer, const AugmentOptions *opt,
                              Str question, Augmented *out);
void augment_forget(AugmentMemo *memo);

/* Joins n lists, each best first, to the k best by the sum of 1 / (60 + rank) (Cormack,
 * Clarke and Buettcher, 2009); fused and score are that sum over the largest possible
 * one. A passage keeps the scores of the first list that has it. */
MUST_USE Status augment_join(Ctx *cx, const Passages *lists, size_t n, size_t k,
                             Passages *out);

#endif
