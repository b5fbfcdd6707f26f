/* query_map.c -- see query_map.h. The power of a symmetric matrix comes from its
 * eigenvectors, found by Jacobi's rotations in cyclic order (Golub and Van Loan, Matrix
 * Computations, 8.5). */
#include "ask/query_map.h"

#include <math.h>
#include <string.h>

enum { SWEEPS = 30 };
static const double least = 1;         // e: short directions are made no longer
static const double small = 1e-10;      // of the trace: what is left beside the diagonal

/* ---- moments ----------------------------------------------------------------------- */

/* mean (dim) and c (dim, dim) of the vectors. */
static Status moments(Ctx *cx, const float *v, size_t n, size_t dim, double *mean,
                      double *c)
{
    double *row = ctx_new(cx, double, dim);
    TRY_NEW(row);
    for (size_t i = 0; i < n * dim; i++) mean[i % dim] += (double)v[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        if (i % 256 == 0) TRY(ctx_check(cx));
        for (size_t j = 0; j < dim; j++) row[j] = (double)v[i * dim + j] - mean[j];
        for (size_t j = 0; j < dim; j++)
            for (size_t k = j; k < dim; k++) c[j * dim + k] += row[j] * row[k];
    }
    for (size_t j = 0; j < dim; j++)
        for (size_t k = j; k < dim; k++)
            c[k * dim + j] = c[j * dim + k] = c[j * dim + k] / (double)n;
    return OK;
}

/* ---- eigenvectors ------------------------------------------------------------------ */

static double off_diagonal(const double *a, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) s += a[i * n + j] * a[i * n + j];
    return sqrt(2 * s);
}

/* Turns rows p and q of m (n, n) by an angle of cosine c and sine s. */
static void turn(double *m, size_t n, size_t p, size_t q, double c, double s)
{
    double *x = m + p * n, *y = m + q * n;
    for (size_t k = 0; k < n; k++) {
        double a = x[k], b = y[k];
        x[k] = c * a - s * b;
        y[k] = s * a + c * b;
    }
}

/* Makes a[p][q] zero; the rows of v become eigenvectors. */
static void rotate(double *a, double *v, size_t n, size_t p, size_t q)
{
    double apq = a[p * n + q];
    if (apq == 0) return;
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
    double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    double app = a[p * n + p] - t * apq, aqq = a[q * n + q] + t * apq;
    turn(a, n, p, q, c, s);
    for (size_t k = 0; k < n; k++) {
        a[k * n + p] = a[p * n + k];
        a[k * n + q] = a[q * n + k];
    }
    a[p * n + p] = app;
    a[q * n + q] = aqq;
    a[p * n + q] = a[q * n + p] = 0;
    turn(v, n, p, q, c, s);
}

/* a (n, n) symmetric: its diagonal becomes the eigenvalues, the rows of v the vectors. */
static Status eigen(Ctx *cx, double *a, double *v, size_t n)
{
    double trace = 0;
    for (size_t i = 0; i < n; i++) v[i * n + i] = 1, trace += a[i * n + i];
    for (int sweep = 0; sweep < SWEEPS && off_diagonal(a, n) > small * trace; sweep++)
        for (size_t p = 0; p + 1 < n; p++) {
            TRY(ctx_check(cx));
            for (size_t q = p + 1; q < n; q++) rotate(a, v, n, p, q);
        }
    return OK;
}

/* ---- the map ----------------------------------------------------------------------- */

/* Weight and bias from eigenvalues on a's diagonal and vectors in the rows of v. */
static void fill(const double *a, const double *v, const double *mean, QueryMap *m)
{
    size_t n = (size_t)m->dim;
    double trace = 0;
    for (size_t i = 0; i < n; i++) trace += a[i * n + i];
    for (size_t i = 0; i < n; i++) {
        double share = trace > 0 ? a[i * n + i] * (double)n / trace : 1;
        double by = pow(fmax(share, 0) + least, -m->shape.whiten);
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                m->weight[j * n + k] += (float)(by * v[i * n + j] * v[i * n + k]);
    }
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < n; k++)
            m->bias[j] -= (float)(m->shape.center * mean[k]) * m->weight[j * n + k];
}

static Status fit(Ctx *cx, const float *vectors, size_t n, QueryMap *m)
{
    size_t d = (size_t)m->dim;
    double *mean = ctx_new(cx, double, d), *a = ctx_new(cx, double, d * d);
    double *v = ctx_new(cx, double, d * d);
    if (!mean || !a || !v) return E_MEMORY;
    TRY(moments(cx, vectors, n, d, mean, a));
    TRY(eigen(cx, a, v, d));
    fill(a, v, mean, m);
    return OK;
}

Status query_map_fit(Ctx *cx, const float *vectors, size_t n, int dim,
                     const QueryMapShape *shape, QueryMap *out)
{
    *out = (QueryMap){ .shape = *shape, .dim = dim };
    if (dim < 1 || dim > QUERY_MAP_DIM || n < 2)
        return fail(cx, E_ARG, "%zu vectors of %d values: at least 2 of at most %d are "
                    "wanted", n, dim, QUERY_MAP_DIM);
    if (!(shape->whiten >= 0 && shape->whiten <= 1) ||
        !(shape->center >= 0 && shape->center <= 1))
        return fail(cx, E_ARG, "whiten %g and center %g: of 0 to 1", shape->whiten,
                    shape->center);
    size_t d = (size_t)dim;
    Ctx work = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    TRY_NEW(out->weight = ctx_new(cx, float, d * d));
    TRY_NEW(out->bias = ctx_new(cx, float, d));
    Status st = fit(&work, vectors, n, out);
    if (st != OK) fail(cx, st, "%s", work.reason);
    ctx_end(&work);
    return st;
}

void query_map_apply(const QueryMap *m, const float *query, float *out)
{
    size_t n = (size_t)m->dim;
    double length = 0;
    for (size_t i = 0; i < n; i++) {
        float s = m->bias[i];
        for (size_t k = 0; k < n; k++) s += m->weight[i * n + k] * query[k];
        out[i] = s;
        length += (double)s * s;
    }
    for (size_t i = 0; i < n && length > 0; i++) out[i] /= (float)sqrt(length);
}

float query_map_span(const QueryMap *m)
{
    return 1 + (float)m->shape.center / 2;
}
