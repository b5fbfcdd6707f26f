/* sandbox.h -- what the process that parses may do: read what it was handed, think, and
 * write to one pipe.
 *
 * Four walls, each of which holds alone. Landlock takes the file system, TCP, and signals
 * and abstract sockets to others (as far as the kernel's ABI goes; none before Linux
 * 5.13). seccomp lets through some forty system calls and no others: files that are asked
 * for are refused, everything else ends the process. Limits bound processor time, memory,
 * files and processes. And no_new_privs, undumpable: nothing is gained by a program with
 * privileges, nobody else attaches.
 *
 * A lock is for ever, and children inherit it. */
#ifndef PITH_EXTRACT_SANDBOX_H
#define PITH_EXTRACT_SANDBOX_H

#include "base/ctx.h"

struct sock_filter;

typedef struct Sandbox {
    int landlock;                   // ABI; 0: this kernel has none
    struct sock_filter *filter;     // of a child, made once; in the arena
    unsigned short n;               // its instructions
} Sandbox;

typedef struct SandboxLimits {
    unsigned cpu_s;
    uint64_t data_bytes;            // private memory, mapped files not counted
} SandboxLimits;

/* Locks this process, which goes on to fork the children: it keeps fork, wait, messages
 * over the sockets it has and signals to its own children. Threads must not be running.
 * E_IO: this system has no seccomp; the process is not to parse anything then. */
MUST_USE Status sandbox_enter(Ctx *cx, Sandbox *out);
/* Locks a child of it further, for one document. */
MUST_USE Status sandbox_child(Ctx *cx, const Sandbox *s, const SandboxLimits *limits);

#endif
