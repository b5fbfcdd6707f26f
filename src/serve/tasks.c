/* tasks.c -- see tasks.h. Lanes form a ring; `turn` is the lane that is served next. An
 * empty lane leaves the ring at once, so a ring holds no more lanes than tasks. */
#include "serve/tasks.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct Lane {
    struct Lane *next, *before;
    uint64_t client;
    Task *first, *last;
    size_t n;
} Lane;

struct Tasks {
    pthread_mutex_t lock;
    pthread_cond_t more;
    Lane *turn;             // NULL: nothing waits
    size_t n, max, max_client;
    bool closed;
};

Tasks *tasks_new(size_t max, size_t max_client)
{
    pthread_condattr_t clock;
    Tasks *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    q->max = max;
    q->max_client = max_client;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&q->more, &clock);
    pthread_condattr_destroy(&clock);
    return q;
}

void tasks_free(Tasks *q)
{
    if (!q) return;
    pthread_cond_destroy(&q->more);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* ---- lanes; the lock is held ------------------------------------------------------ */

static Lane *lane_of(const Tasks *q, uint64_t client)
{
    Lane *l = q->turn;
    if (!l) return NULL;
    do {
        if (l->client == client) return l;
        l = l->next;
    } while (l != q->turn);
    return NULL;
}

/* A new lane stands last: just before the one whose turn it is. */
static Lane *lane_new(Tasks *q, uint64_t client)
{
    Lane *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->client = client;
    l->next = l->before = l;
    if (q->turn) {
        l->next = q->turn;
        l->before = q->turn->before;
        l->before->next = l->next->before = l;
    } else {
        q->turn = l;
    }
    return l;
}

static void lane_end(Tasks *q, Lane *l)
{
    if (q->turn == l) q->turn = l->next == l ? NULL : l->next;
    l->before->next = l->next;
    l->next->before = l->before;
    free(l);
}

static Task *take_first(Tasks *q)
{
    Lane *l = q->turn;
    Task *t = l->first;
    l->first = t->next;
    q->n--;
    if (--l->n == 0) lane_end(q, l);
    else q->turn = l->next;
    return t;
}

/* ---- in and out ------------------------------------------------------------------- */

bool tasks_push(Tasks *q, Task *t)
{
    pthread_mutex_lock(&q->lock);
    Lane *l = lane_of(q, t->client);
    bool fits = !q->closed && q->n < q->max && (!l || l->n < q->max_client);
    if (fits && !l) l = lane_new(q, t->client);
    if (fits && l) {
        t->next = NULL;
        if (l->n++) l->last->next = t;
        else l->first = t;
        l->last = t;
        q->n++;
        pthread_cond_signal(&q->more);
    }
    pthread_mutex_unlock(&q->lock);
    return fits && l;
}

Task *tasks_take(Tasks *q, int wait_ms)
{
    Task *t = NULL;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) until.tv_sec++, until.tv_nsec -= 1000000000L;
    pthread_mutex_lock(&q->lock);
    while (!q->n && !q->closed && !pthread_cond_timedwait(&q->more, &q->lock, &until)) {}
    if (q->n) t = take_first(q);
    pthread_mutex_unlock(&q->lock);
    return t;
}

/* ---- dropping --------------------------------------------------------------------- */

static bool is_left(Task *t)
{
    return t->kind->left && t->kind->left(t);
}

/* Takes the tasks of a lane that are late or left off it, onto *out. */
static void sift_lane(Tasks *q, Lane *l, double now, Task **out)
{
    Task **at = &l->first, *last = NULL;
    while (*at) {
        Task *t = *at;
        if ((t->deadline_ms > 0 && t->deadline_ms <= now) || is_left(t)) {
            *at = t->next;
            t->next = *out;
            *out = t;
            l->n--;
            q->n--;
        } else {
            last = t;
            at = &t->next;
        }
    }
    l->last = last;
}

void tasks_sweep(Tasks *q, double now_ms)
{
    Task *out = NULL;
    pthread_mutex_lock(&q->lock);
    Lane *l = q->turn;
    for (size_t lanes = q->n; l && lanes > 0; lanes--) {    // lanes <= tasks
        Lane *next = l->next;
        sift_lane(q, l, now_ms, &out);
        if (l->n == 0) lane_end(q, l);
        l = q->turn ? next : NULL;
    }
    pthread_mutex_unlock(&q->lock);
    for (Task *t = out, *next; t; t = next) {
        next = t->next;
        bool late = t->deadline_ms > 0 && t->deadline_ms <= now_ms;
        t->kind->drop(t, late ? DROP_LATE : DROP_LEFT);
    }
}

void tasks_close(Tasks *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->more);
    pthread_mutex_unlock(&q->lock);
}

void tasks_clear(Tasks *q)
{
    for (Task *t; (t = tasks_take(q, 0)); ) t->kind->drop(t, DROP_STOP);
}

bool tasks_closed(Tasks *q)
{
    pthread_mutex_lock(&q->lock);
    bool closed = q->closed;
    pthread_mutex_unlock(&q->lock);
    return closed;
}

size_t tasks_length(Tasks *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->n;
    pthread_mutex_unlock(&q->lock);
    return n;
}
