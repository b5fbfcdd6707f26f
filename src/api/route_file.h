/* route_file.h -- the router's weights as a file that a person can read and change.
 *
 *     {"bias": -0.4, "threshold": 0.55,
 *      "features": {"compare": {"weight": 0.3, "usual": 0.1, "scale": 0.3}, ...}}
 *
 * A weight is of (value - usual) / scale, so that weights can be compared; scale is 1
 * where it is absent, usual 0. A feature that is not named weighs nothing. Other keys of
 * the object are for the reader. */
#ifndef PITH_API_ROUTE_FILE_H
#define PITH_API_ROUTE_FILE_H

#include "ask/route.h"

/* E_NOTFOUND: no such file. E_FORMAT: no JSON, a feature that the router does not have, a
 * number that is absent, not finite or, as a scale, not above 0. E_IO, E_LIMIT: above
 * 1 MiB. *out is untouched by an error. */
MUST_USE Status route_model_read(Ctx *cx, const char *path, RouteModel *out);
/* The same from memory; name goes before errors. */
MUST_USE Status route_model_parse(Ctx *cx, const char *name, Str text, RouteModel *out);

#endif
