/* acronyms.c -- a glossary proposed by the documents themselves: the abbreviations that
 * they explain, each with the meaning that most documents give it, where that stands
 * without its term in as many documents as with it, or more. For all others the term
 * itself finds what there is, and its meaning brings noise: on SciFact's claims .013
 * nDCG@10 by words. */
#include "api/alone.h"
#include "api/beside.h"
#include "api/glossary.h"
#include "api/texts.h"
#include "ask/acronym.h"
#include "base/file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDED = 256, FILE_MOST = 4 << 20 };

/* Terms by name; below each its meanings by fold, {"meaning","documents","times"}. */
typedef struct Found {
    json_t *terms;
} Found;

/* ---- counting ---------------------------------------------------------------------- */

/* White space squeezed; *fold as alone_fold does it, without the s of a plural, so that
 * ways to write one meaning are one. False: too long for a line. */
static bool squeeze(Str s, char shown[FOLDED], char fold[FOLDED])
{
    size_t n = 0;
    if (s.n >= FOLDED) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool space = c == ' ' || (c >= '\t' && c <= '\r');
        if (!space || (n > 0 && shown[n - 1] != ' ')) shown[n++] = space ? ' ' : c;
    }
    shown[n] = '\0';
    size_t folded = alone_fold(s, fold);
    if (folded > 1 && fold[folded - 1] == 's') fold[folded - 1] = '\0';
    return n > 0;
}

/* The object under the key, made where it is missing; NULL: no memory, or no UTF-8. */
static json_t *below(json_t *in, const char *key)
{
    json_t *there = json_object_get(in, key);
    if (!there && json_object_set_new(in, key, json_object()) == 0)
        there = json_object_get(in, key);
    return there;
}

static json_int_t count_of(const json_t *one, const char *what)
{
    return json_integer_value(json_object_get(one, what));
}

static Status count(Ctx *cx, const Found *f, size_t document, const Acronym *a)
{
    char shown[FOLDED], fold[FOLDED], term[FOLDED], unused[FOLDED];
    if (!squeeze(a->meaning, shown, fold) || !squeeze(a->term, term, unused)) return OK;
    json_t *one = below(below(f->terms, term), fold);
    if (!one) return fail(cx, E_MEMORY, "no memory for abbreviations");
    json_int_t last = count_of(one, "last"), here = (json_int_t)document + 1;
    if (!json_object_get(one, "meaning"))
        json_object_set_new(one, "meaning", json_string(shown));
    json_object_set_new(one, "times", json_integer(count_of(one, "times") + 1));
    json_object_set_new(one, "documents",
                        json_integer(count_of(one, "documents") + (last != here)));
    json_object_set_new(one, "last", json_integer(here));
    return OK;
}

static Status look(Ctx *cx, void *arg, size_t document, Str text)
{
    size_t at = 0;
    for (Acronym a; acronym_next(text, &at, &a);) TRY(count(cx, arg, document, &a));
    return OK;
}

/* ---- choosing ---------------------------------------------------------------------- */

static int by_weight(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    json_int_t d = count_of(y, "documents") - count_of(x, "documents");
    json_int_t t = count_of(y, "times") - count_of(x, "times");
    if (d || t) return d ? (d > 0) - (d < 0) : (t > 0) - (t < 0);
    return strcmp(json_string_value(json_object_get(x, "term")),
                  json_string_value(json_object_get(y, "term")));
}

/* The meaning of most documents, then of most places, then the first one found. */
static json_t *best_of(json_t *meanings, const char **fold)
{
    const char *key;
    json_t *one, *best = NULL;
    json_object_foreach(meanings, key, one) {
        json_int_t d = count_of(one, "documents") - count_of(best, "documents");
        json_int_t t = count_of(one, "times") - count_of(best, "times");
        if (best && d <= 0 && (d < 0 || t <= 0)) continue;
        best = one;
        *fold = key;
    }
    return best;
}

static bool is_known(const Glossary *g, const char *term)
{
    for (size_t i = 0; i < g->n; i++)
        if (str_eq(g->at[i].term, str_z(term))) return true;
    return false;
}

typedef struct Choice {
    json_t **best;
    Alone *alone;
    size_t n, known;        // those of a glossary are counted alone
} Choice;

/* Those that no glossary has. */
static Status choose(Ctx *cx, const Found *f, const Glossary *g, Choice *out)
{
    size_t all = json_object_size(f->terms);
    const char *term;
    json_t *meanings;
    *out = (Choice){ ctx_new(cx, json_t *, all), ctx_new(cx, Alone, all), 0, 0 };
    if (!out->best || !out->alone) return E_MEMORY;
    json_object_foreach(f->terms, term, meanings) {
        Alone *a = &out->alone[out->n];
        if (is_known(g, term)) {
            out->known++;
            continue;
        }
        a->term = term;
        out->best[out->n] = best_of(meanings, &a->fold);
        json_object_del(out->best[out->n], "last");
        json_object_set_new(out->best[out->n++], "term", json_string(term));
    }
    return OK;
}

/* Those that need to be told, those of most documents first. */
static void pass_on(Choice *c, json_t *to)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->alone[i].without > 0 && c->alone[i].without >= c->alone[i].with)
            c->best[n++] = c->best[i];
    if (n) qsort(c->best, n, sizeof(json_t *), by_weight);
    for (size_t i = 0; i < n; i++) json_array_append(to, c->best[i]);
}

/* ---- the file ---------------------------------------------------------------------- */

static Status append(Ctx *cx, const char *path, const json_t *entries)
{
    Buf b = BUF(FILE_MOST);
    Str old = { "", 0 };
    size_t i;
    const json_t *e;
    Status st = file_read(cx, path, FILE_MOST, &old);
    if (st == E_NOTFOUND) ctx_forgive(cx);
    else TRY(st);
    buf_add(&b, old);
    if (old.n && old.p[old.n - 1] != '\n') buf_add(&b, STR("\n"));
    json_array_foreach(entries, i, e)
        buf_addf(&b, "%s = %s\n", json_string_value(json_object_get(e, "term")),
                 json_string_value(json_object_get(e, "meaning")));
    st = b.failed ? fail(cx, E_LIMIT, "%s would pass %d bytes", path, FILE_MOST)
                  : file_write(cx, path, buf_str(&b));
    buf_free(&b);
    return st;
}

static Status propose(Ctx *cx, pith *p, int write, json_t *to)
{
    Store *s;
    Glossary g;
    Choice c = { 0 };
    Found f = { json_object() };
    json_t *entries = json_array();
    Str path = { 0 };
    Status st = f.terms && entries ? OK : fail(cx, E_MEMORY, "no memory");
    if (st == OK)
        st = (write ? beside_writable : beside_path)(cx, p, BESIDE_GLOSSARY, &path);
    if (st == OK) st = glossary_read(cx, p, &g);
    if (st == OK) st = handle_store(cx, p, false, &s);
    if (st == OK) st = texts_each(cx, s, look, &f);
    if (st == OK) st = choose(cx, &f, &g, &c);
    if (st == OK) st = alone_count(cx, s, c.alone, c.n);
    if (st == OK) pass_on(&c, entries);
    size_t n = json_array_size(entries);
    if (st == OK && write && n) st = append(cx, path.p, entries);
    json_object_set_new(to, "known", json_integer((json_int_t)c.known));
    json_object_set_new(to, "written", json_integer(write ? (json_int_t)n : 0));
    json_object_set_new(to, "file", json_string(path.p));
    json_object_set_new(to, "entries", entries);
    json_decref(f.terms);
    return st;
}

int pith_glossary(pith *p, int write, char **json, pith_error *why)
{
    Ctx cx;
    *json = NULL;
    call_begin(p, &cx);
    json_t *j = json_object();
    Status st = propose(&cx, p, write, j);
    if (st == OK && !(*json = json_dumps(j, JSON_COMPACT)))
        st = fail(&cx, E_MEMORY, "out of memory for JSON");
    json_decref(j);
    return call_end(p, &cx, st, false, why);
}
