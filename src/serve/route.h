/* route.h -- the table of all paths, and the functions behind them. */
#ifndef PITH_SERVE_ROUTE_H
#define PITH_SERVE_ROUTE_H

#include "serve/request.h"

/* The route of a method and a path; *rest is what follows a path that ends in '/'. NULL:
 * none; *allow is a method that goes with the path, or NULL. */
const Route *route_find(const char *method, const char *path, const char **rest,
                        const char **allow);

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
