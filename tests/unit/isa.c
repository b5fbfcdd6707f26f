/* Dispatch: what the environment holds back is not used, whatever the CPU has. */
#include "base/isa.h"
#include "model/matmul.h"
#include "model/vec.h"
#include "store/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the first four */
#include <cmocka.h>

static int without(void **state)
{
    (void)state;
    return unsetenv("PITH_ISA");
}

static void all_is_allowed_where_nothing_is_said(void **state)
{
    (void)state;
    assert_null(isa_limit());
    assert_true(isa_allows(ISA_AMX));
    setenv("PITH_ISA", "sse9", 1);
    assert_null(isa_limit());
    assert_true(isa_allows(ISA_AMX));
}

static void a_level_allows_those_below_it(void **state)
{
    (void)state;
    setenv("PITH_ISA", "avx512", 1);
    assert_true(isa_allows(ISA_PLAIN));
    assert_true(isa_allows(ISA_AVX2));
    assert_true(isa_allows(ISA_AVX512));
    assert_false(isa_allows(ISA_BF16));
    assert_false(isa_allows(ISA_AMX));
}

static void plain_leaves_c_alone(void **state)
{
    (void)state;
    setenv("PITH_ISA", "plain", 1);
    assert_string_equal(vec_best(64)->name, vec_plain()->name);
    assert_false(matmul_can(MATMUL_INT8));
    assert_false(matmul_can(MATMUL_BF16));
#if defined __x86_64__
    assert_string_equal(scan_best()->name, "portable");
#endif
}

static void avx2_scans_with_it_and_multiplies_no_integers(void **state)
{
    (void)state;
    setenv("PITH_ISA", "avx2", 1);
    assert_string_not_equal(scan_best()->name, "avx512-vnni");
    assert_false(matmul_can(MATMUL_INT8));
#if defined __x86_64__
    if (__builtin_cpu_supports("avx2")) assert_string_equal(scan_best()->name, "avx2");
#endif
}

static void avx512_multiplies_integers_where_the_cpu_can(void **state)
{
    (void)state;
    bool can = matmul_can(MATMUL_INT8);
    setenv("PITH_ISA", "avx512", 1);
    assert_int_equal(matmul_can(MATMUL_INT8), can);
    assert_false(matmul_can(MATMUL_BF16));
    assert_string_equal(vec_best(64)->name, vec_plain()->name);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, without, without)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_is_allowed_where_nothing_is_said),
        TEST(a_level_allows_those_below_it),
        TEST(plain_leaves_c_alone),
        TEST(avx2_scans_with_it_and_multiplies_no_integers),
        TEST(avx512_multiplies_integers_where_the_cpu_can),
    };
    return cmocka_run_group_tests_name("isa", tests, NULL, NULL);
}
