/* The measures equal trec_eval's, SQuAD's and SciPy's to the last digits that count. */
#include "eval/lines.h"
#include "eval/measures.h"
#include "eval/squad.h"
#include "eval/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants four of the above. */
#include <cmocka.h>

#define GOLDEN TESTS_DIR "/golden/eval/"

static void assert_near(double got, double wanted, double within)
{
    if (!(fabs(got - wanted) <= within)) print_error("%.17g is not %.17g\n", got, wanted);
    assert_true(fabs(got - wanted) <= within);
}

/* Splits a line at its tabs and undoes \t and \n, in the arena. */
static int cells(Ctx *cx, Str line, Str *out, int max)
{
    int n = 0;
    for (size_t i = 0, begun = 0; i <= line.n && n < max; i++) {
        if (i < line.n && line.p[i] != '\t') continue;
        char *p = ctx_alloc(cx, i - begun + 1, 1);
        size_t k = 0;
        for (size_t c = begun; c < i; c++) {
            bool escape = line.p[c] == '\\' && c + 1 < i;
            p[k++] = !escape ? line.p[c] : line.p[++c] == 't' ? '\t' : '\n';
        }
        out[n++] = (Str){ p, k };
        begun = i + 1;
    }
    return n;
}

/* ---- rankings ---------------------------------------------------------------------- */

static void measures_every_query_as_trec_eval_does(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Qrels qrels;
    Run run;
    Str text, line, cell[N_MEASURES + 1];
    size_t compared = 0;
    assert_int_equal(qrels_read(&cx, GOLDEN "random.qrels", &qrels), OK);
    assert_int_equal(run_read(&cx, GOLDEN "random.run", &run), OK);
    assert_int_equal(lines_read(&cx, GOLDEN "random.expected", &text), OK);
    while (lines_next(&text, &line)) {
        assert_int_equal(cells(&cx, line, cell, N_MEASURES + 1), N_MEASURES + 1);
        Question q = { .id = cell[0] };
        Questions one = { &q, 1 };
        Table t;
        if (measure_run(&cx, &one, &qrels, &run, &t) != OK) {   // no relevant document
            for (int m = 1; m <= N_MEASURES; m++) assert_near(atof(cell[m].p), 0, 0);
            ctx_forgive(&cx);
            continue;
        }
        for (int m = 0; m < N_MEASURES; m++)
            assert_near(t.at[m], atof(cell[m + 1].p), 1e-12);
        compared++;
    }
    assert_in_range(compared, 40, 60);
    ctx_end(&cx);
}

static void counts_a_query_that_the_run_lacks_as_zero(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Qrels qrels;
    Run run;
    Table t;
    Question q[3] = { { .id = STR("1") }, { .id = STR("2") }, { .id = STR("3") } };
    Questions qs = { q, 3 };
    Str judged = STR("1 0 a 1\n2 0 b 1\n3 0 c 0\n");
    assert_int_equal(qrels_parse(&cx, "q", judged, &qrels), OK);
    assert_int_equal(run_parse(&cx, "r", STR("1\ta\t0.5\n3\tc\t0.5\n"), &run), OK);
    assert_int_equal(measure_run(&cx, &qs, &qrels, &run, &t), OK);
    assert_int_equal(t.n, 2);   // 3 has nothing relevant
    assert_near(table_mean(&t, NDCG10), .5, 0);
    ctx_end(&cx);
}

/* ---- texts ------------------------------------------------------------------------- */

static void scores_texts_as_squad_does(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Str text, line, cell[5];
    size_t n = 0;
    assert_int_equal(lines_read(&cx, GOLDEN "squad.tsv", &text), OK);
    for (; lines_next(&text, &line); n++) {
        Answered got;
        assert_int_equal(cells(&cx, line, cell, 5), 5);
        Str normal = squad_normal(&cx, cell[0]);
        assert_non_null(normal.p);
        if (!str_eq(normal, cell[2]))
            print_error("line %zu: '%.*s'\n", n + 1, (int)normal.n, normal.p);
        assert_true(str_eq(normal, cell[2]));
        assert_int_equal(squad_score(&cx, cell[0], &cell[1], 1, &got), OK);
        assert_near(got.em, atof(cell[3].p), 0);
        assert_near(got.f1, atof(cell[4].p), 1e-12);
    }
    assert_in_range(n, 30, 100);
    ctx_end(&cx);
}

static void takes_the_best_of_several_answers(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Answered got;
    Str answers[] = { STR("Rome"), STR("the city of Paris"), STR("Paris") };
    assert_int_equal(squad_score(&cx, STR("It is Paris."), answers, 3, &got), OK);
    assert_near(got.em, 0, 0);
    assert_near(got.f1, .5, 1e-12);
    assert_near(got.contains, 1, 0);
    assert_int_equal(squad_score(&cx, STR("It is Paris."), answers, 0, &got), OK);
    assert_near(got.f1 + got.contains, 0, 0);
    ctx_end(&cx);
}

static void finds_whole_words_only(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Answered got;
    Str three = STR("3"), two = STR("New York"), none = STR("the");
    assert_int_equal(squad_score(&cx, STR("13 or 33"), &three, 1, &got), OK);
    assert_near(got.contains, 0, 0);
    assert_int_equal(squad_score(&cx, STR("13 or 3!"), &three, 1, &got), OK);
    assert_near(got.contains, 1, 0);
    assert_int_equal(squad_score(&cx, STR("New Yorkshire, New York"), &two, 1, &got), OK);
    assert_near(got.contains, 1, 0);
    assert_int_equal(squad_score(&cx, STR("anything"), &none, 1, &got), OK);
    assert_near(got.contains, 0, 0);
    ctx_end(&cx);
}

static void takes_citation_marks_out_and_nothing_else(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const struct { Str in, out; } t[] = {
        { STR("In 1871 [1]. By her [2][3]."), STR("In 1871. By her.") },
        { STR("Both [1, 2] agree"), STR("Both agree") },
        { STR("a[0] [x] [] [1"), STR("a [x] [] [1") },
        { STR("[1]"), STR("") },
        { STR(""), STR("") },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        Str got = squad_without_marks(&cx, t[i].in);
        assert_true(str_eq(got, t[i].out));
    }
    ctx_end(&cx);
}

static void survives_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Answered got;
    Str bad = STR("\xff\xc3 the \x80\xe2\x82 x"), answer = STR("x");
    assert_int_equal(squad_score(&cx, bad, &answer, 1, &got), OK);
    assert_near(got.contains, 1, 0);
    ctx_end(&cx);
}

/* ---- statistics -------------------------------------------------------------------- */

static void bounds_errors_as_scipy_does(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Str text, line, cell[4];
    assert_int_equal(lines_read(&cx, GOLDEN "bounds.tsv", &text), OK);
    while (lines_next(&text, &line)) {
        assert_int_equal(cells(&cx, line, cell, 4), 4);
        double got = stats_upper_bound((size_t)atol(cell[0].p), (size_t)atol(cell[1].p),
                                       atof(cell[2].p));
        assert_near(got, atof(cell[3].p), 1e-9);
    }
    assert_near(stats_upper_bound(0, 0, .95), 1, 0);
    assert_near(stats_upper_bound(7, 7, .95), 1, 0);
    ctx_end(&cx);
}

static void finds_percentiles_by_the_nearest_rank(void **state)
{
    (void)state;
    double x[] = { 5, 1, 4, 2, 3 }, one[] = { 7 };
    assert_near(stats_percentile(x, 5, .5), 3, 0);
    assert_near(stats_percentile(x, 5, .99), 5, 0);
    assert_near(stats_percentile(x, 5, 0), 1, 0);
    assert_near(stats_percentile(one, 1, .5), 7, 0);
    assert_near(stats_percentile(NULL, 0, .5), 0, 0);
}

static void tells_a_difference_from_chance(void **state)
{
    (void)state;
    double a[200], b[200], c[200];
    for (int i = 0; i < 200; i++) {
        a[i] = (i * 37 % 100) / 100.0;
        b[i] = a[i] + .1 + (i % 5 - 2) * .01;   // better by .1, with some noise
        c[i] = a[i] + (i % 2 ? .1 : -.1);       // no better
    }
    Paired better = stats_paired(a, b, 200, STATS_SEED);
    assert_near(better.difference, .1, 1e-9);
    assert_true(better.low > .09 && better.low < .1);
    assert_true(better.high > .1 && better.high < .11);
    assert_near(better.p, 0, 0);
    Paired same = stats_paired(a, c, 200, STATS_SEED);
    assert_true(same.low < 0 && same.high > 0 && same.p > .5);
}

static void sees_no_difference_between_equals(void **state)
{
    (void)state;
    double a[3] = { .1, .2, .3 };
    Paired p = stats_paired(a, a, 3, STATS_SEED);
    assert_near(p.p, 1, 0);
    assert_near(p.low, 0, 0);
    assert_near(p.high, 0, 0);
    p = stats_paired(a, a, 0, STATS_SEED);
    assert_near(p.p, 1, 0);
}

static void draws_the_same_samples_every_time(void **state)
{
    (void)state;
    double a[50], b[50];
    for (int i = 0; i < 50; i++) a[i] = i % 7, b[i] = i % 5;
    Paired x = stats_paired(a, b, 50, 1), y = stats_paired(a, b, 50, 1);
    assert_memory_equal(&x, &y, sizeof x);
    assert_true(stats_paired(a, b, 50, 2).low != x.low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_every_query_as_trec_eval_does),
        cmocka_unit_test(counts_a_query_that_the_run_lacks_as_zero),
        cmocka_unit_test(scores_texts_as_squad_does),
        cmocka_unit_test(takes_the_best_of_several_answers),
        cmocka_unit_test(finds_whole_words_only),
        cmocka_unit_test(takes_citation_marks_out_and_nothing_else),
        cmocka_unit_test(survives_bytes_that_are_no_utf8),
        cmocka_unit_test(bounds_errors_as_scipy_does),
        cmocka_unit_test(finds_percentiles_by_the_nearest_rank),
        cmocka_unit_test(tells_a_difference_from_chance),
        cmocka_unit_test(sees_no_difference_between_equals),
        cmocka_unit_test(draws_the_same_samples_every_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
