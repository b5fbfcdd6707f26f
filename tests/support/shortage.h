/* shortage.h -- memory, with a switch: the n-th request of the whole program, its
 * libraries included, is refused, alone or with all that come after it.
 *
 * The functions here take the place of the C library's and hand on to them, so nothing
 * that is tested knows of it. Include it in one file of a program. SHORTAGE is 0 where
 * that cannot be: the test is to be skipped. */
#ifndef PITH_TESTS_SHORTAGE_H
#define PITH_TESTS_SHORTAGE_H

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1      // as gcc tells it
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SHORTAGE = 0 };              // a sanitizer has taken their place already
#else
enum { SHORTAGE = 1 };
#endif

static struct Shortage {
    atomic_bool armed;
    atomic_long count;      // requests while armed
    long at;                // the one that is refused, from 1; 0: none
    bool lasts;             // so are all after it
} shortage;

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t to, size_t n);

static inline void shortage_begin(long at, bool lasts)
{
    shortage.at = at;
    shortage.lasts = lasts;
    atomic_store(&shortage.count, 0);
    atomic_store(&shortage.armed, true);
}

/* How many requests there were; fewer than `at`: none was refused. */
static inline long shortage_end(void)
{
    atomic_store(&shortage.armed, false);
    return atomic_load(&shortage.count);
}

/* ---- crashes ----------------------------------------------------------------------- */

enum { CRASHED = 99, CRASH_MAX = 512, CRASH_FRAMES = 24 };

static char *crash_note;        // CRASH_MAX bytes

/* The functions that were active, innermost first, without the C library's. */
static void on_crash(int signal)
{
    void *frame[CRASH_FRAMES];
    size_t n = 0;
    atomic_store(&shortage.armed, false);
    int frames = backtrace(frame, CRASH_FRAMES);
    for (int i = 1; i < frames && n + 1 < CRASH_MAX; i++) {
        Dl_info at;
        if (!dladdr(frame[i], &at) || !at.dli_fname) continue;
        const char *slash = strrchr(at.dli_fname, '/');
        const char *object = slash ? slash + 1 : at.dli_fname;
        if (strncmp(object, "libc.so", 7) == 0) continue;
        int m = at.dli_sname
            ? snprintf(crash_note + n, CRASH_MAX - n, "%s:%s ", object, at.dli_sname)
            : snprintf(crash_note + n, CRASH_MAX - n, "%s+%zx ", object,
                       (size_t)((char *)frame[i] - (char *)at.dli_fbase));
        n += (size_t)m;
    }
    _exit(n ? CRASHED : 128 + signal);
}

/* A library that calls exit. */
static void on_exit_inside(void)
{
    if (atomic_load(&shortage.armed)) on_crash(0);
}

/* A crash of this process, or an exit while memory is short, ends it with CRASHED, and to
 * says where it was. */
static inline void crash_watch(char to[CRASH_MAX])
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPROF,
                                 SIGALRM };
    void *frame[1];
    crash_note = to;
    backtrace(frame, 1);        // loads what it needs while there is memory
    atexit(on_exit_inside);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) signal(fatal[i], on_crash);
}

/* From here on so much processor time is a crash, and ten times as much of waiting: it
 * hangs. */
static inline void crash_after(int seconds)
{
    struct itimerval t = { .it_value = { .tv_sec = seconds } };
    setitimer(ITIMER_PROF, &t, NULL);
    alarm(10 * (unsigned)seconds);
}

/* ---- the switch -------------------------------------------------------------------- */

static inline bool shortage_now(void)
{
    if (!atomic_load_explicit(&shortage.armed, memory_order_relaxed)) return false;
    long n = atomic_fetch_add(&shortage.count, 1) + 1;
    if (n != shortage.at && !(shortage.lasts && shortage.at && n > shortage.at))
        return false;
    errno = ENOMEM;
    return true;
}

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#define SEEN __attribute__((visibility("default")))     // by the libraries, too

SEEN void *malloc(size_t n)
{
    return shortage_now() ? NULL : __libc_malloc(n);
}

SEEN void *calloc(size_t n, size_t size)
{
    return shortage_now() ? NULL : __libc_calloc(n, size);
}

SEEN void *realloc(void *p, size_t n)
{
    return shortage_now() ? NULL : __libc_realloc(p, n);
}

SEEN void *memalign(size_t to, size_t n)
{
    return shortage_now() ? NULL : __libc_memalign(to, n);
}

SEEN void *aligned_alloc(size_t to, size_t n)
{
    return shortage_now() ? NULL : __libc_memalign(to, n);
}

SEEN int posix_memalign(void **p, size_t to, size_t n)
{
    void *got = shortage_now() ? NULL : __libc_memalign(to, n);
    if (!got) return ENOMEM;
    *p = got;
    return 0;
}

#endif

#endif
