/* scan_neon.c -- see scan.h. Products of bytes are widened to 16 bits, where two of them
 * fit, and added in pairs into 32: every 64-bit Arm has these. */
#include "store/scan.h"

#if defined __aarch64__
#include <arm_neon.h>

static int32x4_t dots_16(int32x4_t acc, const int8_t *q, const int8_t *r)
{
    int8x16_t x = vld1q_s8(q), y = vld1q_s8(r);
    int16x8_t p = vmull_s8(vget_low_s8(x), vget_low_s8(y));
    return vpadalq_s16(acc, vmlal_s8(p, vget_high_s8(x), vget_high_s8(y)));
}

void scan_neon(const int8_t *q, const int8_t *rows, const int32_t *sum, size_t n,
               size_t stride, int32_t *out)
{
    (void)sum;
    for (size_t i = 0; i < n; i++) {
        const int8_t *r = rows + i * stride;
        int32x4_t a = vdupq_n_s32(0), b = a;
        for (size_t j = 0; j < stride; j += 32) {
            a = dots_16(a, q + j, r + j);
            b = dots_16(b, q + j + 16, r + j + 16);
        }
        out[i] = vaddvq_s32(vaddq_s32(a, b));
    }
}
#else
typedef int not_this_cpu;
#endif
