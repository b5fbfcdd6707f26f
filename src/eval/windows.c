/* windows.c -- see windows.h. */
#include "eval/windows.h"

#include "base/ascii.h"

#include <string.h>

static bool inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;   // UTF-8's second to fourth bytes
}

/* A place at or before `at` that cuts no word, or at least no character. */
static size_t cut(Str s, size_t from, size_t at)
{
    if (at >= s.n) return s.n;
    for (size_t i = at; i > from + WINDOW_BYTES / 2; i--)
        if (is_space(s.p[i])) return i;
    while (at > from + 1 && inside_character(s.p[at])) at--;
    return at;
}

Status windows_of(Ctx *cx, const Doc *d, Windows *out)
{
    size_t max = d->text.n / (WINDOW_BYTES / 2 - WINDOW_OVERLAP) + 1;
    *out = (Windows){ ctx_new(cx, const char *, max), 0 };
    TRY_NEW(out->at);
    for (size_t from = 0, end; ; ) {
        end = cut(d->text, from, from + WINDOW_BYTES);
        Str piece = { d->text.p + from, end - from };
        Str w = d->title.n ? ctx_printf(cx, "%s. %.*s", d->title.p, (int)piece.n, piece.p)
                           : ctx_dup(cx, piece);
        TRY_NEW(out->at[out->n++] = w.p);
        if (end == d->text.n) return OK;
        from = end - WINDOW_OVERLAP;
        while (inside_character(d->text.p[from])) from++;
    }
}
