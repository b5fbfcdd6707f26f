/* gate_page.c -- see gate_page.h. */
#include "eval/gate_page.h"

#include "eval/lines.h"
#include "eval/page.h"
#include "eval/value.h"

#include <math.h>
#include <stdlib.h>

enum { WIDE = 640, HIGH = 260, LEFT = 48, BELOW = 24, EXAMPLES = 10 };

/* ---- figures ----------------------------------------------------------------------- */

static void figures(FILE *to, json_t *rows)
{
    const char *name;
    json_t *row;
    fputs("<table><tr><th></th><th>questions</th><th>base</th><th>tuned</th>"
          "<th>difference</th><th>95 % interval</th><th>p</th></tr>\n", to);
    json_object_foreach(rows, name, row) {
        fputs("<tr>", to);
        page_cell(to, "th", name);
        fprintf(to, "<td>%.0f</td><td>%.3f</td><td>%.3f</td><td>%+.3f</td>"
                "<td>%+.3f to %+.3f</td><td>%.3f</td></tr>\n",
                number_at(row, "questions"), number_at(row, "base"),
                number_at(row, "tuned"), number_at(row, "difference"),
                number_at(row, "low"), number_at(row, "high"), number_at(row, "p"));
    }
    fputs("</table>\n", to);
}

/* ---- the loss ---------------------------------------------------------------------- */

typedef struct Curve {
    double *step, *loss;    // (n)
    size_t n;
    double most;            // the largest loss, > 0
} Curve;

static Status read_curve(Ctx *cx, Str text, Curve *out)
{
    Str line;
    size_t room = lines_count(text);
    *out = (Curve){ ctx_new(cx, double, room), ctx_new(cx, double, room), 0, 1e-6 };
    if (!out->step || !out->loss) return E_MEMORY;
    while (out->n < room && lines_next(&text, &line)) {
        json_t *j = json_loadb(line.p, line.n, 0, NULL);
        double step = number_at(j, "step"), loss = number_at(j, "loss");
        json_decref(j);
        if (!isfinite(step) || !isfinite(loss)) continue;
        out->step[out->n] = step;
        out->loss[out->n++] = loss;
        out->most = fmax(out->most, loss);
    }
    return OK;
}

static void draw_curve(FILE *to, const Curve *c)
{
    const double right = WIDE - 8, bottom = HIGH - BELOW, last = c->step[c->n - 1];
    char shown[64];
    page_cell(to, "h2", "Loss of each step");
    page_svg(to, WIDE, HIGH);
    fprintf(to, "<path d=\"M%d 8V%.0fH%.0f\" fill=\"none\" stroke=\"#999\"/>\n", LEFT,
            bottom, right);
    snprintf(shown, sizeof shown, "%.2f", c->most);
    page_label(to, LEFT - 6, 16, "end", shown);
    page_label(to, LEFT - 6, bottom, "end", "0");
    snprintf(shown, sizeof shown, "step %.0f", last);
    page_label(to, right, HIGH - 6, "end", shown);
    fputs("<polyline fill=\"none\" stroke=\"#3b6ea8\" points=\"", to);
    for (size_t i = 0; i < c->n; i++)
        fprintf(to, "%.1f,%.1f ", LEFT + c->step[i] / fmax(last, 1) * (right - LEFT),
                bottom - c->loss[i] / c->most * (bottom - 8));
    fputs("\"/>\n</svg>\n", to);
    fprintf(to, "<p>%.3f at first, %.3f at last.</p>\n", c->loss[0], c->loss[c->n - 1]);
}

/* ---- before and after -------------------------------------------------------------- */

typedef struct Change {
    const json_t *example;
    double by;              // F1, > 0 better
} Change;

static int most_first(const void *a, const void *b)
{
    double x = fabs(((const Change *)a)->by), y = fabs(((const Change *)b)->by);
    return (x < y) - (x > y);
}

static void show_example(FILE *to, const json_t *e)
{
    static const struct { const char *key, *label; } rows[] = {
        { "expected", "expected: " }, { "base", "before: " }, { "tuned", "after: " },
    };
    page_cell(to, "dt", text_at(e, "question"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fprintf(to, "<dd><b>%s</b>", rows[i].label);
        page_text(to, text_at(e, rows[i].key));
        fputs("</dd>\n", to);
    }
}

static void show_changes(FILE *to, const char *title, const Change *c, size_t n, int sign)
{
    size_t shown = 0;
    page_cell(to, "h2", title);
    fputs("<dl>\n", to);
    for (size_t i = 0; i < n && shown < EXAMPLES; i++) {
        if (c[i].by * sign <= 0) continue;
        show_example(to, c[i].example);
        shown++;
    }
    fputs(shown ? "</dl>\n" : "</dl>\n<p>None.</p>\n", to);
}

static Status examples(Ctx *cx, FILE *to, const json_t *list)
{
    size_t n = 0, i;
    const json_t *e;
    Change *c = ctx_new(cx, Change, json_array_size(list));
    TRY_NEW(c);
    json_array_foreach(list, i, e)
        c[n++] = (Change){ e, number_at(e, "f1_tuned") - number_at(e, "f1_base") };
    if (n) qsort(c, n, sizeof *c, most_first);
    show_changes(to, "Answers that became better", c, n, 1);
    show_changes(to, "Answers that became worse", c, n, -1);
    return OK;
}

/* ---- the page ---------------------------------------------------------------------- */

static Status write_page(Ctx *cx, FILE *to, const json_t *report, const Curve *c)
{
    bool won = str_eq(str_z(text_at(report, "verdict")), STR("win"));
    page_open(to, won ? "pith tune: the adapter won"
                      : "pith tune: the adapter did not win");
    fputs("<p>", to);
    page_text(to, won ? "It is used from now on. Rule: " : "It is not used. Rule: ");
    page_text(to, text_at(report, "rule"));
    fprintf(to, ".</p>\n<p>Its effect was judged at scale %.2f.",
            number_at(report, "scale"));
    fputs("</p>\n<p>Judged by ", to);
    page_text(to, text_at(report, "data"));
    fputs(", which is of documents held out.</p>\n", to);
    figures(to, json_object_get(report, "figures"));
    if (c->n) draw_curve(to, c);
    Status st = examples(cx, to, json_object_get(report, "examples"));
    page_close(to);
    return st;
}

Status gate_page(Ctx *cx, const json_t *report, Str curve, Str *out)
{
    Curve c;
    char *text = NULL;
    size_t n = 0;
    TRY(read_curve(cx, curve, &c));
    FILE *to = open_memstream(&text, &n);
    if (!to) return fail(cx, E_MEMORY, "no memory for the page");
    Status st = write_page(cx, to, report, &c);
    if (fclose(to) != 0 && st == OK) st = fail(cx, E_MEMORY, "no memory for the page");
    if (st == OK) *out = ctx_dup(cx, (Str){ text, n });
    if (st == OK && !out->p) st = E_MEMORY;
    free(text);
    return st;
}
