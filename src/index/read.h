/* read.h -- a file into memory, whatever the file is. */
#ifndef PITH_INDEX_READ_H
#define PITH_INDEX_READ_H

#include "base/ctx.h"

enum { HASH_BYTES = 32 };

typedef struct Source {
    Str bytes;              // in the arena, as they stood in the file
    int64_t mtime_ns;       // as walk.h has it, before reading
    char hash[HASH_BYTES];  // BLAKE2b-256 (RFC 7693) of bytes
} Source;

/* Reads a regular file of at most `most` bytes. What is no regular file (a FIFO, a
 * device, a folder) is refused without waiting for it. A file that grows meanwhile is cut
 * at its first size, one that shrinks is shorter: the next visit finds it changed.
 * E_ARG: no regular file, or one without a size that has bytes nonetheless (/proc).
 * E_FORMAT: its first bytes are no text, the rest was not read. E_LIMIT: larger.
 * E_IO, E_NOTFOUND, E_MEMORY. */
MUST_USE Status source_read(Ctx *cx, const char *path, uint64_t most, Source *out);

void source_hash(Str bytes, char out[HASH_BYTES]);

#endif
