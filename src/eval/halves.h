/* halves.h -- is a promise about errors kept? Questions are split in two at random, many
 * times: a threshold is chosen on one half, and the risk is counted on the other.
 *
 * The other half is a sample too: a threshold whose true risk is just within the promise
 * looks a little above it half of the time. So a split counts as kept in two ways: by the
 * bare share of wrong (`within`), and unless that share is, at the confidence promised,
 * above the promise (`not_refuted`). */
#ifndef PITH_EVAL_HALVES_H
#define PITH_EVAL_HALVES_H

#include "eval/risk.h"

typedef struct Halves {
    size_t made;                // splits in which anything could be promised
    size_t within, not_refuted; // of those
    double risk;                // means over those, 0 for none: the share of wrong;
    double coverage;            // of the questions that pass;
    double kept_right;          // of those that are not wrong, that pass
} Halves;

/* The same draws on every machine; s is left in another order. */
Halves halves_of(Scored *s, size_t n, size_t splits, const Promise *promise);

#endif
