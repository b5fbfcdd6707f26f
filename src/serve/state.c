/* state.c -- see state.h. Nothing here waits for a worker. */
#include "serve/state.h"

#include "base/ctx.h"
#include "serve/assets.h"

#include <string.h>

void state_health(Request *r, pith *p)
{
    (void)p;
    reply_json(r, 200, json_pack("{ss ss}", "status", "ok", "version", PITH_VERSION));
}

void state_ready(Request *r, pith *p)
{
    Server *s = r->server;
    char why[sizeof s->unready];
    int ready = atomic_load(&s->ready), want = workers_wanted(s);
    (void)p;
    pthread_rwlock_rdlock(&s->state_lock);
    memcpy(why, s->unready, sizeof why);
    pthread_rwlock_unlock(&s->state_lock);
    if (ready == want && !atomic_load(&s->stopping)) {
        reply_json(r, 200, json_pack("{ss}", "status", "ready"));
        return;
    }
    if (!why[0])
        snprintf(why, sizeof why, "%d of %d workers have their models", ready, want);
    reply_json(r, 503, json_pack("{ss ss}", "status",
               atomic_load(&s->stopping) ? "stopping" : "loading", "reason", why));
}

void state_metrics(Request *r, pith *p)
{
    Server *s = r->server;
    Buf b = BUF(4 << 20);
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    (void)p;
    for (int w = 0; w < WORKS; w++) {
        char label[32];
        snprintf(label, sizeof label, "kind=\"%s\"", work_name((Work)w));
        metrics_gauge(&b, "queue_length", label,
                      w ? NULL : "Requests that wait for a worker",
                      (double)tasks_length(s->queue[w]));
    }
    metrics_gauge(&b, "ready", "", "1 when all workers have loaded their models",
                  atomic_load(&s->ready) == workers_wanted(s));
    metrics_gauge(&b, "connections", "", "Open connections",
                  info ? info->num_connections : 0);
    metrics_gauge(&b, "requests_open", "",
                  "Requests that are read, wait, run or are sent",
                  (double)atomic_load(&s->open_requests));
    metrics_gauge(&b, "listeners", "", "Streams of /v1/events",
                  (double)events_listeners(s->events));
    metrics_gauge(&b, "jobs_unfinished", "", "Documents accepted and not yet indexed",
                  (double)jobs_unfinished(s->jobs));
    metrics_gauge(&b, "uptime_seconds", "", "Since the start",
                  (now_ms() - s->began_ms) / 1000);
    metrics_write(s->metrics, &b);
    reply_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&b));
    buf_free(&b);
}

/* ---- models ----------------------------------------------------------------------- */

static json_t *model_json(const Server *s, int role)
{
    static const char *const name[ROLES] = { "generator", "embedder", "reranker" };
    return json_pack("{ss ss sI ss ss}", "id", s->model[role], "object", "model",
                     "created", (json_int_t)s->began, "owned_by", "pith", "role",
                     name[role]);
}

void state_models(Request *r, pith *p)
{
    json_t *all = json_array();
    (void)p;
    for (int i = 0; i < ROLES; i++) json_array_append_new(all, model_json(r->server, i));
    reply_json(r, 200, json_pack("{ss so}", "object", "list", "data", all));
}

void state_model(Request *r, pith *p)
{
    (void)p;
    for (int i = 0; i < ROLES; i++) {
        if (strcmp(r->rest, r->server->model[i]) != 0) continue;
        reply_json(r, 200, model_json(r->server, i));
        return;
    }
    reply_error(r, 404, "model", "no such model is loaded: see /v1/models");
}

/* ---- jobs, events, pages ---------------------------------------------------------- */

void state_jobs(Request *r, pith *p)
{
    (void)p;
    reply_json(r, 200, jobs_list(r->server->jobs));
}

void state_job(Request *r, pith *p)
{
    json_t *j = jobs_show(r->server->jobs, r->rest);
    (void)p;
    if (j) reply_json(r, 200, j);
    else reply_error(r, 404, "job", "there is no such job, or it ended long ago");
}

void state_events(Request *r, pith *p)
{
    (void)p;
    events_listen(r->server->events, r);
}

void state_page(Request *r, pith *p)
{
    (void)p;
    for (const Asset *a = assets; a->name; a++) {
        if (strcmp(a->name, r->route->name) != 0) continue;
        reply_text(r, 200, a->type, (Str){ (const char *)a->bytes, a->n });
        return;
    }
    reply_error(r, 404, NULL, "this page was not built in");
}
