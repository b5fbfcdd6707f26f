/* eval.h -- how good is it, in figures: `pith eval ...`.
 *
 * A client of pith.h like any other program: it indexes a collection with known answers
 * into a store of its own, asks pith each question, and scores what comes back with the
 * measures of trec_eval and SQuAD. */
#ifndef PITH_EVAL_EVAL_H
#define PITH_EVAL_EVAL_H

#include <pith.h>

#include <stdbool.h>
#include <stdio.h>

typedef struct EvalEnv {
    pith_options open;   // models, threads, cancelled; the store is for `questions` alone
    bool json;           // one JSON object instead of a table
    FILE *out;           // the results; borrowed
    /* How far the work is, often; total 0: not known. May be NULL. */
    void (*on_progress)(void *arg, double done, double total, const char *unit,
                        const char *note);
    /* A warning or an error, one line without its end; the progress is to be cleared. */
    void (*on_message)(void *arg, const char *message);
    void *arg;
} EvalEnv;

/* Runs one evaluation; argv[0] is its name, as in {"retrieve", "data/scifact", NULL}.
 * The global options that pick models, --threads and --json are understood behind it too
 * and win over env. Returns the exit status: 0 done, 2 wrong usage, 3 the job failed;
 * both were told to on_message. */
int eval_main(int argc, char **argv, const EvalEnv *env);

#endif
