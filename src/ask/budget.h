/* budget.h -- an answer within a time: what to leave out so that it is kept.
 *
 * What each step takes on this machine is remembered as TCP remembers the time of a
 * round trip (Jacobson, SIGCOMM 1988): a smoothed mean and a smoothed deviation. Planned
 * with is the mean and twice the deviation, so that a machine whose times vary is trusted
 * less.
 *
 * A plan is the first of a list, best answers first, that fits the time left. Once the
 * passages are known, what is left of the time says how many tokens of them are read;
 * the writing ends with a sentence as the deadline comes near; and at the deadline
 * whatever is computed is broken off. */
#ifndef PITH_ASK_BUDGET_H
#define PITH_ASK_BUDGET_H

#include "base/ctx.h"

typedef struct Rate {
    double mean, deviation;     // ms
    int n;                      // times measured; 0: unknown
} Rate;

typedef enum RateKind {
    RATE_PAIR,              // a passage that the reranker reads, its sentences included
    RATE_READ,              // a token of the prompt
    RATE_WRITE,             // a token of the answer
    RATE_REST,              // a question: its embedding, the search, all else
    RATE_COLD,              // more than that, the first time a generator is used
    RATES
} RateKind;

typedef struct Rates {
    Rate at[RATES];
} Rates;

/* "pair_ms", "read_ms", ...: for files and for people. */
const char *rate_name(RateKind k);
/* What to reckon with: mean + 2 deviations, or a careful guess where nothing is known. */
double rate_ms(const Rates *r, RateKind k);
/* One more measurement; what is not finite or below zero is none. */
void rate_learn(Rates *r, RateKind k, double ms);

typedef struct BudgetPlan {
    int rerank;             // passages that the reranker reads; 0: it is left out
    int context_tokens, max_tokens;
    double expected_ms;
    bool fits;              // false: the least there is may take longer
} BudgetPlan;

/* The best that fits ms. most: what was asked for; no plan goes beyond it. */
BudgetPlan budget_plan(const Rates *r, double ms, bool cold, const BudgetPlan *most);

/* The deadline of an answer, and what its writer takes. */
typedef struct Deadline {
    double at;              // on the clock of now_ms; 0: there is none
    double read_ms, write_ms;   // a token
    double cold_ms;         // before the first token is read
} Deadline;

/* Milliseconds that the reranker may take, for the least to be read and written; > 0. */
double budget_rerank_ms(const Deadline *d);
/* Tokens of passages that can be read by then, of at most `most`. */
int budget_context(const Deadline *d, int most);
/* Whether the writing is to end behind text, the answer so far. */
bool budget_over(const Deadline *d, Str text);

/* From watch_begin to watch_end cx wants to stop at the deadline, too: what computes then
 * is broken off. `written` is set by who writes: before its first text the stop comes as
 * much earlier as a model takes to notice it. */
typedef struct DeadlineWatch {
    const Deadline *deadline;
    bool written, over;             // over: it was asked after the deadline
    bool (*cancelled)(void *arg);   // the owner's, as before
    void *arg;
} DeadlineWatch;

void watch_begin(Ctx *cx, const Deadline *d, DeadlineWatch *w);
/* OK in place of E_CANCELLED where it was the deadline; else st. */
MUST_USE Status watch_end(Ctx *cx, const DeadlineWatch *w, Status st);

#endif
