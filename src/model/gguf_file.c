/* gguf_file.c -- see gguf_file.h.
 *
 * The fingerprint covers the size, the first and the last 64 KiB: the head holds the
 * metadata, the tail weights, and a file of gigabytes is told apart in a millisecond. */
#include "model/gguf_file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SAMPLE = 64 * 1024, HASH = 16, GGUF_HEAD = 24 };   // bytes

static Status fingerprint(Ctx *cx, FILE *f, const char *path, GgufFile *out)
{
    uint8_t *sample = ctx_alloc(cx, SAMPLE, 1), hash[HASH];
    TRY_NEW(sample);
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, HASH);
    crypto_generichash_update(&state, (const uint8_t *)&out->bytes, sizeof out->bytes);

    size_t n = fread(sample, 1, SAMPLE, f);
    if (n < GGUF_HEAD || memcmp(sample, "GGUF", 4) != 0)
        return fail(cx, E_FORMAT, "%s: not a GGUF model", path);
    crypto_generichash_update(&state, sample, n);
    if (out->bytes > SAMPLE && fseeko(f, -(off_t)SAMPLE, SEEK_END) == 0)
        crypto_generichash_update(&state, sample, fread(sample, 1, SAMPLE, f));
    if (ferror(f)) return fail(cx, E_IO, "%s: %s", path, strerror(errno));

    crypto_generichash_final(&state, hash, HASH);
    sodium_bin2hex(out->fingerprint, sizeof out->fingerprint, hash, HASH);
    return OK;
}

Status gguf_file_check(Ctx *cx, const char *path, GgufFile *out)
{
    struct stat info;
    FILE *f = fopen(path, "rb");
    if (!f) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
    Status st;
    if (fstat(fileno(f), &info) != 0 || !S_ISREG(info.st_mode)) {
        st = fail(cx, E_FORMAT, "%s: not a file", path);
    } else {
        out->bytes = (uint64_t)info.st_size;
        st = fingerprint(cx, f, path, out);
    }
    fclose(f);
    return st;
}
