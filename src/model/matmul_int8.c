/* matmul_int8.c -- matrix products in 8-bit integers, for AVX-512 VNNI.
 *
 * Inputs are cut into blocks of 128. A block of a row of x is x = s (q - 128) with q an
 * unsigned byte and s = max|x| / 127; a column of W is w = t p with p a signed byte. The
 * product of two blocks is s t (sum q p - 128 sum p): the first sum is what vpdpbusd
 * computes, exactly; the second is known when W is packed, and the sums start from it.
 * One scale for each 128 inputs keeps an outlier from coarsening its whole row (Dettmers
 * et al., LLM.int8(), arXiv 2208.07339, treat outliers apart for the same reason); with
 * one for 64 products take 6 % longer, for a tenth less of an error that is small.
 *
 * The innermost step multiplies 6 rows by 32 columns: 12 integer sums, 12 of the blocks
 * done, 2 vectors of W and a broadcast of x fill 27 of the 32 registers. With a tile
 * twice as wide the second dozen would lie in memory, and adding a block up would take a
 * third of the time. */
#include "model/matmul_impl.h"

#include "base/isa.h"

#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#else
#define VNNI
#endif

enum {
    ROWS = 6, COLS = 32, BLOCK = 128, HALF = 64,
    PANEL = 264,          // rows quantized at a time: at most, in multiples of ROWS,
    PANEL_BYTES = 400 << 10,   // and no more than leave room in the second-level cache
    ZERO = 128,           // the byte that stands for 0
    SAMPLE = 128,         // weights of a column by which its step is chosen
};

typedef struct Int8 {
    Matmul base;
    size_t depth;         // inputs rounded up to a multiple of 4
    size_t blocks;        // of BLOCK inputs; the last may be shorter
    size_t panels;        // of COLS outputs; the last is filled up with zeros
    int8_t *w;            // (panels, depth / 4, COLS, 4)
    float *scale;         // (panels, COLS)
    int32_t *start;       // (panels, blocks, COLS): -128 times the block's sum
    float *bias;          // (panels, COLS)
} Int8;

typedef struct Room {
    MatmulRoom base;
    uint8_t *q;           // (rows of a panel, depth)
    float *scale;         // (rows of a panel, blocks)
} Room;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static size_t blocks_of(size_t in)
{
    return (in + BLOCK - 1) / BLOCK;
}

static size_t panel_rows(size_t depth)
{
    size_t n = PANEL_BYTES / depth / ROWS * ROWS;
    return n < ROWS ? ROWS : n > PANEL ? PANEL : n;
}

static void int8_close(Matmul *base)
{
    Int8 *m = (Int8 *)base;
    free(m->w);
    free(m->scale);
    free(m->start);
    free(m->bias);
    free(m);
}

static void room_close(MatmulRoom *base)
{
    Room *r = (Room *)base;
    free(r->q);
    free(r->scale);
    free(r);
}

static Status room_open(Ctx *cx, size_t max_in, MatmulRoom **out)
{
    Room *r = calloc(1, sizeof *r);
    if (!r) return fail(cx, E_MEMORY, "out of memory for a matrix product");
    r->base.impl = &matmul_int8;
    r->q = lines_alloc(larger(PANEL_BYTES, ROWS * round_up(max_in, 4)), 1);
    r->scale = lines_alloc(PANEL * blocks_of(max_in), sizeof *r->scale);
    if (!r->q || !r->scale) {
        room_close(&r->base);
        return fail(cx, E_MEMORY, "out of memory for a matrix product");
    }
    *out = &r->base;
    return OK;
}

#ifdef __x86_64__
#include <immintrin.h>

static bool int8_can(void)
{
    return isa_allows(ISA_AVX512) && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vnni");
}

/* ---- packing ---------------------------------------------------------------------- */

VNNI static inline __mmask16 lanes(size_t left)
{
    return left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

VNNI static float max_of(size_t n, const float *w)
{
    __m512 max = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += 16)
        max = _mm512_max_ps(max, _mm512_abs_ps(_mm512_maskz_loadu_ps(lanes(n - i),
                                                                     w + i)));
    return _mm512_reduce_max_ps(max);
}

/* Up to 16 weights in whole multiples of a step, none beyond 127. */
VNNI static inline __m512i in_steps(__m512 w, __m512 inverse)
{
    __m512i p = _mm512_cvtps_epi32(_mm512_mul_ps(w, inverse));
    return _mm512_max_epi32(_mm512_min_epi32(p, _mm512_set1_epi32(127)),
                            _mm512_set1_epi32(-127));
}

/* Squared error of w (n) in whole multiples of step. */
VNNI static float error_of(size_t n, const float *w, float step)
{
    __m512 sum = _mm512_setzero_ps(), inverse = _mm512_set1_ps(1 / step);
    for (size_t i = 0; i < n; i += 16) {
        __m512 v = _mm512_maskz_loadu_ps(lanes(n - i), w + i);
        __m512 p = _mm512_cvtepi32_ps(in_steps(v, inverse));
        __m512 d = _mm512_fnmadd_ps(p, _mm512_set1_ps(step), v);
        sum = _mm512_fmadd_ps(d, d, sum);
    }
    return _mm512_reduce_add_ps(sum);
}

/* The step for one output's weights. Many models were 8 bits wide when they were
 * published, with a scale for each output or for the whole matrix, of 127 or, where
 * saturation was feared, of 64 steps: the step with the least error finds those again,
 * and nothing is lost twice. */
static float choose_step(size_t n, const float *w, float matrix_max)
{
    float max = max_of(n, w), best = max / 127;
    if (!(max > 0)) return 1;
    const float other[] = { max / 64, matrix_max / 127, matrix_max / 128 };
    float least = error_of(n < SAMPLE ? n : SAMPLE, w, best);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        float error = error_of(n < SAMPLE ? n : SAMPLE, w, other[i]);
        if (error < least) least = error, best = other[i];
    }
    return best;
}

VNNI static void pack_output(Int8 *m, const float *w, size_t o)
{
    size_t in = m->base.in, step = COLS * 4;
    int32_t *start = m->start + o / COLS * m->blocks * COLS + o % COLS;
    int8_t *to = m->w + o / COLS * m->depth * COLS + o % COLS * 4;
    __m512 inverse = _mm512_set1_ps(1 / m->scale[o]);
    for (size_t b = 0; b < m->blocks; b++) {
        __m512i sum = _mm512_setzero_si512();
        for (size_t i = b * BLOCK; i < in && i < (b + 1) * BLOCK; i += 16) {
            __m512i p = in_steps(_mm512_maskz_loadu_ps(lanes(in - i), w + i), inverse);
            int8_t byte[16];
            _mm_storeu_si128((__m128i *)(void *)byte, _mm512_cvtepi32_epi8(p));
            for (size_t j = 0; j < 16 && i + j < in; j += 4)
                memcpy(to + (i + j) / 4 * step, byte + j, 4);
            sum = _mm512_add_epi32(sum, p);
        }
        start[b * COLS] = -ZERO * _mm512_reduce_add_epi32(sum);
    }
}

static Status int8_open(Ctx *cx, const MatmulWeights *w, Matmul **out)
{
    Int8 *m = calloc(1, sizeof *m);
    if (!m) return fail(cx, E_MEMORY, "out of memory for a layer's weights");
    m->base = (Matmul){ &matmul_int8, w->in, w->out };
    m->depth = round_up(w->in, 4);
    m->blocks = blocks_of(w->in);
    m->panels = (w->out + COLS - 1) / COLS;
    m->w = lines_alloc(m->panels * COLS, m->depth);
    m->scale = lines_alloc(m->panels * COLS, sizeof *m->scale);
    m->start = lines_alloc(m->panels * m->blocks * COLS, sizeof *m->start);
    m->bias = lines_alloc(m->panels * COLS, sizeof *m->bias);
    if (!m->w || !m->scale || !m->start || !m->bias) {
        int8_close(&m->base);
        return fail(cx, E_MEMORY, "out of memory for a layer's weights");
    }
    float max = max_of(w->in * w->out, w->w);
    for (size_t o = 0; o < w->out; o++) {
        const float *row = w->w + o * w->in;
        m->scale[o] = choose_step(w->in, row, max);
        pack_output(m, row, o);
    }
    if (w->bias) memcpy(m->bias, w->bias, w->out * sizeof *m->bias);
    *out = &m->base;
    return OK;
}

/* ---- quantizing ------------------------------------------------------------------- */

/* 16 values from the i-th on. */
VNNI static inline __m512 load_16(const void *x, size_t i, bool bf16)
{
    if (!bf16) return _mm512_loadu_ps((const float *)x + i);
    __m256i half = _mm256_loadu_si256((const void *)((const uint16_t *)x + i));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

typedef struct Half {
    __m512 v[4];
} Half;

VNNI static inline Half half_load(const void *x, size_t i, bool bf16)
{
    return (Half){ { load_16(x, i, bf16), load_16(x, i + 16, bf16),
                     load_16(x, i + 32, bf16), load_16(x, i + 48, bf16) } };
}

VNNI static inline __m512 half_max(const Half *h)
{
    return _mm512_max_ps(_mm512_max_ps(_mm512_abs_ps(h->v[0]), _mm512_abs_ps(h->v[1])),
                         _mm512_max_ps(_mm512_abs_ps(h->v[2]), _mm512_abs_ps(h->v[3])));
}

/* Packing goes by lanes of 128 bits, so four bytes of each value's own come out in the
 * order of the lanes, and are put right at the end. */
VNNI static inline void half_put(const Half *h, __m512 inverse, uint8_t *q)
{
    __m512i v[4];
    for (int i = 0; i < 4; i++)
        v[i] = _mm512_cvtps_epi32(_mm512_mul_ps(h->v[i], inverse));
    __m512i low = _mm512_packs_epi32(v[0], v[1]), high = _mm512_packs_epi32(v[2], v[3]);
    __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11,
                                      15);
    __m512i byte = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(low, high));
    _mm512_storeu_si512(q, _mm512_xor_si512(byte, _mm512_set1_epi8((char)ZERO)));
}

/* BLOCK values of one row, from the i-th on. Returns the scale. */
VNNI static inline float quantize(const void *x, size_t i, bool bf16, uint8_t *q)
{
    Half a = half_load(x, i, bf16), b = half_load(x, i + HALF, bf16);
    float m = _mm512_reduce_max_ps(_mm512_max_ps(half_max(&a), half_max(&b)));
    __m512 inverse = _mm512_set1_ps(m > 0 ? 127 / m : 0);
    half_put(&a, inverse, q);
    half_put(&b, inverse, q + HALF);
    return m / 127;
}

/* The same for the n < BLOCK values that end a row; q is filled up to a multiple of 4. */
VNNI static float quantize_rest(size_t n, const void *x, size_t i, bool bf16, uint8_t *q)
{
    float whole[BLOCK] = { 0 };
    uint8_t byte[BLOCK];
    size_t size = bf16 ? sizeof(uint16_t) : sizeof(float);
    memcpy(whole, (const char *)x + i * size, n * size);
    float scale = quantize(whole, 0, bf16, byte);
    memcpy(q, byte, round_up(n, 4));
    return scale;
}

VNNI static inline void quantize_row(const Int8 *m, const void *x, size_t at, bool bf16,
                                     float *scale, uint8_t *q)
{
    size_t in = m->base.in, whole = in / BLOCK, i = 0;
    for (size_t b = 0; b < whole; b++, i += BLOCK)
        scale[b] = quantize(x, at + i, bf16, q + i);
    if (i < in) scale[whole] = quantize_rest(in - i, x, at + i, bf16, q + i);
}

VNNI static void quantize_rows(const Int8 *m, Room *room, const MatmulJob *j)
{
    for (size_t r = 0; r < j->rows; r++) {
        float *scale = room->scale + r * m->blocks;
        uint8_t *q = room->q + r * m->depth;
        if (j->bf16) quantize_row(m, j->x, r * m->base.in, true, scale, q);
        else quantize_row(m, j->x, r * m->base.in, false, scale, q);
    }
}

/* ---- multiplying ------------------------------------------------------------------ */

VNNI static inline __m512i four_bytes(const uint8_t *q)
{
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm512_set1_epi32(four);
}

/* sum += a w, four bytes a lane. Not the intrinsic: with it gcc 12 stores each sum to the
 * stack at each step, which costs two thirds of the speed. */
#define DOT(sum, a, w) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(w))

/* The sums are variables, not arrays, which gcc would keep in memory. These macros write
 * what a row does in each step. */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define CLEAR_ROW(i) __m512 c##i##0 = _mm512_setzero_ps(), c##i##1 = c##i##0;
#define START_ROW(i) __m512i s##i##0 = z0, s##i##1 = z1;
#define MULTIPLY_ROW(i) {                                  \
    __m512i a = four_bytes(q + (i) * depth);               \
    DOT(s##i##0, a, v0); DOT(s##i##1, a, v1); }
#define SCALE_ROW(i) {                                     \
    __m512 s = _mm512_set1_ps(scale[(i) * m->blocks]);     \
    c##i##0 = scaled(s##i##0, s, c##i##0);                 \
    c##i##1 = scaled(s##i##1, s, c##i##1); }
#define STORE_ROW(i) \
    if (r + (i) < j->rows) store(m, panel, j->add, c##i##0, c##i##1, y + (i) * j->stride);

/* c + sum s */
VNNI static inline __m512 scaled(__m512i sum, __m512 s, __m512 c)
{
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), s, c);
}

/* Up to 16 results: y = or += c t + bias, t being W's steps. */
VNNI static inline void store_16(const Int8 *m, size_t at, bool add, __m512 c, float *y)
{
    __mmask16 there = lanes(m->base.out - at);
    c = _mm512_fmadd_ps(c, _mm512_load_ps(m->scale + at), _mm512_load_ps(m->bias + at));
    if (add) c = _mm512_add_ps(c, _mm512_maskz_loadu_ps(there, y + at));
    _mm512_mask_storeu_ps(y + at, there, c);
}

/* A row's COLS results. */
VNNI static inline void store(const Int8 *m, size_t panel, bool add, __m512 c0, __m512 c1,
                              float *y)
{
    size_t at = panel * COLS;
    store_16(m, at, add, c0, y);
    if (m->base.out > at + 16) store_16(m, at + 16, add, c1, y);
}

/* One ROWS x COLS tile of x W', from row r of the room on; what is behind the job's rows
 * is stale and not stored. */
VNNI static void tile(const Int8 *m, size_t panel, const Room *room, size_t r,
                      const MatmulJob *j)
{
    const uint8_t *q = room->q + r * m->depth;
    const float *scale = room->scale + r * m->blocks;
    float *y = j->y + r * j->stride;
    const size_t depth = m->depth;
    const int8_t *w = m->w + panel * depth * COLS;
    const int32_t *start = m->start + panel * m->blocks * COLS;
    const uint8_t *end = q + depth;
    EACH_ROW(CLEAR_ROW)
    for (size_t b = 0; b < m->blocks; b++, start += COLS, scale++) {
        __m512i z0 = _mm512_load_si512(start), z1 = _mm512_load_si512(start + 16);
        const uint8_t *stop = end - q < BLOCK ? end : q + BLOCK;
        EACH_ROW(START_ROW)
        for (; q < stop; q += 4, w += 4 * COLS) {
            __m512i v0 = _mm512_load_si512(w), v1 = _mm512_load_si512(w + 64);
            EACH_ROW(MULTIPLY_ROW)
        }
        EACH_ROW(SCALE_ROW)
    }
    EACH_ROW(STORE_ROW)
}

/* Share i of n of the panel of W that comes next. */
VNNI static inline void fetch(const Int8 *m, size_t panel, size_t i, size_t n)
{
    const char *w = (const char *)(m->w + panel * m->depth * COLS);
    size_t lines = m->depth * COLS / 64;
    if (panel == m->panels) return;
    for (size_t l = lines * i / n; l < lines * (i + 1) / n; l++)
        _mm_prefetch(w + l * 64, _MM_HINT_T1);
}

/* A panel of W (28 KB at 896 inputs) stays in the first-level cache while the rows, in
 * the second level, pass by; the next one comes from memory meanwhile. */
VNNI static void multiply(const Int8 *m, Room *room, const MatmulJob *j)
{
    size_t first = m->panels * j->share / j->shares;
    size_t end = m->panels * (j->share + 1) / j->shares;
    size_t tiles = (j->rows + ROWS - 1) / ROWS;
    quantize_rows(m, room, j);
    for (size_t p = first; p < end; p++)
        for (size_t i = 0; i < tiles; i++) {
            fetch(m, p + 1, i, tiles);
            tile(m, p, room, i * ROWS, j);
        }
}

static bool int8_share(const Matmul *base, MatmulRoom *room, const MatmulJob *job)
{
    const Int8 *m = (const Int8 *)base;
    size_t most = panel_rows(m->depth), pieces = (job->rows + most - 1) / most;
    size_t value = job->bf16 ? sizeof(uint16_t) : sizeof(float);
    /* as even as whole tiles allow, for W comes from memory anew with each */
    if (pieces > 1) most = round_up((job->rows + pieces - 1) / pieces, ROWS);
    for (size_t top = 0; top < job->rows; top += most) {
        MatmulJob j = *job;
        j.rows = job->rows - top < most ? job->rows - top : most;
        j.x = (const char *)job->x + top * base->in * value;
        j.y += top * job->stride;
        multiply(m, (Room *)room, &j);
    }
    return true;
}

#else

static bool int8_can(void)
{
    return false;
}

static Status int8_open(Ctx *cx, const MatmulWeights *w, Matmul **out)
{
    (void)w, (void)out;
    return fail(cx, E_ARG, "this machine has no such way to multiply");
}

static bool int8_share(const Matmul *m, MatmulRoom *room, const MatmulJob *job)
{
    (void)m, (void)room, (void)job;
    return false;
}

#endif

static bool int8_run(const Matmul *m, MatmulRoom *room, size_t rows, const float *x,
                     float *y)
{
    return int8_share(m, room, &(MatmulJob){ rows, x, y, m->out, 0, 1, false, false });
}

const MatmulImpl matmul_int8 = {
    .name = "int8 VNNI", .can = int8_can, .open = int8_open, .close = int8_close,
    .room_open = room_open, .room_close = room_close, .run = int8_run,
    .share = int8_share,
};
