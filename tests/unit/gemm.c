/* gemm.c -- every way of gemm.h against portable C, in all layouts. */
#include "model/gemm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GUARD = 16 };

static float *random_floats(size_t n, uint32_t seed)
{
    float *p = malloc((n + 1) * sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        p[i] = (float)(seed >> 8) / 8388608.0f - 1;
    }
    return p;
}

static float *multiply(GemmWay way, GemmJob job)
{
    Ctx cx = CTX_INIT;
    GemmRoom *room = NULL;
    job.c_stride = job.n + GUARD;
    job.c = random_floats(job.m * job.c_stride, 9);
    float *before = random_floats(job.m * job.c_stride, 9);
    assert_int_equal(gemm_room_open(&cx, way, &room), OK);
    assert_true(gemm_run(room, &job));
    for (size_t i = 0; i < job.m; i++)
        assert_memory_equal(job.c + i * job.c_stride + job.n,
                            before + i * job.c_stride + job.n, GUARD * sizeof(float));
    gemm_room_close(room);
    free(before);
    return job.c;
}

/* What multiply gave: off by at most so much of its length. */
static void expect_near(size_t m, size_t n, const float *got, const float *want,
                        double most)
{
    double d = 0, s = 1e-30;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            size_t at = i * (n + GUARD) + j;
            d += pow((double)got[at] - want[at], 2);
            s += pow((double)want[at], 2);
        }
    if (!(sqrt(d / s) <= most))
        fail_msg("%zu x %zu: off by %g, at most %g", m, n, sqrt(d / s), most);
}

static void expect_same(const GemmJob *job)
{
    static const double most[GEMM_WAYS] = {
        [GEMM_WAY_F32] = 1e-5, [GEMM_WAY_BF16] = 8e-3, [GEMM_WAY_INT8] = 8e-3 };
    float *want = multiply(GEMM_WAY_PLAIN, *job);
    for (GemmWay way = GEMM_WAY_F32; way < GEMM_WAYS; way++) {
        if (!gemm_can(way)) continue;
        float *got = multiply(way, *job);
        expect_near(job->m, job->n, got, want, most[way]);
        free(got);
    }
    free(want);
}

static GemmPart part(size_t m, size_t n, size_t k, int layout, float **own)
{
    own[0] = random_floats(m * k, 1);
    own[1] = random_floats(k * n, 2);
    return (GemmPart){ .k = k,
        .a = { own[0], layout & 1 ? m : k, GEMM_F32, layout & 1 },
        .b = { own[1], layout & 2 ? k : n, GEMM_F32, layout & 2 } };
}

static void all_ways_agree_in_all_layouts(void **state)
{
    static const size_t side[][3] = {    // m, n, k
        { 1, 1, 1 }, { 8, 48, 32 }, { 3, 17, 5 }, { 24, 100, 33 }, { 65, 49, 127 },
        { 16, 8, 3100 }, { 7, 16, 64 }, { 9, 31, 2 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof side / sizeof *side; i++)
        for (int layout = 0; layout < 16; layout++) {
            size_t m = side[i][0], n = side[i][1];
            float *own[4];
            GemmJob job = { .m = m, .n = n, .n_parts = layout & 4 ? 2 : 1, .scale = 0.5f,
                            .add = layout & 8 };
            job.part[0] = part(m, n, side[i][2], layout & 3, own);
            job.part[1] = part(m, n, 5, layout & 3, own + 2);
            expect_same(&job);
            for (int k = 0; k < 4; k++) free(own[k]);
        }
}

static void reads_bf16_operands_as_their_rounded_values(void **state)
{
    enum { M = 10, N = 50, K = 66 };
    (void)state;
    if (!gemm_can(GEMM_WAY_BF16)) skip();
    float *own[2];
    static uint16_t a[M * K], b[K * N];
    for (int layout = 0; layout < 4; layout++) {
        GemmJob job = { .m = M, .n = N, .n_parts = 1, .scale = 1 };
        job.part[0] = part(M, N, K, layout, own);
        float *want = multiply(GEMM_WAY_BF16, job);
        gemm_to_bf16(M * K, own[0], a);
        gemm_to_bf16(K * N, own[1], b);
        job.part[0].a.p = a, job.part[0].a.type = GEMM_BF16;
        job.part[0].b.p = b, job.part[0].b.type = GEMM_BF16;
        float *got = multiply(GEMM_WAY_BF16, job);
        assert_memory_equal(got, want, M * (N + GUARD) * sizeof *got);
        free(got), free(want), free(own[0]), free(own[1]);
    }
}

/* Few rows: b is not packed then, and gives what it would have given. */
static void few_rows_of_a_b_in_bf16_are_those_of_many(void **state)
{
    enum { MOST = 25 };
    static const size_t side[][2] = { { 1, 1 }, { 33, 7 }, { 96, 64 }, { 17, 31 } };
    (void)state;
    if (!gemm_can(GEMM_WAY_BF16)) skip();
    for (size_t i = 0; i < sizeof side / sizeof *side; i++)
        for (size_t m = 1; m < MOST; m += 5) {
            size_t n = side[i][0], k = side[i][1];
            float *own[2];
            GemmJob job = { .m = MOST, .n = n, .n_parts = 1, .scale = 0.5f, .add = m & 1,
                            .part = { part(MOST, n, k, 0, own) } };
            uint16_t *half = calloc(k * n, sizeof *half);
            gemm_to_bf16(k * n, own[1], half);
            job.part[0].b = (GemmMatrix){ half, n, GEMM_BF16, false };
            float *want = multiply(GEMM_WAY_BF16, job);
            job.m = m;
            float *got = multiply(GEMM_WAY_BF16, job);
            expect_near(m, n, got, want, 1e-6);
            free(half), free(own[0]), free(own[1]), free(want), free(got);
        }
}

static void a_packed_operand_gives_the_same_bits(void **state)
{
    enum { M = 21, N = 70, K = 1601, FEWER_N = 50, FEWER_K = 1540 };
    (void)state;
    if (!gemm_can(GEMM_WAY_BF16)) skip();
    void *memory = aligned_alloc(64, gemm_packed_bytes(K, N));
    assert_non_null(memory);
    for (int layout = 0; layout < 4; layout++) {
        float *own[2], row[N];
        GemmJob job = { .m = M, .n = N, .n_parts = 1, .scale = 1 };
        job.part[0] = part(M, N, K, layout, own);
        GemmMatrix b = job.part[0].b, packed = gemm_pack(&b, K, N, memory);
        for (int fewer = 0; fewer < 2; fewer++) {
            if (fewer) job.n = FEWER_N, job.part[0].k = FEWER_K;
            job.part[0].b = b;
            float *want = multiply(GEMM_WAY_BF16, job);
            job.part[0].b = packed;
            float *got = multiply(GEMM_WAY_BF16, job);
            assert_memory_equal(got, want, M * (job.n + GUARD) * sizeof *got);
            free(got), free(want);
        }
        gemm_packed_row(&packed, 7, N, row);
        for (size_t j = 0; j < N; j++)
            assert_true(fabsf(row[j] - own[1][layout & 2 ? j * K + 7 : 7 * N + j])
                        < 4e-3f);
        free(own[0]), free(own[1]);
    }
    free(memory);
}

/* c = or += a b1 + a2 b2 with b1 in 8 bits: a in f32, and in bf16 with its rows apart. */
static void weights_in_8_bits_are_near_those_in_f32(void **state)
{
    static const size_t side[][3] = { { 1, 1, 1 }, { 13, 40, 70 }, { 300, 65, 200 } };
    enum { APART = 6, SHORT = 4 };
    (void)state;
    if (!gemm_can(GEMM_WAY_INT8)) skip();
    for (size_t i = 0; i < sizeof side / sizeof *side; i++)
        for (int layout = 0; layout < 16; layout++) {
            size_t m = side[i][0], n = side[i][1], k = side[i][2], stride = k;
            float *own[4];
            Ctx cx = CTX_INIT;
            GemmJob job = { .m = m, .n = n, .n_parts = 1, .scale = 1,
                            .part = { part(m, n, k, layout & 2, own),
                                      part(m, n, SHORT, 0, own + 2) } };
            if (layout & 1) job.n_parts = 2;
            job.add = layout & 4;
            float *want = multiply(GEMM_WAY_PLAIN, job);
            uint16_t *half = calloc(m * (k + APART), sizeof *half);
            if (layout & 8) {
                stride += APART;
                for (size_t r = 0; r < m; r++)
                    gemm_to_bf16(k, own[0] + r * k, half + r * stride);
                job.part[0].a = (GemmMatrix){ half, stride, GEMM_BF16, false };
            }
            GemmMatrix b = job.part[0].b;
            assert_int_equal(gemm_narrow(&cx, &b, k, n, &job.part[0].b), OK);
            float *got = multiply(GEMM_WAY_INT8, job);
            expect_near(m, n, got, want, 2e-2);
            gemm_narrow_free(&job.part[0].b);
            assert_null(job.part[0].b.p);
            for (int o = 0; o < 4; o++) free(own[o]);
            free(half);
            free(want);
            free(got);
        }
}

static void pairs_of_a_packed_operand_are_its_rows(void **state)
{
    enum { M = 5, N = 50, K = 20, SOME = 3 };
    static const uint32_t pair[SOME] = { 0, 4, 9 };
    static float few[M * 2 * SOME], rows[2 * SOME * N];
    float *own[2];
    (void)state;
    if (!gemm_can(GEMM_WAY_BF16)) skip();
    GemmPart whole = part(M, N, K, 0, own);
    for (size_t i = 0; i < 2 * SOME; i++) {
        size_t from = 2 * pair[i / 2] + i % 2;
        memcpy(rows + i * N, own[1] + from * N, N * sizeof *rows);
        for (size_t r = 0; r < M; r++) few[r * 2 * SOME + i] = own[0][r * K + from];
    }
    GemmJob job = { .m = M, .n = N, .n_parts = 1, .scale = 1,
                    .part = { { { few, 2 * SOME, GEMM_F32, false },
                                { rows, N, GEMM_F32, false }, 2 * SOME } } };
    float *want = multiply(GEMM_WAY_BF16, job);
    void *memory = aligned_alloc(64, gemm_packed_bytes(K, N));
    void *some = aligned_alloc(64, gemm_packed_bytes(2 * SOME, N));
    GemmMatrix packed = gemm_pack(&whole.b, K, N, memory);
    job.part[0].b = gemm_packed_pairs(&packed, N, pair, SOME, some);
    float *got = multiply(GEMM_WAY_BF16, job);
    expect_near(M, N, got, want, 0);
    free(memory), free(some), free(own[0]), free(own[1]), free(want), free(got);
}

static void rounds_to_bf16_and_back_to_nearest_even(void **state)
{
    static const float from[] = { 1, 1.00390625f, 1.01171875f, -0.0f, 3.0e38f, 65535 };
    static const float want[] = { 1, 1,           1.015625f,   -0.0f, 3.0040553e38f,
                                  65536 };
    uint16_t mid[6];
    float to[6];
    (void)state;
    gemm_to_bf16(6, from, mid);
    gemm_from_bf16(6, mid, to);
    for (int i = 0; i < 6; i++) assert_true(fabsf(to[i] - want[i]) <= fabsf(want[i])
        * 3e-3f);
    assert_true(to[1] == want[1] && to[2] == want[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ways_agree_in_all_layouts),
        cmocka_unit_test(reads_bf16_operands_as_their_rounded_values),
        cmocka_unit_test(few_rows_of_a_b_in_bf16_are_those_of_many),
        cmocka_unit_test(a_packed_operand_gives_the_same_bits),
        cmocka_unit_test(weights_in_8_bits_are_near_those_in_f32),
        cmocka_unit_test(pairs_of_a_packed_operand_are_its_rows),
        cmocka_unit_test(rounds_to_bf16_and_back_to_nearest_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
