/* child.c -- see child.h.
 *
 * Everything is made ready before fork(2); between it and exec only calls are made that
 * are safe in a child of a program with threads (signal-safety(7)). The child leads a
 * process group of its own, so that what it starts ends with it. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 100, GRACE_MS = 3000, NO_PROGRAM = 127 };

static const char **environment(Ctx *cx, const char *const *extra)
{
    size_t n = 0, n_extra = 0;
    while (environ[n]) n++;
    while (extra && extra[n_extra]) n_extra++;
    const char **env = ctx_new(cx, const char *, n + n_extra + 1);
    if (!env) return NULL;
    for (size_t i = 0; i < n_extra; i++) env[i] = extra[i];
    for (size_t i = 0; i < n; i++) env[n_extra + i] = environ[i];
    return env;
}

static _Noreturn void become(const ChildOptions *opt, const char **env, int log,
                             pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(NO_PROGRAM);   // we were too late to be told
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(NO_PROGRAM);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvpe(opt->argv[0], (char *const *)opt->argv, (char *const *)env);
    _exit(NO_PROGRAM);
}

static void doze(int ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
    nanosleep(&t, NULL);
}

static bool ended(pid_t child, int *how)
{
    pid_t who = waitpid(child, how, WNOHANG);
    return who == child || (who < 0 && errno != EINTR);
}

static void end(pid_t child, int *how)
{
    kill(-child, SIGTERM);
    for (int ms = 0; ms < GRACE_MS; ms += POLL_MS) {
        if (ended(child, how)) return;
        doze(POLL_MS);
    }
    kill(-child, SIGKILL);
    while (waitpid(child, how, 0) < 0 && errno == EINTR) {}
}

static Status await(Ctx *cx, const ChildOptions *opt, pid_t child, int *how)
{
    while (!ended(child, how)) {
        if (ctx_check(cx) != OK) {
            end(child, how);
            return E_CANCELLED;
        }
        if (opt->on_wait) opt->on_wait(opt->arg);
        doze(POLL_MS);
    }
    return OK;
}

Status child_run(Ctx *cx, const ChildOptions *opt, int *exit_code)
{
    const char **env = environment(cx, opt->env);
    TRY_NEW(env);
    int log = open(opt->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), how = 0;
    if (log < 0) return fail(cx, E_IO, "%s: %s", opt->log, strerror(errno));
    pid_t parent = getpid(), child = fork();
    if (child == 0) become(opt, env, log, parent);
    close(log);
    if (child < 0)
        return fail(cx, E_IO, "no process for %s: %s", opt->argv[0], strerror(errno));
    setpgid(child, child);   // whoever of the two comes first
    TRY(await(cx, opt, child, &how));
    *exit_code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return OK;
}
