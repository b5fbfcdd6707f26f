/* gate_cases.h -- what an adapter is judged by: the examples of a file, each a
 * conversation up to an answer, and behind them the questions of general.h.
 *
 * Every second question that has no answer, and every second general one, is there to
 * choose the adapter's scale by; all others judge what was chosen, and have not been seen
 * then. */
#ifndef PITH_EVAL_GATE_CASES_H
#define PITH_EVAL_GATE_CASES_H

#include "base/ctx.h"
#include "pith.h"

#include <jansson.h>

enum { CASE_MESSAGES = 64, CASE_ANSWERS = 2 };

/* A question as it is put, its last message included. */
typedef struct Case {
    pith_message before[CASE_MESSAGES];
    size_t n_before;
    const char *put;            // the user's last words
    const char *context;        // a passage to answer from; NULL: none beside the words
    const char *question;       // as shown in the report
    Str accepted[CASE_ANSWERS];
    size_t n_accepted;
    bool unanswerable, general;
    bool chooses;               // a scale; else it judges
} Case;

typedef struct Cases {
    Case *at;                   // (all): n of the file, then those of general.h
    size_t n, all;
    json_t *lines;              // what the file holds: texts live there
} Cases;

/* limit: at most so many of the file; 0: all. E_FORMAT: a line is no example (its number
 * is told), or there is none. The caller closes *out either way. */
MUST_USE Status cases_read(Ctx *cx, const char *path, size_t limit, Cases *out);
void cases_close(Cases *c);

#endif
