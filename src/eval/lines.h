/* lines.h -- text files, line by line. */
#ifndef PITH_EVAL_LINES_H
#define PITH_EVAL_LINES_H

#include "base/ctx.h"

/* A file as text in cx's arena, without a byte order mark. E_NOTFOUND, E_IO; E_LIMIT
 * above 8 GiB. */
MUST_USE Status lines_read(Ctx *cx, const char *path, Str *out);
/* Cuts the next line, without its end, off *text; false when none is left. */
bool lines_next(Str *text, Str *line);
/* Lines that hold more than white space. */
size_t lines_count(Str text);

#endif
