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

/* Four chains of multiply and rotate, 32 bytes a step. */
uint64_t checksum64(const void *data, size_t n)
{
    const uint64_t k = 0x9E3779B97F4A7C15u;
    uint64_t h[4] = { k, k << 1, k << 2, k << 3 };
    const char *p = data;
    for (size_t i = 0; i + 32 <= n; i += 32)
        for (int j = 0; j < 4; j++) {
            uint64_t v;
            memcpy(&v, p + i + 8 * j, 8);
            h[j] = (h[j] ^ v) * k;
            h[j] ^= h[j] >> 29;
        }
    for (size_t i = n & ~(size_t)31; i < n; i++) h[0] = (h[0] ^ (uint8_t)p[i]) * k;
    return ((h[0] * 3 ^ h[1]) * 5 ^ h[2]) * 7 ^ h[3];
}
