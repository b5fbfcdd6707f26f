/* verdict.h -- when has an adapter won? The rule, stated once.
 *
 * It answers better where there is an answer, by more than chance; it refuses at most two
 * points less often where there is none; and of general knowledge, which nobody tuned, it
 * loses at most five points. */
#ifndef PITH_EVAL_VERDICT_H
#define PITH_EVAL_VERDICT_H

#include "eval/stats.h"

#include <stdbool.h>

#define VERDICT_P       0.05
#define VERDICT_REFUSAL 0.02
#define VERDICT_GENERAL 0.05

enum { GATE_F1, GATE_CONTAINS, GATE_REFUSED, GATE_GENERAL, N_GATE };

/* One measure, question by question: of the base and of the tuned model. */
typedef struct Measured {
    double *base, *tuned;       // (n) of [0,1]
    size_t n;
} Measured;

typedef struct Verdict {
    Paired of[N_GATE];
    bool better;                // F1, with p below VERDICT_P
    bool refuses;               // true where no question is unanswerable
    bool remembers;
    bool wins;                  // all three
} Verdict;

Verdict verdict_of(const Measured m[N_GATE]);

#endif
