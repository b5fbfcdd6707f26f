/* scan_avx512.c -- see scan.h. VPDPBUSD multiplies unsigned by signed bytes, so the query
 * is raised by 128 and 128 times the sum of the row is taken off. */
#include "store/scan.h"

#if defined __x86_64__
#include <immintrin.h>

__attribute__((target("avx512f,avx512bw,avx512vnni")))
void scan_avx512(const int8_t *q, const int8_t *rows, const int32_t *sum, size_t n,
                 size_t stride, int32_t *out)
{
    const __m512i lift = _mm512_set1_epi8((char)0x80);
    for (size_t i = 0; i < n; i++) {
        const int8_t *r = rows + i * stride;
        __m512i a = _mm512_setzero_si512(), b = a;
        size_t j = 0;
        for (; j + 128 <= stride; j += 128) {
            __m512i x = _mm512_xor_si512(_mm512_loadu_si512(q + j), lift);
            __m512i y = _mm512_xor_si512(_mm512_loadu_si512(q + j + 64), lift);
            a = _mm512_dpbusd_epi32(a, x, _mm512_loadu_si512(r + j));
            b = _mm512_dpbusd_epi32(b, y, _mm512_loadu_si512(r + j + 64));
        }
        if (j < stride) {
            __m512i x = _mm512_xor_si512(_mm512_loadu_si512(q + j), lift);
            a = _mm512_dpbusd_epi32(a, x, _mm512_loadu_si512(r + j));
        }
        int32_t lifted = _mm512_reduce_add_epi32(_mm512_add_epi32(a, b));
        out[i] = (int32_t)((uint32_t)lifted - 128u * (uint32_t)sum[i]);  // a file may lie
    }
}
#else
typedef int not_this_cpu;
#endif
