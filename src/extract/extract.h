/* extract.h -- documents to parts, read by a process that can do nothing else.
 *
 * Parsers meet hostile bytes. So pith-extract, a program beside the library, does the
 * parsing: a child of it for each document, which has the bytes, some memory, some
 * seconds and a pipe to us, and nothing else of this machine (sandbox.h, zygote.h). A
 * document that crashes its reader, or asks for too much, is an error of one line; the
 * next one is read as if nothing had been.
 *
 * Documents are handed over and collected apart, so that some are read while others are
 * embedded. An Extractor belongs to one thread at a time. No signal handler is touched;
 * descriptors are closed on exec. */
#ifndef PITH_EXTRACT_EXTRACT_H
#define PITH_EXTRACT_EXTRACT_H

#include "parse/kind.h"
#include "parse/parts.h"

typedef struct Extractor Extractor;
typedef struct Extract Extract;     // a document that is being read

/* How many documents may be handed over and not collected. */
enum { EXTRACT_AHEAD = 8 };

/* What a child may use. Its time grows with the source: a second for each MiB. */
enum {
    EXTRACT_CPU_S = 8,              // of processor time
    EXTRACT_WALL_S = 10,            // that we wait for it with nothing coming
    EXTRACT_DATA_MIB = 512,
    EXTRACT_TEXT_MIB = 64,          // of text, and 32 times the source
};

/* Nothing is started yet: that is left to the first document. */
MUST_USE Status extractor_open(Ctx *cx, Extractor **out);
/* Ends the process and all that is being read. NULL is a no-op. */
void extractor_close(Extractor *x);

typedef struct ExtractorInfo {
    int landlock;                   // ABI of the kernel; 0: it has none
} ExtractorInfo;
/* Starts it where it does not run. E_INTERNAL: the program is not there, does not fit
 * this library, or has no seccomp; the reason says what to do. */
MUST_USE Status extractor_info(Ctx *cx, Extractor *x, ExtractorInfo *out);

typedef struct ExtractSource {
    int fd;                         // a regular file or a memfd, read from its start
    uint64_t bytes;                 // of it that are the document
    Kind kind;
    Str name;                       // of the document
} ExtractSource;

/* A descriptor with these bytes; -1 is recorded as E_IO. To be closed. */
int extract_memory(Ctx *cx, Str bytes);

/* Hands a document over. The descriptor is taken: it is closed here or in extract_end,
 * whatever happens. E_INTERNAL as extractor_info; E_IO, E_MEMORY. */
MUST_USE Status extract_begin(Ctx *cx, Extractor *x, const ExtractSource *s,
                              Extract **out);
/* Gives its windows to the sink, each alive until take returns, and frees e.
 * E_FORMAT: its bytes are not what they seemed, or crashed their reader. E_LIMIT: it
 * needs more time, memory or text than it may. E_IO: the process was killed. E_INTERNAL,
 * E_MEMORY: ours. E_CANCELLED, or what the sink says. */
MUST_USE Status extract_end(Ctx *cx, Extract *e, const Sink *to);
/* Lets it go unread. NULL is a no-op. */
void extract_drop(Extract *e);

#endif
