/* purse.h -- the owner's budgets of a day for the remote model, over all processes.
 *
 * What an answer may take is taken out before anything is sent, under a lock, and put
 * right when it is there: several at a time do not pass a budget together, and one that
 * was killed in between stays paid for. $XDG_STATE_HOME/pith/remote-usage.json has what
 * was used today. */
#ifndef PITH_API_PURSE_H
#define PITH_API_PURSE_H

#include "api/handle.h"

typedef struct Spent {
    double tokens, cost, seconds;
} Spent;

/* What is left of each budget today, INFINITY where there is none. E_FORMAT, E_IO: the
 * account cannot be read. */
MUST_USE Status purse_left(Ctx *cx, const RemoteRules *rules, Spent *out);
/* Takes this much; *enough false: so much is not left, and nothing is taken. */
MUST_USE Status purse_take(Ctx *cx, const RemoteRules *rules, const Spent *much,
                           bool *enough);
/* Puts right what was taken: `used` was. */
MUST_USE Status purse_settle(Ctx *cx, const Spent *taken, const Spent *used);

#endif
