/* zygote.c -- see zygote.h. */
#include "extract/zygote.h"

#include "extract/sandbox.h"
#include "extract/wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a child may keep pages of its source that it has read: they are the file's,
 * not ours, but they count for the size that others see. */
enum { PAGES_MS = 10, PAGES_MIN = 16 << 20 };

typedef struct Zygote {
    Ctx cx;
    int control, ended;         // the socket; told by SIGCHLD
    ZygoteParse *parse;
    Sandbox box;
    struct { pid_t pid; uint32_t id; } child[ZYGOTE_CHILDREN];
    size_t n;
} Zygote;

/* ---- the child --------------------------------------------------------------------- */

typedef struct Reading {
    Ctx cx;
    int out;
    Str source;                 // mapped
    double let_go;              // now_ms() when its pages were last
} Reading;

/* Asked between the steps of the parser whether to stop, which is never: the one who
 * waits closes the pipe. It is the moment to let go of pages. */
static bool rest(void *arg)
{
    Reading *r = arg;
    double now = now_ms();
    if (r->source.n < PAGES_MIN || now - r->let_go < PAGES_MS) return false;
    madvise((void *)(uintptr_t)r->source.p, r->source.n, MADV_DONTNEED);
    r->let_go = now;
    return false;
}

static Status hand_over(void *arg, const Parsed *window)
{
    Reading *r = arg;
    Ctx cx = CTX_INIT;          // the parser's arena is not ours to fill
    Status st = wire_window(&cx, r->out, window);
    if (st != OK) fail(&r->cx, st, "%s", cx.reason);
    ctx_end(&cx);
    return st;
}

static Status map(Reading *r, int fd, uint64_t bytes)
{
    r->source = (Str){ "", 0 };
    if (bytes == 0) return OK;
    void *p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) return fail(&r->cx, E_IO, "%s", strerror(errno));
    r->source = (Str){ p, bytes };
    return OK;
}

static Status read_document(Zygote *z, Reading *r, const ZygoteRequest *q, int source)
{
    SandboxLimits limits = { .cpu_s = q->cpu_s, .data_bytes = q->data_bytes };
    TRY(map(r, source, q->bytes));
    close(source);
    TRY(sandbox_child(&r->cx, &z->box, &limits));
    Input in = { .bytes = r->source, .name = { q->name, q->name_n } };
    return z->parse(&r->cx, (Kind)q->kind, &in, &(Sink){ hand_over, r });
}

static _Noreturn void child(Zygote *z, const ZygoteRequest *q, const int fds[2],
                            pid_t parent)
{
    Reading r = { .out = fds[1] };
    sigset_t none;
    sigemptyset(&none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);      // too late to be told
    sigprocmask(SIG_SETMASK, &none, NULL);
    close(z->control);
    close(z->ended);
    r.cx = (Ctx){ .cancelled = rest, .cancel_arg = &r };
    Status st = read_document(z, &r, q, fds[0]);
    Ctx cx = CTX_INIT;
    _exit(wire_end(&cx, r.out, st, r.cx.reason) != OK);
}

/* ---- requests ---------------------------------------------------------------------- */

static void tell(Zygote *z, const ZygoteReply *r)
{
    (void)send(z->control, r, sizeof *r, MSG_NOSIGNAL);     // a closed one is seen soon
}

static void begin(Zygote *z, const ZygoteRequest *q, const int fds[2])
{
    bool sane = q->kind < KINDS && q->name_n < ZYGOTE_NAME && z->n < ZYGOTE_CHILDREN;
    pid_t self = getpid(), pid = sane ? fork() : -1;
    if (pid == 0) child(z, q, fds, self);
    if (pid > 0) {
        z->child[z->n].pid = pid;
        z->child[z->n++].id = q->id;
        return;
    }
    ZygoteReply r = { .told = TOLD_REFUSED, .id = q->id };
    snprintf(r.reason, sizeof r.reason, "no process to read it in: %s",
             sane ? strerror(errno) : "too many wait");
    tell(z, &r);
}

static void end(Zygote *z, uint32_t id)
{
    for (size_t i = 0; i < z->n; i++)
        if (z->child[i].id == id) kill(z->child[i].pid, SIGKILL);
}

/* The two descriptors of a message, -1 where there are none. */
static void received(struct msghdr *m, int fds[2])
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    fds[0] = fds[1] = -1;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(2 * sizeof *fds))
        memcpy(fds, CMSG_DATA(c), 2 * sizeof *fds);
}

/* One message. False: there will be no more. */
static bool listen_to(Zygote *z)
{
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(2 * sizeof(int))];
    ZygoteRequest q;
    int fds[2];
    struct iovec v = { &q, sizeof q };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room,
                        .msg_controllen = sizeof room };
    ssize_t n = recvmsg(z->control, &m, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) return true;
    if (n != (ssize_t)sizeof q) return false;
    received(&m, fds);
    if (q.op == OP_READ && fds[0] >= 0) begin(z, &q, fds);
    if (q.op == OP_KILL) end(z, q.id);
    if (fds[0] >= 0) close(fds[0]);
    if (fds[1] >= 0) close(fds[1]);
    return true;
}

static void reap(Zygote *z)
{
    struct signalfd_siginfo gone;
    struct rusage used;
    int how;
    pid_t pid;
    (void)!read(z->ended, &gone, sizeof gone);      // one signal may stand for several
    while ((pid = wait4(-1, &how, WNOHANG, &used)) > 0) {
        size_t i = 0;
        while (i < z->n && z->child[i].pid != pid) i++;
        if (i == z->n) continue;
        ZygoteReply r = { .told = TOLD_ENDED, .id = z->child[i].id, .how = how,
                          .peak_bytes = (uint64_t)used.ru_maxrss * 1024 };
        z->child[i] = z->child[--z->n];
        tell(z, &r);
    }
}

static int serve(Zygote *z)
{
    struct pollfd at[] = { { .fd = z->control, .events = POLLIN },
                           { .fd = z->ended, .events = POLLIN } };
    for (;;) {
        if (poll(at, 2, -1) < 0) {
            if (errno == EINTR) continue;
            return 1;
        }
        if (at[1].revents) reap(z);
        if (at[0].revents && !listen_to(z)) return 0;
    }
}

static int watch_children(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int zygote_run(int control, ZygoteParse *parse)
{
    Zygote z = { .control = control, .ended = watch_children(), .parse = parse };
    ZygoteReply r = { .told = TOLD_HELLO, .protocol = ZYGOTE_PROTOCOL, .kinds = KINDS };
    bool open = z.ended >= 0 && sandbox_enter(&z.cx, &z.box) == OK;
    r.landlock = z.box.landlock;
    if (!open) {
        r.told = TOLD_REFUSED;
        snprintf(r.reason, sizeof r.reason, "%.250s", z.cx.reason);
    }
    tell(&z, &r);
    return open ? serve(&z) : 1;
}
