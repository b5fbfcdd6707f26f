/* hands.h -- several threads that work through a list, each with a handle of its own.
 *
 * The handles share their models, and what they write at the same time costs one reading
 * of the weights (model/batch.h). */
#ifndef PITH_EVAL_HANDS_H
#define PITH_EVAL_HANDS_H

#include "base/words.h"
#include "eval/job.h"

#include <pthread.h>

enum { HANDS = 4, HANDS_MOST = 24 };    // what is usual; what the models take

/* What one hand has for one item. */
typedef struct Hand {
    const Job *job;         // with an arena that ends with the item
    pith *p;
    Words *words;
} Hand;

typedef struct HandsWork {
    int n;                  // hands; 1 to HANDS_MOST
    pthread_mutex_t *lock;  // of what the hands share
    void *arg;
    bool (*take)(void *arg, size_t *item);  // the next item, under the lock; false: none
    Status (*work)(void *arg, const Hand *h, size_t item);      // without it
} HandsWork;

/* What --jobs says. E_ARG: more than HANDS_MOST. */
MUST_USE Status hands_count(const Job *j, int *out);
/* Options for a handle whose models n hands can share. */
pith_options hands_options(const Job *j, int n);
/* Works until nothing is taken any more, or something goes wrong: the first such is the
 * job's error. p, opened with hands_options, is not used itself. */
MUST_USE Status hands_run(const Job *j, pith *p, const HandsWork *w);

#endif
