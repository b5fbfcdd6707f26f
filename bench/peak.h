/* peak.h -- what the CPU could do: a bare loop of the instruction that a way of
 * multiplying rests on, by the processor's own clock. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include "base/ctx.h"
#include "model/matmul.h"

#include <pthread.h>
#include <time.h>

#ifdef __x86_64__
#define SIXTEEN(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) \
    op(11) op(12) op(13) op(14) op(15)
#define INT8(i) "vpdpbusd %%zmm30, %%zmm31, %%zmm" #i "\n"
#define BF16(i) "vdpbf16ps %%zmm30, %%zmm31, %%zmm" #i "\n"
#define FMA(i) "vfmadd231ps %%zmm30, %%zmm31, %%zmm" #i "\n"
#define LOOP(op) __asm__ volatile(SIXTEEN(op) ::: "memory")

typedef struct Peak {
    MatmulWay way;
    double rate;             // multiplications and additions a second
} Peak;

static inline void *peak_thread(void *arg)
{
    enum { TURNS = 20000000, UNROLL = 16 };
    Peak *p = arg;
    struct timespec begin, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    for (int i = 0; i < TURNS; i++) {
        if (p->way == MATMUL_INT8) LOOP(INT8);
        else if (p->way == MATMUL_BF16) LOOP(BF16);
        else LOOP(FMA);
    }
    int lane = p->way == MATMUL_INT8 ? 128 : p->way == MATMUL_BF16 ? 64 : 32;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    p->rate = (double)TURNS * UNROLL * lane
            / ((double)(end.tv_sec - begin.tv_sec)
               + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9);
    return NULL;
}

/* GOP/s of all cores together; 0: unknown (no AVX-512). */
static inline double peak(MatmulWay way, int cores)
{
    enum { MOST = 64 };
    Peak p[MOST];
    pthread_t thread[MOST];
    double sum = 0;
    if (!__builtin_cpu_supports("avx512f")) return 0;
    if (cores > MOST) cores = MOST;
    for (int i = 0; i < cores; i++) {
        p[i].way = way;
        if (pthread_create(&thread[i], NULL, peak_thread, &p[i])) return 0;
    }
    for (int i = 0; i < cores; i++) {
        pthread_join(thread[i], NULL);
        sum += p[i].rate;
    }
    return sum * 1e-9;
}
#else
static inline double peak(MatmulWay way, int cores)
{
    (void)way, (void)cores;
    return 0;
}
#endif

#endif
