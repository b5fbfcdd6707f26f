/* matmul.c -- see matmul.h: the choice of a way, and the portable one. */
#include "model/matmul_impl.h"

#include "base/isa.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 65536, LINE = 64 };

void *lines_alloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) return NULL;
    if (bytes > PTRDIFF_MAX - LINE) return NULL;
    bytes = (bytes + LINE) / LINE * LINE;   // never zero
    void *p = aligned_alloc(LINE, bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

#ifdef __x86_64__
#include <cpuid.h>

/* By CPUID: not every compiler's __builtin_cpu_supports knows AMX. */
bool cpu_has_amx_bf16(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    return isa_allows(ISA_AMX) && __get_cpuid_count(7, 0, &a, &b, &c, &d)
        && (d >> 22 & 1);
}

bool cpu_has_bf16(void)
{
    return (isa_allows(ISA_BF16) && __builtin_cpu_supports("avx512bf16"))
        || cpu_has_amx_bf16();
}
#else
bool cpu_has_amx_bf16(void)
{
    return false;
}

bool cpu_has_bf16(void)
{
    return false;
}
#endif

/* ---- portable C ------------------------------------------------------------------- */

typedef struct Plain {
    Matmul base;
    float *w, *bias;   // (out, in), (out)
} Plain;

static bool plain_can(void)
{
    return true;
}

static void plain_close(Matmul *base)
{
    Plain *m = (Plain *)base;
    free(m->w);
    free(m->bias);
    free(m);
}

static const MatmulImpl plain;

static Status plain_open(Ctx *cx, const MatmulWeights *w, Matmul **out)
{
    Plain *m = calloc(1, sizeof *m);
    if (!m) return fail(cx, E_MEMORY, "out of memory for a layer's weights");
    m->base = (Matmul){ &plain, w->in, w->out };
    m->w = lines_alloc(w->out * w->in, sizeof(float));
    m->bias = lines_alloc(w->out, sizeof(float));
    if (!m->w || !m->bias) {
        plain_close(&m->base);
        return fail(cx, E_MEMORY, "out of memory for a layer's weights");
    }
    memcpy(m->w, w->w, w->out * w->in * sizeof(float));
    if (w->bias) memcpy(m->bias, w->bias, w->out * sizeof(float));
    *out = &m->base;
    return OK;
}

static Status plain_room(Ctx *cx, size_t max_in, MatmulRoom **out)
{
    (void)max_in;
    MatmulRoom *r = calloc(1, sizeof *r);
    if (!r) return fail(cx, E_MEMORY, "out of memory for a matrix product");
    r->impl = &plain;
    *out = r;
    return OK;
}

static void plain_room_close(MatmulRoom *r)
{
    free(r);
}

static bool plain_share(const Matmul *base, MatmulRoom *room, const MatmulJob *j)
{
    const Plain *m = (const Plain *)base;
    size_t first = base->out * j->share / j->shares;
    size_t end = base->out * (j->share + 1) / j->shares;
    (void)room;
    for (size_t r = 0; r < j->rows; r++)
        for (size_t o = first; o < end; o++) {
            const float *a = (const float *)j->x + r * base->in, *w = m->w + o * base->in;
            double sum = m->bias[o];
            for (size_t i = 0; i < base->in; i++) sum += (double)a[i] * w[i];
            float *y = &j->y[r * j->stride + o];
            *y = (float)(sum + (j->add ? *y : 0));
        }
    return true;
}

static bool plain_run(const Matmul *m, MatmulRoom *room, size_t rows, const float *x,
                      float *y)
{
    return plain_share(m, room, &(MatmulJob){ rows, x, y, m->out, 0, 1, false, false });
}

static const MatmulImpl plain = {
    .name = "portable C", .can = plain_can, .open = plain_open, .close = plain_close,
    .room_open = plain_room, .room_close = plain_room_close, .run = plain_run,
    .share = plain_share,
};

/* ---- the choice ------------------------------------------------------------------- */

static const MatmulImpl *const ways[] = {
    [MATMUL_PLAIN] = &plain,
    [MATMUL_INT8] = &matmul_int8,
#ifdef PITH_ONEDNN
    [MATMUL_F32] = &matmul_dnnl_f32,
    [MATMUL_BF16] = &matmul_dnnl_bf16,
#endif
};

static const MatmulImpl *way_of(MatmulWay way)
{
    size_t n = sizeof ways / sizeof *ways;
    return (size_t)way < n && ways[way] && ways[way]->can() ? ways[way] : NULL;
}

const char *matmul_name(MatmulWay way)
{
    const MatmulImpl *impl = way_of(way);
    return impl ? impl->name : "absent";
}

bool matmul_can(MatmulWay way)
{
    return way_of(way) != NULL;
}

/* AMX multiplies bf16 faster than VNNI multiplies integers; without it VNNI wins. */
MatmulWay matmul_best(void)
{
    static const MatmulWay usual[] = { MATMUL_INT8, MATMUL_BF16, MATMUL_F32 };
    if (cpu_has_amx_bf16() && matmul_can(MATMUL_BF16)) return MATMUL_BF16;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (matmul_can(usual[i])) return usual[i];
    return MATMUL_PLAIN;
}

Status matmul_open(Ctx *cx, MatmulWay way, const MatmulWeights *w, Matmul **out)
{
    const MatmulImpl *impl = way_of(way);
    *out = NULL;
    if (!impl) return fail(cx, E_ARG, "this machine has no such way to multiply");
    if (w->in == 0 || w->out == 0 || w->in > MAX_SIDE || w->out > MAX_SIDE)
        return fail(cx, E_ARG, "a layer of %zu to %zu values; sides are 1 to %d", w->in,
                    w->out, MAX_SIDE);
    return impl->open(cx, w, out);
}

void matmul_close(Matmul *m)
{
    if (m) m->impl->close(m);
}

Status matmul_room_open(Ctx *cx, MatmulWay way, size_t max_in, MatmulRoom **out)
{
    const MatmulImpl *impl = way_of(way);
    *out = NULL;
    if (!impl) return fail(cx, E_ARG, "this machine has no such way to multiply");
    return impl->room_open(cx, max_in, out);
}

void matmul_room_close(MatmulRoom *r)
{
    if (r) r->impl->room_close(r);
}

bool matmul_run(const Matmul *m, MatmulRoom *room, size_t rows, const float *x, float *y)
{
    return rows == 0 || m->impl->run(m, room, rows, x, y);
}

/* oneDNN multiplies whole matrices: the first share is all of it, row by row where rows
 * of y do not lie close. */
bool matmul_run_share(const Matmul *m, MatmulRoom *room, const MatmulJob *j)
{
    if (m->impl->share) return j->rows == 0 || m->impl->share(m, room, j);
    assert(!j->add && !j->bf16);
    if (j->share > 0) return true;
    if (j->stride == m->out) return matmul_run(m, room, j->rows, j->x, j->y);
    for (size_t i = 0; i < j->rows; i++)
        if (!matmul_run(m, room, 1, (const float *)j->x + i * m->in,
                        j->y + i * j->stride)) return false;
    return true;
}
