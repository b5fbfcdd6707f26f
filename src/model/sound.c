/* sound.c -- see sound.h. */
#include "model/sound.h"

#include <string.h>

/* Where the first character behind U+10FFFF begins: its first byte is above F4, or it is
 * F4 with one above 8F behind it. s.n: there is none. */
static size_t first_bad(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0xF4) continue;
        unsigned char next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
        if (c > 0xF4 || next > 0x8F) return i;
    }
    return s.n;
}

Status sound_text(Ctx *cx, Str in, Str *out)
{
    size_t at = first_bad(in);
    *out = in;
    if (at == in.n) return OK;
    Str copy = ctx_dup(cx, in);
    TRY_NEW(copy.p);
    char *to = (char *)(uintptr_t)copy.p;       // the arena's, not yet another's
    for (; at < in.n; at += 1 + first_bad((Str){ in.p + at + 1, in.n - at - 1 }))
        to[at] = ' ';
    *out = copy;
    return OK;
}

Status sound_texts(Ctx *cx, const Str *in, size_t n, const Str **out)
{
    size_t i = 0;
    *out = in;
    while (i < n && first_bad(in[i]) == in[i].n) i++;
    if (i == n) return OK;
    Str *all = ctx_new(cx, Str, n);
    TRY_NEW(all);
    for (i = 0; i < n; i++) TRY(sound_text(cx, in[i], &all[i]));
    *out = all;
    return OK;
}

Status sound_messages(Ctx *cx, const Message *in, size_t n, const Message **out)
{
    size_t i = 0;
    *out = in;
    while (i < n && first_bad(in[i].content) == in[i].content.n) i++;
    if (i == n) return OK;
    Message *all = ctx_new(cx, Message, n);
    TRY_NEW(all);
    for (i = 0; i < n; i++) {
        all[i].role = in[i].role;
        TRY(sound_text(cx, in[i].content, &all[i].content));
    }
    *out = all;
    return OK;
}
