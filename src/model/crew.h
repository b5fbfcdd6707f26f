/* crew.h -- a few threads that share a list of independent jobs, then end.
 *
 * Threads are started for each call (some 20 us) rather than kept: nothing spins between
 * calls, and a library has no threads of its own. */
#ifndef PITH_MODEL_CREW_H
#define PITH_MODEL_CREW_H

#include <stdbool.h>
#include <stddef.h>

enum { CREW_MAX = 64 };

/* Calls job(arg, worker, i) for each i < n, in about that order, by at most `workers`
 * threads, of which the caller is number 0. A job that returns false stops the rest;
 * crew_run returns false then. Fewer threads do the work where the system has no more. */
bool crew_run(size_t workers, size_t n, bool (*job)(void *arg, size_t worker, size_t i),
              void *arg);

#endif
