/* alone.c -- see alone.h. Meanings are found by their first word. */
#include "api/alone.h"

#include "api/texts.h"
#include "base/ascii.h"

#include <string.h>

enum { WORD = 64 };

typedef struct Index {
    Alone *at;
    json_t *terms;      // term to its place in at
    json_t *first;      // first word of a meaning to the places of those that begin so
} Index;

size_t alone_fold(Str text, char *to)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool space = is_space(c) || c == '-';
        if (space && (n == 0 || to[n - 1] == ' ')) continue;
        to[n++] = space ? ' ' : to_lower(c);
    }
    to[n] = '\0';
    return n;
}

/* ---- the index --------------------------------------------------------------------- */

/* The word at p, up to a character that none has; "" where it is too long. */
static size_t word_at(const char *p, size_t n, char word[WORD])
{
    size_t w = 0;
    while (w < n && !str_one_of(p[w], " \t\n\v\f\r,;:()[]\"'")) w++;
    size_t kept = w < WORD ? w : 0;
    memcpy(word, p, kept);
    word[kept] = '\0';
    return w;
}

static Status build(Ctx *cx, Index *x, size_t n)
{
    char word[WORD];
    x->terms = json_object();
    x->first = json_object();
    int bad = !x->terms || !x->first;
    for (size_t i = 0; i < n && !bad; i++) {
        word_at(x->at[i].fold, strlen(x->at[i].fold), word);
        json_t *list = json_object_get(x->first, word);
        if (!list) bad |= json_object_set_new(x->first, word, list = json_array());
        bad |= json_array_append_new(list, json_integer((json_int_t)i));
        bad |= json_object_set_new(x->terms, x->at[i].term, json_integer((json_int_t)i));
    }
    return bad ? fail(cx, E_MEMORY, "no memory for abbreviations") : OK;
}

/* ---- looking ----------------------------------------------------------------------- */

static void close_document(Alone *a)
{
    if (a->seen) ++*(a->both ? &a->with : &a->without);
    a->seen = 0;
}

static void meaning_seen(Alone *a, size_t document)
{
    if (a->seen == document) return;
    close_document(a);
    a->seen = document;
    a->both = a->term_seen == document;
}

static void term_seen(const Index *x, const char *word, size_t document)
{
    const json_t *place = json_object_get(x->terms, word);
    if (!place) return;
    Alone *a = &x->at[json_integer_value(place)];
    a->term_seen = document;
    if (a->seen == document) a->both = true;
}

static void look_for_terms(const Index *x, Str text, size_t document)
{
    char word[WORD];
    for (size_t i = 0; i < text.n; i++) {
        size_t n = word_at(text.p + i, text.n - i, word), kept = strlen(word);
        while (kept > 1 && str_one_of(word[kept - 1], ".!?")) word[--kept] = '\0';
        term_seen(x, word, document);
        if (kept > 1 && word[kept - 1] == 's') word[kept - 1] = '\0';
        term_seen(x, word, document);
        i += n;
    }
}

static void look_for_meanings(const Index *x, Str fold, size_t document)
{
    char word[WORD];
    size_t k;
    const json_t *place;
    for (size_t i = 0; i < fold.n; i++) {
        size_t n = word_at(fold.p + i, fold.n - i, word);
        json_array_foreach(json_object_get(x->first, word), k, place) {
            Alone *a = &x->at[json_integer_value(place)];
            if (strncmp(fold.p + i, a->fold, strlen(a->fold)) == 0)
                meaning_seen(a, document);
        }
        i += n;
    }
}

static Status look(Ctx *cx, void *arg, size_t document, Str text)
{
    char *fold = ctx_alloc(cx, text.n + 1, 1);
    TRY_NEW(fold);
    size_t n = alone_fold(text, fold);
    look_for_terms(arg, text, document + 1);
    look_for_meanings(arg, (Str){ fold, n }, document + 1);
    return OK;
}

Status alone_count(Ctx *cx, Store *s, Alone *at, size_t n)
{
    Index x = { .at = at };
    Status st = build(cx, &x, n);
    if (st == OK) st = texts_each(cx, s, look, &x);
    for (size_t i = 0; i < n; i++) close_document(&at[i]);
    json_decref(x.terms);
    json_decref(x.first);
    return st;
}
