/* remote.h -- the owner's rules about the remote model, and the accounts of its use.
 *
 * $XDG_CONFIG_HOME/pith/route.json holds the router's weights, where the owner fitted
 * some; $XDG_STATE_HOME/pith/route.jsonl has a line for each decision, with figures and
 * no text. purse.h has the budgets, private.h what is never sent. Whatever cannot be
 * read forbids sending. */
#ifndef PITH_API_REMOTE_H
#define PITH_API_REMOTE_H

#include "api/handle.h"
#include "ask/ask.h"

/* Fills a->remote and opt->route; a->remote stays NULL where the owner named no server or
 * never wants to send. E_ARG: an address or a key that cannot be used. */
MUST_USE Status remote_prepare(Ctx *cx, pith *p, const pith_ask_options *o, Asker *a,
                               AskOptions *opt);
/* The price of an answer, in the money of the owner's prices. */
double remote_cost(const pith *p, const Answer *got);
/* Puts today's account right by what was used. */
MUST_USE Status remote_account(Ctx *cx, const pith *p, const Answer *got);
/* Adds the decision to the log. */
MUST_USE Status remote_log(Ctx *cx, const pith *p, const Answer *got, double ms);

#endif
