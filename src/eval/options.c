/* options.c -- see options.h. One table says all: name, kind, place and who takes it. */
#include "eval/options.h"

#include <pith.h>

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum Kind { TEXT, COUNT, REAL, SWITCH, MODE } Kind;

typedef struct Option {
    const char *name;
    size_t at;       // offset in EvalOptions
    Kind kind;
    unsigned who;
} Option;

#define ROUTES (EVAL_ROUTE | EVAL_ROUTE_FIT)
#define PROMISES (EVAL_CALIBRATE | EVAL_RISK)
#define ASKS (EVAL_ANSWER | EVAL_ABSTAIN | EVAL_QUESTIONS | EVAL_FILTER | ROUTES \
              | PROMISES)
#define MAKES (EVAL_TUNE_DATA | EVAL_TUNE_RETRIEVAL)
#define KEEPS (EVAL_CALIBRATE | EVAL_TUNE_GATE | EVAL_TUNE_RETRIEVAL)
#define SEARCHES (EVAL_RETRIEVE | ASKS)
#define INDEXES (EVAL_RETRIEVE | EVAL_ANSWER | EVAL_ABSTAIN | EVAL_FILTER | EVAL_ROUTE \
                 | PROMISES)
#define COLLECTIONS (EVAL_RERANK | INDEXES)

static const Option table[] = {
    { "--queries", offsetof(EvalOptions, queries), TEXT, COLLECTIONS },
    { "--qrels", offsetof(EvalOptions, qrels), TEXT, COLLECTIONS },
    { "--run", offsetof(EvalOptions, run), TEXT, EVAL_RERANK },
    { "--run-out", offsetof(EvalOptions, run_out), TEXT, EVAL_RETRIEVE | EVAL_RERANK },
    { "--baseline", offsetof(EvalOptions, baseline), TEXT, EVAL_RETRIEVE },
    { "--per-query", offsetof(EvalOptions, per_query), TEXT,
      COLLECTIONS | EVAL_QUESTIONS | EVAL_ROUTE_FIT },
    { "--by", offsetof(EvalOptions, by), TEXT, EVAL_COMPARE },
    { "--examples", offsetof(EvalOptions, examples), COUNT, EVAL_COMPARE },
    { "--remote", offsetof(EvalOptions, remote), TEXT, ROUTES },
    { "--remote-model", offsetof(EvalOptions, remote_model), TEXT, ROUTES },
    { "--keep", offsetof(EvalOptions, keep), REAL, EVAL_ROUTE_FIT },
    { "--share", offsetof(EvalOptions, share), REAL, EVAL_ROUTE_FIT },
    { "--risk", offsetof(EvalOptions, risk), REAL, ROUTES | PROMISES },
    { "--features", offsetof(EvalOptions, features), TEXT, EVAL_ROUTE_FIT },
    { "--penalty", offsetof(EvalOptions, penalty), REAL, EVAL_ROUTE_FIT },
    { "--out", offsetof(EvalOptions, out), TEXT, EVAL_ROUTE_FIT | MAKES },
    { "--data", offsetof(EvalOptions, data), TEXT, EVAL_TUNE_GATE },
    { "--count", offsetof(EvalOptions, count), COUNT, MAKES },
    { "--seed", offsetof(EvalOptions, seed), COUNT, MAKES },
    { "--passages", offsetof(EvalOptions, passages), COUNT, EVAL_TUNE_DATA },
    { "--jobs", offsetof(EvalOptions, jobs), COUNT, MAKES },
    { "--unanswerable", offsetof(EvalOptions, unanswerable), REAL, EVAL_TUNE_DATA },
    { "--agree", offsetof(EvalOptions, agree), REAL, EVAL_TUNE_DATA },
    { "--minutes", offsetof(EvalOptions, minutes), REAL, MAKES },
    { "--mode", offsetof(EvalOptions, mode), MODE, SEARCHES },
    { "--k", offsetof(EvalOptions, k), COUNT, EVAL_RETRIEVE },
    { "--rerank", offsetof(EvalOptions, rerank), COUNT, EVAL_RETRIEVE | EVAL_QUESTIONS },
    { "--skip", offsetof(EvalOptions, skip), COUNT,
      COLLECTIONS | EVAL_QUESTIONS | EVAL_ROUTE_FIT },
    { "--limit", offsetof(EvalOptions, limit), COUNT,
      COLLECTIONS | EVAL_QUESTIONS | EVAL_ROUTE_FIT | EVAL_TUNE_GATE },
    { "--chunk-tokens", offsetof(EvalOptions, chunk_tokens), COUNT, INDEXES },
    { "--context-tokens", offsetof(EvalOptions, context_tokens), COUNT,
      ASKS | EVAL_TUNE_DATA },
    { "--max-tokens", offsetof(EvalOptions, max_tokens), COUNT, ASKS },
    { "--no-rerank", offsetof(EvalOptions, no_rerank), SWITCH, ASKS },
    { "--no-filter", offsetof(EvalOptions, no_filter), SWITCH, ASKS },
    { "--no-abstain", offsetof(EvalOptions, no_abstain), SWITCH, ASKS },
    { "--whole", offsetof(EvalOptions, whole), SWITCH, ASKS },
    { "--kv", offsetof(EvalOptions, kv), COUNT, EVAL_ANSWER | EVAL_QUESTIONS },
    { "--budget", offsetof(EvalOptions, budget), REAL, EVAL_ANSWER | EVAL_QUESTIONS },
    { "--quote", offsetof(EvalOptions, quote), SWITCH, EVAL_ANSWER | EVAL_QUESTIONS },
    { "--filter-margin", offsetof(EvalOptions, filter_margin), REAL, ASKS },
    { "--confidence", offsetof(EvalOptions, confidence), REAL,
      ROUTES | PROMISES },
    { "--splits", offsetof(EvalOptions, splits), COUNT, EVAL_ROUTE | EVAL_RISK },
    { "--masked", offsetof(EvalOptions, masked), SWITCH, PROMISES },
    { "--show", offsetof(EvalOptions, show), SWITCH, KEEPS },
    { "--reset", offsetof(EvalOptions, reset), SWITCH, KEEPS },
    { "--rewrite", offsetof(EvalOptions, rewrite), SWITCH, SEARCHES },
    { "--decompose", offsetof(EvalOptions, decompose), SWITCH, SEARCHES },
    { "--hyde", offsetof(EvalOptions, hyde), SWITCH, SEARCHES },
    { "--oracle", offsetof(EvalOptions, oracle), SWITCH, EVAL_ANSWER },
    { "--closed-book", offsetof(EvalOptions, closed_book), SWITCH, EVAL_ANSWER },
    { "--generator", offsetof(EvalOptions, generator), TEXT, EVAL_ALL },
    { "--embedder", offsetof(EvalOptions, embedder), TEXT, EVAL_ALL },
    { "--reranker", offsetof(EvalOptions, reranker), TEXT, EVAL_ALL },
    { "--threads", offsetof(EvalOptions, threads), COUNT, EVAL_ALL },
    { "--json", offsetof(EvalOptions, json), SWITCH, EVAL_ALL },
    { "--help", offsetof(EvalOptions, help), SWITCH, EVAL_ALL },
    { "-h", offsetof(EvalOptions, help), SWITCH, EVAL_ALL },
    { "-k", offsetof(EvalOptions, k), COUNT, EVAL_RETRIEVE },
};

static const Option *find(Str name, unsigned who)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (str_eq(name, str_z(table[i].name)) && (table[i].who & who)) return &table[i];
    return NULL;
}

static Status read_mode(Ctx *cx, const char *value, int *out)
{
    static const char *const name[] = { "hybrid", "words", "vectors" };   // as in pith.h
    for (int i = 0; i < 3; i++)
        if (strcmp(value, name[i]) == 0) return *out = i, OK;
    return fail(cx, E_ARG, "--mode %s: hybrid, words or vectors is wanted", value);
}

static Status read_count(Ctx *cx, const char *name, const char *value, int *out)
{
    char *end;
    errno = 0;
    long n = strtol(value, &end, 10);
    if (end == value || *end || errno || n < 1 || n > INT_MAX)
        return fail(cx, E_ARG, "%s %s: a whole number above 0 is wanted", name, value);
    *out = (int)n;
    return OK;
}

static Status read_real(Ctx *cx, const char *name, const char *value, double *out)
{
    char *end;
    double x = strtod(value, &end);
    if (end == value || *end || !(x > 0 && x < 1e6))
        return fail(cx, E_ARG, "%s %s: a number above 0 is wanted", name, value);
    *out = x;
    return OK;
}

static Status set(Ctx *cx, const Option *o, const char *value, EvalOptions *out)
{
    char *to = (char *)out + o->at;
    switch (o->kind) {
    case TEXT: memcpy(to, &value, sizeof value); return OK;
    case COUNT: return read_count(cx, o->name, value, (int *)(void *)to);
    case REAL: return read_real(cx, o->name, value, (double *)(void *)to);
    case MODE: return read_mode(cx, value, (int *)(void *)to);
    case SWITCH: *(bool *)(void *)to = true; return OK;
    }
    return OK;
}

/* Reads the option at argv[*i], which moves on to its value. */
static Status read_option(Ctx *cx, unsigned who, char **argv, int *i, EvalOptions *out)
{
    const char *arg = argv[*i], *equals = strchr(arg, '=');
    Str name = { arg, equals ? (size_t)(equals - arg) : strlen(arg) };
    const Option *o = find(name, who);
    if (!o) return fail(cx, E_ARG, "no option %s here: --help lists them", arg);
    if (o->kind == SWITCH && equals) return fail(cx, E_ARG, "%s takes no value", o->name);
    const char *value = o->kind == SWITCH ? "" : equals ? equals + 1 : argv[++*i];
    if (!value) return fail(cx, E_ARG, "%s needs a value", o->name);
    return set(cx, o, value, out);
}

Status eval_options_read(Ctx *cx, unsigned who, int argc, char **argv, EvalOptions *out)
{
    bool rest = false;   // behind "--"
    *out = (EvalOptions){ .k = 100 };
    for (int i = 1; i < argc; i++) {
        if (!rest && strcmp(argv[i], "--") == 0) {
            rest = true;
        } else if (!rest && argv[i][0] == '-' && argv[i][1]) {
            TRY(read_option(cx, who, argv, &i, out));
        } else if (out->n_operands == OPERANDS_MAX) {
            return fail(cx, E_ARG, "more than %d operands", OPERANDS_MAX);
        } else {
            out->operand[out->n_operands++] = argv[i];
        }
    }
    return OK;
}
