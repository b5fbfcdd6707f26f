/* pith.c -- opening and closing a handle; its store and models, loaded when needed. */
#include "api/budget.h"
#include "api/adapter.h"
#include "api/fitted.h"
#include "api/handle.h"
#include "api/private.h"
#include "api/query_map.h"
#include "base/file.h"
#include "model/catalog.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWERS_MAX = 24 };

/* The public codes are the inner ones. */
_Static_assert((int)PITH_E_ARG == (int)E_ARG && (int)PITH_E_INTERNAL == (int)E_INTERNAL,
               "pith.h and ctx.h number errors alike");

const char *role_name(Role r)
{
    static const char *const name[ROLES] = { "generator", "embedder", "reranker" };
    return name[r];
}

int error_out(const Ctx *cx, Status st, pith_error *why)
{
    if (!why) return (int)st;
    *why = (pith_error){ .code = (int)st };
    if (st != OK) memcpy(why->message, cx->reason, sizeof why->message);
    return (int)st;
}

static bool ask_owner(void *arg)
{
    const pith *p = arg;
    return p->cancelled(p->arg) != 0;
}

/* At the wire itself: what is sent was in the store before this looks. */
static Status ask_private(Ctx *cx, void *arg)
{
    TRY(private_check(cx, arg, ROLE_EMBEDDER));
    return private_check(cx, arg, ROLE_RERANKER);
}

void call_begin(pith *p, Ctx *cx)
{
    *cx = CTX_INIT;
    pthread_mutex_lock(&p->lock);
    cx->may_send = ask_private;
    cx->send_arg = p;
    if (!p->cancelled) return;
    cx->cancelled = ask_owner;
    cx->cancel_arg = p;
}

int call_end(pith *p, Ctx *cx, Status st, bool keep, pith_error *why)
{
    int code = error_out(cx, st, why);
    if (!keep || st != OK) ctx_end(cx);
    pthread_mutex_unlock(&p->lock);
    return code;
}

/* The first that is set: the option, the environment, nothing (a NULL copy). */
static Status choose(Ctx *cx, const char *option, const char *variable, char **out)
{
    const char *from = option ? option : getenv(variable);
    *out = NULL;
    if (!from || !*from) return OK;
    *out = strdup(from);
    return *out ? OK : fail(cx, E_MEMORY, "out of memory for a name");
}

static Status choose_store(Ctx *cx, const char *option, char **out)
{
    Str folder, path;
    TRY(choose(cx, option, "PITH_STORE", out));
    if (*out) return OK;
    TRY(folder_data(cx, &folder));
    path = ctx_printf(cx, "%.*s/store.db", (int)folder.n, folder.p);
    TRY_NEW(path.p);
    *out = strdup(path.p);
    return *out ? OK : fail(cx, E_MEMORY, "out of memory for a path");
}

static Status configure_remote(Ctx *cx, pith *p, const pith_options *o)
{
    RemoteRules *r = &p->remote;
    if (o->remote_policy < PITH_REMOTE_NEVER || o->remote_policy > PITH_REMOTE_AUTO)
        return fail(cx, E_ARG, "remote policy %d: never, ask and auto are known",
                    o->remote_policy);
    if (o->remote_day_tokens < 0 || !(o->remote_day_cost >= 0) ||
        !(o->remote_day_seconds >= 0) || !(o->remote_price_in >= 0) ||
        !(o->remote_price_out >= 0))
        return fail(cx, E_ARG, "a budget or a price is below zero");
    if (o->remote_day_cost > 0 && o->remote_price_in + o->remote_price_out == 0)
        return fail(cx, E_ARG, "a budget in money needs the price of a million tokens");
    r->policy = o->remote_policy;
    r->day_tokens = o->remote_day_tokens;
    r->day_cost = o->remote_day_cost;
    r->day_seconds = o->remote_day_seconds;
    r->price_in = o->remote_price_in;
    r->price_out = o->remote_price_out;
    r->may_send = o->may_send;
    TRY(choose(cx, o->remote, "PITH_REMOTE", &r->url));
    return choose(cx, o->remote_model, "PITH_REMOTE_MODEL", &r->name);
}

static Status configure(Ctx *cx, pith *p, const pith_options *o)
{
    const char *const named[ROLES] = { o->generator, o->embedder, o->reranker };
    const char *const variable[ROLES] = { "PITH_GENERATOR", "PITH_EMBEDDER",
                                          "PITH_RERANKER" };
    if (o->threads < 0 || o->threads > 1024)
        return fail(cx, E_ARG, "%d threads: 1 to 1024 are possible, 0 means one per core",
                    o->threads);
    if (o->context_tokens < 0)
        return fail(cx, E_ARG, "a window of %d tokens is not possible",
                    o->context_tokens);
    p->cancelled = o->cancelled;
    p->arg = o->arg;
    if (o->answers < 0 || o->answers > ANSWERS_MAX)
        return fail(cx, E_ARG, "%d answers at a time: 1 to %d are possible", o->answers,
                    ANSWERS_MAX);
    p->threads = o->threads;
    p->context_tokens = o->context_tokens;
    p->answers = o->answers;
    if (o->kv_mib < 0)
        return fail(cx, E_ARG, "%d MiB for keys and values: 0 or more are possible",
                    o->kv_mib);
    p->kv_mib = o->kv_mib;
    p->read_only = o->read_only != 0;
    TRY(configure_remote(cx, p, o));
    for (int r = 0; r < ROLES; r++)
        TRY(choose(cx, named[r], variable[r], &p->model_name[r]));
    TRY(choose(cx, o->adapter, "PITH_ADAPTER", &p->adapter));
    return choose_store(cx, o->store, &p->store_path);
}

/* Joins the pool of `share`, or makes one. */
static Status pool_join(Ctx *cx, const pith *share, Pool **out)
{
    Pool *pool = share ? share->pool : calloc(1, sizeof *pool);
    if (!pool) return fail(cx, E_MEMORY, "out of memory for a handle");
    if (!share) pthread_mutex_init(&pool->lock, NULL);
    pthread_mutex_lock(&pool->lock);
    pool->handles++;
    pthread_mutex_unlock(&pool->lock);
    return *out = pool, OK;
}

/* The last one closes the models. */
static void pool_leave(Pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    bool last = --pool->handles == 0;
    pthread_mutex_unlock(&pool->lock);
    if (!last) return;
    for (int r = 0; r < ROLES; r++) model_close(pool->model[r]);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

int pith_open(const pith_options *opt, pith **out, pith_error *why)
{
    Ctx cx = CTX_INIT;
    pith_options defaults = { 0 };
    *out = NULL;
    pith *p = calloc(1, sizeof *p);
    Status st = p ? OK : fail(&cx, E_MEMORY, "out of memory for a handle");
    if (p) pthread_mutex_init(&p->lock, NULL);
    if (st == OK) st = configure(&cx, p, opt ? opt : &defaults);
    if (st == OK) st = pool_join(&cx, opt ? opt->share : NULL, &p->pool);
    if (st == OK) *out = p;
    else pith_close(p);
    int code = error_out(&cx, st, why);
    ctx_end(&cx);
    return code;
}

void pith_close(pith *p)
{
    if (!p) return;
    budget_keep(p);
    store_close(p->store);
    augment_forget(&p->memo);
    query_map_forget(p);
    pool_leave(p->pool);
    for (int r = 0; r < ROLES; r++) free(p->model_name[r]);
    model_close(p->remote.model);
    free(p->remote.url);
    free(p->remote.name);
    free(p->store_path);
    free(p->adapter);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

Status handle_store(Ctx *cx, pith *p, bool write, Store **out)
{
    if (write && p->read_only)
        return fail(cx, E_ARG, "this handle was opened for reading only");
    if (p->store && write && !p->store_writes) {
        store_close(p->store);
        p->store = NULL;
    }
    if (!p->store) {
        StoreOptions opt = { .read_only = !write, .create = write };
        TRY(store_open(cx, p->store_path, &opt, &p->store));
        p->store_writes = write;
    }
    *out = p->store;
    return OK;
}

Status handle_model_path(Ctx *cx, pith *p, Role r, Str *name, Str *path)
{
    if (r == ROLE_GENERATOR) TRY(adapter_use(cx, p));
    const char *named = p->model_name[r];
    if (!named) named = catalog_default(role_name(r))->name;
    *name = str_z(named);
    return catalog_resolve(cx, named, path);
}

/* The generator as this machine runs it best, where that was measured. */
static Status use_fitted(Ctx *cx, Str *path, ModelOptions *opt)
{
    FittedUse use;
    TRY(fitted_use(cx, path, &use));
    if (opt->threads == 0) opt->threads = use.threads;
    opt->flash = use.flash;
    return OK;
}

/* *out is NULL with OK where the owner said "none". */
static Status load(Ctx *cx, pith *p, Role r, Model **out)
{
    static const int needs[ROLES] = { CAN_GENERATE, CAN_EMBED, CAN_SCORE };
    ModelOptions opt = { .threads = p->threads, .context_tokens = p->context_tokens,
                         .answers = p->answers,
                         .kv_bytes = (uint64_t)p->kv_mib << 20 };
    Str name, path;
    if (r == ROLE_GENERATOR) TRY(adapter_use(cx, p));
    if (r == ROLE_GENERATOR) opt.adapter = adapter_path(p);
    const char *named = p->model_name[r];
    if (named && strcmp(named, "none") == 0) return OK;
    if (named && strncmp(named, "fake:", 5) == 0) path = str_z(named);
    else TRY(handle_model_path(cx, p, r, &name, &path));
    if (r == ROLE_GENERATOR && path.p != named) TRY(use_fitted(cx, &path, &opt));
    Status st = model_open(cx, path.p, &opt, out);
    if (st != OK) return opt.adapter ? adapter_explain(cx, p, st) : st;
    if (model_info(*out)->can & needs[r]) return OK;
    model_close(*out);
    *out = NULL;
    return fail(cx, E_MODEL, "%s is no %s: choose another with --%s", path.p,
                role_name(r), role_name(r));
}

Status handle_model(Ctx *cx, pith *p, Role r, Model **out)
{
    Pool *pool = p->pool;
    TRY(private_check(cx, p, r));
    pthread_mutex_lock(&pool->lock);
    Status st = pool->model[r] ? OK : load(cx, p, r, &pool->model[r]);
    *out = pool->model[r];
    pthread_mutex_unlock(&pool->lock);
    return st;
}

const char *public_string(Ctx *cx, Str s)
{
    return s.n ? ctx_dup(cx, s).p : "";
}

Status public_stages(Ctx *cx, pith_stage **out, size_t *n)
{
    *n = (size_t)cx->n_stages;
    TRY_NEW(*out = ctx_new(cx, pith_stage, *n));
    for (size_t i = 0; i < *n; i++) {
        const Stage *from = &cx->stages[i];
        pith_stage *to = &(*out)[i];
        memccpy(to->name, from->name, '\0', sizeof to->name - 1);
        to->ms = from->ms;
        to->n_figures = from->n_figures;
        for (int f = 0; f < from->n_figures; f++) {
            memccpy(to->figure[f].name, from->figure[f].name, '\0',
                    sizeof to->figure[f].name - 1);
            to->figure[f].value = from->figure[f].value;
        }
    }
    return OK;
}
