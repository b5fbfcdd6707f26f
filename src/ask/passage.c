/* passage.c -- see passage.h. */
#include "ask/passage.h"

#include "base/offsets.h"

#include <ctype.h>
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

Span passage_source(const Chunk *k, Span s)
{
    Ctx cx = CTX_INIT;
    Offsets map;
    Span at = { k->start, k->end };
    if (k->map.n && offsets_unpack(&cx, k->map, k->start, &map) == OK)
        (void)offsets_find(&map, s.start, s.end, &at.start, &at.end);
    else if (k->end - k->start == k->text.n)
        at = (Span){ k->start + s.start, k->start + s.end };
    ctx_end(&cx);
    return at;
}

/* ---- sentences -------------------------------------------------------------------- */

bool passage_is_row(Str line)
{
    line = str_trim(line);
    return str_starts(line, STR("|")) || (line.n > 2 && memmem(line.p, line.n, " | ", 3));
}

/* A line that does not go on where the one before ended. */
static bool stands_alone(Str line)
{
    line = str_trim(line);
    if (passage_is_row(line)) return true;
    if (line.n > 1 && strchr("-*+", line.p[0]) && line.p[1] == ' ') return true;
    size_t digits = 0;
    while (digits < line.n && isdigit((unsigned char)line.p[digits])) digits++;
    if (digits && digits < 4 && line.n > digits + 1)
        return strchr(".)", line.p[digits]) && line.p[digits + 1] == ' ';
    return str_starts(line, STR("#"));
}

Str passage_text(Ctx *cx, const Passage *p)
{
    Str text = p->chunk.text;
    if (!p->kept) return text;
    char *out = ctx_alloc(cx, text.n + p->n_kept + 1, 1), *at = out;
    if (!out) return (Str){ NULL, 0 };
    for (size_t i = 0; i < p->n_kept; i++) {
        size_t n = p->kept[i].end - p->kept[i].start;
        Str next = { text.p + p->kept[i].start, n };
        if (i) *at++ = stands_alone(next) ? '\n' : ' ';
        memcpy(at, text.p + p->kept[i].start, n);
        at += n;
    }
    return (Str){ out, (size_t)(at - out) };
}

/* The end of the run of lines that begins at `at`: a row alone, or an item or a paragraph
 * with the lines that go on. */
static size_t run_end(Str text, size_t at)
{
    for (bool first = true; at < text.n; first = false) {
        const char *nl = memchr(text.p + at, '\n', text.n - at);
        size_t end = nl ? (size_t)(nl - text.p) + 1 : text.n;
        Str line = { text.p + at, end - at };
        if (!first && stands_alone(line)) return at;
        at = end;
        if (passage_is_row(line)) break;
    }
    return at;
}

Status passage_sentences(Ctx *cx, Words *w, Str text, Span **out, size_t *n)
{
    size_t cap = text.n / 2 + 1;
    *n = 0;
    TRY_NEW(*out = ctx_new(cx, Span, cap));
    for (size_t at = 0, end; at < text.n; at = end) {
        Span *span;
        size_t count;
        end = run_end(text, at);
        TRY(words_sentences(cx, w, (Str){ text.p + at, end - at }, &span, &count));
        for (size_t i = 0; i < count && *n < cap; i++)
            (*out)[(*n)++] = (Span){ at + span[i].start, at + span[i].end };
    }
    return OK;
}

void passages_speak(Words *w, const Passages *ps)
{
    size_t votes[LANGUAGES] = { 0 };
    Language most = LANGUAGE_EN;
    for (size_t i = 0; i < ps->n; i++) {
        Language l = words_language(w, ps->at[i].chunk.text);
        if (++votes[l] > votes[most] || i == 0) most = l;
    }
    words_speak(w, most);
}
