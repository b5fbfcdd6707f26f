/* matmul_int8.c -- matrix products in 8-bit integers, for AVX-512 VNNI.
 *
 * Inputs are cut into blocks of 64. A block of a row of x is x = s (q - 128) with q an
 * unsigned byte and s = max|x| / 127; a column of W is w = t p with p a signed byte. The
 * product of two blocks is s t (sum q p - 128 sum p): the first sum is what vpdpbusd
 * computes, exactly; the second is known when W is packed, and the sums start from it.
 * One scale for each 64 inputs keeps an outlier from coarsening its whole row (Dettmers
 * et al., LLM.int8(), arXiv 2208.07339, treat outliers apart for the same reason).
 *
 * The innermost step multiplies 6 rows by 64 columns: 24 sums, 4 vectors of W and one
 * broadcast of x fill 29 of the 32 registers, enough to start two vpdpbusd a cycle. */
#include "model/matmul_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#else
#define VNNI
#endif

enum {
    ROWS = 6, COLS = 64, BLOCK = 64,
    PANEL = 48,           // rows quantized at a time, a multiple of ROWS
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
    uint8_t *q;           // (PANEL, depth)
    float *scale;         // (PANEL, blocks)
} Room;

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static size_t blocks_of(size_t in)
{
    return (in + BLOCK - 1) / BLOCK;
}

/* ---- packing ---------------------------------------------------------------------- */

static void int8_close(Matmul *base)
{
    Int8 *m = (Int8 *)base;
    free(m->w);
    free(m->scale);
    free(m->start);
    free(m->bias);
    free(m);
}

/* Squared error of w (n) in whole multiples of step, none beyond 127. */
VNNI static double error_of(size_t n, const float *w, float step)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float p = rintf(w[i] / step);
        float d = w[i] - step * fmaxf(-127, fminf(127, p));
        sum += (double)d * d;
    }
    return sum;
}

VNNI static float max_of(size_t n, const float *w)
{
    float max = 0;
    for (size_t i = 0; i < n; i++) max = fmaxf(max, fabsf(w[i]));
    return max;
}

/* The step for one output's weights. Many models were 8 bits wide when they were
 * published, with a scale for each output or for the whole matrix, of 127 or, where
 * saturation was feared, of 64 steps: the step with the least error finds those again,
 * and nothing is lost twice. */
VNNI static float choose_step(size_t n, const float *w, float matrix_max)
{
    float max = max_of(n, w), best = max / 127;
    if (!(max > 0)) return 1;
    const float other[] = { max / 64, matrix_max / 127, matrix_max / 128 };
    double least = error_of(n < SAMPLE ? n : SAMPLE, w, best);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        double error = error_of(n < SAMPLE ? n : SAMPLE, w, other[i]);
        if (error < least) least = error, best = other[i];
    }
    return best;
}

VNNI static void pack_output(Int8 *m, const float *w, size_t o, float matrix_max)
{
    float step = choose_step(m->base.in, w, matrix_max);
    int32_t *start = m->start + o / COLS * m->blocks * COLS + o % COLS;
    int8_t *to = m->w + o / COLS * m->depth * COLS + o % COLS * 4;
    for (size_t i = 0; i < m->base.in; i++) {
        float p = rintf(w[i] / step);
        to[i / 4 * COLS * 4 + i % 4] = (int8_t)fmaxf(-127, fminf(127, p));
        start[i / BLOCK * COLS] -= ZERO * to[i / 4 * COLS * 4 + i % 4];
    }
    m->scale[o] = step;
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
    for (size_t o = 0; o < w->out; o++) pack_output(m, w->w + o * w->in, o, max);
    if (w->bias) memcpy(m->bias, w->bias, w->out * sizeof *m->bias);
    *out = &m->base;
    return OK;
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
    r->q = lines_alloc(PANEL, round_up(max_in, 4));
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
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vnni");
}

/* ---- quantizing ------------------------------------------------------------------- */

VNNI static inline __mmask16 lanes(size_t left)
{
    return left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

/* n <= BLOCK values of one row; q is filled up to a multiple of 4. Returns the scale. */
VNNI static float quantize(size_t n, const float *x, uint8_t *q)
{
    __m512 max = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += 16) {
        __m512 v = _mm512_maskz_loadu_ps(lanes(n - i), x + i);
        max = _mm512_max_ps(max, _mm512_abs_ps(v));
    }
    float m = _mm512_reduce_max_ps(max);
    __m512 inverse = _mm512_set1_ps(m > 0 ? 127 / m : 0);
    __m512i zero = _mm512_set1_epi32(ZERO);
    for (size_t i = 0; i < n; i += 16) {
        __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes(n - i), x + i), inverse);
        __m512i b = _mm512_add_epi32(_mm512_cvtps_epi32(v), zero);
        _mm512_mask_cvtepi32_storeu_epi8(q + i, lanes(round_up(n, 4) - i), b);
    }
    return m / 127;
}

static void quantize_rows(const Int8 *m, Room *room, size_t rows, const float *x)
{
    size_t in = m->base.in;
    for (size_t r = 0; r < rows; r++)
        for (size_t b = 0, i = 0; b < m->blocks; b++, i += BLOCK)
            room->scale[r * m->blocks + b] =
                quantize(i + BLOCK < in ? BLOCK : in - i, x + r * in + i,
                         room->q + r * m->depth + i);
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

/* The sums are 24 variables, not an array, which gcc would keep in memory. These macros
 * write what a row does in each step. */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define START_ROW(i) __m512i s##i##0 = z0, s##i##1 = z1, s##i##2 = z2, s##i##3 = z3;
#define MULTIPLY_ROW(i) {                                  \
    __m512i a = four_bytes(q + (i) * depth + k);           \
    DOT(s##i##0, a, v0); DOT(s##i##1, a, v1);              \
    DOT(s##i##2, a, v2); DOT(s##i##3, a, v3); }
#define SCALE_ROW(i) {                                     \
    __m512 s = _mm512_set1_ps(qscale[(i) * blocks]);       \
    c[i][0] = scaled(s##i##0, s, c[i][0]);                 \
    c[i][1] = scaled(s##i##1, s, c[i][1]);                 \
    c[i][2] = scaled(s##i##2, s, c[i][2]);                 \
    c[i][3] = scaled(s##i##3, s, c[i][3]); }

/* c + sum s */
VNNI static inline __m512 scaled(__m512i sum, __m512 s, __m512 c)
{
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), s, c);
}

/* c += the product of one block of at most BLOCK inputs, n of them. q: ROWS rows, `depth`
 * apart; qscale: their scales, `blocks` apart. */
VNNI static void multiply_block(size_t n, const uint8_t *q, size_t depth, const int8_t *w,
                                const int32_t *start, const float *qscale, size_t blocks,
                                __m512 c[ROWS][4])
{
    __m512i z0 = _mm512_load_si512(start), z1 = _mm512_load_si512(start + 16);
    __m512i z2 = _mm512_load_si512(start + 32), z3 = _mm512_load_si512(start + 48);
    EACH_ROW(START_ROW)
    for (size_t k = 0; k < n; k += 4, w += 4 * COLS) {
        __m512i v0 = _mm512_load_si512(w), v1 = _mm512_load_si512(w + 64);
        __m512i v2 = _mm512_load_si512(w + 128), v3 = _mm512_load_si512(w + 192);
        EACH_ROW(MULTIPLY_ROW)
    }
    EACH_ROW(SCALE_ROW)
}

/* One ROWS x COLS tile of x W', W's steps and the bias still to come. q: ROWS rows of
 * depth bytes. */
VNNI static void tile(const Int8 *m, size_t panel, const uint8_t *q, const float *qscale,
                      __m512 c[ROWS][4])
{
    const int8_t *w = m->w + panel * m->depth * COLS;
    const int32_t *start = m->start + panel * m->blocks * COLS;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 4; j++) c[i][j] = _mm512_setzero_ps();
    for (size_t b = 0; b < m->blocks; b++) {
        size_t k = b * BLOCK, n = m->depth - k < BLOCK ? m->depth - k : BLOCK;
        multiply_block(n, q + k, m->depth, w + k * COLS, start + b * COLS, qscale + b,
                       m->blocks, c);
    }
}

/* y = c t + bias */
VNNI static void store_tile(const Int8 *m, size_t panel, size_t rows, __m512 c[ROWS][4],
                            float *y)
{
    size_t out = m->base.out;
    for (size_t j = 0; j < 4 && panel * COLS + 16 * j < out; j++) {
        size_t at = panel * COLS + 16 * j;
        __m512 t = _mm512_load_ps(m->scale + at), bias = _mm512_load_ps(m->bias + at);
        for (size_t i = 0; i < rows && i < ROWS; i++)
            _mm512_mask_storeu_ps(y + i * out + at, lanes(out - at),
                                  _mm512_fmadd_ps(c[i][j], t, bias));
    }
}

/* A panel of W (24 KB at 384 inputs) stays in the first-level cache while the rows, in
 * the second level, pass by. */
VNNI static bool int8_run(const Matmul *base, MatmulRoom *room_, size_t rows,
                          const float *x, float *y)
{
    const Int8 *m = (const Int8 *)base;
    Room *room = (Room *)room_;
    for (size_t top = 0; top < rows; top += PANEL) {
        size_t n = rows - top < PANEL ? rows - top : PANEL;
        quantize_rows(m, room, n, x + top * base->in);
        for (size_t p = 0; p < m->panels; p++)
            for (size_t r = 0; r < n; r += ROWS) {   // rows behind n: stale, not stored
                __m512 c[ROWS][4];
                tile(m, p, room->q + r * m->depth, room->scale + r * m->blocks, c);
                store_tile(m, p, n - r, c, y + (top + r) * base->out);
            }
    }
    return true;
}

#else

static bool int8_can(void)
{
    return false;
}

static bool int8_run(const Matmul *m, MatmulRoom *room, size_t rows, const float *x,
                     float *y)
{
    (void)m, (void)room, (void)rows, (void)x, (void)y;
    return false;
}

#endif

const MatmulImpl matmul_int8 = {
    .name = "int8 VNNI", .can = int8_can, .open = int8_open, .close = int8_close,
    .room_open = room_open, .room_close = room_close, .run = int8_run,
};
