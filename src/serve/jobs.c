/* jobs.c -- see jobs.h. A job is its file: the texts are not held in memory while it
 * waits. Jobs that ended are remembered, the last HISTORY of them. */
#include "serve/jobs.h"

#include "base/file.h"
#include "serve/base64.h"
#include "serve/server.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HISTORY = 1000, UNFINISHED_MAX = 1000, FILE_MAX_BYTES = 1 << 30,
       TELL_MS = 200, BUSY_MS = 500 };

typedef struct Job {
    Task task;              // first
    Jobs *jobs;
    struct Job *next;       // newest first
    char id[JOB_ID_BYTES];
    JobState state;
    json_t *names;          // of the documents
    pith_progress progress; // current is not kept
    pith_report report;
    char error[512];
    double told_ms;         // when its progress was last told
} Job;

struct Jobs {
    struct Server *server;
    pthread_mutex_t lock;   // guards the list and the state of all jobs
    Job *first;
    size_t n, unfinished;
    char *inbox;            // the folder
};

/* ---- showing; the lock is held ---------------------------------------------------- */

static json_t *show(const Job *j)
{
    static const char *const state[] = { "queued", "running", "done", "failed" };
    const pith_report *r = &j->report;
    json_t *out = json_pack("{ss ss ss sO s{sI sI sI} s{sI sI sI sI sI}}", "id", j->id,
        "object", "job", "status", state[j->state], "documents", j->names, "progress",
        "done", (json_int_t)j->progress.files_done,
        "total", (json_int_t)json_array_size(j->names),
        "chunks", (json_int_t)j->progress.chunks_done,
        "report", "added", (json_int_t)r->added, "changed", (json_int_t)r->changed,
        "unchanged", (json_int_t)r->unchanged, "failed", (json_int_t)r->failed,
        "chunks", (json_int_t)r->chunks);
    if (out && j->error[0]) json_object_set_new(out, "error", json_string(j->error));
    return out;
}

json_t *jobs_show(Jobs *jobs, const char *id)
{
    json_t *out = NULL;
    pthread_mutex_lock(&jobs->lock);
    for (const Job *j = jobs->first; j && !out; j = j->next)
        if (strcmp(j->id, id) == 0) out = show(j);
    pthread_mutex_unlock(&jobs->lock);
    return out;
}

json_t *jobs_list(Jobs *jobs)
{
    json_t *all = json_array();
    pthread_mutex_lock(&jobs->lock);
    for (const Job *j = jobs->first; j; j = j->next) json_array_append_new(all, show(j));
    pthread_mutex_unlock(&jobs->lock);
    return json_pack("{ss so}", "object", "list", "data", all);
}

size_t jobs_unfinished(Jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    size_t n = jobs->unfinished;
    pthread_mutex_unlock(&jobs->lock);
    return n;
}

static void tell(Job *j)
{
    pthread_mutex_lock(&j->jobs->lock);
    json_t *now = show(j);
    pthread_mutex_unlock(&j->jobs->lock);
    events_tell(j->jobs->server->events, "job", now);
}

/* ---- the list --------------------------------------------------------------------- */

static void job_free(Job *j)
{
    if (!j) return;
    json_decref(j->names);
    free(j);
}

/* Forgets the oldest of those that ended. The lock is held. */
static void forget_old(Jobs *jobs)
{
    Job **oldest = NULL;
    for (Job **at = &jobs->first; *at; at = &(*at)->next)
        if ((*at)->state >= JOB_DONE) oldest = at;
    if (jobs->n <= HISTORY || !oldest) return;
    Job *gone = *oldest;
    *oldest = gone->next;
    jobs->n--;
    job_free(gone);
}

static void enter(Jobs *jobs, Job *j)
{
    pthread_mutex_lock(&jobs->lock);
    j->next = jobs->first;
    jobs->first = j;
    jobs->n++;
    jobs->unfinished++;
    forget_old(jobs);
    pthread_mutex_unlock(&jobs->lock);
}

static void set_state(Job *j, JobState state)
{
    pthread_mutex_lock(&j->jobs->lock);
    j->state = state;
    if (state >= JOB_DONE) j->jobs->unfinished--;
    pthread_mutex_unlock(&j->jobs->lock);
}

static json_t *names_of(const json_t *documents)
{
    json_t *all = json_array(), *j;
    size_t i;
    json_array_foreach((json_t *)documents, i, j)
        json_array_append(all, json_object_get(j, "document"));
    return all;
}

/* ---- the work --------------------------------------------------------------------- */

static Status file_of(Ctx *cx, const Jobs *jobs, const char *id, Str *out)
{
    *out = ctx_printf(cx, "%s/%s.json", jobs->inbox, id);
    TRY_NEW(out->p);
    return OK;
}

static void on_progress(void *arg, const pith_progress *now)
{
    Job *j = arg;
    double ms = now_ms();
    pthread_mutex_lock(&j->jobs->lock);
    j->progress = *now;
    j->progress.current = NULL;
    pthread_mutex_unlock(&j->jobs->lock);
    if (ms - j->told_ms < TELL_MS) return;
    j->told_ms = ms;
    tell(j);
}

static void on_problem(void *arg, const char *path, const char *reason)
{
    Job *j = arg;
    pthread_mutex_lock(&j->jobs->lock);
    if (!j->error[0]) snprintf(j->error, sizeof j->error, "%.200s: %.300s", path, reason);
    pthread_mutex_unlock(&j->jobs->lock);
}

/* Borrowed from d but for bytes, which are made by malloc. */
static int text_of(const json_t *d, pith_text *out, pith_error *why)
{
    const char *coded = json_string_value(json_object_get(d, "base64"));
    *out = (pith_text){ json_string_value(json_object_get(d, "document")),
                        json_string_value(json_object_get(d, "title")),
                        json_string_value(json_object_get(d, "text")),
                        json_string_value(json_object_get(d, "format")), 0 };
    if (!coded) return PITH_OK;
    out->text = base64_bytes(coded, &out->bytes);
    if (out->text) return PITH_OK;
    *why = (pith_error){ PITH_E_MEMORY, "out of memory for the bytes of a document" };
    return PITH_E_MEMORY;
}

static int add_texts(Job *j, const json_t *documents, pith *p, pith_error *why)
{
    pith_add_options opt = { .on_progress = on_progress, .on_problem = on_problem,
                             .arg = j };
    size_t n = json_array_size(documents);
    pith_text *texts = calloc(n ? n : 1, sizeof *texts);
    if (!texts) {
        *why = (pith_error){ PITH_E_MEMORY, "out of memory for the documents" };
        return PITH_E_MEMORY;
    }
    int code = PITH_OK;
    size_t made = 0;
    while (made < n && code == PITH_OK) {
        code = text_of(json_array_get(documents, made), &texts[made], why);
        made += code == PITH_OK;
    }
    if (code == PITH_OK) code = pith_add_texts(p, texts, n, &opt, &j->report, why);
    while (made-- > 0)
        if (texts[made].bytes) free((void *)(uintptr_t)texts[made].text);
    free(texts);
    return code;
}

/* Another program may be writing to the store: the job waits for it, since what was
 * accepted is not given up. */
static int add_patiently(Job *j, const json_t *documents, pith *p, pith_error *why)
{
    struct timespec nap = { 0, BUSY_MS * 1000000L };
    int code = add_texts(j, documents, p, why);
    while (code == PITH_E_BUSY && !atomic_load(&j->jobs->server->abandoning)) {
        nanosleep(&nap, NULL);
        code = add_texts(j, documents, p, why);
    }
    return code;
}

/* What failed for good leaves the inbox; what a stop or another writer cut short stays in
 * it for the next start. */
static void job_end(Job *j, Ctx *cx, Str path, int code, const pith_error *why)
{
    bool again = code == PITH_E_CANCELLED || code == PITH_E_BUSY;
    if (code) {
        pthread_mutex_lock(&j->jobs->lock);
        snprintf(j->error, sizeof j->error, "%s", why->message);
        pthread_mutex_unlock(&j->jobs->lock);
    }
    if (path.p && !again && unlink(path.p) != 0 && errno != ENOENT)
        log_event(&j->jobs->server->log, LOG_WARN, "inbox", json_pack("{ss ss}", "file",
                  path.p, "reason", strerror(errno)));
    set_state(j, code || j->report.failed ? JOB_FAILED : JOB_DONE);
    tell(j);
    ctx_end(cx);
}

static void run_job(Task *t, pith *p)
{
    Job *j = (Job *)t;
    Ctx cx = CTX_INIT;
    Str path = { NULL, 0 }, text;
    pith_error why = { 0 };
    json_t *documents = NULL;
    set_state(j, JOB_RUNNING);
    Status st = file_of(&cx, j->jobs, j->id, &path);
    if (st == OK) st = file_read(&cx, path.p, FILE_MAX_BYTES, &text);
    if (st == OK && !(documents = json_loadb(text.p, text.n, 0, NULL)))
        st = fail(&cx, E_FORMAT, "%s does not hold documents", path.p);
    if (st == OK) st = (Status)add_patiently(j, documents, p, &why);
    else memcpy(why.message, cx.reason, sizeof why.message);
    json_decref(documents);
    job_end(j, &cx, path, (int)st, &why);
}

/* The service stops: the file stays in the inbox for the next start. */
static void drop_job(Task *t, Drop why)
{
    (void)why;
    Job *j = (Job *)t;
    pthread_mutex_lock(&j->jobs->lock);
    j->jobs->unfinished--;
    pthread_mutex_unlock(&j->jobs->lock);
}

static const TaskKind job_task = { run_job, drop_job, NULL };

static Status job_queue(Ctx *cx, Jobs *jobs, const char *id, json_t *names,
                        uint64_t client)
{
    Job *j = calloc(1, sizeof *j);
    if (!j) {
        json_decref(names);
        return fail(cx, E_MEMORY, "out of memory for a job");
    }
    j->task = (Task){ .kind = &job_task, .client = client, .queued_ms = now_ms() };
    j->jobs = jobs;
    j->names = names;
    memcpy(j->id, id, JOB_ID_BYTES);
    enter(jobs, j);
    if (tasks_push(jobs->server->queue[WORK_WRITE], &j->task)) return OK;
    set_state(j, JOB_FAILED);
    return fail(cx, E_BUSY, "the service stops: the documents will be added when it "
                "starts again");
}

/* ---- in --------------------------------------------------------------------------- */

Status jobs_add(Ctx *cx, Jobs *jobs, json_t *documents, uint64_t client,
                char id[JOB_ID_BYTES])
{
    unsigned char random[(JOB_ID_BYTES - 1) / 2];
    Str path;
    if (jobs_unfinished(jobs) >= UNFINISHED_MAX)
        return fail(cx, E_BUSY, "%d jobs wait already: try again later", UNFINISHED_MAX);
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(id, JOB_ID_BYTES, random, sizeof random);
    TRY(file_of(cx, jobs, id, &path));
    char *text = json_dumps(documents, JSON_COMPACT);
    if (!text) return fail(cx, E_MEMORY, "out of memory for the documents");
    Status st = file_write(cx, path.p, str_z(text));
    free(text);
    if (st != OK) return st;
    return job_queue(cx, jobs, id, names_of(documents), client);
}

/* A file that was not whole when the service died, so that nobody was told of it:
 * file_write's name for it is that of the job and a dot and six letters. */
static Status sweep_one(Ctx *cx, const Jobs *jobs, const char *name)
{
    Str path = ctx_printf(cx, "%s/%s", jobs->inbox, name);
    TRY_NEW(path.p);
    if (unlink(path.p) == 0 || errno == ENOENT) return OK;
    return fail(cx, E_IO, "%s: %s", path.p, strerror(errno));
}

/* One file of the inbox; what is no job of ours is left alone. */
static Status resume_one(Ctx *cx, Jobs *jobs, const char *name)
{
    enum { HEX = JOB_ID_BYTES - 1, WHOLE = HEX + 5, PART = WHOLE + 7 };
    char id[JOB_ID_BYTES];
    Str path, text;
    size_t n = strlen(name);
    if (strspn(name, "0123456789abcdef") != HEX) return OK;
    if (n == PART && strncmp(name + HEX, ".json.", 6) == 0)
        return sweep_one(cx, jobs, name);
    if (n != WHOLE || strcmp(name + HEX, ".json") != 0) return OK;
    memcpy(id, name, JOB_ID_BYTES - 1);
    id[JOB_ID_BYTES - 1] = '\0';
    TRY(file_of(cx, jobs, id, &path));
    TRY(file_read(cx, path.p, FILE_MAX_BYTES, &text));
    json_t *documents = json_loadb(text.p, text.n, 0, NULL);
    json_t *names = names_of(documents);
    json_decref(documents);
    return job_queue(cx, jobs, id, names, 0);
}

static Status resume_all(Ctx *cx, Jobs *jobs)
{
    DIR *d = opendir(jobs->inbox);
    Status st = d ? OK : fail(cx, E_IO, "%s: %s", jobs->inbox, strerror(errno));
    for (struct dirent *e; st == OK && (e = readdir(d)); )
        st = resume_one(cx, jobs, e->d_name);
    if (d) closedir(d);
    return st;
}

Status jobs_open(Ctx *cx, struct Server *s, Jobs **out)
{
    Jobs *jobs = calloc(1, sizeof *jobs);
    Str folder = ctx_printf(cx, "%s.inbox", s->env.open.store);
    *out = jobs;
    if (!jobs || !folder.p) return fail(cx, E_MEMORY, "out of memory for the jobs");
    pthread_mutex_init(&jobs->lock, NULL);
    jobs->server = s;
    jobs->inbox = strdup(folder.p);
    if (!jobs->inbox) return fail(cx, E_MEMORY, "out of memory for the jobs");
    TRY(folder_make(cx, jobs->inbox));
    return resume_all(cx, jobs);
}

void jobs_free(Jobs *jobs)
{
    if (!jobs) return;
    for (Job *j = jobs->first, *next; j; j = next) {
        next = j->next;
        job_free(j);
    }
    pthread_mutex_destroy(&jobs->lock);
    free(jobs->inbox);
    free(jobs);
}
