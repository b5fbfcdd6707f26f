/* A promise about errors, against samples of a world whose true risk is known. */
#include "eval/risk.h"
#include "eval/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka wants the first four */
#include <cmocka.h>

#define assert_near(got, wanted, by) assert_true(fabs((got) - (wanted)) <= (by))

/* ---- the distributions ------------------------------------------------------------- */

/* Values of scipy 1.17.1: special.betainc, stats.binom.cdf, stats.beta.ppf. */
static void agrees_with_scipy(void **state)
{
    (void)state;
    static const double beta[][4] = {
        { 1, 1, 0.3, 0.3 },
        { 0.5, 0.5, 0.1, 0.204832764699133 },
        { 2, 5, 0.2, 0.34464 },
        { 5, 2, 0.9, 0.885735 },
        { 30, 1, 0.9, 0.0423911582752162 },
        { 1, 30, 0.01, 0.26029962661172 },
        { 100, 120, 0.45, 0.447801230147707 },
        { 1000, 9000, 0.1, 0.503546220751864 },
        { 0.1, 20, 0.001, 0.707997008423416 },
        { 9999, 3, 0.9995, 0.124546746610708 },
    };
    static const double binomial[][4] = {
        { 0, 29, 0.1, 0.0471012869724624 },   { 3, 100, 0.1, 0.00783648712118442 },
        { 50, 1000, 0.06, 0.100567591711686 }, { 7, 8, 0.5, 0.99609375 },
        { 0, 1, 0.25, 0.75 },                 { 900, 5000, 0.2, 0.00018530547531237 },
    };
    static const double bound[][4] = {
        { 0, 29, 0.95, 0.0981446276772957 },   { 0, 44, 0.99, 0.0993719797887215 },
        { 1, 50, 0.95, 0.0913981307196974 },   { 12, 300, 0.9, 0.0586993656228345 },
        { 99, 100, 0.99, 0.999899501691758 },  { 40, 2000, 0.999, 0.0316426240435316 },
    };
    for (size_t i = 0; i < sizeof beta / sizeof *beta; i++)
        assert_near(stats_beta(beta[i][0], beta[i][1], beta[i][2]), beta[i][3], 1e-11);
    for (size_t i = 0; i < sizeof binomial / sizeof *binomial; i++)
        assert_near(stats_binomial((size_t)binomial[i][0], (size_t)binomial[i][1],
                                   binomial[i][2]), binomial[i][3], 1e-11);
    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++)
        assert_near(stats_upper_bound((size_t)bound[i][0], (size_t)bound[i][1],
                                      bound[i][2]), bound[i][3], 1e-9);
}

static void the_beta_function_is_symmetric_and_rises(void **state)
{
    (void)state;
    for (double a = .25; a < 3000; a *= 3)
        for (double b = .25; b < 3000; b *= 3) {
            double before = 0;
            for (int i = 0; i <= 40; i++) {
                double x = i / 40.0, y = stats_beta(a, b, x);
                assert_near(y + stats_beta(b, a, 1 - x), 1, 1e-11);
                assert_true(y >= before - 1e-11 && y <= 1 + 1e-11);
                before = y;
            }
        }
    assert_near(stats_beta(2, 3, NAN), 0, 0);
}

/* What the bound means: at an error rate of the bound, k errors or fewer have exactly
 * the chance that the confidence leaves. */
static void a_bound_leaves_exactly_the_chance_it_says(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 700; n = n * 3 + 1)
        for (size_t k = 0; k < n; k += n / 7 + 1) {
            double p = stats_upper_bound(k, n, .95);
            assert_near(stats_binomial(k, n, p), .05, 1e-9);
        }
}

/* ---- a world ----------------------------------------------------------------------- */

static double uniform(uint64_t *state)    // SplitMix64
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* Scores are uniform in [-4, 4], and wrong with chance 1 / (1 + exp(1 + score)). */
static double chance_of_wrong(double score)
{
    return 1 / (1 + exp(1 + score));
}

static void draw(Scored *s, size_t n, uint64_t *state)
{
    for (size_t i = 0; i < n; i++) {
        s[i].score = 8 * uniform(state) - 4;
        s[i].wrong = uniform(state) < chance_of_wrong(s[i].score);
    }
}

/* The risk of all questions above a threshold, by the integral. */
static double true_risk(double above)
{
    double sum = 0, low = above < -4 ? -4 : above;
    if (low >= 4) return 0;
    for (int i = 0; i < 4000; i++)
        sum += chance_of_wrong(low + (4 - low) * (i + .5) / 4000);
    return sum / 4000;
}

/* The threshold that looks good on the sample, with no bound. */
static double hopeful(const Scored *s, size_t n, double risk)   // s is sorted
{
    double above = 4;
    for (size_t i = 0, wrong = 0; i < n; i++) {
        wrong += s[i].wrong;
        if ((double)wrong <= risk * (double)(i + 1)) above = s[i].score;
    }
    return above;
}

static void keeps_its_promise_in_95_of_100_samples(void **state)
{
    (void)state;
    static Scored s[800];
    const Promise promise = { .1, .95 };
    uint64_t seed = 1934;
    int made = 0, broken = 0, hopes_broken = 0;
    double coverage = 0;
    for (int i = 0; i < 100; i++) {
        draw(s, 800, &seed);
        Chosen c = risk_choose(s, 800, &promise);
        made += c.held;
        broken += c.held && true_risk(c.above) > promise.risk;
        hopes_broken += true_risk(hopeful(s, 800, promise.risk)) > promise.risk;
        coverage += c.held ? (double)c.kept / 800 : 0;
    }
    assert_true(broken <= 5);
    assert_true(hopes_broken > 30);          // so the test can fail
    assert_true(made >= 95);
    assert_true(coverage / made > .4);       // .53 could pass if chances were known
}

static void keeps_it_where_scores_say_nothing(void **state)
{
    (void)state;
    static Scored s[300];
    uint64_t seed = 2021;
    int promised = 0;
    for (int i = 0; i < 200; i++) {      // true risk is .12 at every threshold
        for (int k = 0; k < 300; k++)
            s[k] = (Scored){ uniform(&seed), uniform(&seed) < .12 };
        promised += risk_choose(s, 300, &(Promise){ .1, .95 }).held;
    }
    assert_true(promised <= 10);
}

static void more_may_pass_where_more_risk_is_allowed(void **state)
{
    (void)state;
    static Scored s[1000];
    uint64_t seed = 7;
    draw(s, 1000, &seed);
    size_t before = 0;
    for (double risk = .05; risk < .6; risk += .05) {
        Chosen c = risk_choose(s, 1000, &(Promise){ risk, .95 });
        assert_true(c.kept >= before || !c.held);
        if (!c.held) continue;
        assert_true(c.upper <= risk);
        assert_true((double)c.wrong <= c.upper * (double)c.kept);
        before = c.kept;
    }
    assert_true(before > 900);
}

/* ---- borders ----------------------------------------------------------------------- */

static void says_how_many_questions_are_the_least(void **state)
{
    (void)state;
    Promise promise = { .1, .95 };
    Scored s[42];
    assert_int_equal(risk_least(&promise), 42);   // .9 ^ 42 < .05 / 4
    for (size_t i = 0; i < 42; i++) s[i] = (Scored){ (double)i, false };
    assert_true(risk_choose(s, 42, &promise).held);
    assert_true(risk_choose(s, 42, &promise).above == -INFINITY);
    assert_false(risk_choose(s, 41, &promise).held);
    assert_false(risk_choose(NULL, 0, &promise).held);
}

static void lets_no_tie_pass_in_part(void **state)
{
    (void)state;
    Scored s[200];
    for (size_t i = 0; i < 200; i++) s[i] = (Scored){ i < 120 ? 1 : 0, i >= 120 };
    Chosen c = risk_choose(s, 200, &(Promise){ .1, .95 });
    assert_true(c.held);
    assert_int_equal(c.kept, 120);
    assert_int_equal(c.wrong, 0);
    assert_true(c.above >= 0 && c.above < 1);
    for (size_t i = 0; i < 200; i++) s[i].score = 3;
    c = risk_choose(s, 200, &(Promise){ .1, .95 });
    assert_false(c.held);
}

static void finds_the_line_that_made_the_sample(void **state)
{
    (void)state;
    enum { N = 50000 };
    Scored *s = calloc(N, sizeof *s);
    uint64_t seed = 99;
    assert_non_null(s);
    draw(s, N, &seed);
    Platt l = risk_fit(s, N);     // 1 - chance_of_wrong: bias 1, slope 1
    assert_near(l.bias, 1, .05);
    assert_near(l.slope, 1, .05);
    free(s);
}

static void fits_a_finite_line_to_any_sample(void **state)
{
    (void)state;
    Scored s[60];
    for (size_t i = 0; i < 60; i++) s[i] = (Scored){ (double)i, i < 30 };
    Platt apart = risk_fit(s, 60);
    assert_true(isfinite(apart.slope) && apart.slope > 0);
    for (size_t i = 0; i < 60; i++) s[i].wrong = true;
    Platt all = risk_fit(s, 60);
    assert_true(isfinite(all.bias) && isfinite(all.slope));
    for (size_t i = 0; i < 60; i++) s[i] = (Scored){ 5, i % 2 };
    Platt same = risk_fit(s, 60);
    assert_near(1 / (1 + exp(-(same.bias + 5 * same.slope))), .5, 1e-3);
    Platt none = risk_fit(NULL, 0);
    assert_true(none.bias == 0 && none.slope == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_scipy),
        cmocka_unit_test(the_beta_function_is_symmetric_and_rises),
        cmocka_unit_test(a_bound_leaves_exactly_the_chance_it_says),
        cmocka_unit_test(keeps_its_promise_in_95_of_100_samples),
        cmocka_unit_test(keeps_it_where_scores_say_nothing),
        cmocka_unit_test(more_may_pass_where_more_risk_is_allowed),
        cmocka_unit_test(says_how_many_questions_are_the_least),
        cmocka_unit_test(lets_no_tie_pass_in_part),
        cmocka_unit_test(finds_the_line_that_made_the_sample),
        cmocka_unit_test(fits_a_finite_line_to_any_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
