/* term.h -- progress on a terminal, plain lines elsewhere; colours where they show. */
#ifndef PITH_APP_TERM_H
#define PITH_APP_TERM_H

#include "pith.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Progress {
    bool quiet, terminal;   // terminal: standard error is one
    double begun, shown;    // ms
} Progress;

void progress_begin(Progress *p, bool quiet);
/* done of total, in units ("files"), and a note (the path in work). Shown at most ten
 * times a second on a terminal, every ten seconds elsewhere. total 0: not known. */
void progress_show(Progress *p, double done, double total, const char *unit,
                   const char *note);
/* The same with a line of the caller's own, of at most 79 columns. */
void progress_line(Progress *p, const char *line);
/* Whether the owner's locale has UTF-8. */
bool term_utf8(void);
/* Clears the line, so that other text can be written. */
void progress_clear(const Progress *p);

/* Milliseconds since some fixed moment. */
double term_now_ms(void);
/* "1.2 MB", into at least 16 bytes. */
const char *term_bytes(uint64_t bytes, char out[16]);
/* Prints where a passage stands: "manual.pdf, page 12 > Section". */
void term_place(const pith_passage *p);
/* Prints text wrapped and indented to the width of the terminal; line ends in it are
 * white space. With a colour all of it is dim but the bytes that bright, as long as text,
 * has 1 for. */
void term_paragraph(const char *text, int indent, bool color,
                    const unsigned char *bright);

#endif
