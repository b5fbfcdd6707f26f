/* route.h -- the table of all paths, and the functions behind them. */
#ifndef PITH_SERVE_ROUTE_H
#define PITH_SERVE_ROUTE_H

#include "serve/request.h"

enum { ALLOW_BYTES = 32 };

/* The route of a method and a path; *rest is what follows a path that ends in '/'. NULL:
 * none. allow lists the methods that go with the path; "" where there is no such path. */
const Route *route_find(const char *method, const char *path, const char **rest,
                        char allow[ALLOW_BYTES]);

/* chat.c, find.c, documents.c, state.c, mcp_http.c */
void answer_chat(Request *r, pith *p);
void answer_completion(Request *r, pith *p);
void find_passages(Request *r, pith *p);
void find_vectors(Request *r, pith *p);
void find_ranking(Request *r, pith *p);
void documents_list(Request *r, pith *p);
void documents_show(Request *r, pith *p);
void documents_remove(Request *r, pith *p);
void documents_add(Request *r, pith *p);
void mcp_post(Request *r, pith *p);
Work mcp_choose(Request *r);

#endif
