/* parts.c -- see parts.h. */
#include "parse/parts.h"

#include <string.h>

Status parts_add(Ctx *cx, Parsed *out, const Part *p)
{
    TRY(ctx_grow(cx, &out->at, out->n, &out->room, sizeof *out->at));
    out->at[out->n++] = *p;
    return OK;
}

size_t mark_length(Str s)
{
    return str_starts(s, STR("\xEF\xBB\xBF")) ? 3 : 0;
}

Str line_at(Str s, size_t at, size_t *next)
{
    const char *from = s.p + at;
    const char *lf = s.n > at ? memchr(from, '\n', s.n - at) : NULL;
    size_t n = lf ? (size_t)(lf - from) : s.n - at;
    *next = lf ? at + n + 1 : s.n;
    if (n > 0 && from[n - 1] == '\r') n--;
    return (Str){ from, n };
}
