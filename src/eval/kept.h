/* kept.h -- answers kept on disk, so that nobody is asked, or paid, twice.
 *
 * A file of lines {"key", ...}, one an answer, appended as they come: what was there
 * before Ctrl-C or a crash is there after it. A last line that is cut short is cut off;
 * any other line that is no answer is left as it is. */
#ifndef PITH_EVAL_KEPT_H
#define PITH_EVAL_KEPT_H

#include "base/ctx.h"

#include <jansson.h>

typedef struct Kept Kept;

/* Reads the file, which need not be there. E_IO, E_LIMIT above 1 GiB. */
MUST_USE Status kept_open(Ctx *cx, const char *path, Kept **out);
void kept_close(Kept *k);
/* Borrowed until kept_close; NULL: there is none. */
json_t *kept_find(const Kept *k, const char *key);
/* All of them, an object by key; borrowed likewise. */
json_t *kept_all(const Kept *k);
/* Keeps the object under key, on disk too; takes the reference, NULL is no memory. */
MUST_USE Status kept_add(Ctx *cx, Kept *k, const char *key, json_t *answer);

#endif
