/* html.c -- see html.h. Every text that comes from a result goes through page_text. */
#include "eval/html.h"
#include "eval/page.h"
#include "eval/value.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { WIDE = 640, LABEL = 200, BAR = 18, PLOT = 300, MARGIN = 40, N_COLORS = 6 };

static const char *const color[N_COLORS] = { "#3b6ea8", "#c8553d", "#4f8a5b", "#8d6bb0",
                                             "#b8860b", "#5a6b7b" };

/* ---- all figures ------------------------------------------------------------------- */

/* True where no earlier result has the key, so that it is shown once. */
static bool is_first(const HtmlResult *r, size_t at, const char *key)
{
    for (size_t i = 0; i < at; i++)
        if (json_object_get(r[i].object, key)) return false;
    return true;
}

static void figure_row(FILE *to, const HtmlResult *r, size_t n, const char *key)
{
    fputs("<tr>", to);
    page_cell(to, "th", key);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(r[i].object, key);
        if (json_is_integer(v)) fprintf(to, "<td>%" JSON_INTEGER_FORMAT "</td>",
                                        json_integer_value(v));
        else if (json_is_real(v)) fprintf(to, "<td>%.4f</td>", json_real_value(v));
        else fputs("<td></td>", to);
    }
    fputs("</tr>\n", to);
}

static void figures(FILE *to, const HtmlResult *r, size_t n)
{
    const char *key;
    json_t *v;
    fputs("<h2>Figures</h2>\n<table><tr><th></th>", to);
    for (size_t i = 0; i < n; i++) page_cell(to, "th", r[i].label);
    fputs("</tr>\n", to);
    for (size_t i = 0; i < n; i++)
        json_object_foreach(r[i].object, key, v)
            if (json_is_number(v) && is_first(r, i, key)) figure_row(to, r, n, key);
    fputs("</table>\n", to);
}

/* ---- bars -------------------------------------------------------------------------- */

static void bars(FILE *to, const HtmlResult *r, size_t n, const char *key)
{
    page_cell(to, "h3", key);
    page_svg(to, WIDE, (int)n * BAR + 4);
    for (size_t i = 0; i < n; i++) {
        double value = number_at(r[i].object, key), y = (double)i * BAR;
        char shown[32];
        if (isnan(value)) continue;
        double wide = value * (WIDE - LABEL - MARGIN - 10);
        page_label(to, LABEL - 6, y + 13, "end", r[i].label);
        fprintf(to, "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
                "fill=\"%s\"/>\n", LABEL, y + 2, wide, BAR - 4, color[i % N_COLORS]);
        snprintf(shown, sizeof shown, "%.4f", value);
        page_label(to, LABEL + wide + 4, y + 13, "start", shown);
    }
    fputs("</svg>\n", to);
}

/* A share or a measure: real, and within [0,1] in every result. */
static bool is_share(const HtmlResult *r, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(r[i].object, key);
        double x = json_real_value(v);   // 0 for what is not real
        if (v && !json_is_null(v) && !json_is_real(v)) return false;
        if (x < 0 || x > 1) return false;
    }
    return true;
}

static void all_bars(FILE *to, const HtmlResult *r, size_t n)
{
    const char *key;
    json_t *v;
    for (size_t i = 0; i < n; i++)
        json_object_foreach(r[i].object, key, v)
            if (json_is_real(v) && is_first(r, i, key) && is_share(r, n, key))
                bars(to, r, n, key);
}

/* ---- differences and their intervals ----------------------------------------------- */

static bool is_comparison(const json_t *row)
{
    return !isnan(number_at(row, "difference")) && !isnan(number_at(row, "low"))
           && !isnan(number_at(row, "high"));
}

/* Half the width of the axis: all intervals that lie within [-1,1], where measures do. */
static double reach(json_t *rows)
{
    double most = 1e-6;
    const char *key;
    json_t *row;
    json_object_foreach(rows, key, row) {
        double far = fmax(fabs(number_at(row, "low")), fabs(number_at(row, "high")));
        if (far <= 1) most = fmax(most, far);
    }
    return most * 1.1;
}

static void interval(FILE *to, const char *name, const json_t *row, double y, double most)
{
    const double middle = (LABEL + WIDE - 120) / 2.0, half = middle - LABEL;
    double low = number_at(row, "low"), high = number_at(row, "high");
    double difference = number_at(row, "difference");
    char shown[64];
    if (fmax(fabs(low), fabs(high)) > most) return;
    page_label(to, LABEL - 6, y + 13, "end", name);
    const char *ink = low > 0 || high < 0 ? color[0] : color[5];   // chance is grey
    fprintf(to, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"%s\" stroke-width=\"2\"/>\n",
            middle + low / most * half, y + 9, middle + high / most * half, ink);
    fprintf(to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n",
            middle + difference / most * half, y + 9, ink);
    snprintf(shown, sizeof shown, "%+.4f, p = %.3f", difference, number_at(row, "p"));
    page_label(to, WIDE, y + 13, "end", shown);
}

static void comparison(FILE *to, const char *label, const char *what, json_t *rows)
{
    const double middle = (LABEL + WIDE - 120) / 2.0;
    int height = (int)json_object_size(rows) * BAR + 8, i = 0;
    const char *key;
    json_t *row;
    fputs("<h3>", to);
    page_text(to, label);
    fputs(": ", to);
    page_text(to, what);
    fputs("</h3>\n", to);
    page_svg(to, WIDE, height);
    fprintf(to, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\" stroke=\"#999\"/>\n",
            middle, middle, height);
    json_object_foreach(rows, key, row) {
        if (is_comparison(row)) interval(to, key, row, (double)i * BAR, reach(rows));
        i++;
    }
    fputs("</svg>\n", to);
}

static void all_comparisons(FILE *to, const HtmlResult *r, size_t n)
{
    const char *key;
    json_t *v;
    for (size_t i = 0; i < n; i++)
        json_object_foreach(r[i].object, key, v)
            if (json_object_size(v)) comparison(to, r[i].label, key, v);
}

/* ---- risk over coverage ------------------------------------------------------------ */

static void axes(FILE *to)
{
    fprintf(to, "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#999\"/>\n", MARGIN, 10,
            PLOT - MARGIN, PLOT);
    page_label(to, MARGIN - 4, 16, "end", "1");
    page_label(to, MARGIN - 4, PLOT - MARGIN, "end", "0");
    page_label(to, PLOT, PLOT - MARGIN + 16, "end", "1");
    page_label(to, PLOT / 2.0, PLOT - 6, "middle", "coverage");
    page_label(to, MARGIN + 6, 16, "start", "risk");
}

static void curve(FILE *to, json_t *points, size_t at)
{
    size_t i;
    json_t *p;
    fprintf(to, "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"",
            color[at % N_COLORS]);
    json_array_foreach(points, i, p) {
        double x = number_at(p, "coverage"), y = number_at(p, "risk");
        if (isnan(x) || isnan(y)) continue;
        fprintf(to, "%.1f,%.1f ", MARGIN + x * (PLOT - MARGIN),
                PLOT - MARGIN - y * (PLOT - MARGIN - 10));
    }
    fputs("\"/>\n", to);
}

static void risks(FILE *to, const HtmlResult *r, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any |= json_is_array(json_object_get(r[i].object, "risk_coverage"));
    if (!any) return;
    fputs("<h3>risk of what is answered, over the share that is answered</h3>\n", to);
    page_svg(to, WIDE, PLOT);
    axes(to);
    for (size_t i = 0; i < n; i++) {
        json_t *points = json_object_get(r[i].object, "risk_coverage");
        if (!json_is_array(points)) continue;
        curve(to, points, i);
        fprintf(to, "<rect x=\"%d\" y=\"%zu\" width=\"10\" height=\"10\" "
                "fill=\"%s\"/>\n", PLOT + 20, 16 + i * BAR, color[i % N_COLORS]);
        page_label(to, PLOT + 36, 25 + (double)i * BAR, "start", r[i].label);
    }
    fputs("</svg>\n", to);
}

void html_write(FILE *to, const HtmlResult *r, size_t n)
{
    page_open(to, "pith eval");
    figures(to, r, n);
    all_bars(to, r, n);
    all_comparisons(to, r, n);
    risks(to, r, n);
    page_close(to);
}
