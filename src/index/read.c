/* read.c -- see read.h. */
#include "index/read.h"

#include "parse/kind.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A file written this short before it was read may change again within the same tick of
 * the file system's clock: its time is then not to be trusted. */
enum { RACY_NS = 20 * 1000 * 1000 };

void source_hash(Str bytes, char out[HASH_BYTES])
{
    crypto_generichash((unsigned char *)out, HASH_BYTES, (const unsigned char *)bytes.p,
                       bytes.n, NULL, 0);
}

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The time of the file, or one that no file has where that may be too fresh. */
static int64_t trusted_mtime(const struct stat *st)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t mtime = nanoseconds(st->st_ctim), age = nanoseconds(now) - mtime;
    return age < 0 || age > RACY_NS ? mtime : mtime - 1;
}

/* Reads until n bytes or the end. */
static Status read_all(Ctx *cx, int fd, char *to, size_t n, size_t *done)
{
    while (*done < n) {
        ssize_t got = read(fd, to + *done, n - *done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(cx, E_IO, "%s", strerror(errno));
        if (got == 0) break;
        *done += (size_t)got;
    }
    return OK;
}

static Status read_text(Ctx *cx, int fd, const char *path, uint64_t size, Source *out)
{
    char head[KIND_HEAD];
    size_t n = 0, first = size < sizeof head ? (size_t)size : sizeof head;
    TRY(read_all(cx, fd, head, first, &n));
    if (kind_of(str_z(path), (Str){ head, n }) == KIND_NONE)
        return fail(cx, E_FORMAT, "this is no text");
    char *to = ctx_new(cx, char, (size_t)size + 1);
    TRY_NEW(to);
    memcpy(to, head, n);
    if (n == first) TRY(read_all(cx, fd, to, (size_t)size, &n));
    if (size == 0 && read(fd, head, 1) == 1)    // a file of /proc
        return fail(cx, E_ARG, "this file does not tell its size: add a copy of it");
    out->bytes = (Str){ to, n };
    source_hash(out->bytes, out->hash);
    return OK;
}

static Status read_open(Ctx *cx, int fd, const char *path, uint64_t most, Source *out)
{
    struct stat st;
    char head[KIND_HEAD];
    if (fstat(fd, &st) != 0) return fail(cx, E_IO, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode)) return fail(cx, E_ARG, "this is no regular file");
    uint64_t size = (uint64_t)st.st_size;
    if (size > most) {
        ssize_t got = read(fd, head, sizeof head);
        if (got > 0 && kind_of(str_z(path), (Str){ head, (size_t)got }) == KIND_NONE)
            return fail(cx, E_FORMAT, "this is no text");
        return fail(cx, E_LIMIT, "%.0f MiB, the limit is %.0f MiB: split the file, or "
                    "raise the limit (--max-file, up to 1023)", (double)size / 1048576,
                    (double)most / 1048576);
    }
    out->mtime_ns = trusted_mtime(&st);
    return read_text(cx, fd, path, size, out);
}

Status source_read(Ctx *cx, const char *path, uint64_t most, Source *out)
{
    *out = (Source){ 0 };
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fail(cx, errno == ENOENT ? E_NOTFOUND : E_IO, "%s", strerror(errno));
    Status st = read_open(cx, fd, path, most, out);
    close(fd);
    return st;
}
