/* passage.c -- see passage.h. */
#include "ask/passage.h"

#include <stdlib.h>

static int by_score(const void *a, const void *b)
{
    const Passage *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    int c = str_cmp(x->chunk.uri, y->chunk.uri);
    if (c) return c;
    return (x->chunk.start > y->chunk.start) - (x->chunk.start < y->chunk.start);
}

void passages_sort(Passage *p, size_t n)
{
    if (n > 1) qsort(p, n, sizeof *p, by_score);
}

Str passage_place(Ctx *cx, const Chunk *c)
{
    const char *between = c->title.n && c->section.n ? " > " : "";
    return ctx_printf(cx, "%.*s%s%.*s", (int)c->title.n, c->title.p, between,
                      (int)c->section.n, c->section.p);
}
