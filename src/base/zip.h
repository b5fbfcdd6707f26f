/* zip.h -- one member out of a zip file, such as a Python wheel. */
#ifndef PITH_BASE_ZIP_H
#define PITH_BASE_ZIP_H

#include "base/ctx.h"

/* Writes the member of that name to path, replacing what is there; path is not flushed.
 * E_NOTFOUND: no such member. E_FORMAT: not a zip, or damaged. E_LIMIT: more than max
 * bytes unpacked. E_IO. E_CANCELLED. On an error path may hold a part. */
MUST_USE Status zip_extract(Ctx *cx, const char *zip, const char *member, uint64_t max,
                            const char *path);

#endif
