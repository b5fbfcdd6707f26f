/* jobs.h -- documents on their way into the store.
 *
 * What was accepted is not lost: before the client is told so, the texts lie in a file of
 * the inbox, a folder beside the store, and that file goes when they are indexed. After
 * a crash the inbox is taken up again; indexing the same text twice changes nothing. */
#ifndef PITH_SERVE_JOBS_H
#define PITH_SERVE_JOBS_H

#include "base/ctx.h"
#include "serve/tasks.h"

#include <jansson.h>

typedef struct Jobs Jobs;
struct Server;

typedef enum JobState { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED } JobState;

enum { JOB_ID_BYTES = 17 };     // 16 hex digits, NUL

/* Opens the inbox of the server's store and queues what is in it. */
MUST_USE Status jobs_open(Ctx *cx, struct Server *s, Jobs **out);
void jobs_free(Jobs *j);
/* Keeps documents, [{"document","title","text","format"}], and queues them. The texts are
 * on disk when this returns. E_BUSY: the queue is full; nothing was kept. */
MUST_USE Status jobs_add(Ctx *cx, Jobs *jobs, json_t *documents, uint64_t client,
                         char id[JOB_ID_BYTES]);
/* {"id","object","status","documents","progress","report","error"}; NULL: no such job, or
 * one that ended long ago. */
json_t *jobs_show(Jobs *jobs, const char *id);
json_t *jobs_list(Jobs *jobs);
size_t jobs_unfinished(Jobs *jobs);

#endif
