/* http.h -- fetch over HTTP(S), with a maximum for everything.
 *
 * Certificates are always verified, redirects never leave HTTPS, and nothing is sent but
 * the request: no cookies, no credentials from files. */
#ifndef PITH_BASE_HTTP_H
#define PITH_BASE_HTTP_H

#include "base/ctx.h"

typedef struct HttpGet {
    const char *url;            // http:// or https://
    const char *path;           // what is there already is the beginning of the answer
    uint64_t max_bytes;         // of the whole file; > 0
    int connect_s;              // seconds to connect in; 0: 5
    int stall_s;                // seconds without a byte that end it; 0: 30
    /* Called often; total is 0 while unknown. May be NULL. */
    void (*on_progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
} HttpGet;

/* Downloads into a file and goes on where an earlier call left off (RFC 9110, 14.2). A
 * server that cannot do that sends the whole again. The file is not flushed to the disk.
 * E_NET: not reached, broken off, or a status that is not 200 or 206; what arrived is
 * kept. E_LIMIT: more than max_bytes. E_IO: the file. E_CANCELLED. E_ARG: another
 * scheme. */
MUST_USE Status http_get_file(Ctx *cx, const HttpGet *get);

#endif
