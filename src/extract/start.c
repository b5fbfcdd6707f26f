/* start.c -- see start.h. */
#include "extract/start.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROGRAM "pith-extract"

enum { CONTROL = 3 };       // of the program

/* ---- finding ----------------------------------------------------------------------- */

/* The folder of the library, or of the program where it is linked into one. */
static Str own_folder(Ctx *cx)
{
    char path[PATH_MAX];
    Dl_info at;
    bool named = dladdr((const void *)start_find, &at) && at.dli_fname &&
                 strchr(at.dli_fname, '/') && realpath(at.dli_fname, path);
    if (!named && !realpath("/proc/self/exe", path)) return STR(".");
    char *slash = strrchr(path, '/');
    return ctx_dup(cx, (Str){ path, (size_t)(slash - path) });
}

Status start_find(Ctx *cx, Str *path)
{
    static const char *const places[] = { "pith/" PROGRAM, PROGRAM, "../" PROGRAM };
    const char *named = getenv("PITH_EXTRACT");
    Str folder = own_folder(cx);
    TRY_NEW(folder.p);
    if (named && *named) {
        *path = ctx_dup(cx, str_z(named));
        TRY_NEW(path->p);
        if (access(path->p, X_OK) == 0) return OK;
        return fail(cx, E_INTERNAL, "PITH_EXTRACT names %s, which cannot be run: %s",
                    named, strerror(errno));
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        *path = ctx_printf(cx, "%s/%s", folder.p, places[i]);
        TRY_NEW(path->p);
        if (access(path->p, X_OK) == 0) return OK;
    }
    return fail(cx, E_INTERNAL, PROGRAM ", which reads documents, is not in %s/pith: "
                "install pith again, or name it in PITH_EXTRACT", folder.p);
}

/* ---- starting ---------------------------------------------------------------------- */

/* A process that reads hostile bytes is not told our secrets. */
static char **environment(Ctx *cx)
{
    static const char *const kept[] = { "LD_", "ASAN_", "LSAN_", "UBSAN_" };
    size_t n = 0, to = 0;
    while (environ[n]) n++;
    char **out = ctx_new(cx, char *, n + 1);
    for (size_t i = 0; out && i < n; i++)
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
            if (str_starts(str_z(environ[i]), str_z(kept[k]))) out[to++] = environ[i];
    return out;
}

/* The socket goes first: the descriptor that it has may be one of the others. */
static int plan_files(posix_spawn_file_actions_t *f, int socket)
{
    int bad = posix_spawn_file_actions_adddup2(f, socket, CONTROL);
    for (int fd = 0; fd < 3 && !bad; fd++)
        bad = posix_spawn_file_actions_addopen(f, fd, "/dev/null", O_RDWR, 0);
    return bad ? bad : posix_spawn_file_actions_addclosefrom_np(f, CONTROL + 1);
}

static int plan_signals(posix_spawnattr_t *a)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int bad = posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    if (!bad) bad = posix_spawnattr_setsigmask(a, &none);
    return bad ? bad : posix_spawnattr_setsigdefault(a, &all);
}

static int spawn(const char *path, char **env, int socket, pid_t *pid)
{
    char name[] = PROGRAM, *argv[] = { name, NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    int bad = posix_spawn_file_actions_init(&files);
    if (bad) return bad;
    bad = posix_spawnattr_init(&how);
    if (bad) goto done;
    bad = plan_files(&files, socket);
    if (!bad) bad = plan_signals(&how);
    if (!bad) bad = posix_spawn(pid, path, &files, &how, argv, env);
    posix_spawnattr_destroy(&how);
done:
    posix_spawn_file_actions_destroy(&files);
    return bad;
}

Status start_program(Ctx *cx, const char *path, pid_t *pid, int *control)
{
    int ends[2];
    char **env = environment(cx);
    TRY_NEW(env);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return fail(cx, E_IO, "no socket for %s: %s", path, strerror(errno));
    int bad = spawn(path, env, ends[1], pid);
    close(ends[1]);
    if (bad) {
        close(ends[0]);
        return fail(cx, E_INTERNAL, "%s cannot be run: %s", path, strerror(bad));
    }
    *control = ends[0];
    return OK;
}
