/* lines.c -- see lines.h. */
#include "eval/lines.h"

#include "base/file.h"

#include <string.h>

static const size_t BYTES_MAX = (size_t)8 << 30;

Status lines_read(Ctx *cx, const char *path, Str *out)
{
    const Str mark = STR("\xef\xbb\xbf");
    *out = (Str){ "", 0 };
    TRY(file_read(cx, path, BYTES_MAX, out));
    if (str_starts(*out, mark)) *out = (Str){ out->p + mark.n, out->n - mark.n };
    return OK;
}

bool lines_next(Str *text, Str *line)
{
    if (text->n == 0) return false;
    const char *end = memchr(text->p, '\n', text->n);
    size_t n = end ? (size_t)(end - text->p) : text->n, eaten = end ? n + 1 : n;
    *line = (Str){ text->p, n };
    *text = (Str){ text->p + eaten, text->n - eaten };
    return true;
}

size_t lines_count(Str text)
{
    size_t n = 0;
    for (Str line; lines_next(&text, &line); ) n += str_trim(line).n > 0;
    return n;
}
