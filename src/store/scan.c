/* scan.c -- see scan.h: the table of kernels, and the one in plain C. */
#include "store/scan.h"

#include "base/isa.h"

void scan_portable(const int8_t *q, const int8_t *rows, const int32_t *sum, size_t n,
                   size_t stride, int32_t *out)
{
    (void)sum;
    for (size_t i = 0; i < n; i++) {
        const int8_t *r = rows + i * stride;
        int32_t s = 0;
        for (size_t j = 0; j < stride; j++) s += q[j] * r[j];
        out[i] = s;
    }
}

static bool always(void) { return true; }

#if defined __x86_64__
static bool has_avx512(void)
{
    return isa_allows(ISA_AVX512) && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vnni");
}

static bool has_avx2(void)
{
    return isa_allows(ISA_AVX2) && __builtin_cpu_supports("avx2");
}
#endif

static const ScanKernel kernels[] = {
#if defined __x86_64__
    { "avx512-vnni", has_avx512, scan_avx512 },
    { "avx2", has_avx2, scan_avx2 },
#elif defined __aarch64__
    { "neon", always, scan_neon },
#endif
    { "portable", always, scan_portable },
};

const ScanKernel *scan_kernels(size_t *n)
{
    *n = sizeof kernels / sizeof *kernels;
    return kernels;
}

const ScanKernel *scan_best(void)
{
    const ScanKernel *k = kernels;
    while (!k->runs()) k++;
    return k;
}
