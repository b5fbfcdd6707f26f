/* read_speed.h -- how fast this machine reads memory: what a token costs at least is the
 * weights it reads, so this is the limit of writing. */
#ifndef PITH_MODEL_READ_SPEED_H
#define PITH_MODEL_READ_SPEED_H

#include "base/ctx.h"

/* Reads a buffer four times the last cache's size, 256 MiB at least, from front to back
 * by that many threads at once (64 at most), n times behind one that warms up; the rates
 * into gb_s (n), in 1e9 bytes a second. E_MEMORY: no room for such a buffer.
 * E_CANCELLED. */
MUST_USE Status read_speed(Ctx *cx, size_t threads, size_t n, double *gb_s);

#endif
