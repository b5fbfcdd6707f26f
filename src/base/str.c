/* str.c -- see str.h. */
#include "base/str.h"

#include "base/ascii.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Str str_z(const char *z)
{
    return z ? (Str){ z, strlen(z) } : (Str){ "", 0 };
}

bool str_eq(Str a, Str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_ieq(Str a, Str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (to_lower(a.p[i]) != to_lower(b.p[i])) return false;
    return true;
}

bool str_starts(Str s, Str prefix)
{
    return s.n >= prefix.n && str_eq((Str){ s.p, prefix.n }, prefix);
}

bool str_ends(Str s, Str suffix)
{
    return s.n >= suffix.n && str_eq((Str){ s.p + s.n - suffix.n, suffix.n }, suffix);
}

Str str_trim(Str s)
{
    while (s.n > 0 && is_space(s.p[0])) s.p++, s.n--;
    while (s.n > 0 && is_space(s.p[s.n - 1])) s.n--;
    return s;
}

bool str_one_of(char c, const char *set) { return c && strchr(set, c); }

int str_cmp(Str a, Str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

uint64_t str_hash(Str s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return h;
}

/* Makes room for n more bytes and the NUL; false when the buffer has failed. */
static bool reserve(Buf *b, size_t n)
{
    if (b->failed) return false;
    if (n > b->max - b->n) return b->failed = true, false;   // n <= max always holds
    size_t need = b->n + n + 1;
    if (need <= b->cap) return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need) cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    char *p = realloc(b->p, cap);
    if (!p) return b->failed = b->starved = true, false;
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_add(Buf *b, Str s)
{
    if (!reserve(b, s.n)) return;
    if (s.n) memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    b->p[b->n] = '\0';
}

void buf_addv(Buf *b, const char *format, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0) b->failed = true;
    if (n < 0 || !reserve(b, (size_t)n)) return;
    vsnprintf(b->p + b->n, (size_t)n + 1, format, ap);
    b->n += (size_t)n;
}

void buf_addf(Buf *b, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    buf_addv(b, format, ap);
    va_end(ap);
}

void buf_free(Buf *b)
{
    free(b->p);
    *b = BUF(b->max);
}

Str buf_str(const Buf *b)
{
    return b->p ? (Str){ b->p, b->n } : (Str){ "", 0 };
}
