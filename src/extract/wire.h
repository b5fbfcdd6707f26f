/* wire.h -- windows of parts over a pipe, from the child that parses to us.
 *
 * The child reads hostile bytes, so it may be anybody's. What it writes is records of a
 * stated and bounded size, and the reader believes none of it: sizes are held against
 * maxima before memory is taken, texts are UTF-8 without zero bytes, offsets stay in
 * order and in their window. Invariant: whatever is written, a window that is read keeps
 * the promises of parse/parts.h. It may be wrong text, and nothing worse.
 *
 * Both ends are of one build, so that numbers go as they lie in memory. */
#ifndef PITH_EXTRACT_WIRE_H
#define PITH_EXTRACT_WIRE_H

#include "parse/parts.h"

/* Of one record. A window with more is written as several, cut between its parts. */
enum {
    WIRE_TEXT = 4 << 20,            // bytes, unless one part alone has more
    WIRE_PART = 17 << 20,           // bytes of a part
    WIRE_PARTS = 1 << 16,
    WIRE_RUNS = 1 << 20,            // of the maps; a part with more loses the rest
    WIRE_TITLE = 8192,              // bytes
};

/* Writes a window. E_LIMIT: a part larger than WIRE_PART. E_IO: nobody reads. */
MUST_USE Status wire_window(Ctx *cx, int fd, const Parsed *window);
/* The last record: how the parse ended, and in words why. */
MUST_USE Status wire_end(Ctx *cx, int fd, Status st, const char *reason);

typedef struct WireIn {
    /* Exactly n bytes. What it returns is the result of wire_read. */
    Status (*read)(void *arg, Ctx *cx, void *to, size_t n);
    void *arg;
    uint64_t text_max;      // bytes of all windows together
    uint64_t text;          // so far
    size_t passed;          // offsets go on from here
} WireIn;

typedef struct WireEnd {
    bool is;                // no window came, this was the end
    Status status;
    char reason[512];       // one line of UTF-8
} WireEnd;

/* The next window, all of it in cx's arena, or the end. In a window that is not verbatim
 * source is empty. E_FORMAT: no record, or one that breaks a promise. E_LIMIT: more text
 * than text_max. */
MUST_USE Status wire_read(Ctx *cx, WireIn *in, Parsed *out, WireEnd *end);

#endif
