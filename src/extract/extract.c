/* extract.c -- see extract.h.
 *
 * What ends a document is told twice: the child writes a last record to its pipe, and
 * its parent, pith-extract, tells on the socket how the child ended. The first is enough
 * where all went well; the second explains a pipe that ended without it. */
#include "extract/extract.h"

#include "extract/start.h"
#include "extract/wire.h"
#include "extract/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    POLL_MS = 100,              // between questions whether to stop
    HELLO_MS = 10000,
    ENDED_MS = 5000,            // for word of a child whose pipe has ended
    SMALL = 32 << 10,           // bytes of a source whose windows a plain pipe holds
    PIPE_BYTES = 1 << 20,
    MIB = 1 << 20,
};

struct Extractor {
    int control;                // -1: not running
    pid_t pid;
    int landlock;
    uint32_t ids;
    Extract *first;             // all that is handed over and not collected
};

struct Extract {
    Extractor *x;
    Extract *next;
    ZygoteRequest asked;
    int source, pipe;
    double waited;              // ms, with nothing coming
    size_t windows;             // given to the sink
    bool cut;                   // the pipe ended without the last record
    bool over;                  // nothing more is to come
    bool lost;                  // its process ended, which took the child along
    bool told;                  // how the child ended:
    ZygoteReply end;
};

/* ---- the process ------------------------------------------------------------------- */

Status extractor_open(Ctx *cx, Extractor **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out) return fail(cx, E_MEMORY, "out of memory for a reader of documents");
    (*out)->control = -1;
    return OK;
}

/* It ends when its socket closes; its children end with it. */
static void stop(Extractor *x)
{
    if (x->control < 0) return;
    close(x->control);
    x->control = -1;
    while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR) {}
    for (Extract *e = x->first; e; e = e->next) e->lost = !e->told;
}

void extractor_close(Extractor *x)
{
    if (!x) return;
    for (Extract *e = x->first, *next; e; e = next) {
        next = e->next;
        extract_drop(e);
    }
    stop(x);
    free(x);
}

static bool readable(int fd, int ms)
{
    struct pollfd at = { .fd = fd, .events = POLLIN };
    int n;
    while ((n = poll(&at, 1, ms)) < 0 && errno == EINTR) {}
    return n > 0;
}

static Status check_hello(Ctx *cx, const char *path, const ZygoteReply *r, bool came)
{
    if (came && r->told == TOLD_REFUSED)
        return fail(cx, E_INTERNAL, "documents cannot be read safely here: %.*s",
                    (int)sizeof r->reason - 1, r->reason);
    if (came && r->told == TOLD_HELLO && r->protocol == ZYGOTE_PROTOCOL &&
        r->kinds == KINDS) return OK;
    return fail(cx, E_INTERNAL, "%s %s: install pith again", path,
                came ? "belongs to another version" : "does not start");
}

static Status start(Ctx *cx, Extractor *x)
{
    ZygoteReply r = { 0 };
    Str path;
    if (x->control >= 0) return OK;
    TRY(start_find(cx, &path));
    TRY(start_program(cx, path.p, &x->pid, &x->control));
    bool came = readable(x->control, HELLO_MS) &&
                recv(x->control, &r, sizeof r, 0) == (ssize_t)sizeof r;
    Status st = check_hello(cx, path.p, &r, came);
    if (!came) kill(x->pid, SIGKILL);
    if (st != OK) stop(x);
    x->landlock = r.landlock;
    return st;
}

Status extractor_info(Ctx *cx, Extractor *x, ExtractorInfo *out)
{
    TRY(start(cx, x));
    *out = (ExtractorInfo){ .landlock = x->landlock };
    return OK;
}

/* Takes in what the process has told; waits for the first of it, at most ms. */
static void hear(Extractor *x, int ms)
{
    ZygoteReply r;
    while (x->control >= 0 && readable(x->control, ms)) {
        if (recv(x->control, &r, sizeof r, 0) != (ssize_t)sizeof r) {
            stop(x);
            return;
        }
        ms = 0;
        for (Extract *e = x->first; e; e = e->next) {
            if (e->asked.id != r.id) continue;
            e->end = r;
            e->told = true;
        }
    }
}

/* ---- handing over ------------------------------------------------------------------ */

int extract_memory(Ctx *cx, Str s)
{
    int fd = memfd_create("pith-document", MFD_CLOEXEC);
    for (size_t at = 0; fd >= 0 && at < s.n;) {
        ssize_t n = write(fd, s.p + at, s.n - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            close(fd);
            fd = -1;
        } else {
            at += (size_t)n;
        }
    }
    if (fd < 0) fail(cx, E_IO, "no memory file for a text: %s", strerror(errno));
    return fd;
}

static bool send_request(const Extractor *x, const ZygoteRequest *q, int source, int pipe)
{
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(2 * sizeof(int))] = { 0 };
    int fds[2] = { source, pipe };
    struct iovec v = { (void *)(uintptr_t)q, sizeof *q };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    if (q->op == OP_READ) {
        m.msg_control = room;
        m.msg_controllen = sizeof room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                               .cmsg_len = CMSG_LEN(sizeof fds) };
        memcpy(CMSG_DATA(c), fds, sizeof fds);
    }
    ssize_t n;
    while ((n = sendmsg(x->control, &m, MSG_NOSIGNAL)) < 0 && errno == EINTR) {}
    return n == (ssize_t)sizeof *q;
}

/* Asks the process, which is started first, and again where it has ended meanwhile. */
static Status submit(Ctx *cx, Extractor *x, Extract *e)
{
    int ends[2];
    bool sent = false;
    hear(x, 0);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(cx, E_IO, "no pipe for a document: %s", strerror(errno));
    if (e->asked.bytes > SMALL) (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    for (int again = 0; again < 2 && !sent; again++) {
        if (start(cx, x) != OK) break;
        e->asked.id = ++x->ids;
        sent = send_request(x, &e->asked, e->source, ends[1]);
        if (!sent) stop(x);
    }
    close(ends[1]);
    e->pipe = ends[0];
    e->lost = false;
    if (sent) return OK;
    return fail(cx, E_INTERNAL, "the program that reads documents does not stay alive");
}

static void describe(Extract *e, const ExtractSource *s)
{
    size_t n = s->name.n < ZYGOTE_NAME ? s->name.n : ZYGOTE_NAME - 1;
    while (n < s->name.n && n > 0 &&
           ((unsigned char)s->name.p[s->name.n - n] & 0xC0) == 0x80) n--;
    e->source = s->fd;
    e->pipe = -1;
    e->asked = (ZygoteRequest){
        .op = OP_READ, .kind = (uint32_t)s->kind, .name_n = (uint32_t)n,
        .cpu_s = EXTRACT_CPU_S + (uint32_t)(s->bytes / MIB), .bytes = s->bytes,
        .data_bytes = (uint64_t)EXTRACT_DATA_MIB * MIB,
    };
    if (n) memcpy(e->asked.name, s->name.p + s->name.n - n, n);
}

Status extract_begin(Ctx *cx, Extractor *x, const ExtractSource *s, Extract **out)
{
    Extract *e = calloc(1, sizeof *e);
    *out = NULL;
    if (!e) {
        close(s->fd);
        return fail(cx, E_MEMORY, "out of memory for a document");
    }
    describe(e, s);
    e->x = x;
    e->next = x->first;
    x->first = e;
    Status st = submit(cx, x, e);
    if (st == OK) *out = e;
    else extract_drop(e);
    return st;
}

/* ---- collecting -------------------------------------------------------------------- */

static const char *format_of(const Extract *e)
{
    return kind_name((Kind)e->asked.kind);
}

static unsigned wall_s(const Extract *e)
{
    return EXTRACT_WALL_S + 2 * (unsigned)(e->asked.bytes / MIB);
}

/* Waits for the pipe. Time in which we do not wait is not counted. */
static Status await(Ctx *cx, Extract *e)
{
    for (;;) {
        TRY(ctx_check(cx));
        double begun = now_ms();
        bool came = readable(e->pipe, POLL_MS);
        e->waited += now_ms() - begun;
        if (came) return OK;
        if (e->waited > 1e3 * wall_s(e))
            return fail(cx, E_LIMIT, "not read within %u s", wall_s(e));
    }
}

static Status fill(void *arg, Ctx *cx, void *to, size_t n)
{
    Extract *e = arg;
    for (char *p = to; n > 0;) {
        TRY(await(cx, e));
        ssize_t got = read(e->pipe, p, n);
        if (got < 0 && errno == EINTR) continue;
        e->cut = got <= 0;
        if (e->cut) return fail(cx, E_IO, "its reader ended too soon");
        p += got;
        n -= (size_t)got;
    }
    return OK;
}

static Status too_much_memory(Ctx *cx)
{
    return fail(cx, E_LIMIT, "it needs more than %d MB of memory", EXTRACT_DATA_MIB);
}

static Status killed_by(Ctx *cx, const Extract *e, int signal)
{
    bool full = e->end.peak_bytes > e->asked.data_bytes / 4 * 3;
    if (signal == SIGXCPU)
        return fail(cx, E_LIMIT, "not read within %u s of processor time",
                    e->asked.cpu_s);
    if (signal == SIGSYS)
        return fail(cx, E_FORMAT, "its %s reader tried what it may not (SIGSYS)",
                    format_of(e));
    if (full) return too_much_memory(cx);   // a library may crash for want of memory
    if (signal == SIGBUS) return fail(cx, E_IO, "it became shorter while it was read");
    if (signal == SIGKILL) return fail(cx, E_IO, "its reader was killed");
    return fail(cx, E_FORMAT, "its %s reader crashed (SIG%s)", format_of(e),
                sigabbrev_np(signal));
}

/* Why the pipe ended without a last record. */
static Status explain(Ctx *cx, Extract *e)
{
    for (double t = now_ms(); !e->told && !e->lost && now_ms() - t < ENDED_MS;)
        hear(e->x, POLL_MS);
    if (!e->told) return fail(cx, E_IO, "the program that read it was killed");
    if (e->end.told == TOLD_REFUSED)
        return fail(cx, E_IO, "%.*s", (int)sizeof e->end.reason - 1, e->end.reason);
    if (WIFSIGNALED(e->end.how)) return killed_by(cx, e, WTERMSIG(e->end.how));
    if (WEXITSTATUS(e->end.how) == PARSE_NO_MEMORY) return too_much_memory(cx);
    return fail(cx, E_FORMAT, "its %s reader ended without a word", format_of(e));
}

/* What the last record says. Of the errors of a request, some are the child's own. */
static Status ended(Ctx *cx, Extract *e, const WireEnd *end)
{
    const char *why = end->reason[0] ? end->reason : "it cannot be read";
    Status st = end->status;
    e->over = true;
    if (st == OK) return OK;
    if (st == E_MEMORY) return too_much_memory(cx);
    if (st != E_LIMIT && st != E_IO) st = E_FORMAT;
    return fail(cx, st, "%s", why);
}

static uint64_t text_max(const Extract *e)
{
    return ((uint64_t)EXTRACT_TEXT_MIB << 20) + 32 * e->asked.bytes;
}

/* All windows and the last record. w is the memory of a window. */
static Status collect(Ctx *cx, Ctx *w, Extract *e, const Sink *to)
{
    WireIn in = { .read = fill, .arg = e, .text_max = text_max(e) };
    for (;;) {
        Parsed window;
        WireEnd end;
        ctx_end(w);
        Status st = wire_read(w, &in, &window, &end);
        if (st != OK && e->cut) return explain(cx, e);
        if (st != OK) return fail(cx, st, "%s", w->reason);
        if (end.is) return ended(cx, e, &end);
        e->windows++;
        TRY(to->take(to->arg, &window));
    }
}

/* Again, where the process was killed for another's sake. */
static Status once_more(Ctx *cx, Extract *e)
{
    ctx_forgive(cx);
    close(e->pipe);
    e->pipe = -1;
    e->cut = false;
    return submit(cx, e->x, e);
}

Status extract_end(Ctx *cx, Extract *e, const Sink *to)
{
    Ctx w = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    Status st = collect(cx, &w, e, to);
    if (st != OK && e->lost && e->windows == 0) {
        st = once_more(cx, e);
        if (st == OK) st = collect(cx, &w, e, to);
    }
    ctx_end(&w);
    extract_drop(e);
    return st;
}

static void unlink_from(Extractor *x, const Extract *e)
{
    for (Extract **at = &x->first; *at; at = &(*at)->next) {
        if (*at != e) continue;
        *at = e->next;
        return;
    }
}

void extract_drop(Extract *e)
{
    if (!e) return;
    ZygoteRequest kill = { .op = OP_KILL, .id = e->asked.id };
    bool runs = !e->over && !e->told && !e->lost && e->x->control >= 0;
    if (runs) (void)send_request(e->x, &kill, -1, -1);
    unlink_from(e->x, e);
    if (e->pipe >= 0) close(e->pipe);
    close(e->source);
    free(e);
}
