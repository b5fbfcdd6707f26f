/* serve.c -- begins and ends the service, and waits for signals between.
 *
 * The end, in order: no new connection, no new task; what waits and what is in work has
 * the grace time; what is left then is cancelled. Every request has its reply before
 * libmicrohttpd is stopped, as that wants no connection suspended. */
#include "serve/serve.h"

#include "base/ctx.h"
#include "base/file.h"
#include "serve/guard.h"
#include "serve/http.h"
#include "serve/models.h"
#include "serve/server.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { DONE = 0, USAGE = 2, FAILED = 3 };
enum { TICK_MS = 100, BEAT_TICKS = 150, DRAIN_MS = 2000 };

/* ---- what is asked for ------------------------------------------------------------ */

static void fill(int *field, int value)
{
    if (*field == 0) *field = value;
}

static Status choose_store(Ctx *cx, ServeEnv *env)
{
    const char *named = getenv("PITH_STORE");
    Str folder, path;
    if (env->open.store) return OK;
    if (named && *named) return env->open.store = named, OK;
    TRY(folder_data(cx, &folder));
    TRY(folder_make(cx, folder.p));
    TRY(path_join(cx, folder, STR("store.db"), &path));
    env->open.store = path.p;
    return OK;
}

static Status check_env(Ctx *cx, ServeEnv *env)
{
    fill(&env->searchers, 1);
    fill(&env->answers, 8);
    fill(&env->queue, 64);
    fill(&env->deadline_s, 300);
    fill(&env->grace_s, 20);
    fill(&env->max_body_mb, 64);
    fill(&env->max_connections, 4096);
    if (!env->host) env->host = "127.0.0.1";
    if (!env->cert != !env->key)
        return fail(cx, E_ARG, "--cert and --key go together: name both PEM files");
    if (env->searchers > SEARCHERS_MAX)
        return fail(cx, E_ARG, "%d search workers: at most %d", env->searchers,
                    SEARCHERS_MAX);
    if (env->answers > ANSWERS_MAX)
        return fail(cx, E_ARG, "%d answers at a time: at most %d", env->answers,
                    ANSWERS_MAX);
    return choose_store(cx, env);
}

static Status read_keys(Ctx *cx, Server *s)
{
    Ctx fresh = CTX_INIT;
    Keys keys;
    Status st = keys_read(&fresh, &keys);
    if (st != OK) {
        fail(cx, st, "%s", fresh.reason);
        ctx_end(&fresh);
        return st;
    }
    pthread_rwlock_wrlock(&s->state_lock);
    ctx_end(&s->keys_cx);
    s->keys_cx = fresh;
    s->keys = keys;
    pthread_rwlock_unlock(&s->state_lock);
    return OK;
}

/* The names of the models as the library will choose them. */
static Status name_models(Ctx *cx, Server *s)
{
    static const char *const role[ROLES] = { "generator", "embedder", "reranker" };
    static const char *const variable[ROLES] = { "PITH_GENERATOR", "PITH_EMBEDDER",
                                                 "PITH_RERANKER" };
    const char *const asked[ROLES] = { s->env.open.generator, s->env.open.embedder,
                                       s->env.open.reranker };
    char *text = NULL;
    pith_error why;
    if (pith_models(&text, &why)) return fail(cx, (Status)why.code, "%s", why.message);
    json_t *all = json_loads(text, 0, NULL), *m;
    pith_string_free(text);
    for (int r = 0; r < ROLES; r++) {
        const char *name = asked[r] ? asked[r] : getenv(variable[r]);
        size_t i;
        json_array_foreach(all, i, m)
            if ((!name || !*name) && json_is_true(json_object_get(m, "default"))
                && strcmp(json_string_value(json_object_get(m, "role")), role[r]) == 0)
                name = json_string_value(json_object_get(m, "name"));
        s->model[r] = strdup(name && *name ? name : "none");
        if (!s->model[r]) break;
    }
    json_decref(all);
    return s->model[ROLES - 1] ? OK : fail(cx, E_MEMORY, "out of memory for names");
}

/* ---- begin ------------------------------------------------------------------------ */

static Status make_parts(Ctx *cx, Server *s)
{
    size_t max = (size_t)s->env.queue, each = max > 4 ? max / 2 : max;
    s->metrics = metrics_new();
    s->events = events_new();
    s->queue[WORK_SEARCH] = tasks_new(4 * max, 4 * each);
    s->queue[WORK_ANSWER] = tasks_new(max, each);
    s->queue[WORK_WRITE] = tasks_new(SIZE_MAX, SIZE_MAX);   // jobs.c bounds it
    if (!s->metrics || !s->events || !s->queue[0] || !s->queue[1] || !s->queue[2])
        return fail(cx, E_MEMORY, "out of memory for the service");
    return jobs_open(cx, s, &s->jobs);
}

/* As many files as the system lets us: each connection is one. */
static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void tell_listening(const Server *s)
{
    char url[160];
    bool v6 = strchr(s->env.host, ':') != NULL;
    snprintf(url, sizeof url, "%s://%s%.100s%s:%d/", s->env.cert ? "https" : "http",
             v6 ? "[" : "", s->env.host, v6 ? "]" : "", s->port);
    log_event(&s->log, LOG_WARN, "listening", json_pack("{ss}", "url", url));
}

static Status begin(Ctx *cx, Server *s)
{
    if (sodium_init() < 0) return fail(cx, E_INTERNAL, "libsodium has no random numbers");
    TRY(check_env(cx, &s->env));
    TRY(read_keys(cx, s));
    if (!guard_is_loopback(s->env.host) && s->keys.n == 0)
        return fail(cx, E_ARG, "--host %s is open to others, and there is no key: make "
                    "one with `pith serve key add NAME`", s->env.host);
    TRY(name_models(cx, s));
    TRY(make_parts(cx, s));
    raise_file_limit();
    TRY(workers_start(cx, s));
    TRY(http_start(cx, s));
    tell_listening(s);
    return OK;
}

/* ---- between and end -------------------------------------------------------------- */

static void sweep(Server *s)
{
    for (int w = 0; w < WORKS; w++) tasks_sweep(s->queue[w], now_ms());
}

static void wait_for_stop(Server *s, const sigset_t *signals)
{
    struct timespec tick = { 0, TICK_MS * 1000000L };
    for (unsigned n = 1; ; n++) {
        int got = sigtimedwait(signals, NULL, &tick);
        if (got == SIGTERM || got == SIGINT) return;
        if (got == SIGHUP) {
            Ctx cx = CTX_INIT;
            Status st = read_keys(&cx, s);
            log_event(&s->log, LOG_WARN, "reload", json_pack("{sb ss}", "done", st == OK,
                      "reason", cx.reason));
            ctx_end(&cx);
        }
        sweep(s);
        if (n % BEAT_TICKS == 0) events_beat(s->events);
    }
}

static size_t unanswered(const Server *s)
{
    return atomic_load(&s->open_requests);
}

/* Waits up to ms until nothing is left that a client waits for, or for SIGTERM again. */
static void drain(Server *s, int ms, const sigset_t *signals)
{
    struct timespec tick = { 0, TICK_MS * 1000000L };
    double until = now_ms() + ms;
    while (now_ms() < until && (unanswered(s) || jobs_unfinished(s->jobs))) {
        int got = sigtimedwait(signals, NULL, &tick);
        if (got == SIGTERM || got == SIGINT) return;
        sweep(s);
    }
}

static void end(Server *s, const sigset_t *signals)
{
    atomic_store(&s->stopping, true);
    http_quiesce(s);
    for (int w = 0; w < WORKS; w++)
        if (s->queue[w]) tasks_close(s->queue[w]);
    if (s->events) events_end(s->events);
    if (s->jobs && s->daemon) drain(s, s->env.grace_s * 1000, signals);
    atomic_store(&s->abandoning, true);
    for (int w = 0; w < WORKS; w++)
        if (s->queue[w]) tasks_clear(s->queue[w]);
    workers_join(s);
    if (s->daemon) drain(s, DRAIN_MS, signals);
    http_stop(s);
}

static void release(Server *s)
{
    jobs_free(s->jobs);
    events_free(s->events);
    models_close(s);
    metrics_free(s->metrics);
    for (int w = 0; w < WORKS; w++) tasks_free(s->queue[w]);
    for (int r = 0; r < ROLES; r++) free(s->model[r]);
    ctx_end(&s->keys_cx);
    pthread_rwlock_destroy(&s->state_lock);
    free(s);
}

static int tell_failure(const Ctx *cx)
{
    fprintf(stderr, "pith: %s\n", cx->reason);
    return cx->status == E_ARG ? USAGE : FAILED;
}

static int run_service(const ServeEnv *env)
{
    sigset_t signals;
    Ctx cx = CTX_INIT;
    int status = DONE;
    Server *s = calloc(1, sizeof *s);
    if (!s) return FAILED;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);     // all threads inherit it
    signal(SIGPIPE, SIG_IGN);
    pthread_rwlock_init(&s->state_lock, NULL);
    s->env = *env;
    s->log = (Log){ env->log_json, env->quiet };
    s->began_ms = now_ms();
    s->began = time(NULL);
    if (begin(&cx, s) == OK) wait_for_stop(s, &signals);
    else status = tell_failure(&cx);
    end(s, &signals);
    log_event(&s->log, LOG_INFO, "stopped", NULL);
    release(s);
    ctx_end(&cx);
    return status;
}

/* ---- keys ------------------------------------------------------------------------- */

static Status key_add(Ctx *cx, const char *name, bool writes)
{
    char text[KEY_TEXT_BYTES];
    Keys old, all;
    Key key;
    TRY(keys_read(cx, &old));
    TRY(key_make(cx, name, writes, text, &key));
    for (size_t i = 0; i < old.n; i++)
        if (strcmp(old.at[i].name, name) == 0)
            return fail(cx, E_ARG, "there is a key '%s' already: remove it first", name);
    TRY_NEW(all.at = ctx_new(cx, Key, old.n + 1));
    if (old.n) memcpy(all.at, old.at, old.n * sizeof *old.at);
    all.at[old.n] = key;
    all.n = old.n + 1;
    TRY(keys_write(cx, &all));
    printf("%s\n", text);
    fprintf(stderr,
            "pith: this key is shown once; a running service takes it on SIGHUP\n");
    return OK;
}

static Status key_remove(Ctx *cx, const char *name)
{
    Keys keys;
    size_t kept = 0;
    TRY(keys_read(cx, &keys));
    for (size_t i = 0; i < keys.n; i++)
        if (strcmp(keys.at[i].name, name) != 0) keys.at[kept++] = keys.at[i];
    if (kept == keys.n) return fail(cx, E_NOTFOUND, "there is no key '%s'", name);
    keys.n = kept;
    return keys_write(cx, &keys);
}

static Status key_list(Ctx *cx)
{
    Keys keys;
    TRY(keys_read(cx, &keys));
    for (size_t i = 0; i < keys.n; i++)
        printf("%-32s %s\n", keys.at[i].name, keys.at[i].writes ? "write" : "read");
    return OK;
}

static int run_key(int argc, char **argv, const ServeEnv *env)
{
    Ctx cx = CTX_INIT;
    Status st;
    const char *verb = argc > 0 ? argv[0] : "", *name = argc > 1 ? argv[1] : NULL;
    if (argc == 2 && strcmp(verb, "add") == 0) st = key_add(&cx, name, !env->read_only);
    else if (argc == 2 && strcmp(verb, "rm") == 0) st = key_remove(&cx, name);
    else if (argc == 1 && strcmp(verb, "ls") == 0) st = key_list(&cx);
    else st = fail(&cx, E_ARG, "usage: pith serve key add NAME | ls | rm NAME");
    int status = st == OK ? DONE : tell_failure(&cx);
    ctx_end(&cx);
    return status;
}

int serve_main(int argc, char **argv, const ServeEnv *env)
{
    if (argc > 1 && strcmp(argv[1], "key") == 0) return run_key(argc - 2, argv + 2, env);
    if (argc == 1) return run_service(env);
    fprintf(stderr, "pith: serve takes no word '%s': `pith serve --help`\n", argv[1]);
    return USAGE;
}
