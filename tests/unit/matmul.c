/* matmul.c -- all ways of multiplying, and the vector code, against portable C. */
#include "model/matmul.h"
#include "model/vec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float *random_floats(size_t n, uint32_t seed, float size)
{
    float *p = aligned_alloc(64, (n * sizeof *p + 64) / 64 * 64);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        p[i] = size * ((float)(seed >> 8) / 8388608.0f - 1);
    }
    return p;
}

/* |a - b| / |b| */
static double distance(size_t n, const float *a, const float *b)
{
    double d = 0, s = 0;
    for (size_t i = 0; i < n; i++) {
        d += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        s += (double)b[i] * b[i];
    }
    return sqrt(d / (s > 0 ? s : 1));
}

/* y = x W' + b in one way; y is followed by a guard that must not change. */
static float *multiply(MatmulWay way, const MatmulWeights *w, size_t rows, const float *x)
{
    Ctx cx = CTX_INIT;
    Matmul *m = NULL;
    MatmulRoom *room = NULL;
    float *y = random_floats(rows * w->out + 64, 9, 1), guard[64];
    memcpy(guard, y + rows * w->out, sizeof guard);
    assert_int_equal(matmul_open(&cx, way, w, &m), OK);
    assert_int_equal(matmul_room_open(&cx, way, w->in, &room), OK);
    assert_true(matmul_run(m, room, rows, x, y));
    assert_memory_equal(guard, y + rows * w->out, sizeof guard);
    matmul_room_close(room);
    matmul_close(m);
    ctx_end(&cx);
    return y;
}

static void expect_product(size_t rows, size_t in, size_t out)
{
    static const double most[] = { [MATMUL_F32] = 1e-5, [MATMUL_BF16] = 1e-2,
                                   [MATMUL_INT8] = 2e-2 };
    float *w = random_floats(in * out, 1, 0.2f), *b = random_floats(out, 2, 1);
    float *x = random_floats(rows * in, 3, 2);
    MatmulWeights weights = { in, out, w, b };
    float *want = multiply(MATMUL_PLAIN, &weights, rows, x);
    for (MatmulWay way = MATMUL_F32; way <= MATMUL_INT8; way++) {
        if (!matmul_can(way)) continue;
        float *got = multiply(way, &weights, rows, x);
        double d = distance(rows * out, got, want);
        if (!(d <= most[way]))
            fail_msg("%s, %zu x %zu x %zu: off by %g", matmul_name(way), rows, in, out,
                     d);
        free(got);
    }
    free(want);
    free(w);
    free(b);
    free(x);
}

static void products_of_a_real_layer_agree(void **state)
{
    (void)state;
    expect_product(200, 384, 384);
    expect_product(7, 384, 1536);
    expect_product(97, 1536, 384);
}

static void products_of_odd_sides_agree(void **state)
{
    (void)state;
    static const size_t side[] = { 1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 129 };
    for (size_t i = 0; i < sizeof side / sizeof *side; i++)
        for (size_t j = 0; j < sizeof side / sizeof *side; j++)
            expect_product(1 + (i * 5 + j) % 14, side[i], side[j]);
}

/* Shares of the columns, into rows that lie apart. */
static void expect_shares(MatmulWay way, size_t rows, size_t in, size_t out)
{
    enum { APART = 5, SHARES = 3 };
    Ctx cx = CTX_INIT;
    Matmul *m;
    MatmulRoom *room;
    size_t stride = out + APART;
    float *w = random_floats(in * out, 1, 0.2f), *x = random_floats(rows * in, 3, 2);
    float *y = random_floats(rows * stride, 4, 1), *want;
    float *before = random_floats(rows * stride, 4, 1);
    MatmulWeights weights = { in, out, w, NULL };
    want = multiply(way, &weights, rows, x);
    assert_int_equal(matmul_open(&cx, way, &weights, &m), OK);
    assert_int_equal(matmul_room_open(&cx, way, in, &room), OK);
    for (size_t i = 0; i < SHARES; i++)
        assert_true(matmul_run_share(m, room, &(MatmulJob){
            .rows = rows, .x = x, .y = y, .stride = stride, .share = i,
            .shares = SHARES }));
    for (size_t r = 0; r < rows; r++) {
        assert_memory_equal(y + r * stride, want + r * out, out * sizeof *y);
        assert_memory_equal(y + r * stride + out, before + r * stride + out,
                            APART * sizeof *y);
    }
    matmul_room_close(room);
    matmul_close(m);
    ctx_end(&cx);
    float *all[] = { w, x, y, want, before };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void shares_of_a_product_make_the_product(void **state)
{
    (void)state;
    static const size_t out[] = { 1, 31, 32, 33, 96, 300 };
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        expect_shares(MATMUL_PLAIN, 4, 65, out[i]);
        if (!matmul_can(MATMUL_INT8)) continue;
        expect_shares(MATMUL_INT8, 1, 128, out[i]);
        expect_shares(MATMUL_INT8, 7, 65, out[i]);
        expect_shares(MATMUL_INT8, 200, 65, out[i]);
    }
}

static void a_row_of_zeros_gives_the_bias(void **state)
{
    (void)state;
    float w[3 * 40], b[3] = { 1, -2, 3 }, x[40] = { 0 };
    for (int i = 0; i < 3 * 40; i++) w[i] = (float)i;
    MatmulWeights weights = { 40, 3, w, b };
    for (MatmulWay way = MATMUL_PLAIN; way <= MATMUL_INT8; way++) {
        if (!matmul_can(way)) continue;
        float *y = multiply(way, &weights, 1, x);
        assert_memory_equal(y, b, sizeof b);
        free(y);
    }
}

static void an_outlier_costs_only_its_block(void **state)
{
    (void)state;
    if (!matmul_can(MATMUL_INT8)) skip();
    enum { IN = 256 };
    float w[IN], x[IN];
    for (int i = 0; i < IN; i++) w[i] = i < IN / 2 ? 0 : 1, x[i] = 0.01f * (float)(i % 7);
    x[0] = 1000;    // its weight is 0
    MatmulWeights weights = { IN, 1, w, NULL };
    float *want = multiply(MATMUL_PLAIN, &weights, 1, x);
    float *got = multiply(MATMUL_INT8, &weights, 1, x);
    assert_float_equal(got[0], want[0], 0.02f * want[0]);
    free(want);
    free(got);
}

static void refuses_a_layer_without_sides(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Matmul *m = NULL;
    MatmulWeights none = { 0 }, vast = { .in = 1 << 20, .out = 1 };
    assert_int_equal(matmul_open(&cx, MATMUL_PLAIN, &none, &m), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(matmul_open(&cx, MATMUL_PLAIN, &vast, &m), E_ARG);
    assert_null(m);
    ctx_end(&cx);
}

/* ---- vectors ---------------------------------------------------------------------- */

static void norms_agree(void **state)
{
    (void)state;
    const Vec *best = vec_best(32), *plain = vec_plain();
    for (size_t n = 1; n < 200; n += 13) {
        float *a = random_floats(n, 1, 3), *b = random_floats(n, 1, 3);
        float *y = random_floats(n, 2, 3), *gain = random_floats(n, 3, 1);
        float *bias = random_floats(n, 4, 1);
        for (int with = 0; with < 2; with++) {
            best->add_norm(n, a, with ? y : NULL, gain, bias, 1e-6f);
            plain->add_norm(n, b, with ? y : NULL, gain, bias, 1e-6f);
            assert_true(distance(n, a, b) < 1e-3);
        }
        free(a);
        free(b);
        free(y);
        free(gain);
        free(bias);
    }
}

static void gelus_agree_from_far_left_to_far_right(void **state)
{
    (void)state;
    enum { N = 2001 };
    float a[N], b[N];
    for (int i = 0; i < N; i++) a[i] = b[i] = (float)(i - N / 2) / 50;    // -20 to 20
    vec_best(32)->gelu(N, a);
    vec_plain()->gelu(N, b);
    for (int i = 0; i < N; i++) assert_float_equal(a[i], b[i], 5e-4f);
}

static float *attend(const Vec *v, Heads h)
{
    size_t width = h.heads * h.dim;
    float *q = random_floats(h.queries * width, 5, 2);
    void *room = aligned_alloc(64, (v->attend_room(h.tokens, h.dim) + 64) / 64 * 64);
    assert_non_null(room);
    h.q = h.out = q;    // the result may replace the queries
    v->attend(&h, room);
    free(room);
    return q;
}

static void attentions_agree(void **state)
{
    (void)state;
    static const size_t tokens[] = { 1, 2, 5, 6, 7, 15, 16, 17, 31, 32, 33, 100, 512 };
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        for (size_t dim = 32; dim <= 96; dim += 32)
            for (int all = 0; all < 2; all++) {
                Heads h = { .heads = 3, .dim = dim, .tokens = tokens[i],
                            .queries = all ? tokens[i] : 1 };
                float *kv = random_floats(h.tokens * 2 * h.heads * dim, 6, 1);
                h.kv = kv;
                float *a = attend(vec_best(dim), h), *b = attend(vec_plain(), h);
                assert_true(distance(h.queries * h.heads * dim, a, b) < 2e-2);
                free(a);
                free(b);
                free(kv);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_a_real_layer_agree),
        cmocka_unit_test(products_of_odd_sides_agree),
        cmocka_unit_test(shares_of_a_product_make_the_product),
        cmocka_unit_test(a_row_of_zeros_gives_the_bias),
        cmocka_unit_test(an_outlier_costs_only_its_block),
        cmocka_unit_test(refuses_a_layer_without_sides),
        cmocka_unit_test(norms_agree),
        cmocka_unit_test(gelus_agree_from_far_left_to_far_right),
        cmocka_unit_test(attentions_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
