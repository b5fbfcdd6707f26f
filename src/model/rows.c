/* rows.c -- see rows.h. Compiled with -O3; by GCC each function once for AVX-512, once
 * for AVX2 and once for any CPU, chosen when the program is loaded. */
#include "model/rows.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Clang 14 names the copies of a function so that another file cannot be linked to it.
 * The thread sanitizer watches what chooses, before it can. */
#if defined __x86_64__ && defined __gnu_linux__ && !defined __clang__ && \
    !defined __SANITIZE_THREAD__
#define CLONES \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };

/* x, but at least -87 and at most 88: compared as integers, which positive floats are
 * ordered as, and negative ones the other way round. A NaN becomes one of the two. */
INLINE float within_range(float x)
{
    const int32_t most = 0x42B00000;        // 88
    const uint32_t least = 0xC2AE0000;      // -87
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t b = (uint32_t)(bits < most ? bits : most);
    b = b < least ? b : least;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* e^x to 2e-7 of it, for x of -87 to 88; beyond, as at the end. A NaN stays one. */
INLINE float exp_of(float x)
{
    float within = within_range(x);
    float whole = within * 1.44269504f + 12582912.0f - 12582912.0f;   // rounds to nearest
    float f = within - whole * 0.693145752f - whole * 1.42860677e-6f;
    float p = 1.0f / 720 * f + 1.0f / 120;
    p = p * f + 1.0f / 24;
    p = p * f + 1.0f / 6;
    p = p * f + 0.5f;
    p = p * f * f + f + 1;
    int32_t bits = ((int32_t)whole + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return (x == x ? p : x) * power;
}

INLINE float total(const float lane[LANES])
{
    float sum = 0;
    for (int j = 0; j < LANES; j++) sum += lane[j];
    return sum;
}

/* sum of a b c; a NULL counts as ones, which the caller's constant folds away. */
INLINE float dot(size_t n, const float *a, const float *b, const float *c)
{
    float lane[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += a[i + j] * b[i + j] * (c ? c[i + j] : 1);
    for (size_t j = 0; i < n; i++, j++) lane[j] += a[i] * b[i] * (c ? c[i] : 1);
    return total(lane);
}

CLONES float rows_dot(size_t n, const float *a, const float *b)
{
    return dot(n, a, b, NULL);
}

CLONES double rows_square(size_t n, const float *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i += 4096) {
        size_t piece = n - i < 4096 ? n - i : 4096;
        sum += (double)dot(piece, x + i, x + i, NULL);
    }
    return sum;
}

CLONES void rows_add(size_t n, const float *restrict x, float *restrict sum)
{
    for (size_t i = 0; i < n; i++) sum[i] += x[i];
}

/* ---- norm ------------------------------------------------------------------------- */

CLONES void rows_norm(size_t n, const float *restrict x, const float *restrict gain,
                      float eps, float *restrict y)
{
    float inverse = 1 / sqrtf(dot(n, x, x, NULL) / (float)n + eps);
    for (size_t i = 0; i < n; i++) y[i] = x[i] * inverse * gain[i];
}

CLONES void rows_norm_back(size_t n, const float *restrict x, const float *restrict gain,
                           float eps, const float *restrict dy, float *restrict dx)
{
    float inverse = 1 / sqrtf(dot(n, x, x, NULL) / (float)n + eps);
    float pull = dot(n, dy, gain, x) * inverse * inverse * inverse / (float)n;
    for (size_t i = 0; i < n; i++) dx[i] += dy[i] * gain[i] * inverse - x[i] * pull;
}

/* ---- gates ------------------------------------------------------------------------ */

CLONES void rows_swiglu(size_t n, const float *restrict gate, const float *restrict up,
                        float *restrict y)
{
    for (size_t i = 0; i < n; i++) y[i] = gate[i] / (1 + exp_of(-gate[i])) * up[i];
}

CLONES void rows_swiglu_back(size_t n, const float *restrict gate,
                             const float *restrict up,
                             const float *restrict dy, float *restrict dgate,
                             float *restrict dup)
{
    for (size_t i = 0; i < n; i++) {
        float s = 1 / (1 + exp_of(-gate[i])), silu = gate[i] * s;
        dup[i] = dy[i] * silu;
        dgate[i] = dy[i] * up[i] * (s + silu * (1 - s));
    }
}

static const float gelu_k = 1.595769122f, gelu_cube = 0.044715f;   // 2 sqrt(2 / pi)

/* x sigmoid(2 t) is x (1 + tanh(t)) / 2. */
INLINE float gelu_gate(float x)
{
    return 1 / (1 + exp_of(-gelu_k * x * (1 + gelu_cube * x * x)));
}

CLONES void rows_geglu(size_t n, const float *restrict gate, const float *restrict up,
                       float *restrict y)
{
    for (size_t i = 0; i < n; i++) y[i] = gate[i] * gelu_gate(gate[i]) * up[i];
}

CLONES void rows_geglu_back(size_t n, const float *restrict gate,
                            const float *restrict up, const float *restrict dy,
                            float *restrict dgate, float *restrict dup)
{
    for (size_t i = 0; i < n; i++) {
        float x = gate[i], s = gelu_gate(x);
        float slope = gelu_k * (1 + 3 * gelu_cube * x * x);
        dup[i] = dy[i] * x * s;
        dgate[i] = dy[i] * up[i] * (s + x * s * (1 - s) * slope);
    }
}

/* ---- softmax ---------------------------------------------------------------------- */

INLINE float largest(size_t n, const float *x)
{
    float lane[LANES], max = x[0];
    size_t i = 0;
    for (int j = 0; j < LANES; j++) lane[j] = max;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    for (; i < n; i++) max = x[i] > max ? x[i] : max;
    for (int j = 0; j < LANES; j++) max = lane[j] > max ? lane[j] : max;
    return max;
}

/* x becomes exp(scale * (x - max)); returns the sum. */
INLINE float exponentials(size_t n, float *x, float max, float scale)
{
    float lane[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += x[i + j] = exp_of((x[i + j] - max) * scale);
    for (size_t j = 0; i < n; i++, j++) lane[j] += x[i] = exp_of((x[i] - max) * scale);
    return total(lane);
}

CLONES float rows_softmax(size_t n, float *s, float scale)
{
    float max = largest(n, s), sum = exponentials(n, s, max, scale), inverse = 1 / sum;
    for (size_t i = 0; i < n; i++) s[i] *= inverse;
    return max * scale + logf(sum);
}

CLONES float rows_weights(size_t n, float *s, float scale)
{
    return exponentials(n, s, largest(n, s), scale);
}

CLONES void rows_scale(size_t n, const float *restrict x, float factor,
                       float *restrict y)
{
    for (size_t i = 0; i < n; i++) y[i] = factor * x[i];
}

CLONES void rows_attend_back(size_t n, float scale, const float *restrict lse,
                             const float *restrict mean, float *restrict s,
                             float *restrict dp)
{
    for (size_t i = 0; i < n; i++) {
        s[i] = exp_of(s[i] * scale - lse[i]);
        dp[i] = scale * s[i] * (dp[i] - mean[i]);
    }
}

CLONES double rows_cross_entropy(size_t n, float *x, size_t target, float weight)
{
    float max = largest(n, x), right = x[target], sum = exponentials(n, x, max, 1);
    float share = weight / sum;
    for (size_t i = 0; i < n; i++) x[i] *= share;
    x[target] -= weight;
    return log((double)sum) + (double)max - (double)right;
}

CLONES void rows_mark(size_t n, const float *x, float least, uint8_t *mark)
{
    for (size_t i = 0; i < n; i++) mark[i] |= fabsf(x[i]) >= least;
}

/* ---- rotary positions ------------------------------------------------------------- */

INLINE void turn(float *a, float *b, float cosine, float sine)
{
    float turned = *a * cosine - *b * sine;
    *b = *a * sine + *b * cosine;
    *a = turned;
}

CLONES void rows_rope(size_t dims, float *restrict x, const float *restrict cosine,
                      const float *restrict sine, bool neox, bool back)
{
    size_t half = dims / 2;
    float sign = back ? -1 : 1;
    if (neox)
        for (size_t i = 0; i < half; i++)
            turn(x + i, x + half + i, cosine[i], sign * sine[i]);
    else
        for (size_t i = 0; i < half; i++)
            turn(x + 2 * i, x + 2 * i + 1, cosine[i], sign * sine[i]);
}

/* ---- AdamW ------------------------------------------------------------------------ */

CLONES void rows_adam(const Adam *a, size_t n, const float *restrict g, float *restrict p,
                      float *restrict m, float *restrict v)
{
    const Adam k = *a;
    for (size_t i = 0; i < n; i++) {
        float x = g[i] * k.scale;
        m[i] = k.beta1 * m[i] + (1 - k.beta1) * x;
        v[i] = k.beta2 * v[i] + (1 - k.beta2) * x * x;
        float move = m[i] * k.fix1 / (sqrtf(v[i] * k.fix2) + k.eps) + k.decay * p[i];
        p[i] -= k.rate * move;
    }
}
