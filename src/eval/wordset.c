/* wordset.c -- see wordset.h. */
#include "eval/wordset.h"

#include <stdlib.h>

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

Status wordset_of(Ctx *cx, Words *w, Str text, WordSet *out)
{
    Word word;
    size_t n = 0;
    *out = (WordSet){ ctx_new(cx, Str, text.n / 2 + 1), 0 };
    TRY_NEW(out->at);
    TRY(words_begin(cx, w, text));
    while (words_next(w, &word)) {
        if (word.stop || n > text.n / 2) continue;
        out->at[n] = ctx_dup(cx, word.stem);
        TRY_NEW(out->at[n++].p);
    }
    TRY(words_end(cx, w));
    if (n) qsort(out->at, n, sizeof *out->at, by_bytes);
    for (size_t i = 0; i < n; i++)
        if (out->n == 0 || !str_eq(out->at[out->n - 1], out->at[i]))
            out->at[out->n++] = out->at[i];
    return OK;
}

double wordset_share(const WordSet *a, const WordSet *b)
{
    size_t both = 0;
    for (size_t i = 0; i < a->n; i++)
        both += b->n && bsearch(&a->at[i], b->at, b->n, sizeof *b->at, by_bytes);
    return a->n ? (double)both / (double)a->n : 1;
}

Str wordset_key(Ctx *cx, const WordSet *s)
{
    size_t bytes = s->n + 1, used = 0;
    for (size_t i = 0; i < s->n; i++) bytes += s->at[i].n;
    char *to = ctx_alloc(cx, bytes, 1);
    if (!to) return (Str){ NULL, 0 };
    for (size_t i = 0; i < s->n; i++) {
        if (used) to[used++] = ' ';
        for (size_t b = 0; b < s->at[i].n; b++) to[used++] = s->at[i].p[b];
    }
    return (Str){ to, used };
}
