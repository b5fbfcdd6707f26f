/* logistic.c -- see logistic.h. The normal equations are solved by Cholesky's method. */
#include "eval/logistic.h"

#include <math.h>
#include <string.h>

enum { STEPS = 50, SIDE = LOGISTIC_MAX + 1 };

typedef struct System {
    double a[SIDE][SIDE];   // curvature; its lower triangle counts
    double b[SIDE];         // gradient, then the step
    size_t n;
} System;

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double scaled(const Logistic *m, const double *x, size_t f)
{
    return (x[f] - m->mean[f]) / m->scale[f];
}

double logistic_predict(const Logistic *m, const double *x)
{
    double z = m->bias;
    for (size_t f = 0; f < m->width; f++) z += m->weight[f] * scaled(m, x, f);
    return sigmoid(z);
}

static double times_of(const Samples *s, size_t i)
{
    return s->times ? s->times[i] : 1;
}

static Status measure(Ctx *cx, const Samples *s, Logistic *m)
{
    double all = 0;
    for (size_t i = 0; i < s->n; i++) all += times_of(s, i);
    for (size_t f = 0; f < s->width; f++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < s->n; i++) sum += times_of(s, i) * s->x[i * s->width + f];
        m->mean[f] = sum / all;
        for (size_t i = 0; i < s->n; i++) {
            double d = s->x[i * s->width + f] - m->mean[f];
            squares += times_of(s, i) * d * d;
        }
        m->scale[f] = sqrt(squares / all);
        if (!(m->scale[f] > 1e-9)) m->scale[f] = 1;
        if (!isfinite(m->mean[f]) || !isfinite(m->scale[f]))
            return fail(cx, E_FORMAT, "feature %zu has a value that is not finite",
                        f + 1);
    }
    return OK;
}

/* Adds one sample: its row with a leading 1 for the bias. */
static void add(System *e, const Samples *s, const Logistic *m, size_t i)
{
    double row[SIDE] = { 1 };
    const double *x = s->x + i * s->width;
    double p = logistic_predict(m, x), t = times_of(s, i);
    for (size_t f = 0; f < s->width; f++) row[f + 1] = scaled(m, x, f);
    for (size_t r = 0; r < e->n; r++) {
        e->b[r] += t * (s->y[i] - p) * row[r];
        for (size_t c = 0; c <= r; c++) e->a[r][c] += t * p * (1 - p) * row[r] * row[c];
    }
}

static void penalise(System *e, const Logistic *m, double penalty)
{
    e->a[0][0] += 1e-9;     // all predictions at an end: still a step
    for (size_t f = 1; f < e->n; f++) {
        e->a[f][f] += penalty;
        e->b[f] -= penalty * m->weight[f - 1];
    }
}

/* a = L L^T in place, then both triangles; a is positive definite by the penalty. */
static void solve(System *e)
{
    for (size_t c = 0; c < e->n; c++) {
        for (size_t k = 0; k < c; k++) e->a[c][c] -= e->a[c][k] * e->a[c][k];
        e->a[c][c] = sqrt(fmax(e->a[c][c], 1e-12));
        for (size_t r = c + 1; r < e->n; r++) {
            for (size_t k = 0; k < c; k++) e->a[r][c] -= e->a[r][k] * e->a[c][k];
            e->a[r][c] /= e->a[c][c];
        }
    }
    for (size_t r = 0; r < e->n; r++) {
        for (size_t k = 0; k < r; k++) e->b[r] -= e->a[r][k] * e->b[k];
        e->b[r] /= e->a[r][r];
    }
    for (size_t r = e->n; r-- > 0;) {
        for (size_t k = r + 1; k < e->n; k++) e->b[r] -= e->a[k][r] * e->b[k];
        e->b[r] /= e->a[r][r];
    }
}

/* One step of Newton's, none longer than 2 in any weight; how long it was. */
static double step(System *e, const Samples *s, double penalty, Logistic *m)
{
    double longest = 0, all = 0;
    *e = (System){ .n = s->width + 1 };
    for (size_t i = 0; i < s->n; i++) add(e, s, m, i), all += times_of(s, i);
    penalise(e, m, penalty * all);
    solve(e);
    for (size_t r = 0; r < e->n; r++) longest = fmax(longest, fabs(e->b[r]));
    double cut = longest > 2 ? 2 / longest : 1;
    m->bias += cut * e->b[0];
    for (size_t f = 0; f < s->width; f++) m->weight[f] += cut * e->b[f + 1];
    return longest;
}

Status logistic_fit(Ctx *cx, const Samples *s, double penalty, Logistic *out)
{
    *out = (Logistic){ .width = s->width };
    if (s->n == 0) return fail(cx, E_ARG, "there is no sample to learn from");
    if (s->width > LOGISTIC_MAX)
        return fail(cx, E_ARG, "%zu features: at most %d", s->width, LOGISTIC_MAX);
    TRY(measure(cx, s, out));
    for (size_t i = 0; i < s->n; i++)
        if (!(s->y[i] >= 0 && s->y[i] <= 1))
            return fail(cx, E_FORMAT, "sample %zu has the target %g: 0 to 1 was wanted",
                        i + 1, s->y[i]);
    System *e = ctx_new(cx, System, 1);
    TRY_NEW(e);
    for (int i = 0; i < STEPS && step(e, s, penalty, out) > 1e-9; i++) TRY(ctx_check(cx));
    return OK;
}
