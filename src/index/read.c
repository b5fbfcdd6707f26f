/* read.c -- see read.h. */
#include "index/read.h"

#include "base/file.h"

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

static Status read_at(Ctx *cx, int fd, uint64_t at, char *to, size_t n, size_t *done)
{
    if (file_read_at(fd, to, n, at, done)) return OK;
    return fail(cx, E_IO, "%s", strerror(errno));
}

/* Bytes is what was hashed: less than it said where the file has become shorter. */
static Status hash_file(Ctx *cx, Source *s)
{
    enum { PIECE = 1 << 16 };
    char piece[PIECE];
    crypto_generichash_state h;
    uint64_t at = 0;
    crypto_generichash_init(&h, NULL, 0, HASH_BYTES);
    for (size_t n = PIECE; at < s->bytes && n == PIECE; at += n) {
        size_t want = s->bytes - at < PIECE ? (size_t)(s->bytes - at) : PIECE;
        TRY(ctx_check(cx));
        TRY(read_at(cx, s->fd, at, piece, want, &n));
        crypto_generichash_update(&h, (unsigned char *)piece, n);
    }
    s->bytes = at;
    crypto_generichash_final(&h, (unsigned char *)s->hash, HASH_BYTES);
    return OK;
}

static Status look(Ctx *cx, const char *path, uint64_t most, Source *s)
{
    struct stat st;
    char head[KIND_HEAD];
    size_t n;
    if (fstat(s->fd, &st) != 0) return fail(cx, E_IO, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode)) return fail(cx, E_ARG, "this is no regular file");
    s->bytes = (uint64_t)st.st_size;
    s->mtime_ns = trusted_mtime(&st);
    TRY(read_at(cx, s->fd, 0, head, sizeof head, &n));
    if (s->bytes == 0 && n > 0)     // a file of /proc
        return fail(cx, E_ARG, "this file does not tell its size: add a copy of it");
    s->kind = kind_of(str_z(path), (Str){ head, n });
    if (s->kind == KIND_NONE) return fail(cx, E_FORMAT, "this is no text");
    if (s->bytes <= most) return OK;
    return fail(cx, E_LIMIT, "%.0f MiB, the limit is %.0f MiB: split the file, or raise "
                "the limit (--max-file, up to 4096)", (double)s->bytes / 1048576,
                (double)most / 1048576);
}

Status source_open(Ctx *cx, const char *path, uint64_t most, Source *out)
{
    *out = (Source){ .fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY) };
    if (out->fd < 0)
        return fail(cx, errno == ENOENT ? E_NOTFOUND : E_IO, "%s", strerror(errno));
    Status st = look(cx, path, most, out);
    if (st == OK) st = hash_file(cx, out);
    if (st != OK) source_close(out);
    return st;
}

void source_close(Source *s)
{
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}
