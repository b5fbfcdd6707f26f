/* mime.h -- the syntax of e-mail: headers, encoded words, parameters, parts.
 *
 * RFC 5322 (messages), 2045 and 2046 (MIME), 2047 (words of other charsets in headers),
 * 2231 (parameters in them). Real mail breaks all of these: what cannot be decoded stays
 * as it is written. */
#ifndef PITH_PARSE_MIME_H
#define PITH_PARSE_MIME_H

#include "base/ctx.h"

/* An entity's header ends at the first empty line; *body is what comes behind it. */
Str mime_head(Str entity, Str *body);
/* The value of the first field of that name, unfolded, in the arena; empty where there is
 * none. .p is NULL on E_MEMORY. */
Str mime_field(Ctx *cx, Str head, Str name);
/* A field's encoded words decoded: UTF-8, in the arena. .p is NULL on E_MEMORY. */
Str mime_words(Ctx *cx, Str value);
/* A parameter of a field, as `boundary` of Content-Type, in UTF-8; empty where there is
 * none. .p is NULL on E_MEMORY. */
Str mime_parameter(Ctx *cx, Str value, Str name);
/* "text/html" of "Text/HTML; charset=x", case as it stands. */
Str mime_first(Str value);
/* A body's bytes by its Content-Transfer-Encoding, itself where that changes nothing. .p
 * is NULL on E_MEMORY. */
Str mime_decode(Ctx *cx, Str body, Str encoding);
/* The next part of a multipart body, from *at on, which moves behind it; false where
 * there is none. A part that is cut off is one. */
bool mime_next(Str body, Str boundary, size_t *at, Str *part);

#endif
