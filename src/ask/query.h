/* query.h -- what the form of a query tells about how to look for it. */
#ifndef PITH_ASK_QUERY_H
#define PITH_ASK_QUERY_H

#include "base/ctx.h"

/* Whether a query states something, as a claim to be checked does, and asks nothing: it
 * ends with a full stop. Embedders and rerankers are trained on questions. */
bool query_is_statement(Str query);

#endif
