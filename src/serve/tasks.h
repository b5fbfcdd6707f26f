/* tasks.h -- tasks that wait for a worker: bounded, fair between clients, dropped when
 * they are too late or nobody waits for them any more.
 *
 * Each client has a lane of its own, first in first out; workers take from the lanes in
 * turn, so that one who sends a hundred tasks delays another by one. A task is either run
 * or dropped, once. All functions may be called from any thread; `left` and `drop` are
 * called without the queue's lock, except that `left` must not call back. */
#ifndef PITH_SERVE_TASKS_H
#define PITH_SERVE_TASKS_H

#include <pith.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum Drop { DROP_LATE, DROP_LEFT, DROP_STOP } Drop;

typedef struct Task Task;
typedef struct TaskKind {
    void (*run)(Task *t, pith *p);      // on a worker; p is the worker's own
    void (*drop)(Task *t, Drop why);    // it will not be run
    bool (*left)(Task *t);              // nobody waits for it; NULL: somebody always does
} TaskKind;

struct Task {
    const TaskKind *kind;
    Task *next;                 // the queue's
    uint64_t client;            // whose turn it takes
    double queued_ms;           // when it came, on the clock of now_ms
    double deadline_ms;         // when it is too late; 0: never
};

typedef struct Tasks Tasks;

/* At most max tasks wait, of one client at most max_client. NULL: no memory. */
Tasks *tasks_new(size_t max, size_t max_client);
void tasks_free(Tasks *q);      // it must be empty; NULL is a no-op

/* False: full, closed, or no memory; the task is untouched. */
bool tasks_push(Tasks *q, Task *t);
/* Waits for the next task; NULL once the queue is closed and empty, or after wait_ms. */
Task *tasks_take(Tasks *q, int wait_ms);
/* Drops those that are late at now_ms or left. */
void tasks_sweep(Tasks *q, double now_ms);
/* No more comes in; what waits is still taken. */
void tasks_close(Tasks *q);
/* Drops all that waits. */
void tasks_clear(Tasks *q);

bool tasks_closed(Tasks *q);
size_t tasks_length(Tasks *q);

#endif
