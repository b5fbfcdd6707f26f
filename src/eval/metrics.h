/* metrics.h -- how good is a ranking? The measures of trec_eval 9, to the last digit.
 *
 * A ranking is the grades of its documents, best place first; 0 for what nobody judged.
 * Relevant is a grade of 1 or more; a negative grade counts as 0. All measures lie in
 * [0,1], and are 0 where the query has no relevant document. */
#ifndef PITH_EVAL_METRICS_H
#define PITH_EVAL_METRICS_H

#include <stddef.h>

typedef struct Judged {
    const int *ranked;   // (n) grades in the order of the ranking
    size_t n;
    const int *ideal;    // (n_ideal) the positive grades of the query, highest first
    size_t n_ideal;
} Judged;

typedef enum Gain {
    GAIN_LINEAR,         // grade: trec_eval, TREC's tables
    GAIN_EXPONENTIAL,    // 2^grade - 1: Burges et al., 2005
} Gain;

/* Normalised discounted cumulative gain of the first k (Jarvelin, Kekalainen, 2002). */
double metric_ndcg(const Judged *j, size_t k, Gain gain);
/* Share of the relevant documents among the first k. */
double metric_recall(const Judged *j, size_t k);
/* 1 / rank of the first relevant one, 0 where none is among the first k. */
double metric_mrr(const Judged *j, size_t k);
/* Average precision over the whole ranking; its mean over the queries is MAP. */
double metric_ap(const Judged *j);

#endif
