/* The arithmetic of routing: curves, their areas, and the regression behind a score. */
#include "eval/curve.h"
#include "eval/logistic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants four of the above. */
#include <cmocka.h>

static Ctx cx = CTX_INIT;

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) < 1e-9)) fail_msg("%.12g is not %.12g", a, b);
}

static const double small[] = { 1, 0, 1, 0 }, large[] = { 1, 1, 0, 1 };
static const Outcomes four = { 4, small, large };

static Curve curve(const Outcomes *of, const double *score)
{
    Curve c;
    assert_int_equal(curve_make(&cx, of, score, &c), OK);
    return c;
}

static void runs_from_the_small_model_to_the_large_one(void **state)
{
    (void)state;
    Curve c = curve(&four, (const double[]){ .2, .9, .1, .8 });
    assert_near(curve_quality(&c, 0), .5);
    assert_near(curve_quality(&c, .25), .75);
    assert_near(curve_quality(&c, .5), 1);
    assert_near(curve_quality(&c, 1), .75);
    assert_near(curve_quality(&c, .125), .625);
    assert_near(curve_auc(&c), (.625 + .875 + 1 + .875) / 4);
    assert_near(curve_share(&c, .95), .5);
    assert_near(curve_share(&c, 1.1), 1);
}

static void equal_scores_make_a_straight_line(void **state)
{
    (void)state;
    Curve none = curve(&four, NULL);
    Curve pair = curve(&four, (const double[]){ 0, 1, 0, 1 });
    assert_near(curve_auc(&none), (.5 + .75) / 2);
    assert_near(curve_quality(&none, .5), .625);
    assert_near(curve_quality(&pair, .25), .75);
}

static void order_within_a_tie_does_not_matter(void **state)
{
    (void)state;
    const double swapped_small[] = { 0, 1, 1, 0 }, swapped_large[] = { 1, 1, 0, 1 };
    const Outcomes swapped = { 4, swapped_small, swapped_large };
    const double score[] = { .5, .5, .1, .8 };
    Curve a = curve(&four, score), b = curve(&swapped, score);
    assert_near(curve_auc(&a), curve_auc(&b));
}

static void a_comparison_knows_better_from_the_same(void **state)
{
    (void)state;
    enum { N = 60 };
    double s[N], l[N], good[N], noise[N];
    Paired p;
    for (int i = 0; i < N; i++) {
        s[i] = i % 3 > 0;
        l[i] = i % 2;
        good[i] = l[i] - s[i];
        noise[i] = (i * 37) % 61;
    }
    const Outcomes of = { N, s, l };
    Curve a = curve(&of, noise), b = curve(&of, good);
    assert_int_equal(curve_compare(&cx, &a, &b, STATS_SEED, &p), OK);
    assert_true(p.p < .001 && p.low > 0);
    assert_near(p.difference, curve_auc(&b) - curve_auc(&a));
    assert_int_equal(curve_compare(&cx, &a, &a, STATS_SEED, &p), OK);
    assert_true(p.difference == 0 && p.p == 1);
}

static void nothing_has_no_area(void **state)
{
    (void)state;
    const Outcomes none = { 0 };
    Curve c = curve(&none, NULL);
    Paired p;
    assert_near(curve_auc(&c), 0);
    assert_near(curve_quality(&c, .5), 0);
    assert_int_equal(curve_compare(&cx, &c, &c, STATS_SEED, &p), OK);
    assert_true(p.p == 1);
}

/* Without a penalty to speak of, a feature of two values meets both shares exactly. */
static void finds_the_shares_of_a_feature_of_two_values(void **state)
{
    (void)state;
    const double x[] = { 0, 0, 0, 0, 1, 1, 1, 1 }, y[] = { 0, 0, 0, 1, 1, 1, 1, 0 };
    const Samples s = { 8, 1, x, y, NULL };
    Logistic m;
    assert_int_equal(logistic_fit(&cx, &s, 1e-9, &m), OK);
    if (fabs(logistic_predict(&m, &(double){ 0 }) - .25) > 1e-5) fail();
    if (fabs(logistic_predict(&m, &(double){ 1 }) - .75) > 1e-5) fail();
    assert_near(m.mean[0], .5);
    assert_near(m.scale[0], .5);
}

static void a_penalty_holds_weights_small_even_where_classes_part(void **state)
{
    (void)state;
    const double x[] = { 0, 7, 1, 7, 2, 7, 3, 7 }, y[] = { 0, 0, 1, 1 };
    const Samples s = { 4, 2, x, y, NULL };
    Logistic loose, tight;
    assert_int_equal(logistic_fit(&cx, &s, .01, &loose), OK);
    assert_int_equal(logistic_fit(&cx, &s, 1, &tight), OK);
    assert_true(loose.weight[0] > tight.weight[0] && tight.weight[0] > 0);
    assert_near(tight.weight[1], 0);    // it never varies
    assert_near(tight.scale[1], 1);
}

static void samples_count_as_often_as_they_say(void **state)
{
    (void)state;
    const double x[] = { 0, 1, 1 }, y[] = { .5, 0, 1 }, times[] = { 1, 1, 3 };
    const double x2[] = { 0, 1, 1, 1, 1 }, y2[] = { .5, 0, 1, 1, 1 };
    Logistic a, b;
    assert_int_equal(logistic_fit(&cx, &(Samples){ 3, 1, x, y, times }, .1, &a), OK);
    assert_int_equal(logistic_fit(&cx, &(Samples){ 5, 1, x2, y2, NULL }, .1, &b), OK);
    assert_near(a.weight[0], b.weight[0]);
    assert_near(a.bias, b.bias);
}

static void refuses_samples_that_are_none(void **state)
{
    (void)state;
    const double x[] = { 0, NAN }, y[] = { 0, 1 }, out[] = { 0, 2 }, good[] = { 0, 1 };
    Logistic m;
    assert_int_equal(logistic_fit(&cx, &(Samples){ 0, 1, x, y, NULL }, 1, &m), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(logistic_fit(&cx, &(Samples){ 2, 1, x, y, NULL }, 1, &m), E_FORMAT);
    ctx_forgive(&cx);
    assert_int_equal(logistic_fit(&cx, &(Samples){ 2, 1, good, out, NULL }, 1, &m),
                     E_FORMAT);
    ctx_forgive(&cx);
}

static int tear_down(void **state)
{
    (void)state;
    ctx_end(&cx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_from_the_small_model_to_the_large_one),
        cmocka_unit_test(equal_scores_make_a_straight_line),
        cmocka_unit_test(order_within_a_tie_does_not_matter),
        cmocka_unit_test(a_comparison_knows_better_from_the_same),
        cmocka_unit_test(nothing_has_no_area),
        cmocka_unit_test(finds_the_shares_of_a_feature_of_two_values),
        cmocka_unit_test(a_penalty_holds_weights_small_even_where_classes_part),
        cmocka_unit_test(samples_count_as_often_as_they_say),
        cmocka_unit_test(refuses_samples_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
