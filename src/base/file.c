/* file.c -- see file.h.
 *
 * A write goes to a temporary file beside its target, is flushed to the disk, and then
 * takes the target's name in one step (rename(2) is atomic within a file system). */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static Status fail_errno(Ctx *cx, const char *path)
{
    int why = errno;
    return fail(cx, why == ENOENT ? E_NOTFOUND : E_IO, "%s: %s", path, strerror(why));
}

/* Reads to the end or to room, whichever comes first: -1 on an error. */
static ssize_t read_all(int fd, char *p, size_t room)
{
    size_t n = 0;
    while (n < room) {
        ssize_t got = read(fd, p + n, room - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

/* The size is only a hint: a file may grow while it is read, and /proc says 0. */
static Status read_open(Ctx *cx, int fd, const char *path, size_t max, Str *out)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return fail_errno(cx, path);
    if (S_ISDIR(info.st_mode)) return fail(cx, E_IO, "%s: is a folder, not a file", path);
    if (info.st_size > 0 && (uint64_t)info.st_size > max)
        return fail(cx, E_LIMIT, "%s: %lld bytes, at most %zu are read", path,
                    (long long)info.st_size, max);
    size_t room = info.st_size > 0 ? (size_t)info.st_size : 4096;
    for (;;) {
        if (room > max) room = max;
        char *p = ctx_alloc(cx, room + 1, 1);   // one more tells a file that goes on
        TRY_NEW(p);
        if (lseek(fd, 0, SEEK_SET) < 0) return fail_errno(cx, path);
        ssize_t n = read_all(fd, p, room + 1);
        if (n < 0) return fail_errno(cx, path);
        if ((size_t)n <= room) {
            p[n] = '\0';
            *out = (Str){ p, (size_t)n };
            return OK;
        }
        if (room == max)
            return fail(cx, E_LIMIT, "%s: more than the %zu bytes that are read", path,
                        max);
        room = room > max / 2 ? max : room * 2;
    }
}

Status file_read(Ctx *cx, const char *path, size_t max, Str *out)
{
    if (max > PTRDIFF_MAX / 2) max = PTRDIFF_MAX / 2;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(cx, path);
    Status st = read_open(cx, fd, path, max, out);
    close(fd);
    return st;
}

static Status write_all(Ctx *cx, int fd, const char *path, Str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
    return OK;
}

Status file_write(Ctx *cx, const char *path, Str bytes)
{
    Str temp = ctx_printf(cx, "%s.XXXXXX", path);
    TRY_NEW(temp.p);
    int fd = mkostemp((char *)temp.p, O_CLOEXEC);   // the arena's bytes are ours to fill
    if (fd < 0) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
    Status st = write_all(cx, fd, path, bytes);
    if (close(fd) != 0 && st == OK) st = fail(cx, E_IO, "%s: %s", path, strerror(errno));
    if (st == OK) st = file_commit(cx, temp.p, path);
    if (st != OK) unlink(temp.p);
    return st;
}

static Status flush(Ctx *cx, const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
    /* Some file systems cannot flush a folder and say EINVAL: that is all there is. */
    Status st = fsync(fd) == 0 || errno == EINVAL
                    ? OK : fail(cx, E_IO, "%s: %s", path, strerror(errno));
    close(fd);
    return st;
}

Status file_commit(Ctx *cx, const char *temp, const char *path)
{
    TRY(flush(cx, temp, O_RDONLY));
    if (rename(temp, path) != 0) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
    Str copy = ctx_dup(cx, str_z(path));   // dirname writes into its argument
    TRY_NEW(copy.p);
    return flush(cx, dirname((char *)copy.p), O_RDONLY | O_DIRECTORY);
}

/* Reads into p, or writes from it, until all is done, the file ends or an error. */
static bool move(int fd, char *p, size_t n, uint64_t at, bool writes, size_t *done)
{
    for (*done = 0; *done < n;) {
        size_t more = n - *done;
        off_t place = (off_t)(at + *done);
        ssize_t k = writes ? pwrite(fd, p + *done, more, place)
                           : pread(fd, p + *done, more, place);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return k == 0;
        *done += (size_t)k;
    }
    return true;
}

bool file_read_at(int fd, void *to, size_t n, uint64_t at, size_t *done)
{
    return move(fd, to, n, at, false, done);
}

bool file_write_at(int fd, const void *from, size_t n, uint64_t at)
{
    size_t done;
    return move(fd, (char *)(uintptr_t)from, n, at, true, &done) && done == n;
}

Status file_remove(Ctx *cx, const char *path, bool *removed)
{
    bool was = unlink(path) == 0;
    if (removed) *removed = was;
    if (was || errno == ENOENT) return OK;
    return fail(cx, E_IO, "cannot remove %s: %s", path, strerror(errno));
}

Status file_lock(Ctx *cx, const char *path, const char *busy, int *lock)
{
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock < 0) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0) return OK;
    close(*lock);
    *lock = -1;
    return fail(cx, E_BUSY, "%s", busy);
}

bool file_is_here(const char *path, uint64_t *bytes)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return false;
    if (bytes) *bytes = (uint64_t)info.st_size;
    return true;
}

Status folder_make(Ctx *cx, const char *path)
{
    struct stat info;
    Str copy = ctx_dup(cx, str_z(path));
    TRY_NEW(copy.p);
    char *p = (char *)copy.p;
    for (char *slash = p; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
        *slash = '\0';
        if (mkdir(p, 0700) != 0 && errno != EEXIST && stat(p, &info) != 0)
            return fail(cx, E_IO, "%s: %s", p, strerror(errno));
    }
    if (mkdir(p, 0700) == 0) return OK;
    if (errno != EEXIST) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return OK;
    return fail(cx, E_IO, "%s: is there, but is not a folder", path);
}

/* Every entry below path, a folder after what is in it. */
static FTS *walk(const char *path)
{
    char *roots[] = { (char *)path, NULL };   // fts_open does not write to them
    return fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
}

Status folder_remove(Ctx *cx, const char *path)
{
    FTS *tree = walk(path);
    int why = tree ? 0 : errno;
    for (FTSENT *e; tree && (e = fts_read(tree)) != NULL;) {
        if (e->fts_info == FTS_D) continue;
        if (remove(e->fts_accpath) != 0 && errno != ENOENT) why = errno;
    }
    if (tree) fts_close(tree);
    if (why && why != ENOENT) return fail(cx, E_IO, "%s: %s", path, strerror(why));
    return OK;
}

uint64_t folder_bytes(const char *path)
{
    uint64_t sum = 0;
    FTS *tree = walk(path);
    if (!tree) return 0;
    for (FTSENT *e; (e = fts_read(tree)) != NULL;)
        if (e->fts_info == FTS_F) sum += (uint64_t)e->fts_statp->st_size;
    fts_close(tree);
    return sum;
}

Status path_join(Ctx *cx, Str folder, Str name, Str *out)
{
    bool alone = folder.n == 0 || str_starts(name, STR("/"));
    const char *slash = str_ends(folder, STR("/")) ? "" : "/";
    *out = alone ? ctx_dup(cx, name)
                 : ctx_printf(cx, "%.*s%s%.*s", (int)folder.n, folder.p, slash,
                              (int)name.n,
                              name.p);
    return out->p ? OK : E_MEMORY;
}

static Status folder_xdg(Ctx *cx, const char *variable, const char *below_home, Str *out)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    if (base && base[0] == '/') return path_join(cx, str_z(base), STR("pith"), out);
    if (!home || home[0] != '/')
        return fail(cx, E_NOTFOUND,
                    "$HOME is not set to an absolute path: set it, or $%s",
                    variable);
    Str tail = ctx_printf(cx, "%s/pith", below_home);
    TRY_NEW(tail.p);
    return path_join(cx, str_z(home), tail, out);
}

Status folder_data(Ctx *cx, Str *out)
{
    return folder_xdg(cx, "XDG_DATA_HOME", ".local/share", out);
}

Status folder_cache(Ctx *cx, Str *out)
{
    return folder_xdg(cx, "XDG_CACHE_HOME", ".cache", out);
}

Status folder_config(Ctx *cx, Str *out)
{
    return folder_xdg(cx, "XDG_CONFIG_HOME", ".config", out);
}

Status folder_state(Ctx *cx, Str *out)
{
    return folder_xdg(cx, "XDG_STATE_HOME", ".local/state", out);
}
