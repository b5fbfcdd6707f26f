/* page.h -- an HTML page that needs nothing else: no script, no other file; plots are SVG
 * in the page. Whatever text it is given is shown as it is, never as markup. */
#ifndef PITH_EVAL_PAGE_H
#define PITH_EVAL_PAGE_H

#include <stdio.h>

void page_open(FILE *to, const char *title);
void page_close(FILE *to);
/* NULL shows nothing. */
void page_text(FILE *to, const char *s);
/* <tag>text</tag> */
void page_cell(FILE *to, const char *tag, const char *s);

/* Opens a drawing; "</svg>" ends it. */
void page_svg(FILE *to, int wide, int high);
/* anchor: "start", "middle" or "end", which stands at x. */
void page_label(FILE *to, double x, double y, const char *anchor, const char *s);

#endif
