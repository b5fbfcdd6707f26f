/* hash.c -- see hash.h. A file goes through a pump of 1 MiB, so that hashing a model of
 * gigabytes takes no memory and can be stopped. */
#include "base/hash.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 1 << 20, BLAKE2B_BYTES = 16 };

typedef void Update(void *state, const unsigned char *p, size_t n);

static Status pump(Ctx *cx, const char *path, Update *update, void *state)
{
    Status st = OK;
    unsigned char *piece = ctx_alloc(cx, PIECE, 1);
    TRY_NEW(piece);
    FILE *f = fopen(path, "rbe");
    if (!f) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
    size_t n;
    while (st == OK && (n = fread(piece, 1, PIECE, f)) > 0) {
        update(state, piece, n);
        st = ctx_check(cx);
    }
    if (st == OK && ferror(f)) st = fail(cx, E_IO, "%s: %s", path, strerror(errno));
    fclose(f);
    return st;
}

static void sha256_update(void *state, const unsigned char *p, size_t n)
{
    crypto_hash_sha256_update(state, p, n);
}

static void blake2b_update(void *state, const unsigned char *p, size_t n)
{
    crypto_generichash_update(state, p, n);
}

Status sha256_file(Ctx *cx, const char *path, Sha256Hex *out)
{
    crypto_hash_sha256_state state;
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_init(&state);
    TRY(pump(cx, path, sha256_update, &state));
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(out->z, sizeof out->z, digest, sizeof digest);
    return OK;
}

Blake2bHex blake2b_bytes(Str bytes)
{
    Blake2bHex out;
    unsigned char digest[BLAKE2B_BYTES];
    crypto_generichash(digest, sizeof digest, (const unsigned char *)bytes.p, bytes.n,
                       NULL, 0);
    sodium_bin2hex(out.z, sizeof out.z, digest, sizeof digest);
    return out;
}

Status blake2b_file(Ctx *cx, const char *path, Blake2bHex *out)
{
    crypto_generichash_state state;
    unsigned char digest[BLAKE2B_BYTES];
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    TRY(pump(cx, path, blake2b_update, &state));
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(out->z, sizeof out->z, digest, sizeof digest);
    return OK;
}
