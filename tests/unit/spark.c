/* spark.c -- a curve in one line: it grows to its width and never beyond, and a bar is
 * the mean of what it stands for. */
#include "base/spark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void draws_the_lowest_and_the_highest(void **state)
{
    static const double value[] = { 8, 4, 1, 8 };
    char out[SPARK_BYTES];
    Spark s = { 0 };
    (void)state;
    assert_string_equal(spark_draw(&s, true, out), "");
    for (size_t i = 0; i < 4; i++) spark_add(&s, value[i]);
    assert_string_equal(spark_draw(&s, true, out), "\u2588\u2584\u2581\u2588");
    assert_string_equal(spark_draw(&s, false, out), "#-_#");
}

static void keeps_its_width_and_its_means_however_many_come(void **state)
{
    char out[SPARK_BYTES];
    Spark s = { 0 };
    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        spark_add(&s, (double)i);
        assert_in_range(strlen(spark_draw(&s, false, out)), 1, SPARK_BARS);
    }
    double all = 0;
    for (size_t i = 0; i < s.bars; i++) all += s.sum[i];
    assert_true(all == 9999.0 * 10000 / 2);
    assert_int_equal((s.bars - 1) * s.each + s.last, 10000);
    assert_int_equal(out[0], '_');
    assert_int_equal(out[s.bars - 1], '#');
}

static void a_value_that_is_no_number_is_drawn_low(void **state)
{
    char out[SPARK_BYTES];
    Spark s = { 0 };
    (void)state;
    spark_add(&s, 1), spark_add(&s, __builtin_nan("")), spark_add(&s, 2);
    assert_string_equal(spark_draw(&s, false, out), "__#");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_the_lowest_and_the_highest),
        cmocka_unit_test(keeps_its_width_and_its_means_however_many_come),
        cmocka_unit_test(a_value_that_is_no_number_is_drawn_low),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
