/* models.c -- see models.h. */
#include "serve/models.h"

#include <stdlib.h>
#include <string.h>

/* What the store says of its adapter; NULL: nothing, or it cannot be read. */
static char *adapter_of(pith *p, bool *known)
{
    char *json = NULL;
    *known = pith_adapter_json(p, &json, NULL) == 0;
    return json;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

Status models_open(Ctx *cx, Server *s)
{
    pith_error why;
    bool known;
    s->env.open.answers = s->env.answers;
    if (pthread_mutex_init(&s->models_lock, NULL) != 0)
        return fail(cx, E_INTERNAL, "the system gives no lock");
    if (pith_open(&s->env.open, &s->models, &why))
        return fail(cx, (Status)why.code, "%s", why.message);
    s->adapter = adapter_of(s->models, &known);
    return OK;
}

void models_close(Server *s)
{
    if (!s->models) return;
    pith_close(s->models);
    pith_string_free(s->adapter);
    pthread_mutex_destroy(&s->models_lock);
}

int models_join(Worker *w, const pith_options *opt, pith_error *why)
{
    Server *s = w->server;
    pith_options o = *opt;
    pthread_mutex_lock(&s->models_lock);
    if (w->handle && w->age != s->models_age) {
        pith_close(w->handle);
        w->handle = NULL;
    }
    o.share = s->models;
    w->age = s->models_age;
    int code = w->handle ? 0 : pith_open(&o, &w->handle, why);
    pthread_mutex_unlock(&s->models_lock);
    return code;
}

/* models_lock is held. */
static void replace(Server *s, char *adapter)
{
    pith *fresh = NULL;
    pith_error why;
    if (pith_open(&s->env.open, &fresh, &why)) {
        log_event(&s->log, LOG_WARN, "adapter", json_pack("{sb ss}", "done", 0, "reason",
                  why.message));
        pith_string_free(adapter);
        return;
    }
    pith_close(s->models);      // the workers' handles keep what they share
    pith_string_free(s->adapter);
    s->models = fresh;
    s->adapter = adapter;
    s->models_age++;
    log_event(&s->log, LOG_WARN, "adapter", json_pack("{sb ss}", "done", 1, "reason",
              adapter ? "the store has another one" : "the store has none any more"));
}

void models_renew(Server *s, pith *p)
{
    bool known;
    if (s->env.open.adapter) return;        // the owner named one, or none
    char *now = adapter_of(p, &known);
    pthread_mutex_lock(&s->models_lock);
    if (known && !same(now, s->adapter)) replace(s, now);
    else pith_string_free(now);
    pthread_mutex_unlock(&s->models_lock);
}
