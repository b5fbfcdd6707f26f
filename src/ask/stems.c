/* stems.c -- see stems.h. */
#include "ask/stems.h"

#include <stdlib.h>

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static Status read_words(Ctx *cx, Words *w, Str text, bool content, Stems *out)
{
    size_t room = text.n + 1;   // words in overlapping pairs are of three bytes each
    *out = (Stems){ 0 };
    TRY_NEW(out->at = ctx_new(cx, uint64_t, room));
    TRY(words_begin(cx, w, text));
    for (Word x; out->n < room && words_next(w, &x);)
        if (!content || !x.stop) out->at[out->n++] = str_hash(x.stem);
    return words_end(cx, w);
}

Status stems_in_order(Ctx *cx, Words *w, Str text, Stems *out)
{
    return read_words(cx, w, text, false, out);
}

Status stems_sorted(Ctx *cx, Words *w, Str text, Stems *out)
{
    TRY(read_words(cx, w, text, false, out));
    qsort(out->at, out->n, sizeof *out->at, by_hash);
    return OK;
}

Status stems_content(Ctx *cx, Words *w, Str text, Stems *out)
{
    size_t n = 0;
    TRY(read_words(cx, w, text, true, out));
    qsort(out->at, out->n, sizeof *out->at, by_hash);
    for (size_t i = 0; i < out->n; i++)
        if (i == 0 || out->at[i] != out->at[i - 1]) out->at[n++] = out->at[i];
    out->n = n;
    return OK;
}

bool stems_have(const Stems *s, uint64_t stem)
{
    return s->n && bsearch(&stem, s->at, s->n, sizeof *s->at, by_hash) != NULL;
}

float stems_share(const Stems *a, const Stems *b)
{
    size_t said = 0;
    for (size_t i = 0; i < a->n; i++) said += stems_have(b, a->at[i]);
    return a->n ? (float)said / (float)a->n : 0;
}
