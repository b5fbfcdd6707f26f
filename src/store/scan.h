/* scan.h -- dot products of signed bytes, by the best instructions this CPU has.
 *
 * All kernels give the same integers: they differ in speed alone. */
#ifndef PITH_STORE_SCAN_H
#define PITH_STORE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* out[i] = sum over j of q[j] * rows[i * stride + j]; stride: a multiple of 64, at most
 * 8192; q (stride) and rows (n, stride) in [-127, 127]; sum[i]: of row i. */
typedef void ScanDots(const int8_t *q, const int8_t *rows, const int32_t *sum, size_t n,
                      size_t stride, int32_t *out);

typedef struct ScanKernel {
    const char *name;
    bool (*runs)(void);       // on this CPU
    ScanDots *dots;
} ScanKernel;

ScanDots scan_portable, scan_avx2, scan_avx512, scan_neon;

/* All that were built, best first; the last one is plain C and runs everywhere. */
const ScanKernel *scan_kernels(size_t *n);
const ScanKernel *scan_best(void);

#endif
