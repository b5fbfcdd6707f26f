/* route_rows.c -- see route_rows.h. */
#include "eval/route_rows.h"

#include "eval/lines.h"
#include "eval/pair.h"
#include "eval/value.h"

#include <math.h>

/* ---- the log ----------------------------------------------------------------------- */

static double number_or(const json_t *j, const char *key, double other)
{
    const json_t *v = json_object_get(j, key);
    return json_is_number(v) ? json_number_value(v) : other;
}

/* False: no line of the log. */
static bool read_line(const json_t *j, LogLine *out)
{
    const char *route = text_at(j, "route");
    *out = (LogLine){
        .time = number_or(j, "time", NAN), .large = route && route[0] == 'l',
        .fallback = json_is_true(json_object_get(j, "fallback")),
        .abstained = json_is_true(json_object_get(j, "abstained")),
        .score = number_or(j, "score", NAN), .draft = number_or(j, "draft_score", NAN),
        .agreement = number_or(j, "agreement", NAN),
        .tokens = number_or(j, "tokens", 0), .cost = number_or(j, "cost", 0),
        .ms = number_or(j, "ms", 0), .features = json_object_get(j, "features"),
    };
    out->drafted = !isnan(out->draft);
    return route && isfinite(out->time) && json_is_object(out->features);
}

Status log_read(Ctx *cx, const char *path, void (*each)(void *, const LogLine *),
                void *arg, size_t *others)
{
    Str text, line;
    *others = 0;
    TRY(lines_read(cx, path, &text));
    while (lines_next(&text, &line)) {
        LogLine l;
        if (str_trim(line).n == 0) continue;
        json_t *j = json_loadb(line.p, line.n, 0, NULL);
        if (read_line(j, &l)) each(arg, &l);
        else ++*others;
        json_decref(j);
    }
    return ctx_check(cx);
}

static void add_logged(void *arg, const LogLine *l)
{
    Table *t = arg;
    if (!(l->agreement >= 0 && l->agreement <= 1) || !l->drafted) return;
    double *row = table_row(t, STR("-"));   // the log keeps no question
    row[PAIR_SMALL] = l->agreement;
    row[PAIR_LARGE] = row[PAIR_ASKED] = 1;
    row[PAIR_SCORE] = l->score;
    row[PAIR_DRAFT] = l->draft;
    row[PAIR_TOKENS] = l->tokens;
    row[PAIR_COST] = l->cost;
    for (size_t f = PAIR_FEATURES; f < t->width; f++)
        row[f] = number_or(l->features, t->column[f], 0);
}

static Status from_log(const Job *j, const char *path, size_t lines, Table *out)
{
    size_t others;
    TRY(pairs_new(j->cx, lines, out));
    TRY(log_read(j->cx, path, add_logged, out, &others));
    if (others) job_warn(j, "%s: %zu lines are not the router's", path, others);
    if (out->n) return OK;
    return fail(j->cx, E_FORMAT, "%s: no question was answered by both models yet; they "
                "are where the large one was asked after a draft", path);
}

/* ---- questions --------------------------------------------------------------------- */

static Status ask_all(const Job *j, pith *p, const Questions *qs, Table *t)
{
    Kept *kept;
    Status st = OK;
    double ms;
    TRY(pairs_kept(j->cx, &kept));
    for (size_t i = 0; i < qs->n && st == OK; i++) {
        job_progress(j, i, qs->n, "questions");
        if (!qs->at[i].unanswerable)
            st = pair_ask(j, p, kept, &qs->at[i], table_row(t, qs->at[i].id), &ms);
    }
    kept_close(kept);
    return st;
}

static Status from_questions(const Job *j, const char *path, Table *out)
{
    Questions qs;
    pith *p = NULL;
    TRY(questions_read(j->cx, path, &qs));
    TRY(job_cut(j, &qs));
    TRY(pairs_new(j->cx, qs.n, out));
    TRY(job_open(j, j->env->open.store, &p));
    Status st = ask_all(j, p, &qs, out);
    pith_close(p);
    TRY(st);
    return out->n ? OK : fail(j->cx, E_FORMAT, "%s: no question can be answered", path);
}

/* ---- which of them ----------------------------------------------------------------- */

static bool is_log(Str text)
{
    Str line;
    LogLine l;
    if (!lines_next(&text, &line)) return false;
    json_t *j = json_loadb(line.p, line.n, 0, NULL);
    bool is = read_line(j, &l);
    json_decref(j);
    return is;
}

Status rows_of(const Job *j, const char *path, Table *out)
{
    Str text;
    TRY(lines_read(j->cx, path, &text));
    if (is_log(text)) return from_log(j, path, lines_count(text), out);
    if (!str_starts(text, STR("query\t"))) return from_questions(j, path, out);
    TRY(table_parse(j->cx, path, text, out));
    TRY(pairs_check(j->cx, path, out));
    return out->n ? OK : fail(j->cx, E_FORMAT, "%s: no question in it", path);
}
