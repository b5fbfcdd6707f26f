/* request.c -- see request.h. The reply's lock orders two things: "nothing to send, so
 * suspend" on the HTTP side and "something to send, so resume" on the worker's. */
#include "serve/request.h"

#include "base/ctx.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX_BYTES = 64 << 20, STREAM_BLOCK = 1024, MESSAGE_BYTES = 640 };
enum { JSON_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(9) };

/* ---- life ------------------------------------------------------------------------- */

static void run_request(Task *t, pith *p)
{
    Request *r = (Request *)t;
    char labels[32];
    r->run_ms = now_ms();
    snprintf(labels, sizeof labels, "kind=\"%s\"", work_name(r->work));
    metrics_time(r->server->metrics, METRIC_WAIT_S, labels, r->run_ms - t->queued_ms);
    r->route->run(r, p);
    request_release(r);
}

static void drop_request(Task *t, Drop why)
{
    static const char *const label[] = { "why=\"late\"", "why=\"left\"", "why=\"stop\"" };
    Request *r = (Request *)t;
    metrics_count(r->server->metrics, METRIC_DROPPED, label[why], 1);
    if (why == DROP_LATE)
        reply_error(r, 504, NULL, "no worker was free within %d seconds: try again later",
                    r->server->env.deadline_s);
    else
        reply_error(r, 503, NULL, "the service stops: try again in a minute");
    request_release(r);
}

static bool task_left(Task *t)
{
    return request_left((Request *)t);
}

static const TaskKind request_task = { run_request, drop_request, task_left };

Request *request_new(Server *s, struct MHD_Connection *c, const char *path)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    Request *r = calloc(1, sizeof *r);
    if (r) r->path = strdup(path);
    if (!r || !r->path || pthread_mutex_init(&r->lock, NULL)) {
        if (r) free(r->path);
        free(r);
        return NULL;
    }
    r->task.kind = &request_task;
    r->server = s;
    r->connection = c;
    r->socket = info ? info->connect_fd : -1;
    r->begun_ms = now_ms();
    r->id = atomic_fetch_add(&s->n_requests, 1) + 1;
    r->body = BUF((size_t)s->env.max_body_mb << 20);
    r->out = BUF(OUT_MAX_BYTES);
    r->holders = 1;
    atomic_fetch_add(&s->open_requests, 1);
    return r;
}

void request_release(Request *r)
{
    pthread_mutex_lock(&r->lock);
    bool last = --r->holders == 0;
    pthread_mutex_unlock(&r->lock);
    if (!last) return;
    atomic_fetch_sub(&r->server->bodies, r->body.n);
    atomic_fetch_sub(&r->server->open_requests, 1);
    json_decref(r->json);
    buf_free(&r->body);
    buf_free(&r->out);
    pthread_mutex_destroy(&r->lock);
    free(r->path);
    free(r);
}

/* A suspended connection is not watched by libmicrohttpd, so we look ourselves. The
 * lock keeps the descriptor from being closed, and used again, meanwhile. */
bool request_left(Request *r)
{
    pthread_mutex_lock(&r->lock);
    struct pollfd ask = { .fd = r->socket, .events = POLLRDHUP };
    bool left = r->gone;
    if (!left && r->socket >= 0 && poll(&ask, 1, 0) > 0)
        left = (ask.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
    pthread_mutex_unlock(&r->lock);
    return left;
}

void request_closed(Request *r)
{
    pthread_mutex_lock(&r->lock);
    r->gone = true;
    r->socket = -1;
    pthread_mutex_unlock(&r->lock);
    request_release(r);
}

void request_queue(Request *r, Work work)
{
    Server *s = r->server;
    char labels[32];
    r->task.queued_ms = now_ms();
    r->task.deadline_ms = r->task.queued_ms + s->env.deadline_s * 1e3;
    r->task.client = str_hash(str_z(r->client));
    pthread_mutex_lock(&r->lock);
    r->holders++;
    pthread_mutex_unlock(&r->lock);
    if (tasks_push(s->queue[work], &r->task)) return;
    snprintf(labels, sizeof labels, "kind=\"%s\"", work_name(work));
    metrics_count(s->metrics, METRIC_REJECTED, labels, 1);
    reply_header(r, "Retry-After", "%zu", 1 + tasks_length(s->queue[work]) / 4);
    if (tasks_closed(s->queue[work]))
        reply_error(r, 503, NULL, "the service stops: try again in a minute");
    else
        reply_error(r, 429, NULL, "too many requests wait: try again a little later");
    request_release(r);
}

/* ---- replies ---------------------------------------------------------------------- */

/* The reply grew: wakes the connection. The lock is held. */
static void wake(Request *r)
{
    if (!r->suspended || r->gone) return;
    r->suspended = false;
    MHD_resume_connection(r->connection);
}

void reply_text(Request *r, int status, const char *type, Str text)
{
    pthread_mutex_lock(&r->lock);
    if (r->status == 0) {
        buf_add(&r->out, text);
        r->status = status;
        r->type = type;
        r->finished = true;
        wake(r);
    }
    pthread_mutex_unlock(&r->lock);
}

void reply_json(Request *r, int status, json_t *j)
{
    char *text = j ? json_dumps(j, JSON_FLAGS) : NULL;
    json_decref(j);
    if (text) reply_text(r, status, "application/json", str_z(text));
    else reply_text(r, 500, "application/json",
                    STR("{\"error\":{\"message\":\"out of memory\","
                        "\"type\":\"server_error\","
                        "\"param\":null,\"code\":null}}"));
    free(text);
}

json_t *error_json(int status, const char *param, const char *message)
{
    static const struct { int status; const char *type, *code; } kind[] = {
        { 401, "authentication_error", "invalid_api_key" },
        { 403, "permission_error", "forbidden" },
        { 404, "not_found_error", "not_found" },
        { 429, "rate_limit_error", "queue_full" },
        { 503, "service_unavailable_error", "unavailable" },
        { 504, "timeout_error", "deadline" },
    };
    const char *type = status < 500 ? "invalid_request_error" : "server_error";
    const char *code = NULL;
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
        if (kind[i].status == status) type = kind[i].type, code = kind[i].code;
    return json_pack("{s{ss ss ss? ss?}}", "error", "message", message, "type", type,
                     "param", param, "code", code);
}

void reply_error(Request *r, int status, const char *param, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list ap;
    va_start(ap, format);
    vsnprintf(message, sizeof message, format, ap);
    va_end(ap);
    pthread_mutex_lock(&r->lock);
    bool streams = r->streams;
    pthread_mutex_unlock(&r->lock);
    if (!streams) {
        reply_json(r, status, error_json(status, param, message));
        return;
    }
    stream_event(r, NULL, error_json(status, param, message));
    stream_end(r);
}

int status_of(const pith_error *why)
{
    static const int status[] = {
        [PITH_OK] = 200, [PITH_E_ARG] = 400, [PITH_E_IO] = 500, [PITH_E_FORMAT] = 400,
        [PITH_E_LIMIT] = 400, [PITH_E_MEMORY] = 503, [PITH_E_NOTFOUND] = 404,
        [PITH_E_BUSY] = 503, [PITH_E_MODEL] = 503, [PITH_E_NET] = 502,
        [PITH_E_CANCELLED] = 504, [PITH_E_INTERNAL] = 500,
    };
    bool known = why->code >= 0 && (size_t)why->code < sizeof status / sizeof *status;
    return known ? status[why->code] : 500;
}

void reply_pith(Request *r, const pith_error *why)
{
    reply_error(r, status_of(why), NULL, "%s", why->message);
}

void reply_header(Request *r, const char *name, const char *format, ...)
{
    va_list ap;
    pthread_mutex_lock(&r->lock);
    if (r->n_headers < (int)(sizeof r->header / sizeof *r->header)) {
        Header *h = &r->header[r->n_headers++];
        h->name = name;
        va_start(ap, format);
        vsnprintf(h->value, sizeof h->value, format, ap);
        va_end(ap);
    }
    pthread_mutex_unlock(&r->lock);
}

/* ---- streams ---------------------------------------------------------------------- */

void stream_begin(Request *r)
{
    pthread_mutex_lock(&r->lock);
    if (r->status == 0) {
        r->status = 200;
        r->type = "text/event-stream";
        r->streams = true;
        wake(r);
    }
    pthread_mutex_unlock(&r->lock);
}

bool stream_raw(Request *r, Str text)
{
    pthread_mutex_lock(&r->lock);
    if (!r->gone && !r->finished) buf_add(&r->out, text);
    bool goes_on = !r->gone && !r->finished && !r->out.failed;
    wake(r);
    pthread_mutex_unlock(&r->lock);
    return goes_on;
}

bool stream_event(Request *r, const char *event, json_t *j)
{
    Buf b = BUF(OUT_MAX_BYTES);
    char *text = j ? json_dumps(j, JSON_FLAGS) : NULL;
    json_decref(j);
    if (event) buf_addf(&b, "event: %s\n", event);
    buf_addf(&b, "data: %s\n\n", text ? text : "{}");
    bool goes_on = stream_raw(r, buf_str(&b));
    buf_free(&b);
    free(text);
    return goes_on;
}

void stream_end(Request *r)
{
    pthread_mutex_lock(&r->lock);
    r->finished = true;
    wake(r);
    pthread_mutex_unlock(&r->lock);
}

/* libmicrohttpd asks for the next bytes of a stream. */
static ssize_t read_stream(void *cls, uint64_t at, char *to, size_t max)
{
    Request *r = cls;
    ssize_t result = 0;
    (void)at;
    pthread_mutex_lock(&r->lock);
    size_t n = r->out.n - r->sent;
    if (n > max) n = max;
    if (n > 0) {
        memcpy(to, r->out.p + r->sent, n);
        r->sent += n;
        result = (ssize_t)n;
    } else if (r->out.failed) {
        result = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (r->finished) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        r->suspended = true;
        MHD_suspend_connection(r->connection);
    }
    if (r->sent == r->out.n) {      // all is sent: an idle stream holds no buffer
        size_t most = r->out.max;
        bool failed = r->out.failed;
        buf_free(&r->out);
        r->out = BUF(most);
        r->out.failed = failed;
        r->sent = 0;
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

/* ---- delivery --------------------------------------------------------------------- */

static void add_headers(const Request *r, struct MHD_Response *reply)
{
    static const char *const fixed[][2] = {
        { "X-Content-Type-Options", "nosniff" },
        { "Referrer-Policy", "no-referrer" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
        { "X-Frame-Options", "DENY" },
    };
    bool page = r->route && r->route->name;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        MHD_add_response_header(reply, fixed[i][0], fixed[i][1]);
    MHD_add_response_header(reply, "Content-Type", r->type);
    MHD_add_response_header(reply, "Cache-Control", page ? "no-cache" : "no-store");
    MHD_add_response_header(reply, "Content-Security-Policy", page
        ? "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
          "img-src 'self' data:; base-uri 'none'; form-action 'none'; "
          "frame-ancestors 'none'"
        : "default-src 'none'; frame-ancestors 'none'");
    if (r->streams) MHD_add_response_header(reply, "X-Accel-Buffering", "no");
    for (int i = 0; i < r->n_headers; i++)
        MHD_add_response_header(reply, r->header[i].name, r->header[i].value);
    if (atomic_load(&r->server->stopping))
        MHD_add_response_header(reply, "Connection", "close");
}

enum MHD_Result request_deliver(Request *r)
{
    struct MHD_Response *reply = NULL;
    enum MHD_Result ok = MHD_YES;
    pthread_mutex_lock(&r->lock);
    if (r->status == 0) {
        r->suspended = true;
        MHD_suspend_connection(r->connection);
        goto done;
    }
    reply = r->streams
        ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                            r, NULL)
        : MHD_create_response_from_buffer(r->out.n, r->out.p ? r->out.p : "",
                                          MHD_RESPMEM_PERSISTENT);
    if (reply) add_headers(r, reply);
    ok = reply ? MHD_queue_response(r->connection, (unsigned)r->status, reply) : MHD_NO;
done:
    pthread_mutex_unlock(&r->lock);
    if (reply) MHD_destroy_response(reply);
    return ok;
}
