/* base64.h -- bytes in JSON, by RFC 4648, section 4. */
#ifndef PITH_SERVE_BASE64_H
#define PITH_SERVE_BASE64_H

#include "base/str.h"

#include <jansson.h>

/* The bytes as a JSON string; NULL when there is no memory. */
json_t *base64_of(Str bytes);
/* How many bytes a string stands for; 0 where it is NULL, empty or none. White space in
 * it is nothing. */
size_t base64_length(const char *z);
/* Those bytes, with a NUL behind them, by malloc; NULL where there is no memory or it is
 * none. */
char *base64_bytes(const char *z, size_t *n);

#endif
