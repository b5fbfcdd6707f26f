/* hands.c -- see hands.h. */
#include "eval/hands.h"

typedef struct Shared {
    const Job *job;
    const HandsWork *work;
    Status status;          // the first that went wrong; under the lock
} Shared;

typedef struct Thread {
    Shared *shared;
    pith *p;
    Words *words;
    pthread_t id;
    bool runs;
} Thread;

Status hands_count(const Job *j, int *out)
{
    *out = j->opt->jobs ? j->opt->jobs : HANDS;
    if (*out <= HANDS_MOST) return OK;
    return fail(j->cx, E_ARG, "--jobs %d: at most %d", *out, HANDS_MOST);
}

pith_options hands_options(const Job *j, int n)
{
    pith_options o = j->env->open;
    o.answers = n;
    return o;
}

static bool take(Shared *s, size_t *item)
{
    const HandsWork *w = s->work;
    pthread_mutex_lock(w->lock);
    bool more = s->status == OK && w->take(w->arg, item);
    pthread_mutex_unlock(w->lock);
    return more;
}

static void give_up(Shared *s, Status st, const char *reason)
{
    pthread_mutex_lock(s->work->lock);
    if (s->status == OK) s->status = fail(s->job->cx, st, "%s", reason);
    pthread_mutex_unlock(s->work->lock);
}

static void *run(void *arg)
{
    const Thread *t = arg;
    const Ctx *cx = t->shared->job->cx;
    const HandsWork *w = t->shared->work;
    for (size_t item; take(t->shared, &item);) {
        Ctx scratch = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
        Job job = *t->shared->job;
        Hand hand = { &job, t->p, t->words };
        job.cx = &scratch;
        Status st = w->work(w->arg, &hand, item);
        if (st != OK) give_up(t->shared, st, scratch.reason);
        ctx_end(&scratch);
    }
    return NULL;
}

static Status open_one(Shared *s, pith *p, Thread *t)
{
    Job job = *s->job;
    EvalEnv env = *job.env;
    env.open = hands_options(&job, s->work->n);
    env.open.share = p;
    job.env = &env;
    t->shared = s;
    TRY(words_open(job.cx, &t->words));
    return job_open(&job, env.open.store, &t->p);
}

Status hands_run(const Job *j, pith *p, const HandsWork *w)
{
    Shared shared = { .job = j, .work = w };
    Thread t[HANDS_MOST] = { 0 };
    Status st = OK;
    for (int i = 0; i < w->n && st == OK; i++) st = open_one(&shared, p, &t[i]);
    for (int i = 0; i < w->n && st == OK; i++)
        t[i].runs = pthread_create(&t[i].id, NULL, run, &t[i]) == 0;
    for (int i = 0; i < w->n; i++)
        if (t[i].runs) pthread_join(t[i].id, NULL);
    if (st == OK && !t[0].runs) st = fail(j->cx, E_MEMORY, "no thread to work on");
    for (int i = 0; i < w->n; i++) {
        pith_close(t[i].p);
        words_close(t[i].words);
    }
    return st == OK ? shared.status : st;
}
