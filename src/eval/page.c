/* page.c -- see page.h. */
#include "eval/page.h"

void page_open(FILE *to, const char *title)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width\">\n", to);
    page_cell(to, "title", title);
    fputs("\n<style>\n"
          "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;"
          "padding:0 1em;color:#222;background:#fff}\n"
          "table{border-collapse:collapse}th,td{padding:.2em .8em;text-align:right;"
          "border-bottom:1px solid #ddd;font-variant-numeric:tabular-nums}\n"
          "th:first-child{text-align:left}h3{margin-bottom:.2em}"
          "dt{font-weight:600;margin-top:1em}dd{margin:.1em 0 .1em 1.5em}"
          "dd b{font-weight:400;color:#667}"
          "svg{display:block;max-width:100%}svg text{font-size:12px;fill:#222}\n"
          "</style></head><body>\n", to);
    page_cell(to, "h1", title);
    fputc('\n', to);
}

void page_close(FILE *to)
{
    fputs("</body></html>\n", to);
}

void page_text(FILE *to, const char *s)
{
    for (; s && *s; s++) {
        if (*s == '<') fputs("&lt;", to);
        else if (*s == '>') fputs("&gt;", to);
        else if (*s == '&') fputs("&amp;", to);
        else if (*s == '"') fputs("&quot;", to);
        else fputc(*s, to);
    }
}

void page_cell(FILE *to, const char *tag, const char *s)
{
    fprintf(to, "<%s>", tag);
    page_text(to, s);
    fprintf(to, "</%s>", tag);
}

void page_svg(FILE *to, int wide, int high)
{
    fprintf(to, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\">\n", wide, high,
            wide);
}

void page_label(FILE *to, double x, double y, const char *anchor, const char *s)
{
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    page_text(to, s);
    fputs("</text>\n", to);
}
