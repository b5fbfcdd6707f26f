/* trec.c -- see trec.h. Both formats are read by one walk over lines and columns; names
 * point into one copy of the text. */
#include "eval/trec.h"

#include "base/file.h"
#include "eval/lines.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 7 };   // one more than any format has, to notice it

/* ---- columns ----------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* At tabs where the line has one, so that names may hold spaces; else at white space. */
static int columns(Str line, Str *out)
{
    bool tabs = line.n && memchr(line.p, '\t', line.n);
    int n = 0;
    size_t i = 0;
    while (n < COLUMNS_MAX) {
        while (!tabs && i < line.n && is_blank(line.p[i])) i++;
        if (i >= line.n) break;
        size_t begun = i;
        while (i < line.n && !(tabs ? line.p[i] == '\t' : is_blank(line.p[i]))) i++;
        out[n++] = str_trim((Str){ line.p + begun, i - begun });
        i += tabs;
    }
    while (n > 0 && out[n - 1].n == 0) n--;   // tabs at the end of a line
    return n;
}

static bool parse_double(Str s, double *out)
{
    char copy[64], *end;
    if (s.n == 0 || s.n >= sizeof copy || memchr(s.p, '\0', s.n)) return false;
    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    *out = strtod(copy, &end);
    return *end == '\0' && isfinite((float)*out);
}

static bool parse_grade(Str s, int *out)
{
    double x;
    if (!parse_double(s, &x) || x != rint(x) || fabs(x) > 1000) return false;
    *out = (int)x;
    return true;
}

/* ---- judgements -------------------------------------------------------------------- */

static int by_query_doc(const void *a, const void *b)
{
    const Qrel *x = a, *y = b;
    int c = str_cmp(x->query, y->query);
    if (c == 0) c = str_cmp(x->doc, y->doc);
    return c ? c : (x->line > y->line) - (x->line < y->line);
}

static bool is_heading(size_t line, Str grade)
{
    return line == 1 && (str_ieq(grade, STR("score")) || str_ieq(grade, STR("grade"))
                         || str_ieq(grade, STR("relevance"))
                         || str_ieq(grade, STR("label")));
}

static Status qrel_line(Ctx *cx, const char *name, Str line, Qrel *q)
{
    Str c[COLUMNS_MAX];
    int n = columns(line, c);
    if (n != 3 && n != 4)
        return fail(cx, E_FORMAT, "%s line %zu: %d columns, 3 (query, document, grade) "
                    "or 4 (query, iteration, document, grade) are wanted", name, q->line,
                    n);
    q->query = c[0];
    q->doc = c[n - 2];
    if (is_heading(q->line, c[n - 1])) return q->query.n = 0, OK;
    if (q->query.n == 0 || q->doc.n == 0)
        return fail(cx, E_FORMAT, "%s line %zu: an empty name", name, q->line);
    if (!parse_grade(c[n - 1], &q->grade))
        return fail(cx, E_FORMAT, "%s line %zu: grade '%.*s' is no whole number", name,
                    q->line, (int)(c[n - 1].n < 40 ? c[n - 1].n : 40), c[n - 1].p);
    return OK;
}

/* Drops lines said twice, in sorted judgements. */
static Status drop_repeats(Ctx *cx, const char *name, Qrels *q)
{
    size_t kept = 0;
    for (size_t i = 0; i < q->n; i++) {
        Qrel *last = kept ? &q->at[kept - 1] : NULL, *now = &q->at[i];
        bool same = last && str_eq(last->query, now->query)
                    && str_eq(last->doc, now->doc);
        if (same && last->grade != now->grade)
            return fail(cx, E_FORMAT, "%s line %zu: document %.60s of query %.60s has "
                        "grade %d here and %d in line %zu", name, now->line,
                        ctx_dup(cx, now->doc).p, ctx_dup(cx, now->query).p, now->grade,
                        last->grade, last->line);
        if (!same) q->at[kept++] = *now;
    }
    q->n = kept;
    return OK;
}

Status qrels_parse(Ctx *cx, const char *name, Str text, Qrels *out)
{
    *out = (Qrels){ 0 };
    Str rest = ctx_dup(cx, text), line;
    TRY_NEW(rest.p);
    Qrels q = { ctx_new(cx, Qrel, lines_count(text)), 0 };
    TRY_NEW(q.at);
    for (size_t at = 1; lines_next(&rest, &line); at++) {
        Qrel *now = &q.at[q.n];
        if (str_trim(line).n == 0) continue;
        *now = (Qrel){ .line = at };
        TRY(qrel_line(cx, name, line, now));
        if (now->query.n) q.n++;
    }
    if (q.n == 0) return fail(cx, E_FORMAT, "%s holds no judgement", name);
    qsort(q.at, q.n, sizeof *q.at, by_query_doc);
    TRY(drop_repeats(cx, name, &q));
    *out = q;
    return OK;
}

Status qrels_read(Ctx *cx, const char *path, Qrels *out)
{
    Str text;
    *out = (Qrels){ 0 };
    TRY(lines_read(cx, path, &text));
    return qrels_parse(cx, path, text, out);
}

/* ---- runs -------------------------------------------------------------------------- */

static int by_query_line(const void *a, const void *b)
{
    const Hit *x = a, *y = b;
    int c = str_cmp(x->query, y->query);
    return c ? c : (x->line > y->line) - (x->line < y->line);
}

static int by_query_doc_hit(const void *a, const void *b)
{
    const Hit *x = a, *y = b;
    int c = str_cmp(x->query, y->query);
    return c ? c : str_cmp(x->doc, y->doc);
}

static int by_query_best(const void *a, const void *b)
{
    const Hit *x = a, *y = b;
    int c = str_cmp(x->query, y->query);
    if (c) return c;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return str_cmp(y->doc, x->doc);
}

void run_sort(Run *run)
{
    if (run->n) qsort(run->at, run->n, sizeof *run->at, by_query_best);
}

static Status run_line(Ctx *cx, const char *name, Str line, Hit *hit, int *width)
{
    Str c[COLUMNS_MAX];
    double score;
    int n = columns(line, c);
    if ((n != 3 && n != 6) || (*width && n != *width))
        return fail(cx, E_FORMAT, "%s line %zu: %d columns, 6 (query, Q0, document, "
                    "rank, score, tag) or 3 (query, document, rank or score) are wanted, "
                    "the same in all lines", name, hit->line, n);
    *width = n;
    hit->query = c[0];
    hit->doc = c[n == 3 ? 1 : 2];
    Str value = c[n == 3 ? 2 : 4];
    if (hit->query.n == 0 || hit->doc.n == 0)
        return fail(cx, E_FORMAT, "%s line %zu: an empty name", name, hit->line);
    if (!parse_double(value, &score))
        return fail(cx, E_FORMAT, "%s line %zu: score '%.*s' is no finite number", name,
                    hit->line, (int)(value.n < 40 ? value.n : 40), value.p);
    hit->score = (float)score;
    return OK;
}

/* Turns ranks into scores where the third column counts 1, 2, 3, ... for each query. */
static void ranks_to_scores(Run *run)
{
    qsort(run->at, run->n, sizeof *run->at, by_query_line);
    float rank = 0;
    for (size_t i = 0; i < run->n; i++) {
        bool first = i == 0 || !str_eq(run->at[i].query, run->at[i - 1].query);
        rank = first ? 1 : rank + 1;
        if (run->at[i].score != rank) return;
    }
    for (size_t i = 0; i < run->n; i++) run->at[i].score = -run->at[i].score;
}

static Status refuse_repeats(Ctx *cx, const char *name, Run *run)
{
    qsort(run->at, run->n, sizeof *run->at, by_query_doc_hit);
    for (size_t i = 1; i < run->n; i++) {
        const Hit *a = &run->at[i - 1], *b = &run->at[i];
        if (by_query_doc_hit(a, b) != 0) continue;
        return fail(cx, E_FORMAT, "%s: query %.60s has document %.60s twice, in lines "
                    "%zu and %zu", name, ctx_dup(cx, a->query).p, ctx_dup(cx, a->doc).p,
                    a->line < b->line ? a->line : b->line,
                    a->line < b->line ? b->line : a->line);
    }
    return OK;
}

Status run_parse(Ctx *cx, const char *name, Str text, Run *out)
{
    *out = (Run){ 0 };
    Str rest = ctx_dup(cx, text), line;
    TRY_NEW(rest.p);
    Run run = { ctx_new(cx, Hit, lines_count(text)), 0 };
    TRY_NEW(run.at);
    int width = 0;
    for (size_t at = 1; lines_next(&rest, &line); at++) {
        if (str_trim(line).n == 0) continue;
        run.at[run.n] = (Hit){ .line = at };
        TRY(run_line(cx, name, line, &run.at[run.n++], &width));
    }
    if (run.n == 0) return fail(cx, E_FORMAT, "%s holds no ranking", name);
    TRY(refuse_repeats(cx, name, &run));
    if (width == 3) ranks_to_scores(&run);
    run_sort(&run);
    *out = run;
    return OK;
}

Status run_read(Ctx *cx, const char *path, Run *out)
{
    Str text;
    *out = (Run){ 0 };
    TRY(lines_read(cx, path, &text));
    return run_parse(cx, path, text, out);
}

Status run_write(Ctx *cx, const char *path, const Run *run, const char *tag)
{
    Buf b = BUF((size_t)4 << 30);
    size_t rank = 0;
    for (size_t i = 0; i < run->n; i++) {
        const Hit *h = &run->at[i];
        rank = i && str_eq(h->query, run->at[i - 1].query) ? rank + 1 : 1;
        buf_add(&b, h->query);
        buf_add(&b, STR(" Q0 "));
        buf_add(&b, h->doc);
        buf_addf(&b, " %zu %.9g %s\n", rank, (double)h->score, tag);   // 9 digits: exact
    }
    Status st = b.failed ? fail(cx, E_MEMORY, "no memory to write %s", path)
                         : file_write(cx, path, buf_str(&b));
    buf_free(&b);
    return st;
}

/* ---- one query --------------------------------------------------------------------- */

/* The first of n items, sorted by the query that each begins with, not before query. */
static size_t lower_bound(const void *items, size_t n, size_t size, Str query)
{
    size_t low = 0;
    while (low < n) {
        size_t mid = low + (n - low) / 2;
        const Str *at = (const Str *)(const void *)((const char *)items + mid * size);
        if (str_cmp(*at, query) < 0) low = mid + 1;
        else n = mid;
    }
    return low;
}

Qrels qrels_of(const Qrels *all, Str query)
{
    size_t from = lower_bound(all->at, all->n, sizeof *all->at, query), to = from;
    while (to < all->n && str_eq(all->at[to].query, query)) to++;
    return (Qrels){ all->at + from, to - from };
}

Run run_of(const Run *all, Str query)
{
    size_t from = lower_bound(all->at, all->n, sizeof *all->at, query), to = from;
    while (to < all->n && str_eq(all->at[to].query, query)) to++;
    return (Run){ all->at + from, to - from };
}

static int by_doc(const void *name, const void *qrel)
{
    return str_cmp(*(const Str *)name, ((const Qrel *)qrel)->doc);
}

static int highest_first(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x < y) - (x > y);
}

Status trec_judge(Ctx *cx, Qrels judged, Run ranking, Judged *out)
{
    *out = (Judged){ 0 };
    int *ranked = ctx_new(cx, int, ranking.n), *ideal = ctx_new(cx, int, judged.n);
    if (!ranked || !ideal) return E_MEMORY;
    for (size_t i = 0; i < ranking.n && judged.n; i++) {
        Qrel *q = bsearch(&ranking.at[i].doc, judged.at, judged.n, sizeof *q, by_doc);
        ranked[i] = q ? q->grade : 0;
    }
    size_t n = 0;
    for (size_t i = 0; i < judged.n; i++)
        if (judged.at[i].grade > 0) ideal[n++] = judged.at[i].grade;
    qsort(ideal, n, sizeof *ideal, highest_first);
    *out = (Judged){ ranked, ranking.n, ideal, n };
    return OK;
}
