/* route_rows.h -- answered questions to learn a router from: tables of pairs (pair.h). */
#ifndef PITH_EVAL_ROUTE_ROWS_H
#define PITH_EVAL_ROUTE_ROWS_H

#include "eval/job.h"

/* The pairs of a file, which may be
 *   - what `pith eval route --per-query` wrote;
 *   - the router's log, of which those lines count that have both answers' agreement: the
 *     large model has 1, the small one how much of it its draft had said;
 *   - questions of the user's own, which are put to both models now.
 * E_FORMAT: neither, or not one question. */
MUST_USE Status rows_of(const Job *j, const char *path, Table *out);

/* Calls with each line of the log that is one; E_IO, E_NOTFOUND. Others are counted. */
typedef struct LogLine {
    double time;                // seconds since 1970
    bool large, fallback, abstained, drafted;
    double score, draft, agreement;     // [0,1]; NAN: not there
    double tokens, cost, ms;
    const json_t *features;
} LogLine;
MUST_USE Status log_read(Ctx *cx, const char *path, void (*each)(void *, const LogLine *),
                         void *arg, size_t *others);

#endif
