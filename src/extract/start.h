/* start.h -- the program pith-extract found and started. */
#ifndef PITH_EXTRACT_START_H
#define PITH_EXTRACT_START_H

#include "base/ctx.h"

#include <sys/types.h>

/* $PITH_EXTRACT, else the program in the private folder beside the library, else (in a
 * build tree) beside it. In the arena. E_INTERNAL: it is nowhere; the reason says where
 * was looked and what to do. */
MUST_USE Status start_find(Ctx *cx, Str *path);
/* Starts it in a process group of its own, with a socket (SOCK_SEQPACKET, close on exec)
 * and nothing else of ours; of the environment only what the dynamic linker and the
 * sanitizers read. E_INTERNAL: it cannot be run. */
MUST_USE Status start_program(Ctx *cx, const char *path, pid_t *pid, int *control);

#endif
