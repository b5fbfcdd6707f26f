/* evaluation.h -- a collection in a folder of its own, and what an evaluation said about
 * it, over the public API with the model that needs no file. */
#ifndef PITH_TESTS_EVALUATION_H
#define PITH_TESTS_EVALUATION_H

#include "base/file.h"
#include "eval/eval.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants four of the above. */
#include <cmocka.h>

typedef struct Fixture {
    char dir[64];
    bool for_people;   // tables instead of JSON
    char *out;
    size_t n_out;
    Buf messages;
    int status;
    json_t *json;      // NULL where the output is none
} Fixture;

static inline void write_file(const Fixture *f, const char *name, Str text)
{
    Ctx cx = CTX_INIT;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    assert_int_equal(file_write(&cx, path, text), OK);
    ctx_end(&cx);
}

/* The folder holds caches and stores, too. */
static inline Fixture *fixture_new(void)
{
    Fixture *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    strcpy(f->dir, "/tmp/pith-eval-XXXXXX");
    f->messages = BUF(65536);
    if (!mkdtemp(f->dir)) return free(f), NULL;
    setenv("XDG_CACHE_HOME", f->dir, 1);
    setenv("XDG_DATA_HOME", f->dir, 1);
    return f;
}

static inline void forget(Fixture *f)
{
    json_decref(f->json);
    free(f->out);
    buf_free(&f->messages);
    f->json = NULL;
    f->out = NULL;
}

static inline int tear_down(void **state)
{
    Fixture *f = *state;
    Ctx cx = CTX_INIT;
    forget(f);
    Status st = folder_remove(&cx, f->dir);
    ctx_end(&cx);
    free(f);
    return st == OK ? 0 : -1;
}

static inline void hear(void *arg, const char *message)
{
    buf_add(arg, str_z(message));
    buf_add(arg, STR("\n"));
}

static inline pith_options models(void)
{
    return (pith_options){ .generator = "fake:", .embedder = "fake:",
                           .reranker = "fake:", .threads = 1 };
}

/* Runs words, in which %s is the fixture's folder; for_people or with --json. */
static inline void evaluate(Fixture *f, const char *words)
{
    char line[512], *argv[24], *rest;
    int argc = 0;
    forget(f);
    snprintf(line, sizeof line, words, f->dir, f->dir, f->dir);
    for (char *w = strtok_r(line, " ", &rest); w && argc < 22;
         w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    argv[argc] = NULL;
    EvalEnv env = { .open = models(), .json = !f->for_people, .on_message = hear,
                    .arg = &f->messages };
    env.out = open_memstream(&f->out, &f->n_out);
    assert_non_null(env.out);
    f->status = eval_main(argc, argv, &env);
    fclose(env.out);
    f->json = json_loads(f->out, 0, NULL);
    if (f->status != 0) print_message("%.*s", (int)f->messages.n, f->messages.p);
}

static inline double figure(const json_t *of, const char *name)
{
    const json_t *v = json_object_get(of, name);
    if (!json_is_number(v)) fail_msg("no figure %s", name);
    return json_number_value(v);
}

static inline void assert_told(const Fixture *f, const char *part)
{
    if (!f->messages.p || !strstr(f->messages.p, part))
        fail_msg("'%s' lacks '%s'", f->messages.p ? f->messages.p : "", part);
}

#endif
