/* vec.c -- see vec.h: the portable table, and the choice. */
#include "model/vec_impl.h"

#include <math.h>
#include <string.h>

static void add_norm(size_t n, float *x, const float *y, const float *gain,
                     const float *bias, float eps)
{
    float sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] += y ? y[i] : 0;
    float mean = sum / (float)n;
    for (size_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    float inverse = 1 / sqrtf(squares / (float)n + eps);
    for (size_t i = 0; i < n; i++) x[i] = (x[i] - mean) * inverse * gain[i] + bias[i];
}

static void gelu(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++) x[i] *= 0.5f * (1 + erff(x[i] * (float)M_SQRT1_2));
}

/* s (tokens) becomes exp(s - max); returns the sum. */
static float soften(size_t tokens, float *s)
{
    float max = s[0], sum = 0;
    for (size_t t = 1; t < tokens; t++) max = fmaxf(max, s[t]);
    for (size_t t = 0; t < tokens; t++) sum += s[t] = expf(s[t] - max);
    return sum;
}

static void attend_query(const Heads *h, size_t query, size_t head, float *s)
{
    size_t width = h->heads * h->dim, at = head * h->dim;
    const float *q = h->q + query * width + at, scale = 1 / sqrtf((float)h->dim);
    float *out = h->out + query * width + at;
    for (size_t t = 0; t < h->tokens; t++) {
        const float *k = h->kv + t * 2 * width + at;
        float dot = 0;
        for (size_t i = 0; i < h->dim; i++) dot += q[i] * k[i];
        s[t] = dot * scale;
    }
    float inverse = 1 / soften(h->tokens, s);
    memset(out, 0, h->dim * sizeof *out);
    for (size_t t = 0; t < h->tokens; t++) {
        const float *v = h->kv + t * 2 * width + width + at;
        for (size_t i = 0; i < h->dim; i++) out[i] += s[t] * inverse * v[i];
    }
}

static void attend(const Heads *h, void *room)
{
    for (size_t head = 0; head < h->heads; head++)
        for (size_t query = 0; query < h->queries; query++)
            attend_query(h, query, head, room);
}

static size_t attend_room(size_t max_tokens, size_t dim)
{
    (void)dim;
    return max_tokens * sizeof(float);
}

const Vec *vec_plain(void)
{
    static const Vec table = { "portable C", add_norm, gelu, attend, attend_room };
    return &table;
}

const Vec *vec_best(size_t head_dim)
{
    const Vec *best = vec_avx512(head_dim);
    return best ? best : vec_plain();
}
