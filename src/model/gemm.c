/* gemm.c -- see gemm.h: the choice of a way, the portable one, and oneDNN's. */
#include "model/gemm_impl.h"

#include <stdlib.h>
#include <string.h>

#ifdef PITH_ONEDNN
#include <dlfcn.h>
#include <dnnl.h>
#endif

void *gemm_scratch(GemmScratch *s, size_t bytes)
{
    enum { LINE = 64 };
    if (bytes <= s->bytes) return s->p;
    bytes = (bytes + LINE - 1) / LINE * LINE;
    free(s->p);
    s->p = aligned_alloc(LINE, bytes);
    s->bytes = s->p ? bytes : 0;
    return s->p;
}

/* ---- bf16 ------------------------------------------------------------------------- */

static uint16_t round_one(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    if ((u & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(u >> 16 | 64);   // a quiet NaN
    return (uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16);
}

void gemm_to_bf16(size_t n, const float *from, uint16_t *to)
{
    if (gemm_bf16_can()) gemm_bf16_round(n, from, to);
    else for (size_t i = 0; i < n; i++) to[i] = round_one(from[i]);
}

void gemm_from_bf16(size_t n, const uint16_t *from, float *to)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u = (uint32_t)from[i] << 16;
        memcpy(&to[i], &u, sizeof u);
    }
}

void gemm_keep(const GemmRoom *r, size_t n, const float *from, void *to)
{
    if (gemm_type(r->way) == GEMM_BF16) gemm_bf16_round(n, from, to);
    else memcpy(to, from, n * sizeof *from);
}

void gemm_kept(const GemmRoom *r, size_t n, const void *from, float *to)
{
    if (gemm_type(r->way) == GEMM_BF16) gemm_bf16_widen(n, from, to);
    else memcpy(to, from, n * sizeof *to);
}

/* (columns / 16, rows / 2, 16, 2): pairs of rows side by side. A panel is 48 columns. */
enum { WIDE = 16, PANEL = 48, PAIR = 2 };

size_t gemm_packed_bytes(size_t k, size_t n)
{
    size_t columns = (n + PANEL - 1) / PANEL * PANEL;
    return (k + PAIR - 1) / PAIR * PAIR * columns * sizeof(uint16_t);
}

GemmMatrix gemm_pack(const GemmMatrix *b, size_t k, size_t n, void *memory)
{
    gemm_bf16_pack(b, k, n, memory);
    return (GemmMatrix){ memory, (k + PAIR - 1) / PAIR * PAIR, GEMM_PACKED, false };
}

GemmMatrix gemm_packed_pairs(const GemmMatrix *packed, size_t n, const uint32_t *pair,
                             size_t n_pairs, void *memory)
{
    enum { SIZE = PAIR * WIDE };                // values of a pair, in 16 columns
    const uint16_t *from = packed->p;
    uint16_t *to = memory;
    for (size_t j = 0; j < n; j += WIDE, from += packed->stride * WIDE)
        for (size_t i = 0; i < n_pairs; i++, to += SIZE)
            memcpy(to, from + (size_t)pair[i] * SIZE, SIZE * sizeof *to);
    return (GemmMatrix){ memory, n_pairs * PAIR, GEMM_PACKED, false };
}

void gemm_packed_row(const GemmMatrix *packed, size_t i, size_t n, float *out)
{
    const uint16_t *p = packed->p;
    p += i / PAIR * PAIR * WIDE + i % PAIR;
    for (size_t j = 0; j < n; j++)
        gemm_from_bf16(1, p + j / WIDE * packed->stride * WIDE + j % WIDE * PAIR,
                       &out[j]);
}

/* ---- portable C ------------------------------------------------------------------- */

static float at(const GemmMatrix *x, size_t i, size_t j)
{
    return ((const float *)x->p)[x->turned ? j * x->stride + i : i * x->stride + j];
}

static void plain_row(const GemmJob *job, size_t i)
{
    float *c = job->c + i * job->c_stride;
    for (size_t j = 0; j < job->n; j++) {
        double sum = 0;
        for (size_t p = 0; p < job->n_parts; p++)
            for (size_t k = 0; k < job->part[p].k; k++)
                sum += (double)at(&job->part[p].a, i, k) * at(&job->part[p].b, k, j);
        c[j] = (float)((job->add ? c[j] : 0) + sum * job->scale);
    }
}

/* ---- oneDNN ----------------------------------------------------------------------- */

#ifdef PITH_ONEDNN
/* Sets how many threads OpenMP gives the calling thread; returns how many it were. */
static int team(int n)
{
    int (*count)(void);
    void (*set)(int);
    *(void **)&count = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    *(void **)&set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (!count || !set) return n;
    int before = count();
    set(n);
    return before;
}

static bool dnnl_run(const GemmJob *job)
{
    dnnl_status_t s = dnnl_success;
    int before = team(1);
    for (size_t p = 0; p < job->n_parts && !s; p++) {
        const GemmPart *part = &job->part[p];
        s = dnnl_sgemm(part->a.turned ? 'T' : 'N', part->b.turned ? 'T' : 'N',
                       (dnnl_dim_t)job->m, (dnnl_dim_t)job->n, (dnnl_dim_t)part->k,
                       job->scale, part->a.p, (dnnl_dim_t)part->a.stride, part->b.p,
                       (dnnl_dim_t)part->b.stride, job->add || p > 0, job->c,
                       (dnnl_dim_t)job->c_stride);
    }
    team(before);
    return s == dnnl_success;
}

static bool dnnl_can(void)
{
    return true;
}
#else
static bool dnnl_run(const GemmJob *job)
{
    (void)job;
    return false;
}

static bool dnnl_can(void)
{
    return false;
}
#endif

/* ---- the choice ------------------------------------------------------------------- */

const char *gemm_name(GemmWay way)
{
    static const char *const name[GEMM_WAYS] = {
        "portable C", "oneDNN f32", "AVX-512 BF16", "AVX-512 BF16, frozen weights int8",
    };
    return name[way];
}

static bool always(void)
{
    return true;
}

bool gemm_can(GemmWay way)
{
    static bool (*const can[GEMM_WAYS])(void) = {
        always, dnnl_can, gemm_bf16_can, gemm_int8_can,
    };
    return can[way]();
}

GemmWay gemm_best(void)
{
    if (gemm_can(GEMM_WAY_BF16)) return GEMM_WAY_BF16;
    return gemm_can(GEMM_WAY_F32) ? GEMM_WAY_F32 : GEMM_WAY_PLAIN;
}

GemmWay gemm_best_frozen(void)
{
    return gemm_can(GEMM_WAY_INT8) ? GEMM_WAY_INT8 : gemm_best();
}

GemmType gemm_type(GemmWay way)
{
    return way >= GEMM_WAY_BF16 ? GEMM_BF16 : GEMM_F32;
}

Status gemm_room_open(Ctx *cx, GemmWay way, GemmRoom **out)
{
    enum { WIDEST = 65536 };     // what matmul.h takes
    *out = NULL;
    if (!gemm_can(way))
        return fail(cx, E_ARG, "this machine has no such way to multiply");
    GemmRoom *r = calloc(1, sizeof *r);
    if (!r) return fail(cx, E_MEMORY, "out of memory for matrix products");
    r->way = way;
    Status st = way == GEMM_WAY_INT8
        ? matmul_room_open(cx, MATMUL_INT8, WIDEST, &r->narrow) : OK;
    if (st == OK) *out = r;
    else free(r);
    return st;
}

void gemm_room_close(GemmRoom *r)
{
    if (!r) return;
    for (int i = 0; i < 2; i++) {
        free(r->a[i].p);
        free(r->b[i].p);
    }
    free(r->close.p);
    matmul_room_close(r->narrow);
    free(r);
}

bool gemm_run(GemmRoom *r, const GemmJob *job)
{
    if (job->m == 0 || job->n == 0) return true;
    if (job->part[0].b.type == GEMM_NARROW) return gemm_int8_run(r, job);
    if (gemm_type(r->way) == GEMM_BF16) return gemm_bf16_run(r, job);
    if (r->way == GEMM_WAY_F32) return dnnl_run(job);
    for (size_t i = 0; i < job->m; i++) plain_row(job, i);
    return true;
}
