/* remote.c -- opening a remote model, asking its server, embedding and scoring there.
 * See remote.h; remote_generate.c streams answers.
 *
 * Invariant: a request is sent again only while nothing of its answer was handed on, so a
 * reader never sees the beginning of one answer and the end of another. */
#include "model/remote.h"

#include "base/file.h"
#include "base/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MAX_REPLY = 64 << 20, WINDOW = 8192, MAX_KEY = 4096, WAIT_AT_MOST_S = 10 };

bool model_is_elsewhere(const char *path)
{
    return strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0;
}

/* ---- one call ---------------------------------------------------------------------- */

/* The circuit breaker: Nygard, "Release It!", 2007, ch. 5. */
static Status check_breaker(Ctx *cx, Remote *m)
{
    pthread_mutex_lock(&m->lock);
    double left = m->tripped_until - now_ms();
    int failures = m->failures;
    pthread_mutex_unlock(&m->lock);
    if (left <= 0) return OK;
    return fail(cx, E_NET, "%s failed %d times in a row and is left alone for %d s",
                m->url, failures, 1 + (int)(left / 1000));
}

static Status pause_ms(Ctx *cx, int ms)
{
    const struct timespec step = { .tv_nsec = 20000000 };   // 20 ms
    for (double until = now_ms() + ms; now_ms() < until; nanosleep(&step, NULL))
        TRY(ctx_check(cx));
    return OK;
}

static Status refused(Ctx *cx, const Remote *m, const HttpReply *r)
{
    if (r->status == 401 || r->status == 403)
        return fail(cx, E_NET, "%s answers %ld: it wants a key, or another one: "
                    "$PITH_REMOTE_KEY", m->url, r->status);
    if (r->status >= 300 && r->status < 400)
        return fail(cx, E_NET, "%s answers %ld, a redirect: nothing is sent elsewhere "
                    "than to the server that was named", m->url, r->status);
    if (r->retry_after_s > 0)
        return fail(cx, E_NET, "%s answers %ld and asks to wait %d s", m->url, r->status,
                    r->retry_after_s);
    return fail(cx, E_NET, "%s answers %ld%s%s", m->url, r->status,
                r->said[0] ? ": " : "", r->said);
}

/* May another try help, and how soon? -1: no. */
static int wait_before_next(Status st, const HttpReply *r, int tries)
{
    bool busy = r->status == 429 || r->status >= 500;
    bool unanswered = st == E_NET && r->bytes == 0;
    if (tries >= REMOTE_TRIES || !(busy || unanswered)) return -1;
    if (r->retry_after_s > WAIT_AT_MOST_S) return -1;
    return r->retry_after_s > 0 ? r->retry_after_s * 1000 : 250 << (tries - 1);
}

/* No wait of this request may be longer than what is left. */
static void limit(HttpPost *post, double left_ms)
{
    int *const wait[] = { &post->connect_ms, &post->first_ms, &post->stall_ms,
                          &post->total_ms };
    if (!isfinite(left_ms)) return;
    for (size_t i = 0; i < sizeof wait / sizeof *wait; i++)
        if (*wait[i] == 0 || *wait[i] > left_ms) *wait[i] = (int)fmax(1, left_ms);
}

static Status send(Ctx *cx, const Remote *m, Call *call, Str json)
{
    Str url = ctx_printf(cx, "%s%s", m->url, call->path);
    TRY_NEW(url.p);
    HttpPost post = { .url = url.p, .json = json, .key = m->key,
                      .header = "Pith-Ground: no",  // to another pith
                      .max_bytes = call->max_bytes, .on_bytes = call->on_bytes,
                      .arg = call->arg, .first_ms = m->timeout_ms,
                      .stall_ms = m->timeout_ms, .total_ms = m->timeout_ms };
    double end = call->timeout_ms > 0 ? now_ms() + call->timeout_ms : INFINITY;
    for (int tries = 1; ; tries++) {
        limit(&post, end - now_ms());
        Status st = http_post(cx, &post, &call->reply);
        if (st == OK && call->reply.status == 200) return OK;
        int wait = wait_before_next(st, &call->reply, tries);
        if (wait >= end - now_ms()) wait = -1;
        if (wait < 0) return st == OK ? refused(cx, m, &call->reply) : st;
        ctx_forgive(cx);
        TRY(pause_ms(cx, wait));
    }
}

Status remote_call(Ctx *cx, Remote *m, Call *call)
{
    char *json = json_dumps(call->body, JSON_COMPACT);
    json_decref(call->body);
    Status st = json ? check_breaker(cx, m)
                     : fail(cx, E_FORMAT, "the text to send is not valid UTF-8");
    call->sent = st == OK;
    if (call->sent) st = send(cx, m, call, str_z(json));
    free(json);
    return st;
}

void remote_settle(Remote *m, const Call *call, Status st)
{
    long code = call->reply.status;
    bool its_fault = st == E_FORMAT || st == E_LIMIT ||
                     (st == E_NET && (code < 300 || code == 429 || code >= 500));
    if (!call->sent) return;
    pthread_mutex_lock(&m->lock);
    if (st == OK) m->failures = 0, m->tripped_until = 0;
    if (its_fault && ++m->failures >= REMOTE_TRIPS_AFTER)
        m->tripped_until = now_ms() + REMOTE_TRIPPED_MS;
    pthread_mutex_unlock(&m->lock);
}

/* ---- replies that come as one object ----------------------------------------------- */

static Status collect(void *arg, Str bytes)
{
    Call *call = arg;
    buf_add(&call->whole, bytes);
    return call->whole.failed ? E_MEMORY : OK;
}

/* The reply's object; the caller frees it, and settles the call. */
static Status ask_object(Ctx *cx, Remote *m, Call *call, json_t **out)
{
    json_error_t why;
    *out = NULL;
    call->whole = BUF(MAX_REPLY);
    call->max_bytes = MAX_REPLY;
    call->on_bytes = collect;
    call->arg = call;
    if (!call->body) return fail(cx, E_FORMAT, "the text to send is not valid UTF-8");
    if (cx->may_send && cx->may_send(cx, cx->send_arg) != OK)
        return json_decref(call->body), cx->status;
    Status st = remote_call(cx, m, call);
    if (st == OK) *out = json_loadb(buf_str(&call->whole).p, call->whole.n, 0, &why);
    if (st == OK && !*out)
        st = fail(cx, E_FORMAT, "%s%s: no JSON at byte %d: %s", m->url, call->path,
                  why.position, why.text);
    buf_free(&call->whole);
    return st;
}

static json_t *texts_json(const Str *texts, size_t n)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_stringn(texts[i].p, texts[i].n);
        if (json_array_append_new(all, one) == 0) continue;
        json_decref(all);
        return NULL;
    }
    return all;
}

/* The place in [0, n) that an item of a reply says it is for; n: none, or taken. */
static size_t place_of(const json_t *item, bool *taken, size_t n)
{
    const json_t *index = json_object_get(item, "index");
    json_int_t i = json_is_integer(index) ? json_integer_value(index) : -1;
    if (i < 0 || (size_t)i >= n || taken[i]) return n;
    taken[i] = true;
    return (size_t)i;
}

static Status misshapen(Ctx *cx, const Remote *m, const char *wanted)
{
    return fail(cx, E_FORMAT, "%s: the reply has another shape; %s were wanted", m->url,
                wanted);
}

static bool read_vector(const json_t *from, size_t dim, float *out)
{
    double sum = 0;
    if (json_array_size(from) != dim) return false;
    for (size_t i = 0; i < dim; i++) {
        double x = json_number_value(json_array_get(from, i));
        sum += x * x;
        out[i] = (float)x;
    }
    for (size_t i = 0; i < dim; i++) out[i] = (float)(out[i] / sqrt(sum));
    return sum > 0;
}

static bool read_vectors(const json_t *reply, bool *taken, size_t n, size_t dim,
                         float *out)
{
    const json_t *data = json_object_get(reply, "data");
    bool good = json_array_size(data) == n;
    for (size_t i = 0; good && i < n; i++) {
        const json_t *item = json_array_get(data, i);
        size_t at = place_of(item, taken, n);
        const json_t *vector = json_object_get(item, "embedding");
        good = at < n && read_vector(vector, dim, out + at * dim);
    }
    return good;
}

static bool read_scores(const json_t *reply, bool *taken, size_t n, float *out)
{
    const json_t *data = json_object_get(reply, "results");
    bool good = json_array_size(data) == n;
    for (size_t i = 0; good && i < n; i++) {
        const json_t *item = json_array_get(data, i);
        const json_t *score = json_object_get(item, "relevance_score");
        size_t at = place_of(item, taken, n);
        good = at < n && json_is_number(score);
        if (good) out[at] = (float)json_number_value(score);
    }
    return good;
}

static Status remote_embed(Ctx *cx, Model *model, EmbedKind kind, const Str *texts,
                           size_t n, float *out)
{
    Remote *m = (Remote *)model;
    bool *taken = ctx_new(cx, bool, n);
    json_t *reply;
    TRY_NEW(taken);
    Call call = { .path = "/embeddings" };
    call.body = json_pack("{ss so ss}", "model", m->model, "input", texts_json(texts, n),
                          "input_type", kind == EMBED_QUERY ? "query" : "document");
    Status st = ask_object(cx, m, &call, &reply);
    if (st == OK && !read_vectors(reply, taken, n, (size_t)model->info.dim, out))
        st = misshapen(cx, m, "as many vectors of \"dim\" numbers as texts");
    json_decref(reply);
    remote_settle(m, &call, st);
    return st;
}

static Status remote_score(Ctx *cx, Model *model, Str query, const Str *texts, size_t n,
                           float *out)
{
    Remote *m = (Remote *)model;
    bool *taken = ctx_new(cx, bool, n);
    json_t *reply;
    TRY_NEW(taken);
    Call call = { .path = "/rerank" };
    call.body = json_pack("{ss ss% so}", "model", m->model, "query", query.p, query.n,
                          "documents", texts_json(texts, n));
    Status st = ask_object(cx, m, &call, &reply);
    if (st == OK && !read_scores(reply, taken, n, out))
        st = misshapen(cx, m, "as many scores as texts");
    json_decref(reply);
    remote_settle(m, &call, st);
    return st;
}

/* Four bytes a token: right within a third for English, and all that can be known. */
static Status remote_count(Ctx *cx, Model *m, Str text, int *n)
{
    (void)m;
    if (text.n > (size_t)1 << 32) return fail(cx, E_LIMIT, "a text of %zu bytes", text.n);
    *n = (int)((text.n + 3) / 4);
    return OK;
}

static Status remote_count_chat(Ctx *cx, Model *m, const Message *msg, size_t n,
                                int *tokens)
{
    for (size_t i = 0; i < n; i++) {
        int one = 0;
        TRY(remote_count(cx, m, msg[i].content, &one));
        *tokens += one + 4;   // its role and its borders
    }
    return OK;
}

/* ---- open and close ---------------------------------------------------------------- */

static void remote_close(Model *model)
{
    Remote *m = (Remote *)model;
    if (m->key) explicit_bzero(m->key, strlen(m->key));
    free(m->key);
    pthread_mutex_destroy(&m->lock);
    free(m->spec);
    free(m->url);
    free(m->model);
    free(m);
}

static Status keep(Ctx *cx, Str s, char **out)
{
    free(*out);
    *out = strndup(s.p, s.n);
    return *out ? OK : fail(cx, E_MEMORY, "no memory for a model");
}

/* The key's file, which nobody else may read: absent is no error. */
static Status read_key_file(Ctx *cx, Str *out)
{
    Str folder, path;
    struct stat s;
    *out = (Str){ "", 0 };
    if (folder_config(cx, &folder) == E_NOTFOUND) return ctx_forgive(cx), OK;
    TRY(cx->status);
    TRY(path_join(cx, folder, STR("remote.key"), &path));
    if (stat(path.p, &s) != 0) return OK;
    if (s.st_mode & 077)
        return fail(cx, E_IO, "%s can be read by others: chmod 600 it", path.p);
    TRY(file_read(cx, path.p, MAX_KEY, out));
    *out = str_trim(*out);
    return OK;
}

static bool is_loopback(const char *url)
{
    const char *host = url + 7;   // behind http://
    size_t n = strcspn(host, ":/");
    Str h = { host, n };
    return str_ieq(h, STR("localhost")) || str_eq(h, STR("127.0.0.1")) ||
           strncmp(host, "[::1]", 5) == 0;
}

static Status read_key(Ctx *cx, Remote *m)
{
    Str key = str_trim(str_z(getenv("PITH_REMOTE_KEY")));
    if (key.n == 0) TRY(read_key_file(cx, &key));
    if (key.n == 0) return OK;
    if (strncmp(m->url, "http://", 7) == 0 && !is_loopback(m->url))
        return fail(cx, E_ARG, "%s: anybody on the way could read the key: https:// is "
                    "wanted", m->url);
    return keep(cx, key, &m->key);
}

static Status set_option(Ctx *cx, Remote *m, Str name, Str value)
{
    Str z = ctx_dup(cx, value);
    TRY_NEW(z.p);
    char *end;
    double x = strtod(z.p, &end);
    if (end == z.p || *end || !(x > 0 && x <= 1e6)) x = 0;
    if (x >= 1 && str_eq(name, STR("dim"))) m->base.info.dim = (int)x;
    else if (x >= 1 && str_eq(name, STR("window"))) m->base.info.window = (int)x;
    else if (x >= .001 && str_eq(name, STR("timeout"))) m->timeout_ms = (int)(x * 1000);
    else return fail(cx, E_ARG, "%s: \"%.*s\": dim=, window= and timeout= with a number "
                     "are known behind the model's name", m->spec, (int)name.n, name.p);
    return OK;
}

/* "name,option=1,..." behind the '#'. */
static Status read_fragment(Ctx *cx, Remote *m, Str rest)
{
    for (bool first = true; rest.n; first = false) {
        const char *comma = memchr(rest.p, ',', rest.n);
        Str part = { rest.p, comma ? (size_t)(comma - rest.p) : rest.n };
        const char *is = memchr(part.p, '=', part.n);
        if (first) TRY(keep(cx, part, &m->model));
        else {
            Str name = { part.p, is ? (size_t)(is - part.p) : part.n };
            Str value = is ? (Str){ is + 1, part.n - name.n - 1 } : (Str){ "", 0 };
            TRY(set_option(cx, m, name, value));
        }
        size_t used = part.n + (comma != NULL);
        rest = (Str){ rest.p + used, rest.n - used };
    }
    return OK;
}

static Status read_spec(Ctx *cx, Remote *m, const char *spec)
{
    size_t scheme = strncmp(spec, "https", 5) == 0 ? 8 : 7, n = strcspn(spec, "#");
    for (const char *c = spec; *c; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            return fail(cx, E_ARG, "a blank or a control character in the address of a "
                        "model");
    if (memchr(spec, '@', n))
        return fail(cx, E_ARG, "a password does not belong into an address: "
                    "$PITH_REMOTE_KEY, or the file remote.key");
    TRY(keep(cx, str_z(spec), &m->spec));
    Str fragment = str_z(spec[n] ? spec + n + 1 : "");
    while (n > scheme && spec[n - 1] == '/') n--;
    if (n == scheme) return fail(cx, E_ARG, "%s names no host", spec);
    bool bare = !memchr(spec + scheme, '/', n - scheme);
    Str url = ctx_printf(cx, "%.*s%s", (int)n, spec, bare ? "/v1" : "");
    TRY_NEW(url.p);
    TRY(keep(cx, url, &m->url));
    TRY(keep(cx, STR("default"), &m->model));
    return read_fragment(cx, m, fragment);
}

static void describe(Remote *m)
{
    Blake2bHex hash = blake2b_bytes(str_z(m->spec));
    memcpy(m->fingerprint, hash.z, sizeof m->fingerprint);
    ModelInfo *i = &m->base.info;
    i->name = str_z(m->model);
    i->path = str_z(m->url);
    i->arch = i->engine = STR("remote");
    i->fingerprint = str_z(m->fingerprint);
    i->can = CAN_GENERATE | CAN_SCORE | (i->dim ? CAN_EMBED : 0);
}

Status remote_open(Ctx *cx, const char *spec, const ModelOptions *opt, Model **out)
{
    static const ModelImpl impl = {
        .close = remote_close, .count = remote_count, .embed = remote_embed,
        .score = remote_score, .count_chat = remote_count_chat,
        .generate = remote_generate,
    };
    (void)opt;
    *out = NULL;
    Remote *m = calloc(1, sizeof *m);
    if (!m) return fail(cx, E_MEMORY, "no memory for a model");
    m->base.impl = &impl;
    m->base.info.window = WINDOW;
    pthread_mutex_init(&m->lock, NULL);
    Status st = read_spec(cx, m, spec);
    if (st == OK) st = read_key(cx, m);
    if (st != OK) return remote_close(&m->base), st;
    describe(m);
    *out = &m->base;
    return OK;
}
