/* ctx.h -- one request: its memory, its error, its clock and its stages.
 *
 * Every function that can fail takes a Ctx first and returns a Status; the reason in
 * words stands in the Ctx. All memory that a request hands out comes from the Ctx's
 * arena and lives until ctx_end. A Ctx belongs to one thread at a time. */
#ifndef PITH_BASE_CTX_H
#define PITH_BASE_CTX_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))

typedef enum Status {
    OK = 0,
    E_ARG,         // the caller asked for something impossible
    E_IO,          // a file, a disk or a device said no
    E_FORMAT,      // foreign bytes are not what they claim to be
    E_LIMIT,       // larger than allowed
    E_MEMORY,
    E_NOTFOUND,
    E_BUSY,        // another process holds it
    E_MODEL,       // a model is absent or cannot do this
    E_NET,
    E_CANCELLED,
    E_INTERNAL,    // a defect of ours or of a library
} Status;

/* A stage of the pipeline as --explain, the log and JSON show it. */
typedef struct Figure {
    const char *name;   // static
    double value;
} Figure;

typedef struct Stage {
    const char *name;   // static
    double ms;
    Figure figure[8];
    int n_figures;
} Stage;

typedef struct Ctx {
    struct Block *blocks;              // the arena; newest first
    Status status;
    char reason[512];                  // "" while status is OK
    bool (*cancelled)(void *arg);      // polled between steps; may be NULL
    void *cancel_arg;
    /* Asked before texts go to an embedder or a reranker elsewhere; may be NULL. */
    Status (*may_send)(struct Ctx *cx, void *arg);
    void *send_arg;
    Stage stages[16];
    int n_stages;
} Ctx;

#define CTX_INIT ((Ctx){ 0 })

/* Frees all memory of the request. The Ctx may be used again afterwards. */
void ctx_end(Ctx *cx);

/* n * size zeroed bytes, aligned to 16. NULL when there is no memory or n * size
 * overflows; E_MEMORY is recorded then. n = 0 gives a valid pointer. */
void *ctx_alloc(Ctx *cx, size_t n, size_t size);
#define ctx_new(cx, T, n) ((T *)ctx_alloc((cx), (n), sizeof(T)))
/* Room for one more in an array of n elements of `size` bytes with room for *room, whose
 * pointer lies at `array`. Where there is none it becomes a copy with twice the room,
 * zeroed behind the n; the old one stays until ctx_end. E_MEMORY changes nothing. */
MUST_USE Status ctx_grow(Ctx *cx, void *array, size_t n, size_t *room, size_t size);
/* A NUL-terminated copy in the arena; .p is NULL on E_MEMORY. */
Str ctx_dup(Ctx *cx, Str s);
/* The same of what a buffer holds; E_MEMORY too where that is not all. */
Str ctx_dup_buf(Ctx *cx, const Buf *b);
/* Formatted text in the arena, as ctx_dup. */
Str ctx_printf(Ctx *cx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Records status and reason, returns status. The first error of a request is kept:
 * what fails on the way out does not hide the cause. */
Status fail(Ctx *cx, Status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__
/* What the analyzer cannot see in the declaration: fail never gives OK. */
static inline Status never_ok(Status st)
{
    if (st == OK) __builtin_unreachable();
    return st;
}
#define fail(...) never_ok(fail(__VA_ARGS__))
#endif

/* Forgets the error, for a caller that goes on after one document failed. */
void ctx_forgive(Ctx *cx);
/* E_CANCELLED when the owner of the request wants it to stop. */
MUST_USE Status ctx_check(Ctx *cx);

/* Returns from the calling function on failure. Only where nothing but arena memory is
 * held. */
#define TRY(call) do { Status try_ = (call); if (try_ != OK) return try_; } while (0)
/* The same for an arena pointer that is NULL on E_MEMORY. */
#define TRY_NEW(p) do { if (!(p)) return E_MEMORY; } while (0)

/* Milliseconds on a clock that never goes back. */
double now_ms(void);
/* Opens a stage; stage_end sets its time. NULL when the table is full: both
 * stage_figure and stage_end accept that. */
Stage *stage_begin(Ctx *cx, const char *name);
void stage_figure(Stage *s, const char *name, double value);
void stage_end(Stage *s);

#endif
