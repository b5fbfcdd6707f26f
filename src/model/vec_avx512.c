/* vec_avx512.c -- vec.h for AVX-512 with BF16.
 *
 * Attention takes one head of one sequence at a time. Keys and values are packed once, in
 * pairs of bf16 as vdpbf16ps wants them; then 6 queries at a time go through all keys:
 * scores, softmax and the weighted sum of values happen in a few KB that never leave the
 * first-level cache. Sums, maxima and exponentials are f32. */
#include "model/vec_impl.h"

#include "base/isa.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <math.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

enum { LANES = 16, ROWS = 6, PAIR = 2 };

typedef uint16_t Bf16;

AVX512 static inline __mmask16 lanes(size_t left)
{
    return left >= LANES ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

/* ---- norm and GELU ---------------------------------------------------------------- */

AVX512 static void add_norm(size_t n, float *x, const float *y, const float *gain,
                            const float *bias, float eps)
{
    __m512 sum = _mm512_setzero_ps(), squares = sum;
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 m = lanes(n - i);
        __m512 v = _mm512_maskz_loadu_ps(m, x + i);
        if (y) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(m, y + i));
        _mm512_mask_storeu_ps(x + i, m, v);
        sum = _mm512_add_ps(sum, v);
    }
    __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / (float)n);
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 m = lanes(n - i);
        __m512 d = _mm512_maskz_sub_ps(m, _mm512_maskz_loadu_ps(m, x + i), mean);
        squares = _mm512_fmadd_ps(d, d, squares);
    }
    float variance = _mm512_reduce_add_ps(squares) / (float)n;
    __m512 inverse = _mm512_set1_ps(1 / sqrtf(variance + eps));
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 m = lanes(n - i);
        __m512 d = _mm512_sub_ps(_mm512_maskz_loadu_ps(m, x + i), mean);
        d = _mm512_fmadd_ps(_mm512_mul_ps(d, inverse), _mm512_maskz_loadu_ps(m, gain + i),
                            _mm512_maskz_loadu_ps(m, bias + i));
        _mm512_mask_storeu_ps(x + i, m, d);
    }
}

/* Phi(x) - 1/2 as an odd polynomial, fitted to |x| <= GELU_RANGE and constant beyond:
 * x Phi(x) is right to 8e-5 everywhere. */
#define GELU_RANGE 4.2f
static const float gelu_term[] = {
    4.92626773e-11f, -4.79752369e-09f, 2.07306279e-07f, -5.2905534e-06f, 8.9845567e-05f,
    -1.08651328e-03f, 9.74110907e-03f, -6.62223482e-02f, 3.98834841e-01f,
};

AVX512 static inline __m512 gelu_of(__m512 x)
{
    __m512 c = _mm512_min_ps(x, _mm512_set1_ps(GELU_RANGE));
    c = _mm512_max_ps(c, _mm512_set1_ps(-GELU_RANGE));
    __m512 square = _mm512_mul_ps(c, c), sum = _mm512_set1_ps(gelu_term[0]);
    for (size_t i = 1; i < sizeof gelu_term / sizeof *gelu_term; i++)
        sum = _mm512_fmadd_ps(sum, square, _mm512_set1_ps(gelu_term[i]));
    return _mm512_mul_ps(x, _mm512_fmadd_ps(sum, c, _mm512_set1_ps(0.5f)));
}

AVX512 static void gelu(size_t n, float *x)
{
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 m = lanes(n - i);
        _mm512_mask_storeu_ps(x + i, m, gelu_of(_mm512_maskz_loadu_ps(m, x + i)));
    }
}

/* ---- products of bf16 ------------------------------------------------------------- */

/* sum += a b, two bf16 a lane. Not the intrinsic: see DOT in matmul_int8.c. */
#define DOT(sum, a, b) __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))

AVX512 static inline __m512 pair_of(const Bf16 *p)
{
    float both;
    memcpy(&both, p, sizeof both);
    return _mm512_set1_ps(both);
}

/* A matrix of bf16 in columns of 16: (columns / 16, pairs, 16, 2). */
typedef struct Packed {
    const Bf16 *p;
    size_t pairs;        // half its rows
} Packed;

#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define START_2(i) __m512 s##i##0 = _mm512_setzero_ps(), s##i##1 = s##i##0;
#define MULTIPLY_2(i) { __m512 a = pair_of(x + (i) * stride + PAIR * k); \
    DOT(s##i##0, a, b0); DOT(s##i##1, a, b1); }
#define STORE_2(i) _mm512_storeu_ps(y + (i) * width, s##i##0); \
    _mm512_storeu_ps(y + (i) * width + LANES, s##i##1);

/* y (ROWS, 32 columns, width apart) = x (ROWS, 2 pairs; stride apart) b */
AVX512 static void multiply_2(const Bf16 *x, size_t stride, Packed b, float *y,
                              size_t width)
{
    const Bf16 *left = b.p, *right = b.p + b.pairs * LANES * PAIR;
    EACH_ROW(START_2)
    for (size_t k = 0; k < b.pairs; k++) {
        __m512i b0 = _mm512_load_si512(left + k * LANES * PAIR);
        __m512i b1 = _mm512_load_si512(right + k * LANES * PAIR);
        EACH_ROW(MULTIPLY_2)
    }
    EACH_ROW(STORE_2)
}

/* y (ROWS, columns) = x b, columns a multiple of 32 */
AVX512 static void multiply(const Bf16 *x, size_t stride, Packed b, size_t columns,
                            float *y, size_t width)
{
    for (size_t c = 0; c < columns; c += 2 * LANES, b.p += 2 * LANES * b.pairs * PAIR)
        multiply_2(x, stride, b, y + c, width);
}

/* ---- attention -------------------------------------------------------------------- */

typedef struct AttendRoom {
    size_t keys;         // tokens rounded up to a multiple of 32
    Bf16 *q;             // (queries rounded up, dim), scaled by log2(e) / sqrt(dim)
    Bf16 *k;             // packed (dim, keys)
    Bf16 *v;             // packed (keys, dim)
    Bf16 *p;             // (ROWS, keys): the weights of a few queries
    float *s;            // (ROWS, keys): their scores
    float *o;            // (ROWS, dim): their sums
} AttendRoom;

static size_t keys_of(size_t tokens)
{
    return (tokens + 31) / 32 * 32;
}

static size_t attend_room(size_t max_tokens, size_t dim)
{
    size_t keys = keys_of(max_tokens + ROWS);
    return keys * dim * 3 * sizeof(Bf16) + ROWS * keys * (sizeof(Bf16) + sizeof(float))
         + ROWS * dim * sizeof(float) + 64;
}

static AttendRoom lay_out(size_t tokens, size_t dim, void *room)
{
    AttendRoom r = { .keys = keys_of(tokens + ROWS) };
    r.k = room;
    r.v = r.k + r.keys * dim;
    r.q = r.v + r.keys * dim;
    r.p = r.q + r.keys * dim;
    r.s = (float *)(void *)(r.p + ROWS * r.keys);
    r.o = r.s + ROWS * r.keys;
    r.keys = keys_of(tokens);
    return r;
}

AVX512 static inline __m512i pack_32(__m512 low, __m512 high)
{
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/* Turns a 16 x 16 matrix of 32-bit items around. */
AVX512 static void transpose(__m512i a[LANES])
{
    __m512i t[LANES];
    for (int i = 0; i < LANES; i += 2) {
        t[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
    for (int i = 0; i < LANES; i += 4) {
        a[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        a[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        a[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        a[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {   // a[4 j + i]: rows 4 j to 4 j + 3, lanes' column i
        __m512i b0 = _mm512_shuffle_i32x4(a[i], a[4 + i], 0x88);
        __m512i b1 = _mm512_shuffle_i32x4(a[i], a[4 + i], 0xDD);
        __m512i c0 = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0x88);
        __m512i c1 = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0xDD);
        t[i] = _mm512_shuffle_i32x4(b0, c0, 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(b1, c1, 0x88);
        t[i + 8] = _mm512_shuffle_i32x4(b0, c0, 0xDD);
        t[i + 12] = _mm512_shuffle_i32x4(b1, c1, 0xDD);
    }
    memcpy(a, t, sizeof t);
}

/* Keys, (tokens, dim) with rows stride apart, to packed (dim, keys). */
AVX512 static void pack_keys(size_t tokens, size_t keys, size_t dim, size_t stride,
                             const float *k, Bf16 *out)
{
    for (size_t t = 0; t < keys; t += LANES)
        for (size_t d = 0; d < dim; d += 2 * LANES) {
            __m512i a[LANES];
            for (size_t i = 0; i < LANES; i++) {
                const float *row = k + (t + i) * stride + d;
                a[i] = t + i < tokens
                    ? pack_32(_mm512_loadu_ps(row), _mm512_loadu_ps(row + LANES))
                    : _mm512_setzero_si512();
            }
            transpose(a);
            Bf16 *to = out + (t * dim / PAIR + d / PAIR * LANES) * PAIR;
            for (size_t i = 0; i < LANES; i++)
                _mm512_store_si512(to + i * LANES * PAIR, a[i]);
        }
}

/* Values, (tokens, dim) with rows stride apart, to packed (keys, dim). */
AVX512 static void pack_values(size_t tokens, size_t keys, size_t dim, size_t stride,
                               const float *v, Bf16 *out)
{
    static const uint16_t interleave[32] = {
        0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31,
    };
    __m512i order = _mm512_loadu_si512(interleave);
    for (size_t d = 0; d < dim; d += LANES)
        for (size_t t = 0; t < keys; t += PAIR, out += LANES * PAIR) {
            const float *row = v + t * stride + d;
            __m512 a = t < tokens ? _mm512_loadu_ps(row) : _mm512_setzero_ps();
            __m512 b = t + 1 < tokens ? _mm512_loadu_ps(row + stride)
                                      : _mm512_setzero_ps();
            _mm512_store_si512(out, _mm512_permutexvar_epi16(order, pack_32(a, b)));
        }
}

AVX512 static void pack_queries(size_t queries, size_t dim, size_t stride, const float *q,
                                Bf16 *out)
{
    __m512 scale = _mm512_set1_ps((float)M_LOG2E / sqrtf((float)dim));
    for (size_t t = 0; t < queries; t++)
        for (size_t d = 0; d < dim; d += 2 * LANES) {
            __m512 a = _mm512_mul_ps(_mm512_loadu_ps(q + t * stride + d), scale);
            __m512 b = _mm512_mul_ps(_mm512_loadu_ps(q + t * stride + d + LANES), scale);
            _mm512_store_si512(out + t * dim + d, pack_32(a, b));
        }
}

/* 2^x for x <= 0 to 1e-4 of it: the result is rounded to bf16. */
AVX512 static inline __m512 exp2_of(__m512 x)
{
    __m512 whole = _mm512_roundscale_ps(x, 0), f = _mm512_sub_ps(x, whole);
    __m512 p = _mm512_fmadd_ps(f, _mm512_set1_ps(0.0555f), _mm512_set1_ps(0.2402f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.69315f));
    return _mm512_scalef_ps(_mm512_fmadd_ps(p, f, _mm512_set1_ps(1)), whole);
}

/* s (keys) to p = 2^(s - max), zero behind the tokens; returns 1 / sum. */
AVX512 static float soften(size_t tokens, size_t keys, float *s, Bf16 *p)
{
    const __m512 least = _mm512_set1_ps(-1e30f);
    __m512 max = least, sum = _mm512_setzero_ps();
    for (size_t t = tokens / LANES * LANES; t < keys; t += LANES)
        _mm512_storeu_ps(s + t, _mm512_mask_loadu_ps(
            least, t < tokens ? lanes(tokens - t) : 0, s + t));
    for (size_t t = 0; t < keys; t += LANES)
        max = _mm512_max_ps(max, _mm512_loadu_ps(s + t));
    max = _mm512_set1_ps(_mm512_reduce_max_ps(max));
    for (size_t t = 0; t < keys; t += 2 * LANES) {
        __m512 a = exp2_of(_mm512_sub_ps(_mm512_loadu_ps(s + t), max));
        __m512 b = exp2_of(_mm512_sub_ps(_mm512_loadu_ps(s + t + LANES), max));
        sum = _mm512_add_ps(sum, _mm512_add_ps(a, b));
        _mm512_storeu_si512(p + t, pack_32(a, b));
    }
    return 1 / _mm512_reduce_add_ps(sum);
}

AVX512 static void attend_rows(const AttendRoom *r, const Heads *h, size_t first,
                               float *out)
{
    size_t dim = h->dim, width = h->heads * dim;
    Packed k = { r->k, dim / PAIR }, v = { r->v, r->keys / PAIR };
    float inverse[ROWS];
    size_t n = h->queries - first < ROWS ? h->queries - first : ROWS;
    multiply(r->q + first * dim, dim, k, r->keys, r->s, r->keys);
    for (size_t i = 0; i < n; i++)
        inverse[i] = soften(h->tokens, r->keys, r->s + i * r->keys, r->p + i * r->keys);
    multiply(r->p, r->keys, v, dim, r->o, dim);
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < dim; d += LANES)
            _mm512_storeu_ps(out + (first + i) * width + d,
                             _mm512_mul_ps(_mm512_loadu_ps(r->o + i * dim + d),
                                           _mm512_set1_ps(inverse[i])));
}

static void attend(const Heads *h, void *room)
{
    size_t dim = h->dim, width = h->heads * dim;
    AttendRoom r = lay_out(h->tokens, dim, room);
    for (size_t head = 0; head < h->heads; head++) {
        const float *kv = h->kv + head * dim;
        pack_keys(h->tokens, r.keys, dim, 2 * width, kv, r.k);
        pack_values(h->tokens, r.keys, dim, 2 * width, kv + width, r.v);
        pack_queries(h->queries, dim, width, h->q + head * dim, r.q);
        for (size_t q = 0; q < h->queries; q += ROWS)
            attend_rows(&r, h, q, h->out + head * dim);
    }
}

const Vec *vec_avx512(size_t head_dim)
{
    static const Vec table = { "AVX-512 BF16", add_norm, gelu, attend, attend_room };
    bool can = isa_allows(ISA_BF16) && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bf16");
    return can && head_dim % (2 * LANES) == 0 ? &table : NULL;
}

#else

const Vec *vec_avx512(size_t head_dim)
{
    (void)head_dim;
    return NULL;
}

#endif
