/* http.c -- see http.h. A request is admitted when its headers are in, and refused then
 * or when its body was read and thrown away, so that the client can read why. */
#include "serve/http.h"

#include "base/file.h"
#include "serve/guard.h"
#include "serve/request.h"
#include "serve/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 2, HEADER_BYTES = 16 << 10, IDLE_S = 30, BODY_S = 120,
       BODIES_MAX = 512 << 20, PEM_MAX = 1 << 20, LISTEN_BACKLOG = 1024 };

static Str header(const Request *r, const char *name)
{
    return str_z(MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name));
}

/* ---- admission -------------------------------------------------------------------- */

/* Without a key a client is its address. */
static void name_client(Request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || getnameinfo(info->client_addr, sizeof(struct sockaddr_in6), r->client,
                             sizeof r->client, NULL, 0, NI_NUMERICHOST) != 0)
        memcpy(r->client, "unknown", sizeof "unknown");
}

/* Who asks, and what that one may. False: replied. */
static bool check_key(Request *r)
{
    Server *s = r->server;
    bool needed = false, known = true;
    pthread_rwlock_rdlock(&s->state_lock);
    if (s->keys.n) {
        const Key *k = keys_find(&s->keys, guard_bearer(header(r, "Authorization")));
        needed = !r->route || r->route->right != RIGHT_NONE;
        known = k != NULL;
        r->writes = k && k->writes;
        if (k) memcpy(r->client, k->name, sizeof k->name);
    } else {
        r->writes = true;
    }
    pthread_rwlock_unlock(&s->state_lock);
    r->writes &= !s->env.read_only;
    if (!needed || known) return true;
    reply_header(r, "WWW-Authenticate", "Bearer realm=\"pith\"");
    reply_error(r, 401, NULL, "a key is needed: send \"Authorization: Bearer KEY\"");
    return false;
}

static bool check_origin(Request *r)
{
    Str host = header(r, "Host"), origin = header(r, "Origin");
    if (!guard_host(host, str_z(r->server->env.allow_host))) {
        reply_error(r, 403, NULL, "Host \"%.*s\" is neither an address nor a name this "
                    "server has: see --allow-host",
                    (int)(host.n < 100 ? host.n : 100), host.p);
        return false;
    }
    if (origin.n == 0 || guard_origin(origin, host, r->server->env.cert)) return true;
    reply_error(r, 403, NULL, "pages of another origin may not ask this server");
    return false;
}

static bool check_body(Request *r)
{
    Str length = header(r, "Content-Length"), type = header(r, "Content-Type");
    size_t max = r->body.max;
    if (length.n && strtoull(length.p, NULL, 10) > max) {
        reply_error(r, 413, NULL, "the body is larger than %zu MiB", max >> 20);
        return false;
    }
    if (!r->route || r->route->body != BODY_JSON) return true;
    if (type.n >= 16 && str_ieq((Str){ type.p, 16 }, STR("application/json")))
        return true;
    reply_error(r, 415, NULL, "the body must be application/json");
    return false;
}

static void admit(Request *r, const char *method)
{
    char allow[ALLOW_BYTES];
    r->route = route_find(method, r->path, &r->rest, allow);
    name_client(r);
    r->plain = str_ieq(header(r, "Pith-Ground"), STR("no"));
    if (!check_origin(r) || !check_key(r)) return;
    if (!r->route && allow[0]) {
        reply_header(r, "Allow", "%s", allow);
        reply_error(r, 405, NULL, "%s does not go with this path: %s", method, allow);
    } else if (!r->route) {
        reply_error(r, 404, NULL, "there is nothing at this path: see /openapi.json");
    } else if (r->route->right == RIGHT_WRITE && !r->writes) {
        reply_error(r, 403, NULL, "this key may read only");
    } else {
        check_body(r);
    }
}

/* ---- the body --------------------------------------------------------------------- */

static enum MHD_Result take_body(Request *r, Str piece)
{
    Server *s = r->server;
    if (now_ms() - r->begun_ms > BODY_S * 1e3) return MHD_NO;   // a slow client's line
    if (r->status) return MHD_YES;                          // refused: read on, keep none
    if (atomic_load(&s->bodies) + piece.n > BODIES_MAX) {
        reply_error(r, 503, NULL, "too many large requests at once: try again later");
        return MHD_YES;
    }
    buf_add(&r->body, piece);
    if (r->body.failed)
        reply_error(r, 413, NULL, "the body is larger than %zu MiB", r->body.max >> 20);
    else
        atomic_fetch_add(&s->bodies, piece.n);
    return MHD_YES;
}

static bool parse_body(Request *r)
{
    json_error_t why;
    if (r->route->body != BODY_JSON) return true;
    r->json = json_loadb(r->body.n ? r->body.p : "", r->body.n, 0, &why);
    if (r->json && (json_is_object(r->json) || r->route->choose)) return true;
    if (r->json) reply_error(r, 400, NULL, "the body must be a JSON object");
    else reply_error(r, 400, NULL, "the body is not JSON: %.100s at byte %d", why.text,
                     why.position);
    return false;
}

static void dispatch(Request *r)
{
    r->read = true;
    if (r->status || !parse_body(r)) return;
    r->work = r->route->choose ? r->route->choose(r) : r->route->work;
    if (r->status) return;
    if (r->work == WORK_NONE) r->route->run(r, NULL);
    else request_queue(r, r->work);
}

/* ---- libmicrohttpd ---------------------------------------------------------------- */

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version,
                                  const char *data, size_t *n, void **state)
{
    Request *r = *state;
    (void)version;
    if (!r) {
        *state = r = request_new(cls, c, url);
        if (!r) return MHD_NO;
        admit(r, strcmp(method, "HEAD") == 0 ? "GET" : method);
        return r->status == 413 ? request_deliver(r) : MHD_YES;
    }
    if (*n) {
        Str piece = { data, *n };
        *n = 0;
        return take_body(r, piece);
    }
    if (!r->read) dispatch(r);
    return request_deliver(r);
}

static void log_request(const Request *r, double ms)
{
    const char *path = r->route ? r->route->path : "unknown";
    char labels[96];
    snprintf(labels, sizeof labels, "route=\"%s\",code=\"%d\"", path, r->status);
    metrics_count(r->server->metrics, METRIC_REQUESTS, labels, 1);
    snprintf(labels, sizeof labels, "route=\"%s\"", path);
    metrics_time(r->server->metrics, METRIC_REQUEST_S, labels, ms);
    log_event(&r->server->log, LOG_INFO, "request", json_pack("{sI ss si sf ss}", "id",
              (json_int_t)r->id, "route", path, "status", r->status, "ms", ms, "client",
              r->client));
}

static void on_completed(void *cls, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode how)
{
    Request *r = *state;
    (void)cls, (void)c, (void)how;
    if (!r) return;
    log_request(r, now_ms() - r->begun_ms);
    request_closed(r);
    *state = NULL;
}

/* ---- start and stop --------------------------------------------------------------- */

static Status read_pem(Ctx *cx, const char *path, const char **out)
{
    Str text;
    *out = NULL;
    if (!path) return OK;
    TRY(file_read(cx, path, PEM_MAX, &text));
    *out = text.p;
    return OK;
}

static Status resolve(Ctx *cx, const Server *s, struct sockaddr_storage *out, bool *v6)
{
    struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *got;
    char port[16];
    snprintf(port, sizeof port, "%d", s->env.port);
    int code = getaddrinfo(s->env.host, port, &want, &got);
    if (code) return fail(cx, E_ARG, "--host %s: %s", s->env.host, gai_strerror(code));
    memcpy(out, got->ai_addr, got->ai_addrlen);
    *v6 = got->ai_family == AF_INET6;
    freeaddrinfo(got);
    return OK;
}

Status http_start(Ctx *cx, Server *s)
{
    struct sockaddr_storage address;
    const char *cert, *key;
    bool v6 = false;
    TRY(resolve(cx, s, &address, &v6));
    TRY(read_pem(cx, s->env.cert, &cert));
    TRY(read_pem(cx, s->env.key, &key));
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)cert },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key },
        { MHD_OPTION_END, 0, NULL },
    };
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME
        | (v6 ? MHD_USE_IPv6 : 0) | (cert ? MHD_USE_TLS : 0);
    if (!cert) tls[0].option = MHD_OPTION_END;
    errno = 0;
    s->daemon = MHD_start_daemon(flags, (uint16_t)s->env.port, NULL, NULL, on_request, s,
        MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->env.max_connections,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)LISTEN_BACKLOG,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!s->daemon)
        return fail(cx, E_IO, "cannot listen on %s port %d: %s", s->env.host, s->env.port,
                    errno ? strerror(errno) : "the certificate and the key do not fit");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon,
                                                           MHD_DAEMON_INFO_BIND_PORT);
    s->port = info ? info->port : s->env.port;
    return OK;
}

void http_quiesce(Server *s)
{
    if (s->daemon) MHD_quiesce_daemon(s->daemon);
}

void http_stop(Server *s)
{
    if (s->daemon) MHD_stop_daemon(s->daemon);
    s->daemon = NULL;
}
