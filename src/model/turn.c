/* turn.c -- see turn.h. A waiter stands on the stack of its thread; the one at the head
 * of the line goes when the turn is free. */
#include "model/turn.h"

#include <time.h>

typedef struct Waiter {
    struct Waiter *next;
} Waiter;

void wait_open(pthread_cond_t *c)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(c, &clock);
    pthread_condattr_destroy(&clock);
}

void wait_ms(pthread_cond_t *c, pthread_mutex_t *m, double ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    long ns = until.tv_nsec + (long)(ms * 1e6);
    until.tv_sec += ns / 1000000000L;
    until.tv_nsec = ns % 1000000000L;
    pthread_cond_timedwait(c, m, &until);
}

void turn_open(Turn *t)
{
    *t = (Turn){ .taken = false };
    pthread_mutex_init(&t->lock, NULL);
    wait_open(&t->moved);
}

void turn_close(Turn *t)
{
    pthread_cond_destroy(&t->moved);
    pthread_mutex_destroy(&t->lock);
}

/* Where `of` is pointed to; the end of the line for NULL. */
static Waiter **place(Turn *t, const Waiter *of)
{
    Waiter **at = &t->first;
    while (*at != of) at = &(*at)->next;
    return at;
}

Status turn_take(Ctx *cx, Turn *t)
{
    Waiter me = { NULL };
    Status st = OK;
    pthread_mutex_lock(&t->lock);
    *place(t, NULL) = &me;
    while (st == OK && (t->taken || t->first != &me)) {
        wait_ms(&t->moved, &t->lock, WAIT_LOOK_MS);
        st = ctx_check(cx);
    }
    *place(t, &me) = me.next;
    if (st == OK) t->taken = true;
    pthread_cond_broadcast(&t->moved);
    pthread_mutex_unlock(&t->lock);
    return st;
}

void turn_give(Turn *t)
{
    pthread_mutex_lock(&t->lock);
    t->taken = false;
    pthread_cond_broadcast(&t->moved);
    pthread_mutex_unlock(&t->lock);
}
