/* trec.h -- judgements (qrels) and rankings (runs) in TREC's file formats.
 *
 * Order is trec_eval's: highest score first, scores compared as float; equal scores by
 * document name, last in byte order first. A run's own rank column is not looked at. */
#ifndef PITH_EVAL_TREC_H
#define PITH_EVAL_TREC_H

#include "base/ctx.h"
#include "eval/metrics.h"

typedef struct Qrel {
    Str query, doc;
    int grade;
    size_t line;     // 1 is the first
} Qrel;

typedef struct Qrels {
    Qrel *at;        // by query, then document, in byte order
    size_t n;
} Qrels;

typedef struct Hit {
    Str query, doc;
    float score;
    size_t line;
} Hit;

typedef struct Run {
    Hit *at;         // by query, then best first
    size_t n;
} Run;

/* Judgements from text: lines of 3 columns (query, document, grade; BEIR's heading is
 * skipped) or 4 (query, anything, document, grade), split at tabs, else at spaces. A
 * line said twice counts once. All is copied into cx. name goes before errors.
 * E_FORMAT, with the line: another number of columns, a grade that is no whole number,
 * the same document judged twice with different grades, no line at all. */
MUST_USE Status qrels_parse(Ctx *cx, const char *name, Str text, Qrels *out);

/* Rankings from text: lines of 6 columns (query, Q0, document, rank, score, tag) or 3
 * (query, document, rank or score). Three columns hold ranks if each query counts 1, 2,
 * 3, ... downwards, else scores. Errors as above; a document that a query has twice is
 * one too, so is a score that is no finite number. */
MUST_USE Status run_parse(Ctx *cx, const char *name, Str text, Run *out);

/* The same from a file; E_IO when it cannot be read. */
MUST_USE Status qrels_read(Ctx *cx, const char *path, Qrels *out);
MUST_USE Status run_read(Ctx *cx, const char *path, Run *out);

/* Puts hits into a run's order. */
void run_sort(Run *run);
/* Writes six columns. E_IO; a file begun stays then. */
MUST_USE Status run_write(Ctx *cx, const char *path, const Run *run, const char *tag);

/* The part of one query; n = 0 where there is none. */
Qrels qrels_of(const Qrels *all, Str query);
Run run_of(const Run *all, Str query);
/* Grades of a query's ranking by its judgements, in cx. */
MUST_USE Status trec_judge(Ctx *cx, Qrels judged, Run ranking, Judged *out);

#endif
