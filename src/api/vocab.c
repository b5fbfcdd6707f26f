/* vocab.c -- how the tokenizers of this handle break the words of its documents.
 *
 * Each distinct word is split once, with a space before it as in a text, and weighs as
 * often as it stands there. A run of Han, Kana or Hangul counts as its pairs. */
#include "api/handle.h"
#include "api/texts.h"
#include "base/words.h"
#include "model/model.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DISTINCT_MAX = 1 << 20, WORST = 20, WORST_PIECES = 3, WORST_TIMES = 2 };

typedef struct Term {
    Str word;
    uint64_t hash;
    int64_t times;
    int tokens, unknown;    // by the model in work
} Term;

typedef struct Vocabulary {
    Ctx memory;             // of words
    Term *at;               // (cap), open addressing
    size_t cap, n;
    int64_t words;          // of all texts
    int64_t left_out;       // of them, words beyond DISTINCT_MAX
} Vocabulary;

/* ---- the words of the store ------------------------------------------------------- */

static Term *slot(const Vocabulary *v, Str word, uint64_t hash)
{
    size_t i = hash & (v->cap - 1);
    while (v->at[i].word.p && !(v->at[i].hash == hash && str_eq(v->at[i].word, word)))
        i = (i + 1) & (v->cap - 1);
    return &v->at[i];
}

static Status grow(Ctx *cx, Vocabulary *v)
{
    Vocabulary old = *v;
    v->cap = old.cap ? 2 * old.cap : 4096;
    v->at = calloc(v->cap, sizeof *v->at);
    if (!v->at) {
        *v = old;
        return fail(cx, E_MEMORY, "no memory for %zu words", 2 * old.n);
    }
    for (size_t i = 0; i < old.cap; i++)
        if (old.at[i].word.p) *slot(v, old.at[i].word, old.at[i].hash) = old.at[i];
    free(old.at);
    return OK;
}

static Status count_word(Ctx *cx, Vocabulary *v, Str word)
{
    uint64_t hash = str_hash(word);
    if (2 * v->n >= v->cap) TRY(grow(cx, v));
    Term *t = slot(v, word, hash);
    v->words++;
    if (!t->word.p && v->n == DISTINCT_MAX) return v->left_out++, OK;
    if (!t->word.p) {
        Str copy = ctx_dup(&v->memory, word);
        if (!copy.p) return fail(cx, E_MEMORY, "no memory for %zu words", v->n);
        *t = (Term){ .word = copy, .hash = hash };
        v->n++;
    }
    t->times++;
    return OK;
}

/* An identifier counts whole, not in its parts. */
static Status count_text(Ctx *cx, Words *w, Str text, Vocabulary *v)
{
    size_t end = 0, start = 0;
    TRY(words_begin(cx, w, text));
    for (Word x; words_next(w, &x);) {
        bool part = x.end <= end && x.start >= start;
        if (part) continue;
        start = x.start;
        end = x.end;
        TRY(count_word(cx, v, (Str){ text.p + x.start, x.end - x.start }));
    }
    return words_end(cx, w);
}

typedef struct Counting {
    Words *words;
    Vocabulary *to;
} Counting;

static Status count_chunk(Ctx *cx, void *arg, size_t document, Str text)
{
    const Counting *c = arg;
    (void)document;
    return count_text(cx, c->words, text, c->to);
}

/* ---- one model -------------------------------------------------------------------- */

/* The more pieces in all texts, the worse. */
static int by_cost(const void *a, const void *b)
{
    const Term *x = *(Term *const *)a, *y = *(Term *const *)b;
    int64_t p = x->times * x->tokens, q = y->times * y->tokens;
    return p != q ? (p < q ? 1 : -1) : str_cmp(x->word, y->word);
}

static json_t *worst_json(Ctx *cx, const Vocabulary *v)
{
    Term **at = ctx_new(cx, Term *, v->n);
    json_t *all = json_array();
    size_t n = 0;
    for (size_t i = 0; at && i < v->cap; i++) {
        Term *t = &v->at[i];
        bool term = t->word.p && (*t->word.p < '0' || *t->word.p > '9');
        if (term && t->tokens >= WORST_PIECES && t->times >= WORST_TIMES) at[n++] = t;
    }
    if (n) qsort(at, n, sizeof(Term *), by_cost);
    for (size_t i = 0; i < n && i < WORST; i++)
        json_array_append_new(all, json_pack("{ss% sI si}", "word", at[i]->word.p,
                              at[i]->word.n, "count", (json_int_t)at[i]->times, "tokens",
                              at[i]->tokens));
    return all;
}

static Status split_all(Ctx *cx, Model *m, Vocabulary *v)
{
    Buf spaced = BUF(1 << 20);
    Status st = OK;
    for (size_t i = 0; i < v->cap && st == OK; i++) {
        Term *t = &v->at[i];
        if (!t->word.p) continue;
        spaced.n = 0;
        buf_add(&spaced, STR(" "));
        buf_add(&spaced, t->word);
        if (spaced.failed) st = fail(cx, E_MEMORY, "no memory for a word");
        if (st == OK) st = model_count(cx, m, buf_str(&spaced), &t->tokens);
        if (st == OK) st = model_unknown(cx, m, buf_str(&spaced), &t->unknown);
        if (st == OK && i % 1024 == 0) st = ctx_check(cx);
    }
    buf_free(&spaced);
    return st;
}

static json_t *figures(Ctx *cx, Role r, Model *m, const Vocabulary *v)
{
    int64_t tokens = 0, over_2 = 0, over_4 = 0, unknown = 0, words = 0;
    bool tells = true;
    for (size_t i = 0; i < v->cap; i++) {
        const Term *t = &v->at[i];
        if (!t->word.p) continue;
        words += t->times;
        tokens += t->times * t->tokens;
        over_2 += t->tokens > 2 ? t->times : 0;
        over_4 += t->tokens > 4 ? t->times : 0;
        unknown += t->unknown > 0 ? t->times : 0;
        tells &= t->unknown >= 0;
    }
    double n = words ? (double)words : 1;
    Str name = model_info(m)->name;
    json_t *j = json_pack("{ss ss% sI sf sf sf so}", "role", role_name(r), "name", name.p,
                          name.n, "tokens", (json_int_t)tokens, "tokens_per_word",
                          (double)tokens / n, "over_2", (double)over_2 / n, "over_4",
                          (double)over_4 / n, "worst", worst_json(cx, v));
    if (j) json_object_set_new(j, "unknown", tells ? json_real((double)unknown / n)
                                                   : json_null());
    return j;
}

/* Appends what the model of role r does with the words; nothing where it is not here. */
static Status add_model(Ctx *cx, pith *p, Role r, Vocabulary *v, json_t *models)
{
    Str name, path;
    Model *m;
    ModelOptions words = { .words_only = true };
    if (handle_model_path(cx, p, r, &name, &path) != OK) return ctx_forgive(cx), OK;
    TRY(model_open(cx, path.p, r == ROLE_GENERATOR ? &words : NULL, &m));
    Status st = split_all(cx, m, v);
    if (st == OK) json_array_append_new(models, figures(cx, r, m, v));
    model_close(m);
    return st;
}

static Status vocabulary(Ctx *cx, pith *p, Vocabulary *v, json_t *models, char **json)
{
    Store *s;
    Words *w;
    TRY(handle_store(cx, p, false, &s));
    TRY(words_open(cx, &w));
    Status st = texts_each(cx, s, count_chunk, &(Counting){ w, v });
    words_close(w);
    TRY(st);
    TRY(add_model(cx, p, ROLE_GENERATOR, v, models));
    TRY(add_model(cx, p, ROLE_EMBEDDER, v, models));
    if (json_array_size(models) == 0)
        return fail(cx, E_MODEL, "neither generator nor embedder is here: `pith model "
                    "pull` fetches them");
    json_t *j = json_pack("{sI sI sI sO}", "words", (json_int_t)v->words, "distinct",
                          (json_int_t)v->n, "left_out", (json_int_t)v->left_out,
                          "models", models);
    *json = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(j);
    return *json ? OK : fail(cx, E_MEMORY, "out of memory for JSON");
}

int pith_vocab(pith *p, char **json, pith_error *why)
{
    Ctx cx;
    Vocabulary v = { 0 };
    *json = NULL;
    call_begin(p, &cx);
    json_t *models = json_array();
    Status st = vocabulary(&cx, p, &v, models, json);
    json_decref(models);
    free(v.at);
    ctx_end(&v.memory);
    return call_end(p, &cx, st, false, why);
}
