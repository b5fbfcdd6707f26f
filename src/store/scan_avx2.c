/* scan_avx2.c -- see scan.h. VPMADDUBSW adds two products in 16 bits; with the query's
 * magnitude as its unsigned side and its sign moved to the row they are at most
 * 2 * 127 * 127 = 32258 and never saturate. */
#include "store/scan.h"

#if defined __x86_64__
#include <immintrin.h>

__attribute__((target("avx2")))
static __m256i dots_32(__m256i acc, const int8_t *q, const int8_t *r)
{
    __m256i x = _mm256_loadu_si256((const __m256i *)q);
    __m256i y = _mm256_loadu_si256((const __m256i *)r);
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(y, x));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

__attribute__((target("avx2")))
void scan_avx2(const int8_t *q, const int8_t *rows, const int32_t *sum, size_t n,
               size_t stride, int32_t *out)
{
    (void)sum;
    for (size_t i = 0; i < n; i++) {
        const int8_t *r = rows + i * stride;
        __m256i a = _mm256_setzero_si256(), b = a;
        for (size_t j = 0; j < stride; j += 64) {
            a = dots_32(a, q + j, r + j);
            b = dots_32(b, q + j + 32, r + j + 32);
        }
        a = _mm256_add_epi32(a, b);
        __m128i s = _mm256_castsi256_si128(a);
        s = _mm_add_epi32(s, _mm256_extracti128_si256(a, 1));
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1));
        out[i] = _mm_cvtsi128_si32(s);
    }
}
#else
typedef int not_this_cpu;
#endif
