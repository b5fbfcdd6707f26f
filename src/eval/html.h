/* html.h -- results of evaluations as one HTML page that needs nothing else: no script,
 * no other file; the plots are SVG in the page. */
#ifndef PITH_EVAL_HTML_H
#define PITH_EVAL_HTML_H

#include <jansson.h>
#include <stdio.h>

typedef struct HtmlResult {
    const char *label;   // whose result; any text
    json_t *object;      // as `pith eval --json` prints it
} HtmlResult;

/* Writes the page: all figures side by side, bars for those between 0 and 1, intervals of
 * what was compared, and risk over coverage. What is no figure is passed over. */
void html_write(FILE *to, const HtmlResult *r, size_t n);

#endif
