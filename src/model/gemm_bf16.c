/* gemm_bf16.c -- gemm.h for AVX-512 BF16.
 *
 * After Goto and van de Geijn (ACM TOMS 34(3), 2008): a panel of b, DEPTH by 48, is
 * packed into the second-level cache, in pairs of bf16 along k as vdpbf16ps wants them;
 * the rows of a go past it eight at a time, with 24 sums in registers. A b that many
 * products share is packed once, by gemm_pack. Rows of a are read where they are if they
 * are bf16 already.
 *
 * Invariant: packed operands are zero behind their last k, so that padding adds nothing.
 * Columns beyond the last hold anything: their sums are never stored. */
#include "model/gemm_impl.h"

#include "base/isa.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

enum { LANES = 16, PAIR = 2, ROWS = 8, COLUMNS = 3 * LANES, DEPTH = 1536,
       BAND = 64 * COLUMNS };

typedef uint16_t Bf16;

bool gemm_bf16_can(void)
{
    return isa_allows(ISA_BF16) && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bf16");
}

AVX512 static inline __mmask16 lanes(size_t left)
{
    return left >= LANES ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

AVX512 static inline __mmask16 lanes_behind(size_t n, size_t first)
{
    return n > first ? lanes(n - first) : 0;
}

AVX512 static inline __mmask32 lanes_32(size_t left)
{
    return left >= 2 * LANES ? 0xFFFFFFFF : (__mmask32)((1u << left) - 1);
}

/* 32 values, those behind `left` zero, as bf16. */
AVX512 static inline __m512i load_32(const void *p, GemmType type, size_t left)
{
    if (type == GEMM_BF16) return _mm512_maskz_loadu_epi16(lanes_32(left), p);
    const float *f = p;
    __m512 low = _mm512_maskz_loadu_ps(lanes(left), f);
    __m512 high = left > LANES ? _mm512_maskz_loadu_ps(lanes(left - LANES), f + LANES)
                               : _mm512_setzero_ps();
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

static const void *element(const GemmMatrix *x, size_t i)
{
    return (const char *)x->p + i * (x->type == GEMM_F32 ? sizeof(float) : sizeof(Bf16));
}

AVX512 void gemm_bf16_round(size_t n, const float *from, uint16_t *to)
{
    for (size_t i = 0; i < n; i += 2 * LANES)
        _mm512_mask_storeu_epi16(to + i, lanes_32(n - i),
                                 load_32(from + i, GEMM_F32, n - i));
}

AVX512 void gemm_bf16_widen(size_t n, const uint16_t *from, float *to)
{
    for (size_t i = 0; i < n; i += LANES) {
        __m256i x = _mm256_maskz_loadu_epi16(lanes(n - i), from + i);
        __m512i wide = _mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16);
        _mm512_mask_storeu_ps(to + i, lanes(n - i), _mm512_castsi512_ps(wide));
    }
}

/* Turns a 16 x 16 matrix of 32-bit items around. */
AVX512 static inline void transpose(__m512i a[LANES])
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
    /* a[4 j + i]: rows 4 j .. 4 j + 3, column i of each lane */
    for (int i = 0; i < 4; i++) {
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

/* ---- packing ---------------------------------------------------------------------- */

/* Two rows of 32 values each as pairs: the first 16, and the others. */
static const uint16_t halves[2][2 * LANES] = {
    { 0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39,
      8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47 },
    { 16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55,
      24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63 },
};

/* Two rows of 16 values each become 16 pairs. */
AVX512 static inline __m512i interleave(__m512i upper, __m512i lower)
{
    return _mm512_permutex2var_epi16(upper, _mm512_loadu_si512(halves[0]), lower);
}

/* Rows i and i + 1 of the k from `first` on, up to 16 columns from n on. */
AVX512 static inline __m512i pair_at(const GemmMatrix *b, size_t first, size_t k,
                                     size_t i, size_t n, size_t left)
{
    size_t at = (first + i) * b->stride + n;
    if (left > LANES) left = LANES;
    __m512i upper = load_32(element(b, at), b->type, left);
    __m512i lower = _mm512_setzero_si512();
    if (i + 1 < k) lower = load_32(element(b, at + b->stride), b->type, left);
    return interleave(upper, lower);
}

/* Rows `first` .. first + k of b, columns n .. n + columns, to (columns / 16, pairs, 16,
 * 2); what lies beyond is zero. A few rows at a time, so that they are read as they
 * lie. */
AVX512 static void pack_rows(const GemmMatrix *b, size_t first, size_t k, size_t n,
                             size_t columns, Bf16 *to)
{
    enum { SOME = 16 };
    size_t step = (k + 1) / PAIR * PAIR * LANES;
    for (size_t begin = 0; begin < k; begin += SOME) {
        size_t end = k - begin < SOME ? k : begin + SOME;
        for (size_t j = 0; j < columns; j += LANES) {
            Bf16 *at = to + j / LANES * step;
            for (size_t i = begin; i < end; i += PAIR)
                _mm512_store_si512(at + i * LANES,
                                   pair_at(b, first, k, i, n + j, columns - j));
        }
    }
}

/* The same for a b that is turned: its columns are rows in memory. */
AVX512 static void pack_turned(const GemmMatrix *b, size_t first, size_t k, size_t n,
                               size_t columns, Bf16 *to)
{
    size_t pairs = (k + 1) / PAIR;
    for (size_t c = 0; c < columns; c += LANES, to += pairs * PAIR * LANES)
        for (size_t i = 0; i < pairs; i += LANES) {
            __m512i a[LANES];
            for (size_t j = 0; j < LANES; j++) {
                size_t at = (n + c + j) * b->stride + first + i * PAIR;
                a[j] = c + j < columns ? load_32(element(b, at), b->type, k - i * PAIR)
                                       : _mm512_setzero_si512();
            }
            transpose(a);
            for (size_t j = 0; j < LANES && i + j < pairs; j++)
                _mm512_store_si512(to + (i + j) * LANES * PAIR, a[j]);
        }
}

static void pack_b(const GemmMatrix *b, size_t first, size_t k, size_t n, size_t columns,
                   Bf16 *to)
{
    (b->turned ? pack_turned : pack_rows)(b, first, k, n, columns, to);
}

/* Where the kernel finds a part's rows of a: (m, stride) in bf16. */
typedef struct Rows {
    const Bf16 *p;
    size_t stride;
} Rows;

static bool in_place(const GemmPart *part)
{
    return part->a.type == GEMM_BF16 && !part->a.turned && part->k % PAIR == 0;
}

/* Rows i .. i + 16 of a turned a: pairs of its rows in memory are turned 16 at a time. */
AVX512 static void pack_a_turned(const GemmPart *part, size_t i, size_t left,
                                 size_t stride, Bf16 *to)
{
    const GemmMatrix *a = &part->a;
    if (left > LANES) left = LANES;
    for (size_t k = 0; k < stride; k += LANES * PAIR) {
        __m512i x[LANES];
        size_t pairs = (stride - k) / PAIR < LANES ? (stride - k) / PAIR : LANES;
        for (size_t j = 0; j < LANES; j++) {
            __m512i lower = _mm512_setzero_si512(), upper = lower;
            size_t row = k + j * PAIR;
            if (row < part->k)
                upper = load_32(element(a, row * a->stride + i), a->type, left);
            if (row + 1 < part->k)
                lower = load_32(element(a, (row + 1) * a->stride + i), a->type, left);
            x[j] = interleave(upper, lower);
        }
        transpose(x);
        for (size_t j = 0; j < left; j++)
            _mm512_mask_storeu_epi16(to + (i + j) * stride + k, lanes_32(pairs * PAIR),
                                     x[j]);
    }
}

AVX512 static void pack_a(const GemmPart *part, size_t m, size_t stride, Bf16 *to)
{
    for (size_t i = 0; i < m && !part->a.turned; i++)
        for (size_t k = 0; k < stride; k += 2 * LANES) {
            size_t left = k < part->k ? part->k - k : 0;
            _mm512_mask_storeu_epi16(to + i * stride + k, lanes_32(stride - k),
                                     load_32(element(&part->a, i * part->a.stride + k),
                                             part->a.type, left));
        }
    if (part->a.turned)
        for (size_t i = 0; i < m; i += LANES) pack_a_turned(part, i, m - i, stride, to);
}

static bool rows_of(GemmRoom *r, const GemmJob *job, size_t p, Rows *out)
{
    const GemmPart *part = &job->part[p];
    if (in_place(part)) return *out = (Rows){ part->a.p, part->a.stride }, true;
    size_t stride = (part->k + PAIR - 1) / PAIR * PAIR;
    Bf16 *to = gemm_scratch(&r->a[p], job->m * stride * sizeof(Bf16));
    if (!to) return false;
    pack_a(part, job->m, stride, to);
    *out = (Rows){ to, stride };
    return true;
}

/* ---- the kernel ------------------------------------------------------------------- */

/* What eight rows meet in one pass: rows of a, and a panel of b, by part. */
typedef struct Strip {
    const Bf16 *a, *b;
    size_t stride, pairs;
    size_t step;                 // of b, from one 16 columns to the next
} Strip;

typedef struct Tile {
    float *c;
    size_t stride, rows, columns;
    float scale;
    bool add;
} Tile;

/* sum += a b, two bf16 a lane. Not the intrinsic: see DOT in matmul_int8.c. */
#define DOT(sum, a, b) __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))

AVX512 static inline __m512 pair_of(const Bf16 *p)
{
    float both;
    memcpy(&both, p, sizeof both);
    return _mm512_set1_ps(both);
}

/* The lines of c that a row will be stored to. */
static inline void expect(const Tile *t, size_t row)
{
    for (size_t j = 0; j < COLUMNS; j += LANES)
        __builtin_prefetch(t->c + row * t->stride + j, 1);
}

/* m: the columns that there are. */
AVX512 static inline void store(const Tile *t, size_t row, size_t column, __mmask16 m,
                                __m512 sum)
{
    if (row >= t->rows) return;
    float *c = t->c + row * t->stride + column;
    sum = _mm512_mul_ps(sum, _mm512_set1_ps(t->scale));
    if (t->add) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(m, c));
    _mm512_mask_storeu_ps(c, m, sum);
}

#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define START(i) \
    __m512 s##i##0 = _mm512_setzero_ps(), s##i##1 = s##i##0, s##i##2 = s##i##0; \
    size_t at##i = (i) < t->rows ? (i) : t->rows - 1; \
    expect(t, at##i);
#define ROW(i) const Bf16 *a##i = strip->a + at##i * strip->stride;
#define MULTIPLY(i) { __m512 a = pair_of(a##i + PAIR * k); \
    DOT(s##i##0, a, b0); DOT(s##i##1, a, b1); DOT(s##i##2, a, b2); }
#define STORE(i) store(t, i, 0, m0, s##i##0); store(t, i, LANES, m1, s##i##1); \
    store(t, i, 2 * LANES, m2, s##i##2);
#define WRITE(i) \
    _mm512_storeu_ps(t->c + (i) * t->stride, s##i##0); \
    _mm512_storeu_ps(t->c + (i) * t->stride + LANES, s##i##1); \
    _mm512_storeu_ps(t->c + (i) * t->stride + 2 * LANES, s##i##2);

/* Up to 8 rows by 48 columns. Rows beyond t->rows repeat the last and are not stored. */
AVX512 static void kernel(const Strip *strip, size_t n_strips, const Tile *t)
{
    EACH_ROW(START)
    for (size_t i = 0; i < n_strips; i++, strip++) {
        EACH_ROW(ROW)
        const Bf16 *b = strip->b;
        size_t step = strip->step;
        for (size_t k = 0; k < strip->pairs; k++, b += LANES * PAIR) {
            __m512i b0 = _mm512_load_si512(b);
            __m512i b1 = _mm512_load_si512(b + step);
            __m512i b2 = _mm512_load_si512(b + 2 * step);
            EACH_ROW(MULTIPLY)
        }
    }
    if (t->rows == ROWS && t->columns == COLUMNS && t->scale == 1 && !t->add) {
        EACH_ROW(WRITE)
        return;
    }
    __mmask16 m0 = lanes(t->columns), m1 = lanes_behind(t->columns, LANES);
    __mmask16 m2 = lanes_behind(t->columns, 2 * LANES);
    EACH_ROW(STORE)
}

#define ROW_1(i) const Bf16 *a##i = strip->a + at##i * strip->stride;
#define START_1(i) __m512 s##i = _mm512_setzero_ps(); \
    size_t at##i = (i) < t->rows ? (i) : t->rows - 1;
#define MULTIPLY_1(i) { __m512 a = pair_of(a##i + PAIR * k); DOT(s##i, a, b0); }
#define STORE_1(i) store(t, i, 0, m, s##i);

/* The same for up to 16 columns. */
AVX512 static void kernel_narrow(const Strip *strip, size_t n_strips, const Tile *t)
{
    EACH_ROW(START_1)
    for (size_t i = 0; i < n_strips; i++, strip++) {
        EACH_ROW(ROW_1)
        const Bf16 *b = strip->b;
        for (size_t k = 0; k < strip->pairs; k++, b += LANES * PAIR) {
            __m512i b0 = _mm512_load_si512(b);
            EACH_ROW(MULTIPLY_1)
        }
    }
    __mmask16 m = lanes(t->columns);
    EACH_ROW(STORE_1)
}

/* The same for a product of up to 8 columns: two pairs of k at a time, in neighbouring
 * lanes. */
#define MULTIPLY_8(i) { int64_t two; memcpy(&two, a##i + PAIR * k, sizeof two); \
    __m512i a = _mm512_set1_epi64(two); DOT(s##i, a, b0); }
#define FOLD_8(i) s##i = folded(s##i);

/* Neighbouring lanes added: the first eight are the sums. */
AVX512 static inline __m512 folded(__m512 sum)
{
    __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0);
    __m512 other = _mm512_permute_ps(sum, 0xB1);
    return _mm512_permutexvar_ps(even, _mm512_add_ps(sum, other));
}

AVX512 static void kernel_8(const Strip *strip, size_t n_strips, const Tile *t)
{
    __m512i turns = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7,
                                      23);
    EACH_ROW(START_1)
    for (size_t i = 0; i < n_strips; i++, strip++) {
        EACH_ROW(ROW_1)
        const Bf16 *b = strip->b;
        size_t k = 0;
        for (; k + 2 <= strip->pairs; k += 2, b += 2 * LANES * PAIR) {
            __m512i b0 = _mm512_permutex2var_epi32(
                _mm512_load_si512(b), turns, _mm512_load_si512(b + LANES * PAIR));
            EACH_ROW(MULTIPLY_8)
        }
        if (k == strip->pairs) continue;
        __m512i b0 = _mm512_permutex2var_epi32(_mm512_load_si512(b), turns,
                                               _mm512_setzero_si512());
        EACH_ROW(MULTIPLY_1)
    }
    EACH_ROW(FOLD_8)
    __mmask16 m = lanes(t->columns);
    EACH_ROW(STORE_1)
}

/* The panel of b that comes next: it is fetched while this one is multiplied. */
typedef struct Ahead {
    const char *p;               // NULL: none
    size_t stride, lines, rows;  // bytes between rows; cache lines of a row
} Ahead;

static Ahead ahead_of(const GemmMatrix *band, size_t k, size_t j, size_t n)
{
    enum { LINE = 64 };
    size_t bytes = LANES * sizeof(Bf16);     // of 16 columns, for each k
    if (j >= n) return (Ahead){ NULL, 0, 0, 0 };
    size_t groups = ((n - j < COLUMNS ? n - j : COLUMNS) + LANES - 1) / LANES;
    return (Ahead){ element(band, j * band->stride), band->stride * bytes,
                    (k * bytes + LINE - 1) / LINE, groups };
}

/* Share i of n of it. */
static void fetch(const Ahead *x, size_t i, size_t n)
{
    if (!x->p) return;
    size_t all = x->rows * x->lines, end = all * (i + 1) / n;
    for (size_t l = all * i / n; l < end; l++)
        _mm_prefetch(x->p + l / x->lines * x->stride + l % x->lines * 64, _MM_HINT_T1);
}

/* One panel of columns against all rows. */
static void panel(const GemmJob *job, const Rows *a, Strip strip[2], size_t n_strips,
                  size_t depth, Tile t, const Ahead *next)
{
    void (*const multiply)(const Strip *, size_t, const Tile *) =
        job->n <= LANES / 2 ? kernel_8 : t.columns <= LANES ? kernel_narrow : kernel;
    float *c = t.c;
    for (size_t i = 0; i < job->m; i += ROWS) {
        fetch(next, i / ROWS, (job->m + ROWS - 1) / ROWS);
        t.rows = job->m - i < ROWS ? job->m - i : ROWS;
        t.c = c + i * job->c_stride;
        strip[0].a = a[0].p + i * a[0].stride + depth;
        if (n_strips == 2) strip[1].a = a[1].p + i * a[1].stride;
        multiply(strip, n_strips, &t);
    }
}

static size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Columns n .. n + columns and k rows of b from `first` on, as a packed matrix: where
 * they lie if b is packed already, else in `room`. */
static GemmMatrix band_of(const GemmMatrix *b, size_t first, size_t k, size_t n,
                          size_t columns, Bf16 *room)
{
    size_t stride = (k + 1) / PAIR * PAIR;
    if (b->type == GEMM_PACKED)
        return (GemmMatrix){ element(b, n * b->stride + first * LANES), b->stride,
                             GEMM_PACKED, false };
    pack_b(b, first, k, n, columns, room);
    return (GemmMatrix){ room, stride, GEMM_PACKED, false };
}

static Strip strip_of(const GemmMatrix *band, size_t k, size_t n, size_t stride)
{
    return (Strip){ .b = element(band, n * band->stride), .stride = stride,
                    .pairs = (k + 1) / PAIR, .step = band->stride * LANES };
}

/* Room for a band of b, k deep; *out is NULL where none is needed. */
static bool room_for(GemmScratch *s, const GemmPart *part, size_t k, size_t n, Bf16 **out)
{
    *out = NULL;
    if (part->b.type == GEMM_PACKED) return true;
    return (*out = gemm_scratch(s, gemm_packed_bytes(k, lesser(n, BAND)))) != NULL;
}

/* Columns first .. first + n of c: k rows of the first part from `depth` on, and the
 * second part where there are two. */
static void band(const GemmJob *job, const Rows a[2], const GemmMatrix b[2], size_t depth,
                 size_t k, size_t first, size_t n, bool two)
{
    for (size_t j = 0; j < n; j += COLUMNS) {
        Strip strip[2] = { strip_of(&b[0], k, j, a[0].stride) };
        Tile t = { job->c + first + j, job->c_stride, 0, lesser(n - j, COLUMNS),
                   job->scale, job->add || depth > 0 };
        Ahead next = ahead_of(&b[0], k, j + COLUMNS, n);
        if (two) strip[1] = strip_of(&b[1], job->part[1].k, j, a[1].stride);
        panel(job, a, strip, two ? 2 : 1, depth, t, &next);
    }
}

/* ---- few rows --------------------------------------------------------------------- */

#define START_2(i) __m512 s##i##0 = _mm512_setzero_ps(), s##i##1 = s##i##0; \
    size_t at##i = (i) < t->rows ? (i) : t->rows - 1;                       \
    const Bf16 *a##i = strip->a + at##i * strip->stride;
#define MULTIPLY_2(i) { __m512 a = pair_of(a##i + PAIR * k); \
    DOT(s##i##0, a, b0); DOT(s##i##1, a, b1); }
#define STORE_2(i) store(t, i, 0, m0, s##i##0); store(t, i, LANES, m1, s##i##1);

/* Up to 8 rows by 32 columns of a b that is not packed: its rows, b->stride apart, are
 * paired on their way. The columns behind these are fetched meanwhile. */
AVX512 static void kernel_thin(const Strip *strip, size_t stride, bool odd, const Tile *t)
{
    const Bf16 *b = strip->b;
    __mmask32 there = lanes_32(t->columns);
    __m512i first = _mm512_loadu_si512(halves[0]), second = _mm512_loadu_si512(halves[1]);
    EACH_ROW(START_2)
    for (size_t k = 0; k < strip->pairs; k++, b += PAIR * stride) {
        bool alone = odd && k + 1 == strip->pairs;
        __m512i upper = _mm512_maskz_loadu_epi16(there, b);
        __m512i lower = _mm512_maskz_loadu_epi16(alone ? 0 : there, b + stride);
        _mm_prefetch((const char *)(b + 2 * LANES), _MM_HINT_T0);
        _mm_prefetch((const char *)(b + 2 * LANES + stride), _MM_HINT_T0);
        __m512i b0 = _mm512_permutex2var_epi16(upper, first, lower);
        __m512i b1 = _mm512_permutex2var_epi16(upper, second, lower);
        EACH_ROW(MULTIPLY_2)
    }
    __mmask16 m0 = lanes(t->columns), m1 = lanes_behind(t->columns, LANES);
    EACH_ROW(STORE_2)
}

/* So few rows, and a b that lies in rows, are done before b would be packed. */
static bool is_thin(const GemmJob *job)
{
    const GemmMatrix *b = &job->part[0].b;
    return job->n_parts == 1 && job->m <= 3 * ROWS && job->n > LANES / 2
        && b->type == GEMM_BF16 && !b->turned;
}

static bool run_thin(GemmRoom *r, const GemmJob *job)
{
    const GemmPart *part = &job->part[0];
    Rows a;
    if (!rows_of(r, job, 0, &a)) return false;
    for (size_t j = 0; j < job->n; j += 2 * LANES)
        for (size_t i = 0; i < job->m; i += ROWS) {
            Strip strip = { .a = a.p + i * a.stride, .b = element(&part->b, j),
                            .stride = a.stride, .pairs = (part->k + 1) / PAIR };
            Tile t = { job->c + i * job->c_stride + j, job->c_stride,
                       lesser(job->m - i, ROWS), lesser(job->n - j, 2 * LANES),
                       job->scale, job->add };
            kernel_thin(&strip, part->b.stride, part->k % PAIR, &t);
        }
    return true;
}

/* The first part is taken DEPTH at a time; the second, which is short, goes with its last
 * piece. */
bool gemm_bf16_run(GemmRoom *r, const GemmJob *job)
{
    if (is_thin(job)) return run_thin(r, job);
    bool two = job->n_parts == 2;
    size_t k = job->part[0].k, k2 = two ? job->part[1].k : 0;
    Rows a[2] = { { NULL, 0 } };
    Bf16 *room, *room2 = NULL;
    if (!room_for(&r->b[0], &job->part[0], lesser(k, DEPTH), job->n, &room)) return false;
    if (two && !room_for(&r->b[1], &job->part[1], k2, job->n, &room2)) return false;
    for (size_t p = 0; p < job->n_parts; p++)
        if (!rows_of(r, job, p, &a[p])) return false;

    for (size_t d = 0, piece; d < k; d += piece) {
        piece = lesser(k - d, DEPTH);
        bool last = two && d + piece == k;
        for (size_t n = 0, columns; n < job->n; n += columns) {
            columns = lesser(job->n - n, BAND);
            GemmMatrix b[2] = { band_of(&job->part[0].b, d, piece, n, columns, room) };
            if (last) b[1] = band_of(&job->part[1].b, 0, k2, n, columns, room2);
            band(job, a, b, d, piece, n, columns, last);
        }
    }
    return true;
}

void gemm_bf16_pack(const GemmMatrix *b, size_t k, size_t n, uint16_t *to)
{
    size_t step = (k + 1) / PAIR * PAIR * COLUMNS;
    for (size_t j = 0; j < n; j += COLUMNS, to += step)
        pack_b(b, 0, k, j, n - j < COLUMNS ? n - j : COLUMNS, to);
}

#else

bool gemm_bf16_can(void)
{
    return false;
}

bool gemm_bf16_run(GemmRoom *r, const GemmJob *job)
{
    (void)r, (void)job;
    return false;
}

void gemm_bf16_round(size_t n, const float *from, uint16_t *to)
{
    (void)n, (void)from, (void)to;
}

void gemm_bf16_widen(size_t n, const uint16_t *from, float *to)
{
    (void)n, (void)from, (void)to;
}

void gemm_bf16_pack(const GemmMatrix *b, size_t k, size_t n, uint16_t *to)
{
    (void)b, (void)k, (void)n, (void)to;
}

#endif
