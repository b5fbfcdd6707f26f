/* collection.c -- see collection.h. */
#include "eval/collection.h"

#include "eval/lines.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line being read, and where it stands. */
typedef struct Line {
    Ctx *cx;
    const char *name;
    size_t at;
    json_t *object;
} Line;

static Status wrong(Line *l, const char *what)
{
    return fail(l->cx, E_FORMAT, "%s line %zu: %s", l->name, l->at, what);
}

static Status line_open(Line *l, Str text)
{
    json_error_t e;
    l->object = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &e);
    if (!l->object)
        return fail(l->cx, E_FORMAT, "%s line %zu, column %d: %s", l->name, l->at,
                    e.column, e.text);
    if (json_is_object(l->object)) return OK;
    json_decref(l->object);
    l->object = NULL;
    return wrong(l, "no JSON object");
}

static Status copy(Line *l, const json_t *v, Str *out)
{
    *out = ctx_dup(l->cx, (Str){ json_string_value(v), json_string_length(v) });
    return out->p ? OK : E_MEMORY;
}

/* The text of field; "" where it is absent or null. */
static Status field(Line *l, const char *key, Str *out)
{
    json_t *v = json_object_get(l->object, key);
    *out = (Str){ "", 0 };
    if (!v || json_is_null(v)) return OK;
    if (json_is_string(v)) return copy(l, v, out);
    return fail(l->cx, E_FORMAT, "%s line %zu: \"%s\" is no text", l->name, l->at, key);
}

static Status field_id(Line *l, Str *out)
{
    json_t *v = json_object_get(l->object, "id");
    if (!v) v = json_object_get(l->object, "_id");
    *out = (Str){ "", 0 };
    if (json_is_string(v)) return copy(l, v, out);
    if (!json_is_integer(v)) return OK;
    *out = ctx_printf(l->cx, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    return out->p ? OK : E_MEMORY;
}

/* ---- documents --------------------------------------------------------------------- */

static Status read_doc(Line *l, Doc *d)
{
    d->line = l->at;
    TRY(field_id(l, &d->id));
    TRY(field(l, "title", &d->title));
    TRY(field(l, "text", &d->text));
    if (d->id.n == 0) return wrong(l, "no \"id\"");
    return json_object_get(l->object, "text") ? OK : wrong(l, "no \"text\"");
}

static int by_id(const void *a, const void *b)
{
    const Doc *x = a, *y = b;
    int c = str_cmp(x->id, y->id);
    return c ? c : (x->line > y->line) - (x->line < y->line);
}

static Status sort_corpus(Ctx *cx, const char *name, Corpus *c)
{
    if (c->n == 0) return fail(cx, E_FORMAT, "%s holds no document", name);
    qsort(c->at, c->n, sizeof *c->at, by_id);
    for (size_t i = 1; i < c->n; i++)
        if (str_eq(c->at[i].id, c->at[i - 1].id))
            return fail(cx, E_FORMAT, "%s: document %.80s stands twice, in lines %zu and "
                        "%zu", name, c->at[i].id.p, c->at[i - 1].line, c->at[i].line);
    return OK;
}

Status corpus_parse(Ctx *cx, const char *name, Str text, Corpus *out)
{
    *out = (Corpus){ 0 };
    Corpus c = { ctx_new(cx, Doc, lines_count(text)), 0 };
    TRY_NEW(c.at);
    Line l = { cx, name, 0, NULL };
    for (Str line; lines_next(&text, &line); ) {
        l.at++;
        if (str_trim(line).n == 0) continue;
        TRY(line_open(&l, line));
        Status st = read_doc(&l, &c.at[c.n++]);
        json_decref(l.object);
        if (st != OK) return st;
    }
    TRY(sort_corpus(cx, name, &c));
    *out = c;
    return OK;
}

Status corpus_read(Ctx *cx, const char *path, Corpus *out)
{
    Str text;
    *out = (Corpus){ 0 };
    TRY(lines_read(cx, path, &text));
    return corpus_parse(cx, path, text, out);
}

static int by_name(const void *name, const void *doc)
{
    return str_cmp(*(const Str *)name, ((const Doc *)doc)->id);
}

const Doc *corpus_find(const Corpus *c, Str id)
{
    return c->n ? bsearch(&id, c->at, c->n, sizeof *c->at, by_name) : NULL;
}

bool document_is(Str uri, Str named)
{
    if (str_eq(uri, named)) return true;
    return uri.n > named.n && str_ends(uri, named) && uri.p[uri.n - named.n - 1] == '/';
}

size_t corpus_unknown(const Corpus *c, const Qrels *qrels)
{
    size_t n = 0;
    for (size_t i = 0; i < qrels->n; i++) n += corpus_find(c, qrels->at[i].doc) == NULL;
    return n;
}

/* ---- questions --------------------------------------------------------------------- */

/* "answers": a list of texts, or one text. */
static Status read_answers(Line *l, Question *q)
{
    json_t *v = json_object_get(l->object, "answers");
    if (!v || json_is_null(v)) return OK;
    bool one = json_is_string(v);
    size_t n = one ? 1 : json_array_size(v);
    if (!one && !json_is_array(v)) return wrong(l, "\"answers\" is no list");
    q->unanswerable = n == 0;
    q->answers = ctx_new(l->cx, Str, n);
    TRY_NEW(q->answers);
    for (size_t i = 0; i < n; i++) {
        json_t *a = one ? v : json_array_get(v, i);
        if (!json_is_string(a)) return wrong(l, "an answer is no text");
        TRY(copy(l, a, &q->answers[q->n_answers++]));
    }
    return OK;
}

static Status read_question(Line *l, Question *q)
{
    Str type;
    q->line = l->at;
    TRY(field_id(l, &q->id));
    TRY(field(l, "text", &q->text));
    if (q->text.n == 0) TRY(field(l, "question", &q->text));
    TRY(field(l, "document", &q->document));
    TRY(field(l, "type", &type));
    TRY(read_answers(l, q));
    if (str_trim(q->text).n == 0) return wrong(l, "no \"text\"");
    if (str_ieq(type, STR("no_answer")) || str_ieq(type, STR("unanswerable")))
        q->unanswerable = true;
    if (q->id.n == 0) q->id = ctx_printf(l->cx, "%zu", l->at);
    return q->id.p ? OK : E_MEMORY;
}

/* A question's name and where it stands. */
typedef struct Named {
    Str id;
    size_t line;
} Named;

static int by_name_and_line(const void *a, const void *b)
{
    const Named *x = a, *y = b;
    int c = str_cmp(x->id, y->id);
    return c ? c : (x->line > y->line) - (x->line < y->line);
}

static Status refuse_repeats(Ctx *cx, const char *name, const Questions *qs)
{
    if (qs->n == 0) return fail(cx, E_FORMAT, "%s holds no question", name);
    Named *p = ctx_new(cx, Named, qs->n);
    TRY_NEW(p);
    for (size_t i = 0; i < qs->n; i++) p[i] = (Named){ qs->at[i].id, qs->at[i].line };
    qsort(p, qs->n, sizeof *p, by_name_and_line);
    for (size_t i = 1; i < qs->n; i++)
        if (str_eq(p[i].id, p[i - 1].id))
            return fail(cx, E_FORMAT, "%s: question %.80s stands twice, in lines %zu and "
                        "%zu", name, p[i].id.p, p[i - 1].line, p[i].line);
    return OK;
}

Status questions_parse(Ctx *cx, const char *name, Str text, Questions *out)
{
    *out = (Questions){ 0 };
    Questions qs = { ctx_new(cx, Question, lines_count(text)), 0 };
    TRY_NEW(qs.at);
    Line l = { cx, name, 0, NULL };
    for (Str line; lines_next(&text, &line); ) {
        l.at++;
        if (str_trim(line).n == 0) continue;
        TRY(line_open(&l, line));
        Status st = read_question(&l, &qs.at[qs.n++]);
        json_decref(l.object);
        if (st != OK) return st;
    }
    TRY(refuse_repeats(cx, name, &qs));
    *out = qs;
    return OK;
}

Status questions_read(Ctx *cx, const char *path, Questions *out)
{
    Str text;
    *out = (Questions){ 0 };
    TRY(lines_read(cx, path, &text));
    return questions_parse(cx, path, text, out);
}
