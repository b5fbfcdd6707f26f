/* http.h -- fetch over HTTP(S), with a maximum for everything.
 *
 * Certificates are always verified, against the system's authorities or those of the file
 * that $SSL_CERT_FILE names; redirects never leave HTTPS, and nothing is sent but the
 * request: no cookies, no credentials from files. */
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

typedef struct HttpPost {
    const char *url;            // http:// or https://
    Str json;                   // the body
    const char *key;            // sent as a bearer token (RFC 6750); NULL: none
    const char *header;         // one more, "Name: value"; NULL: none
    uint64_t max_bytes;         // of the answer; > 0
    int connect_ms;             // 0: 5 s
    int first_ms;               // until the first byte of the answer's body; 0: 60 s
    int stall_ms;               // without a byte after that; 0: 30 s
    int total_ms;               // for all of it; 0: 300 s
    /* Bytes of the body of a 200, as they come; anything but OK ends it and is returned.
     * reply->type is known by then. */
    Status (*on_bytes)(void *arg, Str bytes);
    void *arg;
} HttpPost;

typedef struct HttpReply {
    long status;                // 0: nothing was answered
    uint64_t bytes;             // of a 200's body, that on_bytes saw
    int retry_after_s;          // what the server asks for; 0: it does not say
    char type[64];              // media type in lower case, no parameters; "" unknown
    char said[256];             // how the body of any other status begins; one line
} HttpReply;

/* Sends JSON and streams the answer. A redirect is an answer like another: it is not
 * followed, so the body goes to the host that was named and to no other. OK: an answer
 * came to its end, whatever its status. E_NET: not reached, too slow, or broken off.
 * E_LIMIT: more than max_bytes. E_ARG: another scheme, or a key with control characters.
 * E_CANCELLED, within 50 ms. */
MUST_USE Status http_post(Ctx *cx, const HttpPost *post, HttpReply *reply);

#endif
