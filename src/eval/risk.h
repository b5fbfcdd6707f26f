/* risk.h -- a threshold that keeps a promise about errors.
 *
 * "Of the questions that get past the threshold, at most a share `risk` has no passage
 * that answers, and I say so with this confidence." The scores and what is known of each
 * question come in; what comes out holds for further questions of the same kind and mix,
 * whatever the scores are worth: a poor score costs refusals, not the promise. */
#ifndef PITH_EVAL_RISK_H
#define PITH_EVAL_RISK_H

#include "base/ctx.h"

typedef struct Scored {
    double score;       // finite; higher is surer
    bool wrong;         // no passage answers
} Scored;

typedef struct Promise {
    double risk;        // (0,1): share of wrong among those that pass
    double confidence;  // (0,1)
} Promise;

typedef struct Chosen {
    bool held;          // false: no threshold keeps the promise; the rest tells the best
    double above;       // questions with a score above this pass; -INFINITY: all do
    size_t kept, wrong; // of the questions given: that pass; that are wrong among those
    double upper;       // the bound on the risk of these, corrected for the choosing
} Chosen;

/* Sorts s, best first, and chooses the lowest threshold that keeps the promise. */
Chosen risk_choose(Scored *s, size_t n, const Promise *promise);
/* How many questions must pass, not one of them wrong, before anything can be
 * promised. */
size_t risk_least(const Promise *promise);

typedef struct Platt {
    double bias, slope;
} Platt;

/* The probability 1 / (1 + exp(-(bias + slope * score))) that a question of this score
 * is not wrong, of greatest likelihood. n = 0 gives zeros. */
Platt risk_fit(const Scored *s, size_t n);

#endif
