/* route_figures.h -- what a router's scores are worth on answered questions. */
#ifndef PITH_EVAL_ROUTE_FIGURES_H
#define PITH_EVAL_ROUTE_FIGURES_H

#include "eval/curve.h"
#include "eval/job.h"
#include "eval/risk.h"

/* A table of pairs (pair.h) by columns, without the questions that nobody was asked. */
typedef struct Routed {
    Outcomes of;
    size_t features;
    const double *const *feature;   // (features) columns of n
    const double *score, *draft;    // the router's, before and with the draft
    size_t unasked;                 // left out
} Routed;

MUST_USE Status routed_of(Ctx *cx, const Table *t, Routed *out);
/* The feature that by itself draws the best curve: its column; 0 for no feature. */
MUST_USE Status routed_best(Ctx *cx, const Routed *r, size_t *out);

/* Figures of the score against chance and against feature `single`, into `to`: "small",
 * "large", "auc", "auc_random", "auc_best_single", "p_random", "p_best_single",
 * "kept_at_half", "share_for_95". */
MUST_USE Status routed_tell(Ctx *cx, const Routed *r, const double *score, size_t single,
                            json_t *to);
/* An answer of a quality below this is wrong. */
#define ROUTE_WRONG .5
/* Questions as risk.h wants them, in cx: the less the large model would gain, the surer
 * the small one's answer. */
MUST_USE Status routed_scored(Ctx *cx, const Outcomes *of, const double *score,
                              Scored **out);
/* The threshold, and the share escalated by it, under which at most a share of the
 * answers that stay with the small model is wrong, for new questions of the same kind
 * (risk.h). Holds for scores of a router that did not learn from these questions. A share
 * of 1: nothing can be promised, the threshold is 0. */
MUST_USE Status route_promise(Ctx *cx, const Curve *c, const Promise *promise,
                              double *threshold, double *share);
/* "curve" of a score, 21 points, into `to`. */
MUST_USE Status routed_curve(Ctx *cx, const Curve *c, json_t *to);

#endif
