/* http_post.c -- JSON to a server, its answer as it comes. See http.h.
 *
 * curl's multi interface, though there is one transfer: its poll returns every 50 ms, and
 * between two polls we look at our own clocks and at the request's cancellation.
 * Invariant: on_bytes sees bytes of a 200 and of nothing else. */
#include "base/http_impl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 50 };

typedef struct Post {
    Ctx *cx;
    const HttpPost *opt;
    HttpReply *reply;
    CURL *curl;
    struct curl_slist *headers;
    double begun, last;         // ms: the start, the last byte; last 0: none yet
    size_t said;                // bytes in reply->said
    Status status;              // why we stopped it ourselves
    char why[CURL_ERROR_SIZE];
} Post;

static int or_else(int ms, int usual)
{
    return ms > 0 ? ms : usual;
}

/* ---- what comes back --------------------------------------------------------------- */

static void keep_type(HttpReply *r, Str value)
{
    size_t n = 0;
    for (; n < value.n && n < sizeof r->type - 1 && value.p[n] != ';'; n++)
        r->type[n] = (char)tolower((unsigned char)value.p[n]);
    while (n > 0 && isspace((unsigned char)r->type[n - 1])) n--;
    r->type[n] = '\0';
}

/* Seconds (RFC 9110, 10.2.3). The other form, a date, is read as "it does not say". */
static int seconds(Str value)
{
    int s = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (!isdigit((unsigned char)value.p[i])) return 0;
        if (s < 1000000) s = s * 10 + (value.p[i] - '0');
    }
    return s;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    Post *t = arg;
    Str line = str_trim((Str){ p, size * n });
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    if (str_starts(line, STR("HTTP/"))) t->reply->type[0] = '\0';   // 100, then 200
    if (!colon) return size * n;
    Str name = { line.p, (size_t)(colon - line.p) };
    Str value = str_trim((Str){ colon + 1, line.n - name.n - 1 });
    if (str_ieq(name, STR("content-type"))) keep_type(t->reply, value);
    if (str_ieq(name, STR("retry-after"))) t->reply->retry_after_s = seconds(value);
    return size * n;
}

/* An error's own words, printable and on one line. */
static void keep_said(Post *t, Str bytes)
{
    HttpReply *r = t->reply;
    for (size_t i = 0; i < bytes.n && t->said < sizeof r->said - 1; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        r->said[t->said++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    r->said[t->said] = '\0';
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    Post *t = arg;
    Str bytes = { p, size * n };
    t->last = now_ms();
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->reply->status);
    if (t->reply->status != 200) {
        keep_said(t, bytes);
        return t->said < sizeof t->reply->said - 1 ? bytes.n : 0;   // enough was said
    }
    if (bytes.n > t->opt->max_bytes - t->reply->bytes) {
        t->status = fail(t->cx, E_LIMIT, "%s: the answer passes the %llu bytes that are "
                         "allowed", t->opt->url, (unsigned long long)t->opt->max_bytes);
        return 0;
    }
    t->reply->bytes += bytes.n;
    t->status = t->opt->on_bytes(t->opt->arg, bytes);
    return t->status == OK ? bytes.n : 0;
}

/* ---- what goes out ----------------------------------------------------------------- */

static Status add_header(Post *t, const char *line)
{
    struct curl_slist *more = curl_slist_append(t->headers, line);
    if (!more) return fail(t->cx, E_MEMORY, "no memory for a request");
    t->headers = more;
    return OK;
}

static Status add_headers(Post *t)
{
    TRY(add_header(t, "Content-Type: application/json"));
    TRY(add_header(t, "Accept: text/event-stream, application/json"));
    TRY(add_header(t, "Expect:"));
    if (t->opt->header) TRY(add_header(t, t->opt->header));
    if (!t->opt->key) return OK;
    for (const char *c = t->opt->key; *c; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            return fail(t->cx, E_ARG, "the key has a blank or a control character in it");
    Str bearer = ctx_printf(t->cx, "Authorization: Bearer %s", t->opt->key);
    TRY_NEW(bearer.p);
    return add_header(t, bearer.p);
}

static void configure(Post *t)
{
    const HttpPost *o = t->opt;
    CURL *c = t->curl;
    bool plain = strncmp(o->url, "http://", 7) == 0;
    curl_easy_setopt(c, CURLOPT_URL, o->url);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->why);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    http_trust(c);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "pith");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->json.n);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, o->json.p);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)or_else(o->connect_ms, 5000));
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
}

/* ---- the transfer ------------------------------------------------------------------ */

static Status check_clocks(Post *t)
{
    const HttpPost *o = t->opt;
    double now = now_ms();
    int total = or_else(o->total_ms, 300000), first = or_else(o->first_ms, 60000),
        stall = or_else(o->stall_ms, 30000);
    TRY(ctx_check(t->cx));
    if (now - t->begun > total)
        return fail(t->cx, E_NET, "%s: no end after %d ms", o->url, total);
    if (t->last == 0 && now - t->begun > first)
        return fail(t->cx, E_NET, "%s: no answer within %d ms", o->url, first);
    if (t->last > 0 && now - t->last > stall)
        return fail(t->cx, E_NET, "%s: silent for %d ms in the middle of an answer",
                    o->url, stall);
    return OK;
}

static Status verdict(Post *t, CURLcode rc)
{
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->reply->status);
    if (t->status != OK) return t->status;
    bool enough = rc == CURLE_WRITE_ERROR && t->reply->status != 200;
    if (rc == CURLE_OK || enough) return OK;
    return fail(t->cx, E_NET, "%s: %s", t->opt->url,
                t->why[0] ? t->why : curl_easy_strerror(rc));
}

static Status transfer(Post *t, CURLM *multi)
{
    int running = 1, left;
    CURLMcode mc = curl_multi_add_handle(multi, t->curl);
    while (mc == CURLM_OK && running) {
        mc = curl_multi_perform(multi, &running);
        if (t->status != OK || !running || mc != CURLM_OK) break;
        if ((t->status = check_clocks(t)) != OK) break;
        mc = curl_multi_poll(multi, NULL, 0, POLL_MS, NULL);
    }
    CURLMsg *end = mc == CURLM_OK ? curl_multi_info_read(multi, &left) : NULL;
    CURLcode rc = end && end->msg == CURLMSG_DONE ? end->data.result : CURLE_RECV_ERROR;
    if (mc != CURLM_OK && t->status == OK)
        t->status = fail(t->cx, E_NET, "%s: %s", t->opt->url, curl_multi_strerror(mc));
    Status st = verdict(t, rc);
    curl_multi_remove_handle(multi, t->curl);
    return st;
}

Status http_post(Ctx *cx, const HttpPost *post, HttpReply *reply)
{
    *reply = (HttpReply){ 0 };
    if (strncmp(post->url, "https://", 8) != 0 && strncmp(post->url, "http://", 7) != 0)
        return fail(cx, E_ARG, "%s: neither http:// nor https://", post->url);
    Post t = { .cx = cx, .opt = post, .reply = reply, .begun = now_ms() };
    CURLM *multi = curl_multi_init();
    t.curl = curl_easy_init();
    Status st = multi && t.curl ? add_headers(&t)
                                : fail(cx, E_MEMORY, "no memory for a connection");
    if (st == OK) {
        configure(&t);
        st = transfer(&t, multi);
    }
    curl_easy_cleanup(t.curl);
    curl_multi_cleanup(multi);
    curl_slist_free_all(t.headers);
    return st;
}
