/* sandbox.c -- see sandbox.h; landlock(7), seccomp(2), setrlimit(2). */
#include "extract/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Landlock ---------------------------------------------------------------------- */

/* The kernel's struct as of ABI 6, for headers are older than kernels. One that is
 * longer than the kernel knows is accepted where what it does not know is zero. */
typedef struct Ruleset {
    uint64_t fs, net, scoped;
} Ruleset;

/* What an ABI has in addition to the ones before. */
static const struct { int abi; Ruleset adds; } rights[] = {
    { 1, { .fs = (1 << 13) - 1 } },     // all of files and folders
    { 2, { .fs = 1 << 13 } },           // moving between folders
    { 3, { .fs = 1 << 14 } },           // truncating
    { 4, { .net = 3 } },                // TCP: bind, connect
    { 5, { .fs = 1 << 15 } },           // ioctl on devices
    { 6, { .scoped = 3 } },             // abstract sockets, signals
};

/* No rule is added: what is handled is forbidden. */
static int landlock(void)
{
    Ruleset r = { 0 };
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                       LANDLOCK_CREATE_RULESET_VERSION);
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        if (rights[i].abi > abi) break;
        r.fs |= rights[i].adds.fs;
        r.net |= rights[i].adds.net;
        r.scoped |= rights[i].adds.scoped;
    }
    if (abi < 1) return 0;
    long fd = syscall(SYS_landlock_create_ruleset, &r, sizeof r, 0);
    if (fd < 0) return 0;
    long done = syscall(SYS_landlock_restrict_self, fd, 0);
    close((int)fd);
    return done == 0 ? (int)abi : 0;
}

/* ---- seccomp ----------------------------------------------------------------------- */

/* For both: memory, clocks, the descriptors that are open, signals to oneself. */
static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
    SCMP_SYS(lseek), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid),
    SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname),
    SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(times),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list), SCMP_SYS(set_tid_address),
};

/* Libraries try these and live with a no: a table of charsets, a font, a terminal. */
static const struct { int call; int error; } refused[] = {
    { SCMP_SYS(open), EACCES }, { SCMP_SYS(openat), EACCES },
    { SCMP_SYS(openat2), EACCES }, { SCMP_SYS(stat), EACCES },
    { SCMP_SYS(lstat), EACCES }, { SCMP_SYS(fstat), EACCES },
    { SCMP_SYS(newfstatat), EACCES }, { SCMP_SYS(statx), EACCES },
    { SCMP_SYS(access), EACCES }, { SCMP_SYS(faccessat), EACCES },
    { SCMP_SYS(faccessat2), EACCES }, { SCMP_SYS(readlink), EACCES },
    { SCMP_SYS(readlinkat), EACCES }, { SCMP_SYS(getcwd), EACCES },
    { SCMP_SYS(statfs), EACCES }, { SCMP_SYS(ioctl), ENOTTY },
    { SCMP_SYS(fcntl), EPERM },
    { SCMP_SYS(tgkill), EPERM },        // abort(3) goes on to an illegal instruction
};

/* What the process that forks the children needs beyond that. */
static const int forking[] = {
    SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(kill), SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(prctl),
    SCMP_SYS(seccomp), SCMP_SYS(prlimit64), SCMP_SYS(setrlimit), SCMP_SYS(getrlimit),
    SCMP_SYS(ugetrlimit), SCMP_SYS(getppid),
};

/* Memory is never made executable. */
static int add_memory(scmp_filter_ctx f)
{
    struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    int bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, data);
    if (!bad) bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, data);
    return bad;
}

/* fork(2), and nothing else that clone(2) can do. */
static int add_forking(scmp_filter_ctx f)
{
    const scmp_datum_t may = CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | 0xFF;
    struct scmp_arg_cmp plain = SCMP_A0(SCMP_CMP_MASKED_EQ, ~may, 0);
    int bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, plain);
    for (size_t i = 0; i < sizeof forking / sizeof *forking && !bad; i++)
        bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, forking[i], 0);
    return bad;
}

/* Negative where libseccomp or the kernel said no. */
static int make_filter(bool forks, scmp_filter_ctx *out)
{
    scmp_filter_ctx f = *out = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int bad = f ? 0 : -ENOMEM;
    if (!bad) bad = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed && !bad; i++)
        bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < sizeof refused / sizeof *refused && !bad; i++)
        bad = seccomp_rule_add(f, SCMP_ACT_ERRNO((uint32_t)refused[i].error),
                               refused[i].call, 0);
    if (!bad) bad = forks ? add_forking(f) : add_memory(f);
    return bad;
}

/* Its instructions, by way of a file in memory: libseccomp 2.5 writes to files alone. */
static Status export_filter(Ctx *cx, scmp_filter_ctx f, int fd, Sandbox *out)
{
    int bad = seccomp_export_bpf(f, fd);
    off_t bytes = bad ? 0 : lseek(fd, 0, SEEK_END);
    size_t n = bytes > 0 ? (size_t)bytes / sizeof *out->filter : 0;
    if (n == 0 || n > BPF_MAXINSNS)
        return fail(cx, E_IO, "no seccomp filter could be made: %s", strerror(-bad));
    out->filter = ctx_new(cx, struct sock_filter, n);
    TRY_NEW(out->filter);
    out->n = (unsigned short)n;
    bool whole = pread(fd, out->filter, (size_t)bytes, 0) == (ssize_t)bytes;
    return whole ? OK : fail(cx, E_IO, "no seccomp filter could be made");
}

static Status child_filter(Ctx *cx, Sandbox *out)
{
    scmp_filter_ctx f = NULL;
    int bad = make_filter(false, &f), fd = -1;
    Status st = OK;
    if (bad) st = fail(cx, E_IO, "no seccomp filter could be made: %s", strerror(-bad));
    if (st == OK) fd = memfd_create("pith-filter", MFD_CLOEXEC);
    if (st == OK && fd < 0) st = fail(cx, E_IO, "no memory file: %s", strerror(errno));
    if (st == OK) st = export_filter(cx, f, fd, out);
    if (fd >= 0) close(fd);
    seccomp_release(f);
    return st;
}

static Status enter_filter(Ctx *cx)
{
    scmp_filter_ctx f = NULL;
    int bad = make_filter(true, &f);
    if (!bad) bad = seccomp_load(f);
    seccomp_release(f);
    return bad ? fail(cx, E_IO, "this system has no seccomp: %s", strerror(-bad)) : OK;
}

Status sandbox_enter(Ctx *cx, Sandbox *out)
{
    *out = (Sandbox){ 0 };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail(cx, E_IO, "privileges cannot be given up: %s", strerror(errno));
    TRY(child_filter(cx, out));
    out->landlock = landlock();
    return enter_filter(cx);
}

/* ---- a child ----------------------------------------------------------------------- */

/* The address sanitizer's shadow is private memory of terabytes. */
#if defined __SANITIZE_ADDRESS__
enum { COUNTS_MEMORY = 0 };
#elif defined __has_feature
#if __has_feature(address_sanitizer)
enum { COUNTS_MEMORY = 0 };
#else
enum { COUNTS_MEMORY = 1 };
#endif
#else
enum { COUNTS_MEMORY = 1 };
#endif

static Status limit(Ctx *cx, int what, uint64_t soft, uint64_t hard)
{
    struct rlimit r = { soft, hard };
    if (setrlimit(what, &r) == 0) return OK;
    return fail(cx, E_IO, "a limit cannot be set: %s", strerror(errno));
}

/* The soft limit of time tells itself by a signal of its own, the hard one is for those
 * who catch it. */
static Status limit_all(Ctx *cx, const SandboxLimits *l)
{
    TRY(limit(cx, RLIMIT_CPU, l->cpu_s, l->cpu_s + 1));
    if (COUNTS_MEMORY) TRY(limit(cx, RLIMIT_DATA, l->data_bytes, l->data_bytes));
    TRY(limit(cx, RLIMIT_FSIZE, 0, 0));
    TRY(limit(cx, RLIMIT_CORE, 0, 0));
    TRY(limit(cx, RLIMIT_NPROC, 0, 0));
    return limit(cx, RLIMIT_NOFILE, 0, 0);
}

Status sandbox_child(Ctx *cx, const Sandbox *s, const SandboxLimits *limits)
{
    struct sock_fprog program = { .len = s->n, .filter = s->filter };
    TRY(limit_all(cx, limits));
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0) return OK;
    return fail(cx, E_IO, "this system has no seccomp: %s", strerror(errno));
}
