/* private.h -- documents whose text never leaves this machine.
 *
 * $XDG_CONFIG_HOME/pith/private lists prefixes of uris, one a line. A store that has a
 * document below one of them works with no embedder and no reranker elsewhere, and such
 * an embedder is given no document below one; the router (ask/route.h) keeps passages of
 * them from the large model. A list that cannot be read forbids sending. */
#ifndef PITH_API_PRIVATE_H
#define PITH_API_PRIVATE_H

#include "api/handle.h"
#include "ask/route.h"

/* Fills private_below and n_private, or forbidden. */
MUST_USE Status private_read(Ctx *cx, RouteRules *out);
/* May the model of a role be used? OK for one on this machine. E_ARG: it is elsewhere,
 * and the store has a private document, or the list cannot be read, or it would write:
 * the remote model that writes is another option's, with rules of its own. */
MUST_USE Status private_check(Ctx *cx, pith *p, Role r);

#endif
