/* curve.h -- what is gained by asking a large model some of the questions.
 *
 * A router orders the questions by a score; the share with the highest scores goes to the
 * large model, the others to the small one. The mean quality over that share is a curve
 * from the small model's (share 0) to the large one's (1); the area under it says how
 * good the router is. One that knows nothing draws, in expectation, a straight line.
 * Questions of one score are taken in no order, so their part of the curve is straight
 * too. */
#ifndef PITH_EVAL_CURVE_H
#define PITH_EVAL_CURVE_H

#include "base/ctx.h"
#include "eval/stats.h"

typedef struct Outcomes {
    size_t n;
    const double *small, *large;    // (n) quality of both answers, [0,1]
} Outcomes;

typedef struct Curve {
    Outcomes of;
    const double *score;    // (n); what has a higher one is escalated earlier
    size_t *order;          // (n) questions by falling score
} Curve;

/* score NULL: all alike. It and the outcomes are borrowed. */
MUST_USE Status curve_make(Ctx *cx, const Outcomes *of, const double *score, Curve *out);
/* Mean quality with this share, [0,1], of the questions escalated; 0 for n = 0. */
double curve_quality(const Curve *c, double share);
/* The smallest share whose quality is at least this; 1 where no smaller one is. */
double curve_share(const Curve *c, double quality);
/* The area under the curve; 0 for n = 0. */
double curve_auc(const Curve *c);
/* Area of b less area of a, by the paired bootstrap over questions of stats_paired; both
 * are curves of the same outcomes. */
MUST_USE Status curve_compare(Ctx *cx, const Curve *a, const Curve *b, uint64_t seed,
                              Paired *out);

#endif
