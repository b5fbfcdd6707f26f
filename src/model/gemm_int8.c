/* gemm_int8.c -- gemm.h's products with weights in 8 bits, by matmul.h.
 *
 * A layer's input and the derivative by its output go through 8 bits on their way through
 * frozen weights; the derivatives of what is trained never do, as in SwitchBack (Wortsman
 * et al., arXiv 2304.13013): it is those that training in 8 bits is spoilt by. */
#include "model/gemm_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool gemm_int8_can(void)
{
    return gemm_bf16_can() && matmul_can(MATMUL_INT8);
}

/* b' (n, k), as matmul.h has weights; a copy where b is not turned already. */
static float *rows_of(const GemmMatrix *b, size_t k, size_t n)
{
    float *w = malloc(k * n * sizeof *w);
    const float *from = b->p;
    for (size_t i = 0; w && i < k; i++)
        for (size_t j = 0; j < n; j++) w[j * k + i] = from[i * b->stride + j];
    return w;
}

Status gemm_narrow(Ctx *cx, const GemmMatrix *b, size_t k, size_t n, GemmMatrix *out)
{
    bool lies = b->turned && b->stride == k;
    float *own = lies ? NULL : rows_of(b, k, n);
    MatmulWeights w = { k, n, lies ? b->p : own, NULL };
    Matmul *m = NULL;
    assert(b->type == GEMM_F32 && (lies || !b->turned));
    *out = (GemmMatrix){ NULL, 0, GEMM_NARROW, false };
    Status st = w.w ? matmul_open(cx, MATMUL_INT8, &w, &m)
                    : fail(cx, E_MEMORY, "no memory for a layer of %zu x %zu", k, n);
    free(own);
    out->p = m;
    return st;
}

void gemm_narrow_free(GemmMatrix *b)
{
    if (b->type == GEMM_NARROW) matmul_close((Matmul *)(uintptr_t)b->p);
    b->p = NULL;
}

/* The rows of a, close to one another. */
static const void *close_rows(GemmRoom *r, const GemmPart *part, size_t m)
{
    const GemmMatrix *a = &part->a;
    size_t value = a->type == GEMM_BF16 ? sizeof(uint16_t) : sizeof(float);
    if (a->stride == part->k) return a->p;
    char *to = gemm_scratch(&r->close, m * part->k * value);
    for (size_t i = 0; to && i < m; i++)
        memcpy(to + i * part->k * value, (const char *)a->p + i * a->stride * value,
               part->k * value);
    return to;
}

/* The second part is written first, and the first adds to it what is many times the work.
 */
bool gemm_int8_run(GemmRoom *r, const GemmJob *job)
{
    GemmJob second = *job;
    const GemmPart *part = &job->part[0];
    const void *a = close_rows(r, part, job->m);
    assert(job->scale == 1 && !part->a.turned && part->a.type != GEMM_PACKED);
    if (!a) return false;
    second.part[0] = job->part[1];
    second.n_parts = 1;
    if (job->n_parts == 2 && !gemm_bf16_run(r, &second)) return false;
    MatmulJob first = { job->m, a, job->c, job->c_stride, 0, 1,
                        job->add || job->n_parts == 2, part->a.type == GEMM_BF16 };
    return matmul_run_share(part->b.p, r->narrow, &first);
}
