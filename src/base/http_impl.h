/* http_impl.h -- what both kinds of request in http.h share. */
#ifndef PITH_BASE_HTTP_IMPL_H
#define PITH_BASE_HTTP_IMPL_H

#include "base/http.h"

#include <curl/curl.h>

/* Whom to believe that a server is who it says. */
void http_trust(CURL *c);

#endif
