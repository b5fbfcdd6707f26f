/* guard.h -- may this request come in at all: Host, Origin and key.
 *
 * A web page that a user has open can reach 127.0.0.1 from the user's browser. It cannot
 * choose the Host header, though, other than by a name that it made resolve to us (DNS
 * rebinding), nor hide its Origin. So Host must be an address, localhost or a name that
 * the owner listed, and an Origin must be this very server. */
#ifndef PITH_SERVE_GUARD_H
#define PITH_SERVE_GUARD_H

#include "base/str.h"

/* host: the Host header, with or without a port. listed: names between commas. */
bool guard_host(Str host, Str listed);
/* origin: the Origin header. True where it names the server that host names. */
bool guard_origin(Str origin, Str host, bool tls);
/* The key in an Authorization header, "Bearer KEY"; empty where there is none. */
Str guard_bearer(Str header);
/* A document's name from outside: 1 to GUARD_NAME_MAX bytes, relative, without "." or
 * ".." as a part. It is a label in the store and never a path that is opened; yet no
 * reader should take it for one that leads out of a folder. NULL does not fit. */
enum { GUARD_NAME_MAX = 1024 };
#define GUARD_NAME_WANTED \
    "a name such as \"notes/plan.md\" was expected: 1 to 1024 bytes, no \"..\", " \
    "no \"/\" in front"
bool guard_name(const char *name);
/* True for 127.0.0.0/8, ::1 and localhost. */
bool guard_is_loopback(const char *host);

#endif
