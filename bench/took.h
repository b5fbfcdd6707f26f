/* took.h -- what a turn takes, by the clock and of processors: the latter tells on a busy
 * machine, too. */
#ifndef PITH_BENCH_TOOK_H
#define PITH_BENCH_TOOK_H

#include "base/ctx.h"

#include <time.h>

/* Milliseconds of processors that this process has had. */
static inline double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

typedef struct Took {
    double wall, cpu;        // ms
} Took;

static inline Took took_begin(void)
{
    return (Took){ now_ms(), cpu_ms() };
}

/* Keeps the least of both; *best is zeros at first. */
static inline void took_end(Took begin, Took *best)
{
    double wall = now_ms() - begin.wall, cpu = cpu_ms() - begin.cpu;
    if (best->wall == 0 || wall < best->wall) best->wall = wall;
    if (best->cpu == 0 || cpu < best->cpu) best->cpu = cpu;
}

#endif
