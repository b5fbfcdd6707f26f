/* options.c -- see options.h. One table says all: name, kind, place and who takes it. */
#include "eval/options.h"

#include <pith.h>

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum Kind { TEXT, COUNT, SWITCH, MODE } Kind;

typedef struct Option {
    const char *name;
    Kind kind;
    size_t at;       // offset in EvalOptions
    unsigned who;
} Option;

#define SEARCHES (EVAL_RETRIEVE | EVAL_ANSWER | EVAL_ABSTAIN | EVAL_QUESTIONS)
#define ASKS (EVAL_ANSWER | EVAL_ABSTAIN | EVAL_QUESTIONS)
#define COLLECTIONS (EVAL_RETRIEVE | EVAL_RERANK | EVAL_ANSWER | EVAL_ABSTAIN)
#define INDEXES (EVAL_RETRIEVE | EVAL_ANSWER | EVAL_ABSTAIN)

static const Option table[] = {
    { "--queries", TEXT, offsetof(EvalOptions, queries), COLLECTIONS },
    { "--qrels", TEXT, offsetof(EvalOptions, qrels), COLLECTIONS },
    { "--run", TEXT, offsetof(EvalOptions, run), EVAL_RERANK },
    { "--run-out", TEXT, offsetof(EvalOptions, run_out), EVAL_RETRIEVE | EVAL_RERANK },
    { "--baseline", TEXT, offsetof(EvalOptions, baseline), EVAL_RETRIEVE },
    { "--per-query", TEXT, offsetof(EvalOptions, per_query),
      COLLECTIONS | EVAL_QUESTIONS },
    { "--mode", MODE, offsetof(EvalOptions, mode), SEARCHES },
    { "--k", COUNT, offsetof(EvalOptions, k), EVAL_RETRIEVE },
    { "--rerank", COUNT, offsetof(EvalOptions, rerank), EVAL_RETRIEVE | EVAL_QUESTIONS },
    { "--limit", COUNT, offsetof(EvalOptions, limit), COLLECTIONS | EVAL_QUESTIONS },
    { "--chunk-tokens", COUNT, offsetof(EvalOptions, chunk_tokens), INDEXES },
    { "--context-tokens", COUNT, offsetof(EvalOptions, context_tokens), ASKS },
    { "--max-tokens", COUNT, offsetof(EvalOptions, max_tokens), ASKS },
    { "--oracle", SWITCH, offsetof(EvalOptions, oracle), EVAL_ANSWER },
    { "--closed-book", SWITCH, offsetof(EvalOptions, closed_book), EVAL_ANSWER },
    { "--generator", TEXT, offsetof(EvalOptions, generator), EVAL_ALL },
    { "--embedder", TEXT, offsetof(EvalOptions, embedder), EVAL_ALL },
    { "--reranker", TEXT, offsetof(EvalOptions, reranker), EVAL_ALL },
    { "--threads", COUNT, offsetof(EvalOptions, threads), EVAL_ALL },
    { "--json", SWITCH, offsetof(EvalOptions, json), EVAL_ALL },
    { "--help", SWITCH, offsetof(EvalOptions, help), EVAL_ALL },
    { "-h", SWITCH, offsetof(EvalOptions, help), EVAL_ALL },
    { "-k", COUNT, offsetof(EvalOptions, k), EVAL_RETRIEVE },
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

static Status set(Ctx *cx, const Option *o, const char *value, EvalOptions *out)
{
    char *to = (char *)out + o->at;
    switch (o->kind) {
    case TEXT: memcpy(to, &value, sizeof value); return OK;
    case COUNT: return read_count(cx, o->name, value, (int *)(void *)to);
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
