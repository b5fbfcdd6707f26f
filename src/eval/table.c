/* table.c -- see table.h. */
#include "eval/table.h"

#include "base/file.h"
#include "eval/lines.h"
#include "eval/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Status table_new(Ctx *cx, const char *const *column, size_t width, size_t max, Table *out)
{
    *out = (Table){ .column = column, .width = width, .id = ctx_new(cx, Str, max),
                    .question = ctx_new(cx, Str, max), .answer = ctx_new(cx, Str, max),
                    .max = max };
    if (!out->id || !out->question || !out->answer) return E_MEMORY;
    if (max > SIZE_MAX / sizeof(double) / (width ? width : 1))
        return fail(cx, E_MEMORY, "a table of %zu rows is too large", max);
    TRY_NEW(out->at = ctx_new(cx, double, max * width));
    return OK;
}

double *table_row(Table *t, Str id)
{
    t->id[t->n] = id;
    return t->at + t->n++ * t->width;
}

static Str one_line(Ctx *cx, Str text)
{
    Str out = ctx_dup(cx, str_trim(text));
    size_t n = 0;
    char *p = (char *)out.p;    // the copy is ours
    for (size_t i = 0; p && i < out.n; i++) {
        bool space = p[i] == ' ' || (p[i] >= '\t' && p[i] <= '\r');
        if (space && n && p[n - 1] == ' ') continue;
        p[n++] = space ? ' ' : p[i];
    }
    return (Str){ p, n };
}

Status table_tell(Ctx *cx, Table *t, Str question, Str answer)
{
    TRY_NEW((t->question[t->n - 1] = one_line(cx, question)).p);
    TRY_NEW((t->answer[t->n - 1] = one_line(cx, answer)).p);
    return OK;
}

double table_mean(const Table *t, size_t column)
{
    double sum = 0;
    for (size_t i = 0; i < t->n; i++) sum += t->at[i * t->width + column];
    return t->n ? sum / (double)t->n : 0;
}

static double *one_column(Ctx *cx, const Table *t, size_t column)
{
    double *x = ctx_new(cx, double, t->n);
    for (size_t i = 0; x && i < t->n; i++) x[i] = t->at[i * t->width + column];
    return x;
}

Status table_percentile(Ctx *cx, const Table *t, size_t column, double q, double *out)
{
    double *x = one_column(cx, t, column);
    TRY_NEW(x);
    *out = stats_percentile(x, t->n, q);
    return OK;
}

/* ---- files ------------------------------------------------------------------------- */

static bool any(const Str *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i].n) return true;
    return false;
}

static void write_text(Buf *b, Str text)
{
    buf_add(b, STR("\t"));
    buf_add(b, text);
}

Status table_write(Ctx *cx, const char *path, const Table *t)
{
    Buf b = BUF((size_t)1 << 30);
    const bool asked = any(t->question, t->n), answered = any(t->answer, t->n);
    buf_add(&b, STR("query"));
    for (size_t c = 0; c < t->width; c++) buf_addf(&b, "\t%s", t->column[c]);
    if (asked) write_text(&b, STR("question"));
    if (answered) write_text(&b, STR("answer"));
    for (size_t i = 0; i < t->n; i++) {
        buf_add(&b, STR("\n"));
        buf_add(&b, t->id[i]);
        for (size_t c = 0; c < t->width; c++)
            buf_addf(&b, "\t%.9g", t->at[i * t->width + c]);
        if (asked) write_text(&b, t->question[i]);
        if (answered) write_text(&b, t->answer[i]);
    }
    buf_add(&b, STR("\n"));
    Status st = b.failed ? fail(cx, E_MEMORY, "no memory to write %s", path)
                         : file_write(cx, path, buf_str(&b));
    buf_free(&b);
    return st;
}

static Str next_cell(Str *line)
{
    const char *tab = line->n ? memchr(line->p, '\t', line->n) : NULL;
    size_t n = tab ? (size_t)(tab - line->p) : line->n, eaten = tab ? n + 1 : n;
    Str cell = str_trim((Str){ line->p, n });
    *line = (Str){ line->p + eaten, line->n - eaten };
    return cell;
}

/* What a file holds behind its figures. */
typedef struct Texts {
    bool question, answer;
} Texts;

static Status read_heading(Ctx *cx, const char *name, Str line, Table *t, Texts *texts)
{
    size_t width = 0;
    for (size_t i = 0; i < line.n; i++) width += line.p[i] == '\t';
    const char **column = ctx_new(cx, const char *, width);
    TRY_NEW(column);
    if (!str_eq(next_cell(&line), STR("query")) || width == 0)
        return fail(cx, E_FORMAT, "%s line 1: a heading is wanted, \"query\" and names "
                    "of columns between tabs, as --per-query writes it", name);
    for (size_t c = 0; c < width; c++)
        TRY_NEW(column[c] = ctx_dup(cx, next_cell(&line)).p);
    texts->answer = strcmp(column[width - 1], "answer") == 0;
    width -= texts->answer;
    texts->question = width && strcmp(column[width - 1], "question") == 0;
    width -= texts->question;
    t->column = column;
    t->width = width;
    return OK;
}

static Status read_row(Ctx *cx, const char *name, size_t at, Str line, Texts texts,
                       Table *t)
{
    Str id = ctx_dup(cx, next_cell(&line));
    TRY_NEW(id.p);
    double *row = table_row(t, id);
    for (size_t c = 0; c < t->width; c++) {
        char *end;
        Str cell = ctx_dup(cx, next_cell(&line));   // ends in NUL for strtod
        TRY_NEW(cell.p);
        row[c] = strtod(cell.p, &end);
        if (cell.n == 0 || end != cell.p + cell.n || !isfinite(row[c]))
            return fail(cx, E_FORMAT, "%s line %zu: column %s holds no number", name, at,
                        t->column[c]);
    }
    if (texts.question) t->question[t->n - 1] = next_cell(&line);
    if (texts.answer) t->answer[t->n - 1] = next_cell(&line);
    return line.n == 0 ? OK : fail(cx, E_FORMAT, "%s line %zu: more columns than the "
                                   "heading", name, at);
}

Status table_parse(Ctx *cx, const char *name, Str text, Table *out)
{
    Table t = { 0 };
    Texts texts = { 0 };
    size_t at = 1;
    Str line = { "", 0 };
    *out = (Table){ 0 };
    lines_next(&text, &line);
    TRY(read_heading(cx, name, line, &t, &texts));
    TRY(table_new(cx, t.column, t.width, lines_count(text), &t));
    while (lines_next(&text, &line)) {
        at++;
        if (str_trim(line).n) TRY(read_row(cx, name, at, line, texts, &t));
    }
    *out = t;
    return OK;
}

Status table_read(Ctx *cx, const char *path, Table *out)
{
    Str text;
    *out = (Table){ 0 };
    TRY(lines_read(cx, path, &text));
    return table_parse(cx, path, text, out);
}

/* ---- comparison -------------------------------------------------------------------- */

typedef struct Keyed {
    Str id;
    size_t row;
} Keyed;

static int by_key(const void *a, const void *b)
{
    const Keyed *x = a, *y = b;
    int c = str_cmp(x->id, y->id);
    return c ? c : (x->row > y->row) - (x->row < y->row);
}

static Keyed *sorted_keys(Ctx *cx, const Table *t)
{
    Keyed *k = ctx_new(cx, Keyed, t->n);
    for (size_t i = 0; k && i < t->n; i++) k[i] = (Keyed){ t->id[i], i };
    if (k) qsort(k, t->n, sizeof *k, by_key);
    return k;
}

Status table_pairs(Ctx *cx, const Table *a, const Table *b, Pairs *out)
{
    Keyed *x = sorted_keys(cx, a), *y = sorted_keys(cx, b);
    *out = (Pairs){ ctx_new(cx, size_t, a->n), ctx_new(cx, size_t, a->n), 0 };
    if (!x || !y || !out->a || !out->b) return E_MEMORY;
    for (size_t i = 0, k = 0; i < a->n && k < b->n; ) {
        int order = str_cmp(x[i].id, y[k].id);
        if (order == 0) {
            out->a[out->n] = x[i].row;
            out->b[out->n++] = y[k].row;
        }
        i += order <= 0;
        k += order >= 0;
    }
    if (out->n == 0) return fail(cx, E_FORMAT, "the two have no question in common");
    return OK;
}

static json_t *compare_column(Ctx *cx, const Table *a, size_t ca, const Table *b,
                              size_t cb, const Pairs *pairs)
{
    double *x = ctx_new(cx, double, pairs->n), *y = ctx_new(cx, double, pairs->n);
    if (!x || !y) return NULL;
    for (size_t i = 0; i < pairs->n; i++) {
        x[i] = a->at[pairs->a[i] * a->width + ca];
        y[i] = b->at[pairs->b[i] * b->width + cb];
    }
    Paired p = stats_paired(x, y, pairs->n, STATS_SEED);
    return json_pack("{sf sf sf sf sf sf}", "a", stats_mean(x, pairs->n), "b",
                     stats_mean(y, pairs->n), "difference", p.difference, "low", p.low,
                     "high", p.high, "p", p.p);
}

Status table_compare(Ctx *cx, const Table *a, const Table *b, json_t *to, size_t *n)
{
    Pairs pairs;
    size_t columns = 0;
    TRY(table_pairs(cx, a, b, &pairs));
    *n = pairs.n;
    for (size_t ca = 0; ca < a->width; ca++) {
        for (size_t cb = 0; cb < b->width; cb++) {
            if (strcmp(a->column[ca], b->column[cb]) != 0) continue;
            json_t *figures = compare_column(cx, a, ca, b, cb, &pairs);
            if (!figures || json_object_set_new(to, a->column[ca], figures) != 0)
                return fail(cx, E_MEMORY, "no memory to compare %s", a->column[ca]);
            columns++;
        }
    }
    if (columns == 0) return fail(cx, E_FORMAT, "the two have no column in common");
    return OK;
}
