/* read_speed.c -- see read_speed.h. Each thread reads slices of its own, a cache line a
 * load; eight sums run side by side so that no load waits for an addition. */
#include "model/read_speed.h"

#include "model/crew.h"
#include "model/machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t Line __attribute__((vector_size(64)));   // a cache line, one wide load
enum { SUMS = 8, SLICE = 4 << 20, LEAST = 256 << 20, HUGE_PAGE = 2 << 20 };

typedef struct Reading {
    const char *at;
    uint64_t sum[CREW_MAX];
} Reading;

static bool read_slice(void *arg, size_t worker, size_t i)
{
    Reading *r = arg;
    const Line *p = (const Line *)(const void *)(r->at + i * SLICE);
    Line sum[SUMS] = { 0 }, all = { 0 };
    for (size_t k = 0; k < SLICE / sizeof *p; k += SUMS)
        for (size_t j = 0; j < SUMS; j++) sum[j] ^= p[k + j];
    for (size_t j = 0; j < SUMS; j++) all ^= sum[j];
    for (size_t j = 0; j < 8; j++) r->sum[worker] ^= all[j];   // kept, so that it is done
    return true;
}

static size_t buffer_bytes(void)
{
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    size_t n = cache > 0 ? 4 * (size_t)cache : 0;
    n = n > LEAST ? n : LEAST;
    return (n + SLICE - 1) / SLICE * SLICE;
}

Status read_speed(Ctx *cx, size_t threads, size_t n, double *gb_s)
{
    size_t bytes = buffer_bytes();
    Status st = OK;
    if (machine_free_bytes() / 2 < bytes)
        return fail(cx, E_MEMORY, "%zu MiB are wanted to measure memory, %zu MiB are "
                    "free: close other programs", bytes >> 20,
                    (size_t)(machine_free_bytes() >> 20));
    char *p = aligned_alloc(HUGE_PAGE, bytes);
    if (!p) return fail(cx, E_MEMORY, "no memory of %zu MiB to read", bytes >> 20);
    madvise(p, bytes, MADV_HUGEPAGE);   // or page tables would be measured, too
    memset(p, 1, bytes);
    for (size_t i = 0; i <= n && st == OK; i++) {
        Reading r = { .at = p };
        double t = now_ms();
        crew_run(threads, bytes / SLICE, read_slice, &r);
        if (i > 0) gb_s[i - 1] = (double)bytes / (now_ms() - t) / 1e6;
        st = ctx_check(cx);
    }
    free(p);
    return st;
}
