/* hostile_extract.c -- pith-extract taken over: its parser does what the document says,
 * as one would that a document has made its own. What a deed gave, and it is still
 * alive, is the text of the document: "open: Permission denied". */
#include "extract/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CONTROL = 3, MIB = 1 << 20 };

typedef struct Deed {
    const char *name;
    long (*done)(Ctx *cx, const Sink *to);     // as errno has it: -1 is a no
} Deed;

static long say(const Sink *to, Str text, size_t base)
{
    Part p = { .kind = PART_PARAGRAPH, .text = text, .start = base,
               .end = base + text.n };
    Parsed w = { .at = &p, .n = 1, .source = text, .base = base, .verbatim = true };
    return to->take(to->arg, &w) == OK ? 0 : -1;
}

static long opens(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    return open("/etc/passwd", O_RDONLY);
}

static long stats(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    return access("/", F_OK);
}

static long makes(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    return open("/tmp/pith-hostile", O_CREAT | O_WRONLY, 0600);
}

static long raises(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };
    return setrlimit(RLIMIT_DATA, &r);
}

static long sockets(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    return socket(AF_INET, SOCK_STREAM, 0);
}

static long execs(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    char name[] = "/bin/sh", *argv[] = { name, NULL };
    return execve(name, argv, NULL);
}

static _Noreturn long forks(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    for (;;) fork();
}

static long threads(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    return syscall(SYS_clone, 0x10F00, NULL, NULL, NULL, 0);    // CLONE_THREAD, ...
}

static long traces(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static long kills(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    return kill(getpid(), 0);
}

static long signals(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    return raise(SIGTERM);
}

static long runs_data(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
           MAP_FAILED ? -1 : 0;
}

static long allocates(Ctx *cx, const Sink *to)
{
    (void)to;
    for (int i = 0; i < 2048; i++) {
        char *p = ctx_alloc(cx, MIB, 1);
        if (!p) return -1;
        memset(p, 1, MIB);
    }
    return 0;
}

/* As a library does that gives up. */
static long allocates_and_aborts(Ctx *cx, const Sink *to)
{
    if (allocates(cx, to) != 0) abort();
    return 0;
}

static _Noreturn long spins(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    for (volatile unsigned i = 0;; i++) {}
}

static _Noreturn long sleeps(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    for (;;) nanosleep(&(struct timespec){ 3600, 0 }, NULL);
}

static long crashes(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    volatile uintptr_t nowhere = 8;
    *(volatile char *)nowhere = 1;
    return 0;
}

static long babbles(Ctx *cx, const Sink *to)
{
    static char text[MIB];
    (void)cx;
    memset(text, 'x', sizeof text);
    for (size_t at = 0;; at += MIB)
        if (say(to, (Str){ text, sizeof text }, at) != 0) return -1;
}

static long writes_noise(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    char noise[8192];
    memset(noise, 0xA5, sizeof noise);
    for (int fd = 3; fd < 32; fd++)
        if (write(fd, noise, sizeof noise) > 0) _exit(0);
    return -1;
}

static _Noreturn long ends(Ctx *cx, const Sink *to)
{
    (void)cx, (void)to;
    _exit(0);
}

static long says_no_utf8(Ctx *cx, const Sink *to)
{
    (void)cx;
    return say(to, STR("caf\xE9"), 0);
}

static long goes_back(Ctx *cx, const Sink *to)
{
    (void)cx;
    return say(to, STR("second"), 100) == 0 ? say(to, STR("first"), 0) : -1;
}

static const Deed deeds[] = {
    { "open", opens }, { "access", stats }, { "make", makes }, { "raise", raises },
    { "socket", sockets }, { "exec", execs }, { "fork", forks }, { "thread", threads },
    { "trace", traces }, { "kill", kills }, { "signal", signals }, { "run", runs_data },
    { "allocate", allocates }, { "abort", allocates_and_aborts }, { "spin", spins },
    { "sleep", sleeps }, { "crash", crashes }, { "babble", babbles },
    { "noise", writes_noise }, { "end", ends }, { "latin", says_no_utf8 },
    { "back", goes_back },
};

static Status do_as_told(Ctx *cx, Kind kind, const Input *in, const Sink *to)
{
    (void)kind;
    Str what = str_trim(in->bytes);
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (!str_eq(what, str_z(deeds[i].name))) continue;
        long done = deeds[i].done(cx, to);
        if (cx->status != OK) return cx->status;
        Str told = ctx_printf(cx, "%s: %s", deeds[i].name,
                              done < 0 ? strerror(errno) : "done");
        TRY_NEW(told.p);
        return say(to, told, 0) == 0 ? OK : E_IO;
    }
    return say(to, what, 0) == 0 ? OK : E_IO;   // a document that means no harm
}

int main(void)
{
    _exit(zygote_run(CONTROL, do_as_told));
}
