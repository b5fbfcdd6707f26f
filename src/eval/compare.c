/* compare.c -- is the difference between two evaluations more than chance? And which
 * questions make it: those of the largest difference, either way, with what was asked and
 * answered, as far as the files tell. */
#include "eval/verbs.h"

#include <stdlib.h>
#include <string.h>

/* A question's figures in both. */
typedef struct Change {
    size_t a, b;        // rows
    double from, to;
} Change;

static int largest_gain_first(const void *x, const void *y)
{
    const Change *a = x, *b = y;
    double g = a->to - a->from, h = b->to - b->from;
    if (g != h) return (g < h) - (g > h);
    return (a->a > b->a) - (a->a < b->a);
}

/* The column's place; of --by, or else the first that both have. */
static Status column_of(const Job *j, const Table *a, const Table *b, size_t *in_a,
                        size_t *in_b)
{
    const char *by = j->opt->by;
    for (*in_a = 0; *in_a < a->width; ++*in_a) {
        if (by && strcmp(by, a->column[*in_a]) != 0) continue;
        for (*in_b = 0; *in_b < b->width; ++*in_b)
            if (strcmp(a->column[*in_a], b->column[*in_b]) == 0) return OK;
    }
    return fail(j->cx, E_FORMAT, "--by %s: no such column in both; the first has %s and "
                "%zu more", by ? by : "", a->column[0], a->width - 1);
}

static void add_text(json_t *to, const char *name, Str text)
{
    if (text.n) json_object_set_new(to, name, json_stringn(text.p, text.n));
}

static json_t *change_json(const Table *a, const Table *b, const Change *c)
{
    json_t *texts = json_object();
    add_text(texts, "question", a->question[c->a]);
    add_text(texts, "a", a->answer[c->a]);
    add_text(texts, "b", b->answer[c->b]);
    return json_pack("{ss% sf sf so}", "query", a->id[c->a].p, a->id[c->a].n, "a",
                     c->from, "b", c->to, "texts", texts);
}

/* At most n changes from the front, or from the back, as long as they are changes. */
static json_t *examples(const Table *a, const Table *b, const Change *c, size_t all,
                        size_t n, bool gains)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n && i < all; i++) {
        const Change *now = gains ? &c[i] : &c[all - 1 - i];
        if (gains ? now->to <= now->from : now->to >= now->from) break;
        json_array_append_new(out, change_json(a, b, now));
    }
    return out;
}

static Status show_examples(const Job *j, const Table *a, const Table *b)
{
    size_t in_a = 0, in_b = 0, n = (size_t)j->opt->examples;
    Pairs p;
    TRY(column_of(j, a, b, &in_a, &in_b));
    TRY(table_pairs(j->cx, a, b, &p));
    Change *c = ctx_new(j->cx, Change, p.n);
    TRY_NEW(c);
    for (size_t i = 0; i < p.n; i++)
        c[i] = (Change){ p.a[i], p.b[i], a->at[p.a[i] * a->width + in_a],
                         b->at[p.b[i] * b->width + in_b] };
    qsort(c, p.n, sizeof *c, largest_gain_first);
    json_object_set_new(j->result, "by", json_string(a->column[in_a]));
    json_object_set_new(j->result, "gained", examples(a, b, c, p.n, n, true));
    json_object_set_new(j->result, "lost", examples(a, b, c, p.n, n, false));
    return OK;
}

Status eval_compare(const Job *j)
{
    Table a, b;
    size_t n;
    json_t *figures = json_object();
    if (!figures || json_object_set_new(j->result, "figures", figures) != 0)
        return fail(j->cx, E_MEMORY, "no memory for the comparison");
    TRY(table_read(j->cx, j->opt->operand[0], &a));
    TRY(table_read(j->cx, j->opt->operand[1], &b));
    TRY(table_compare(j->cx, &a, &b, figures, &n));
    job_count(j, "queries", n);
    if (n < a.n || n < b.n)
        job_warn(j, "%zu questions are in both; %zu and %zu are in one only", n, a.n - n,
                 b.n - n);
    return j->opt->examples ? show_examples(j, &a, &b) : OK;
}
