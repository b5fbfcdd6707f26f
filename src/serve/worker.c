/* worker.c -- the threads that call pith. Each has a handle of its own. Those that search
 * and answer share their models, so that answers are written together; the one that
 * indexes has an embedder of its own, for its texts come by the hundred. */
#include "serve/models.h"
#include "serve/request.h"

#include "base/ctx.h"

#include <string.h>

enum { WAIT_MS = 1000, IDLE_ROUNDS = 2, POLL_MS = 50 };

const char *work_name(Work w)
{
    static const char *const name[WORKS] = { "search", "answer", "write" };
    return w >= 0 && w < WORKS ? name[w] : "none";
}

/* pith asks this often. It stops for a client that left, a deadline, and a hard stop;
 * documents are for all, so their work is stopped by the last alone. */
static int worker_cancelled(void *arg)
{
    Worker *w = arg;
    Task *t = atomic_load(&w->task);
    double now = now_ms();
    if (atomic_load(&w->server->abandoning)) return 1;
    if (!t || w->work == WORK_WRITE) return 0;
    if (t->deadline_ms > 0 && now > t->deadline_ms) return 1;
    if (now < atomic_load(&w->look_ms)) return 0;
    atomic_store(&w->look_ms, now + POLL_MS);
    return t->kind->left && t->kind->left(t);
}

/* Loads what the worker needs, so that the first request does not wait for it. */
static int warm(Worker *w, pith_error *why)
{
    const char *text = "ready";
    bool reranks = strcmp(w->server->model[ROLES - 1], "none") != 0;
    pith_ask_options one = { .ground = PITH_CLOSED_BOOK, .max_tokens = 1 };
    pith_answer *a = NULL;
    float *vectors = NULL, score;
    int dim, code;
    if (w->work == WORK_WRITE) return 0;
    code = pith_embed(w->handle, 1, &text, 1, &vectors, &dim, why);
    pith_vectors_free(vectors);
    if (!code && reranks) code = pith_score(w->handle, text, &text, 1, &score, why);
    if (code == PITH_E_NOTFOUND) code = 0;      // no reranker: searches do without
    if (!code && w->work == WORK_ANSWER) code = pith_ask(w->handle, text, &one, &a, why);
    pith_answer_free(a);
    return code;
}

static void tell_warm(Worker *w, int code, const pith_error *why)
{
    Server *s = w->server;
    if (code == 0) {
        atomic_fetch_add(&s->ready, 1);
        return;
    }
    pthread_rwlock_wrlock(&s->state_lock);
    memcpy(s->unready, why->message, sizeof s->unready - 1);
    pthread_rwlock_unlock(&s->state_lock);
    log_event(&s->log, LOG_WARN, "unready", json_pack("{ss ss}", "worker",
              work_name(w->work), "reason", why->message));
}

/* The handle, opened when it is first needed: that of documents is closed when there is
 * nothing to write, so that other programs can write to the store then. */
static int open_handle(Worker *w, pith_error *why)
{
    pith_options opt = w->server->env.open;
    opt.read_only = w->work != WORK_WRITE;
    opt.cancelled = worker_cancelled;
    opt.may_send = NULL;        // nobody sits here to be asked
    opt.arg = w;
    if (w->work == WORK_ANSWER && w->handle) models_renew(w->server, w->handle);
    if (w->work != WORK_WRITE) return models_join(w, &opt, why);
    return w->handle ? 0 : pith_open(&opt, &w->handle, why);
}

static void close_idle(Worker *w, int *idle)
{
    if (w->work != WORK_WRITE || ++*idle < IDLE_ROUNDS) return;
    pith_close(w->handle);
    w->handle = NULL;
}

static void *worker_main(void *arg)
{
    Worker *w = arg;
    Tasks *q = w->server->queue[w->work];
    pith_error why = { 0 };
    int idle = 0, code = open_handle(w, &why);
    if (!code) code = warm(w, &why);
    tell_warm(w, code, &why);
    while (!tasks_closed(q) || tasks_length(q)) {
        Task *t = tasks_take(q, WAIT_MS);
        if (!t) {
            close_idle(w, &idle);
            continue;
        }
        idle = 0;
        atomic_store(&w->look_ms, 0);
        atomic_store(&w->task, t);
        if (open_handle(w, &why) || atomic_load(&w->server->abandoning))
            t->kind->drop(t, DROP_STOP);
        else
            t->kind->run(t, w->handle);
        atomic_store(&w->task, NULL);
    }
    pith_close(w->handle);
    w->handle = NULL;
    return NULL;
}

int workers_wanted(const Server *s)
{
    return 1 + s->env.answers + s->env.searchers;
}

Status workers_start(Ctx *cx, Server *s)
{
    TRY(models_open(cx, s));
    for (int i = 0; i < workers_wanted(s); i++) {
        Worker *w = &s->worker[i];
        w->server = s;
        w->work = i == 0 ? WORK_WRITE : i <= s->env.answers ? WORK_ANSWER : WORK_SEARCH;
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
            return fail(cx, E_INTERNAL, "the system gives no thread for worker %d",
                        i + 1);
        s->n_workers++;
    }
    return OK;
}

void workers_join(Server *s)
{
    for (int i = 0; i < s->n_workers; i++) pthread_join(s->worker[i].thread, NULL);
    s->n_workers = 0;
}
