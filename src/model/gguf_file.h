/* gguf_file.h -- a model file seen from outside: is it there, is it GGUF, which one. */
#ifndef PITH_MODEL_GGUF_FILE_H
#define PITH_MODEL_GGUF_FILE_H

#include "base/ctx.h"

typedef struct GgufFile {
    uint64_t bytes;
    char fingerprint[33];   // 32 hex digits, NUL
} GgufFile;

/* E_IO: cannot be read. E_FORMAT: not a GGUF file, or shorter than any GGUF is. */
MUST_USE Status gguf_file_check(Ctx *cx, const char *path, GgufFile *out);

#endif
