/* turn.h -- waiting for one another: a lock that is had in the order of asking, and that
 * nobody waits for who is cancelled. */
#ifndef PITH_MODEL_TURN_H
#define PITH_MODEL_TURN_H

#include "base/ctx.h"

#include <pthread.h>

typedef struct Turn {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    struct Waiter *first;    // the line, those who wait longest at its head
    bool taken;
} Turn;

void turn_open(Turn *t);
/* Nobody has it or waits for it. */
void turn_close(Turn *t);
/* Waits behind those who came earlier. E_CANCELLED: cx was, and the turn is not taken. */
MUST_USE Status turn_take(Ctx *cx, Turn *t);
void turn_give(Turn *t);

/* A condition that is waited for by the clock of now_ms. */
void wait_open(pthread_cond_t *c);
/* Waits for c at most ms milliseconds; m is held. */
void wait_ms(pthread_cond_t *c, pthread_mutex_t *m, double ms);

/* How long one who waits sleeps before it looks whether it is cancelled. */
enum { WAIT_LOOK_MS = 50 };

#endif
