/* crew.c -- see crew.h. */
#include "model/crew.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct Crew {
    bool (*job)(void *arg, size_t worker, size_t i);
    void *arg;
    size_t n;
    atomic_size_t next;
    atomic_bool stopped;
} Crew;

typedef struct Worker {
    Crew *crew;
    size_t number;
    pthread_t thread;
} Worker;

static void *work(void *arg)
{
    Worker *w = arg;
    Crew *c = w->crew;
    while (!atomic_load(&c->stopped)) {
        size_t i = atomic_fetch_add(&c->next, 1);
        if (i >= c->n) break;
        if (!c->job(c->arg, w->number, i)) atomic_store(&c->stopped, true);
    }
    return NULL;
}

bool crew_run(size_t workers, size_t n, bool (*job)(void *arg, size_t worker, size_t i),
              void *arg)
{
    Crew crew = { .job = job, .arg = arg, .n = n };
    Worker worker[CREW_MAX] = { { .crew = &crew } };
    size_t started = 1;
    if (workers > CREW_MAX) workers = CREW_MAX;
    for (; started < workers && started < n; started++) {
        worker[started] = (Worker){ .crew = &crew, .number = started };
        if (pthread_create(&worker[started].thread, NULL, work, &worker[started])) break;
    }
    work(&worker[0]);
    for (size_t i = 1; i < started; i++) pthread_join(worker[i].thread, NULL);
    return !atomic_load(&crew.stopped);
}
