/* http.c -- see http.h.
 *
 * We ask for the bytes from an offset on; the answer's status says whether the server
 * does that. Invariant: bytes go to the file only after a 200 (which empties it first) or
 * a 206, so a page that explains an error never becomes a part of a model. */
#include "base/http_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void http_trust(CURL *c)
{
    const char *file = getenv("SSL_CERT_FILE");
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    if (file && *file) curl_easy_setopt(c, CURLOPT_CAINFO, file);
}

typedef struct Download {
    Ctx *cx;
    const HttpGet *get;
    CURL *curl;
    FILE *file;
    uint64_t start, done;       // bytes: where this answer begins, and what is there
    char range[24];             // "START-"; CURLOPT_RESUME_FROM would refuse a 200
    bool begun;
    Status status;              // why we stopped it ourselves
} Download;

static Status stop(Download *d, Status st)
{
    return d->status = st;
}

/* At the first byte: a whole answer replaces what is there. */
static Status begin(Download *d)
{
    long code = 0;
    d->begun = true;
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code == 206 || d->start == 0) return OK;
    rewind(d->file);
    if (ftruncate(fileno(d->file), 0) != 0)
        return fail(d->cx, E_IO, "%s: %s", d->get->path, strerror(errno));
    d->start = d->done = 0;
    return OK;
}

static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
    Download *d = arg;
    n *= size;
    if (!d->begun && stop(d, begin(d)) != OK) return 0;
    if (n > d->get->max_bytes - d->done) {
        stop(d, fail(d->cx, E_LIMIT, "%s: more than the %llu bytes that were expected",
                     d->get->url, (unsigned long long)d->get->max_bytes));
        return 0;
    }
    if (fwrite(p, 1, n, d->file) != n) {
        stop(d, fail(d->cx, E_IO, "%s: %s", d->get->path, strerror(errno)));
        return 0;
    }
    d->done += n;
    return n;
}

static int on_tick(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total,
                   curl_off_t up_now)
{
    Download *d = arg;
    (void)now, (void)up_total, (void)up_now;
    if (d->get->on_progress)
        d->get->on_progress(d->get->arg, d->done,
                            total > 0 ? d->start + (uint64_t)total : 0);
    if (d->status == OK) d->status = ctx_check(d->cx);
    return d->status != OK;
}

static void configure(Download *d, char *why)
{
    enum { REDIRECTS_MAX = 8 };
    const HttpGet *g = d->get;
    CURL *c = d->curl;
    bool plain = strncmp(g->url, "http://", 7) == 0;
    curl_easy_setopt(c, CURLOPT_URL, g->url);
    http_trust(c);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "pith");
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)(g->connect_s ? g->connect_s : 5));
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)(g->stall_s ? g->stall_s : 30));
    if (d->start > 0) curl_easy_setopt(c, CURLOPT_RANGE, d->range);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_tick);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, d);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

static Status verdict(Download *d, CURLcode rc, const char *why)
{
    long code = 0;
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &code);
    if (d->status != OK) return d->status;
    if (rc == CURLE_OK && (code == 200 || code == 206)) return OK;
    if (code >= 300)
        return fail(d->cx, E_NET, "%s: the server answers %ld", d->get->url, code);
    return fail(d->cx, E_NET, "%s: %s", d->get->url,
                why[0] ? why : curl_easy_strerror(rc));
}

/* A file that has all bytes already is answered 416 (RFC 9110, 15.5.17); whether they are
 * the right ones is the caller's hash to say. */
static bool is_whole(Download *d)
{
    long code = 0;
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &code);
    return code == 416 && d->start > 0;
}

static Status transfer(Download *d)
{
    char why[CURL_ERROR_SIZE] = "";
    off_t there = fseeko(d->file, 0, SEEK_END) == 0 ? ftello(d->file) : -1;
    if (there < 0) return fail(d->cx, E_IO, "%s: %s", d->get->path, strerror(errno));
    if ((uint64_t)there > d->get->max_bytes)
        return fail(d->cx, E_LIMIT, "%s: has %lld bytes, %llu were expected: remove it",
                    d->get->path, (long long)there,
                    (unsigned long long)d->get->max_bytes);
    d->start = d->done = (uint64_t)there;
    snprintf(d->range, sizeof d->range, "%llu-", (unsigned long long)d->start);
    configure(d, why);
    CURLcode rc = curl_easy_perform(d->curl);
    return is_whole(d) ? OK : verdict(d, rc, why);
}

Status http_get_file(Ctx *cx, const HttpGet *get)
{
    if (strncmp(get->url, "https://", 8) != 0 && strncmp(get->url, "http://", 7) != 0)
        return fail(cx, E_ARG, "%s: neither http:// nor https://", get->url);
    Download d = { .cx = cx, .get = get, .curl = curl_easy_init() };
    d.file = fopen(get->path, "abe");
    Status st = OK;
    if (!d.file) st = fail(cx, E_IO, "%s: %s", get->path, strerror(errno));
    else if (!d.curl) st = fail(cx, E_MEMORY, "no memory for a connection");
    else st = transfer(&d);
    if (d.file && fclose(d.file) != 0 && st == OK)
        st = fail(cx, E_IO, "%s: %s", get->path, strerror(errno));
    curl_easy_cleanup(d.curl);
    return st;
}
