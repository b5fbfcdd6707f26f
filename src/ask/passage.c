/* passage.c -- see passage.h. */
#include "ask/passage.h"

#include <stdlib.h>
#include <string.h>

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

Str passage_text(Ctx *cx, const Passage *p)
{
    Str text = p->chunk.text;
    if (!p->kept) return text;
    char *out = ctx_alloc(cx, text.n + p->n_kept + 1, 1), *at = out;
    if (!out) return (Str){ NULL, 0 };
    for (size_t i = 0; i < p->n_kept; i++) {
        size_t n = p->kept[i].end - p->kept[i].start;
        if (i) *at++ = ' ';
        memcpy(at, text.p + p->kept[i].start, n);
        at += n;
    }
    return (Str){ out, (size_t)(at - out) };
}
