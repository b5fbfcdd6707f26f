/* http.h -- libmicrohttpd: listening, admitting, reading; requests go out by route. */
#ifndef PITH_SERVE_HTTP_H
#define PITH_SERVE_HTTP_H

#include "serve/server.h"

/* Listens and begins to answer; s->port is the port then. E_IO: the address is taken or
 * is none of ours. E_FORMAT: certificate or key are not PEM. */
MUST_USE Status http_start(Ctx *cx, Server *s);
/* Takes no more connections. */
void http_quiesce(Server *s);
/* Ends what is left. No request may wait for a worker any more. */
void http_stop(Server *s);

#endif
