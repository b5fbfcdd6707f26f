/* budget.h -- what the steps of an answer take on this machine, remembered between runs
 * in $XDG_CACHE_HOME/pith/machine.json, and the plan for an answer with a time budget.
 *
 * A file that cannot be read or written is no error: what is not known is measured anew.
 */
#ifndef PITH_API_BUDGET_H
#define PITH_API_BUDGET_H

#include "api/handle.h"
#include "ask/ask.h"

typedef struct Budget {
    double begun, ms;       // on the clock of now_ms; the whole time, 0: no limit
    bool cold;              // the generator has not answered in this handle yet
    Str told;               // the plan in words; n = 0: there is none
} Budget;

/* Plans and sets what opt has to keep to; a's reranker goes where there is no time for
 * it. E_ARG: a budget below zero. */
MUST_USE Status budget_use(Ctx *cx, pith *p, Budget *b, Asker *a, AskOptions *opt);
/* Learns from an answer that was searched for and written here. */
void budget_learn(const Ctx *cx, pith *p, const Budget *b, const Answer *got);
/* Keeps what was learned. */
void budget_keep(pith *p);

#endif
