/* hash.h -- content hashes: SHA-256 where a publisher states one, BLAKE2b for our own. */
#ifndef PITH_BASE_HASH_H
#define PITH_BASE_HASH_H

#include "base/ctx.h"

typedef struct Sha256Hex { char z[65]; } Sha256Hex;     // 64 hex digits, NUL
typedef struct Blake2bHex { char z[33]; } Blake2bHex;   // 128 bits: 32 hex digits, NUL

/* SHA-256 (FIPS 180-4) of a file, read in pieces. E_IO; E_CANCELLED between pieces. */
MUST_USE Status sha256_file(Ctx *cx, const char *path, Sha256Hex *out);
/* BLAKE2b-128 (RFC 7693) of bytes in memory, and of a file as sha256_file. */
Blake2bHex blake2b_bytes(Str bytes);
MUST_USE Status blake2b_file(Ctx *cx, const char *path, Blake2bHex *out);

/* Tells damage, not enemies: as fast as memory, and no two blocks of one length that
 * differ in one bit agree. The same on machines of one byte order. */
uint64_t checksum64(const void *data, size_t n);

#endif
