/* child.h -- run a program to its end, without a shell. */
#ifndef PITH_BASE_CHILD_H
#define PITH_BASE_CHILD_H

#include "base/ctx.h"

typedef struct ChildOptions {
    const char *const *argv;    // NULL at the end; argv[0] is looked up in $PATH
    const char *const *env;     // NAME=VALUE that go before our own; NULL at the end
    const char *log;            // file that its output and errors go to
    void (*on_wait)(void *arg); // some times a second while it runs; may be NULL
    void *arg;
} ChildOptions;

/* Waits for it; *exit_code is 127 where there is no such program, 128 + n where signal n
 * ended it. It reads nothing and dies with us; what it started itself may outlive a
 * SIGKILL of ours. E_CANCELLED: it and all of its group were told to end (SIGTERM, then
 * SIGKILL) and it is gone. E_IO: no process could be made, or no log. */
MUST_USE Status child_run(Ctx *cx, const ChildOptions *opt, int *exit_code);

#endif
