/* table.h -- one row of figures for each question, and two such tables compared.
 *
 * What was asked and answered may stand with the figures, so that a difference can be
 * looked at (`pith eval compare --examples`). */
#ifndef PITH_EVAL_TABLE_H
#define PITH_EVAL_TABLE_H

#include "base/ctx.h"

#include <jansson.h>

typedef struct Table {
    const char *const *column;   // (width) names
    size_t width;
    Str *id;                     // (n) questions
    double *at;                  // (n, width)
    Str *question, *answer;      // (n) texts in one line each; .n = 0: not known
    size_t n, max;               // rows written; rows there is room for
} Table;

/* An empty table for at most max rows, in cx; the names are borrowed. */
MUST_USE Status table_new(Ctx *cx, const char *const *column, size_t width, size_t max,
                          Table *out);
/* The next row, zeros; the table must not be full. */
double *table_row(Table *t, Str id);
/* Keeps with the last row what was asked and, unless it is empty, answered: copies in cx,
 * white space made one space. */
MUST_USE Status table_tell(Ctx *cx, Table *t, Str question, Str answer);
/* The mean of a column over all rows; 0 for none. */
double table_mean(const Table *t, size_t column);
/* A percentile of a column, share q of [0,1], by the nearest rank. */
MUST_USE Status table_percentile(Ctx *cx, const Table *t, size_t column, double q,
                                 double *out);

/* Tab-separated, a heading "query" and the names, then rows; columns "question" and
 * "answer" behind the figures where a row has them. E_IO. */
MUST_USE Status table_write(Ctx *cx, const char *path, const Table *t);
/* E_FORMAT, with the line, for what table_write does not write; E_IO. Of table_parse, the
 * texts are parts of `text`. */
MUST_USE Status table_read(Ctx *cx, const char *path, Table *out);
MUST_USE Status table_parse(Ctx *cx, const char *name, Str text, Table *out);

/* Rows of the same question in two tables. */
typedef struct Pairs {
    size_t *a, *b;               // (n), in the order of the questions' names
    size_t n;
} Pairs;
/* E_FORMAT: no question in common. */
MUST_USE Status table_pairs(Ctx *cx, const Table *a, const Table *b, Pairs *out);

/* For each column that both have, over the questions that both have: {"a", "b",
 * "difference", "low", "high", "p"} by the paired bootstrap, into `to` under its name.
 * *n is the number of questions. E_FORMAT: no question or no column in common. */
MUST_USE Status table_compare(Ctx *cx, const Table *a, const Table *b, json_t *to,
                              size_t *n);

#endif
