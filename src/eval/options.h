/* options.h -- the command line of one evaluation. */
#ifndef PITH_EVAL_OPTIONS_H
#define PITH_EVAL_OPTIONS_H

#include "base/ctx.h"

/* Who takes an option: a bit for each evaluation. */
enum {
    EVAL_RETRIEVE = 1, EVAL_RERANK = 2, EVAL_ANSWER = 4, EVAL_ABSTAIN = 8,
    EVAL_QUESTIONS = 16, EVAL_COMPARE = 32, EVAL_REPORT = 64, EVAL_FILTER = 128,
    EVAL_ROUTE = 256, EVAL_ROUTE_FIT = 512, EVAL_ROUTE_REPORT = 1024,
    EVAL_CALIBRATE = 2048, EVAL_RISK = 4096, EVAL_TUNE_DATA = 8192,
    EVAL_TUNE_GATE = 16384, EVAL_TUNE_RETRIEVAL = 32768, EVAL_ALL = 65535,
};

enum { OPERANDS_MAX = 32 };

typedef struct EvalOptions {
    const char *operand[OPERANDS_MAX];
    int n_operands;
    const char *queries, *qrels, *run;   // NULL: DIR/queries.jsonl, DIR/qrels.tsv, none
    const char *run_out, *per_query;        // files to write; NULL: none
    const char *by;                         // column to choose examples by; NULL: first
    int examples;                           // of a difference, each way; 0: none
    const char *baseline;                   // a run to compare with; NULL: none
    const char *generator, *embedder, *reranker;   // NULL: as env has them
    const char *remote, *remote_model;      // the large model's server; NULL: likewise
    const char *out;                        // a file to write; NULL: the usual one
    const char *features;                   // of the router, with commas; NULL: all
    double keep, share, risk, penalty;      // of the router; 0: not asked for
    int mode;                               // PITH_HYBRID, ...
    int k;                                  // documents of a ranking; 100
    int rerank;                             // passages the reranker reads; 0
    int skip, limit;                        // questions; 0: none, all
    int chunk_tokens, context_tokens, max_tokens, threads;   // 0: pith's default
    double filter_margin;                   // logits; 0: pith's default
    bool no_rerank, no_filter, no_abstain;  // stages left out
    bool whole;                             // the filter leaves passages whole
    int kv;                                 // MiB for keys and values of passages; 0
    double budget;                          // seconds an answer may take; 0: any
    bool quote;                             // answers are to quote
    bool oracle, closed_book, json, help;
    double confidence;                      // of a promise; 0: .95
    int splits;                             // random halves; 0: 100
    bool masked, show, reset;               // see trial.h, calibrate.c
    const char *data;                       // examples to judge an adapter by
    int count, passages, seed, jobs;        // of tuning: see tune_data.c; 0: its default
    double unanswerable, agree, minutes;    // likewise
    bool rewrite, decompose, hyde;          // what the generator adds to a question
} EvalOptions;

/* Reads argv[1..argc) as the evaluation `who` takes it. E_ARG: an option it does not
 * take, a value that is absent or out of range, more than OPERANDS_MAX operands. */
MUST_USE Status eval_options_read(Ctx *cx, unsigned who, int argc, char **argv,
                                  EvalOptions *out);

#endif
