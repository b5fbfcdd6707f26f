/* server.h -- what the service consists of; seen by src/serve alone.
 *
 * Threads: two or more of libmicrohttpd's, which read, admit and write; some workers for
 * answers, which pith writes together, some for searches, one for documents; the first
 * thread, which waits for signals and ten times a second drops what is late. */
#ifndef PITH_SERVE_SERVER_H
#define PITH_SERVE_SERVER_H

#include "serve/events.h"
#include "serve/jobs.h"
#include "serve/keys.h"
#include "serve/log.h"
#include "serve/metrics.h"
#include "serve/tasks.h"
#include "serve/serve.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

typedef enum Work { WORK_NONE = -1, WORK_SEARCH, WORK_ANSWER, WORK_WRITE, WORKS } Work;

enum { SEARCHERS_MAX = 14, ANSWERS_MAX = 24, ROLES = 3,
       WORKERS_MAX = SEARCHERS_MAX + ANSWERS_MAX + 1 };

typedef struct Worker {
    struct Server *server;
    Work work;
    pthread_t thread;
    pith *handle;
    unsigned age;               // of the models that it shares
    _Atomic(Task *) task;       // what it does now; NULL: nothing
    _Atomic(double) look_ms;    // when to look next whether the client is still there
} Worker;

typedef struct Server {
    ServeEnv env;               // with all defaults filled in
    Log log;
    Metrics *metrics;
    Tasks *queue[WORKS];
    pthread_mutex_t models_lock;        // guards the next three: models.h
    pith *models;               // never asked: its models are those of the workers
    char *adapter;              // that they have, as the store tells it; NULL: none
    unsigned models_age;        // grows when they are made anew
    Worker worker[WORKERS_MAX];
    int n_workers;
    Jobs *jobs;
    Events *events;
    struct MHD_Daemon *daemon;
    int port;
    char *model[ROLES];         // names of generator, embedder, reranker
    double began_ms;
    time_t began;

    pthread_rwlock_t state_lock;        // guards the keys and `unready`
    Ctx keys_cx;                // the arena that keys stand in
    Keys keys;

    atomic_int ready;           // workers that have loaded their models
    char unready[256];          // why one has not
    atomic_bool stopping;       // nothing new is taken on
    atomic_bool abandoning;     // what is in work stops now
    atomic_size_t bodies;       // bytes of request bodies held now
    atomic_size_t open_requests;
    atomic_ullong n_requests;
} Server;

/* "search", "answer", "write". */
const char *work_name(Work w);
/* Starts the threads of all workers. E_INTERNAL: the system gives no more threads. */
MUST_USE Status workers_start(Ctx *cx, Server *s);
/* How many there are to be. */
int workers_wanted(const Server *s);
/* Waits for all of them; the queues are closed. */
void workers_join(Server *s);

#endif
