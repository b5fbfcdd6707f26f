/* models.h -- the models that workers share, made anew when the store has another
 * adapter.
 *
 * `pith tune gate` may record an adapter while the service runs. The next answer is then
 * written with it: a new set of models takes the place of the old, which lives until the
 * last worker that answers with it is done. */
#ifndef PITH_SERVE_MODELS_H
#define PITH_SERVE_MODELS_H

#include "serve/server.h"

/* E_MODEL, E_ARG and so on: what pith says. */
MUST_USE Status models_open(Ctx *cx, Server *s);
void models_close(Server *s);

/* Opens the worker's handle, which shares the models of now; one that shares older ones
 * is closed first. opt: all but `share`. Returns pith's code. */
int models_join(Worker *w, const pith_options *opt, pith_error *why);
/* Looks whether the store's adapter is another one than the models have, and makes them
 * anew where it is. p: any handle of the store. What cannot be read changes nothing. */
void models_renew(Server *s, pith *p);

#endif
