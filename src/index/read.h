/* read.h -- a file opened and known by its hash, whatever the file is.
 *
 * Its bytes stay where they are: they are hashed as a stream, and read by the process
 * that parses them. */
#ifndef PITH_INDEX_READ_H
#define PITH_INDEX_READ_H

#include "base/ctx.h"
#include "parse/kind.h"

enum { HASH_BYTES = 32 };

typedef struct Source {
    int fd;                 // -1: none, or given away
    uint64_t bytes;
    Kind kind;              // by its name and first bytes
    int64_t mtime_ns;       // as walk.h has it, before reading
    char hash[HASH_BYTES];  // BLAKE2b-256 (RFC 7693) of bytes
} Source;

/* Opens a regular file of at most `most` bytes. What is no regular file (a FIFO, a
 * device, a folder) is refused without waiting for it. A file that grows meanwhile is cut
 * at its first size, one that shrinks is shorter: the next visit finds it changed.
 * E_ARG: no regular file, or one without a size that has bytes nonetheless (/proc).
 * E_FORMAT: nothing that we read, by its first bytes; the rest was not looked at.
 * E_LIMIT: larger. E_CANCELLED between pieces. E_IO, E_NOTFOUND. */
MUST_USE Status source_open(Ctx *cx, const char *path, uint64_t most, Source *out);
/* Does nothing where fd is -1. */
void source_close(Source *s);

void source_hash(Str bytes, char out[HASH_BYTES]);

#endif
