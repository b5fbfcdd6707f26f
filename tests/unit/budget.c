/* Budgets: the best plan that fits, doubt where times vary, a stop behind sentences. */
#include "ask/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
/* cmocka wants the first four */
#include <cmocka.h>

static const BudgetPlan most = { 20, 1200, 256, 0, false };

/* 10 ms a passage, 1 a token read, 20 a token written, 50 beside; all without doubt. */
static Rates steady(void)
{
    static const double ms[RATES] = { 10, 1, 20, 50, 500 };
    Rates r = { 0 };
    for (int k = 0; k < RATES; k++) r.at[k] = (Rate){ ms[k], 0, 100 };
    return r;
}

static void leaves_nothing_out_where_there_is_time(void **state)
{
    Rates r = steady();
    BudgetPlan p = budget_plan(&r, 60000, false, &most);
    (void)state;
    assert_true(p.fits);
    assert_int_equal(p.rerank, 20);
    assert_int_equal(p.context_tokens, 1200);
    assert_int_equal(p.max_tokens, 256);
}

static void a_plan_that_fits_takes_no_longer_than_there_is(void **state)
{
    Rates r = steady();
    int last = 0;
    (void)state;
    for (double ms = 800; ms < 4000; ms += 50) {
        BudgetPlan p = budget_plan(&r, ms, false, &most);
        assert_true(p.fits);
        assert_true(p.expected_ms <= ms);
        assert_true(p.context_tokens >= last);      // more time, never less is read
        last = p.context_tokens;
    }
    assert_int_equal(last, 1200);
}

static void says_where_even_the_least_takes_too_long(void **state)
{
    Rates r = steady();
    BudgetPlan p = budget_plan(&r, 100, false, &most);
    (void)state;
    assert_false(p.fits);
    assert_int_equal(p.rerank, 0);
    assert_true(p.context_tokens > 0 && p.max_tokens > 0);
}

static void never_goes_beyond_what_was_asked_for(void **state)
{
    const BudgetPlan little = { .rerank = 3, .context_tokens = 200, .max_tokens = 20 };
    Rates r = steady();
    BudgetPlan p = budget_plan(&r, 60000, false, &little);
    (void)state;
    assert_int_equal(p.rerank, 3);
    assert_int_equal(p.context_tokens, 200);
    assert_int_equal(p.max_tokens, 20);
}

static void a_generator_used_first_is_reckoned_with(void **state)
{
    Rates r = steady();
    (void)state;
    double cold = budget_plan(&r, 60000, true, &most).expected_ms;
    double warm = budget_plan(&r, 60000, false, &most).expected_ms;
    assert_true(fabs(cold - warm - 500) < 1e-6);
}

static void times_that_vary_are_trusted_less(void **state)
{
    Rates calm = { 0 }, wild = { 0 };
    (void)state;
    for (int i = 0; i < 100; i++) {
        rate_learn(&calm, RATE_READ, 2);
        rate_learn(&wild, RATE_READ, i % 2 ? 1 : 3);
    }
    assert_true(fabs(rate_ms(&calm, RATE_READ) - 2) < 0.1);
    assert_true(rate_ms(&wild, RATE_READ) > 3);
}

static void a_machine_that_slows_down_is_noticed(void **state)
{
    Rates r = steady();
    (void)state;
    for (int i = 0; i < 20; i++) rate_learn(&r, RATE_WRITE, 60);
    assert_true(r.at[RATE_WRITE].mean > 50);
}

static void what_is_no_time_is_not_learned(void **state)
{
    Rates r = { 0 };
    double guess = rate_ms(&r, RATE_PAIR);
    (void)state;
    rate_learn(&r, RATE_PAIR, NAN);
    rate_learn(&r, RATE_PAIR, INFINITY);
    rate_learn(&r, RATE_PAIR, -1);
    assert_int_equal(r.at[RATE_PAIR].n, 0);
    assert_true(guess > 0 && rate_ms(&r, RATE_PAIR) == guess);
}

static void reads_what_the_rest_of_the_time_allows(void **state)
{
    Deadline far = { now_ms() + 1e7, 1, 20, 0 }, over = { now_ms() - 10, 1, 20, 0 };
    Deadline some = { now_ms() + 1e6, 1000, 20, 0 }, cold = some;
    (void)state;
    cold.cold_ms = 2e5;
    assert_int_equal(budget_context(&far, 1200), 1200);
    assert_in_range(budget_context(&over, 1200), 1, 200);
    assert_in_range(budget_context(&over, 50), 50, 50);
    int warm = budget_context(&some, 1200);
    assert_in_range(warm, 800, 1000);
    assert_in_range(warm - budget_context(&cold, 1200), 199, 201);
}

static void stops_behind_a_sentence_and_at_the_end_anywhere(void **state)
{
    Deadline near = { now_ms() + 1e6, 1, 1e5, 0 }, over = { now_ms() + 1e6, 1, 1e6, 0 };
    Deadline far = { now_ms() + 1e9, 1, 1e5, 0 };
    (void)state;
    assert_true(budget_over(&near, STR("It is so. ")));
    assert_true(budget_over(&near, STR("\"It is so.\"")));
    assert_false(budget_over(&near, STR("It is so. And")));
    assert_false(budget_over(&far, STR("It is so.")));
    assert_true(budget_over(&over, STR("It is")));
}

static void the_reranker_leaves_time_for_the_least(void **state)
{
    Deadline far = { now_ms() + 1e7, 1, 20, 0 }, over = { now_ms() - 10, 1, 20, 0 };
    (void)state;
    assert_true(budget_rerank_ms(&far) > 9.9e6);
    assert_true(budget_rerank_ms(&far) < 1e7 - 16 * 20 - 128);
    assert_true(budget_rerank_ms(&over) > 0 && budget_rerank_ms(&over) <= 1);
}

static bool yes(void *arg)
{
    return *(bool *)arg;
}

static void what_is_computed_at_the_deadline_is_broken_off(void **state)
{
    Ctx cx = CTX_INIT;
    DeadlineWatch w;
    Deadline over = { now_ms() - 10, 1, 20, 0 }, far = { now_ms() + 1e7, 1, 20, 0 };
    (void)state;
    watch_begin(&cx, &far, &w);
    assert_int_equal(ctx_check(&cx), OK);
    assert_int_equal(watch_end(&cx, &w, OK), OK);
    watch_begin(&cx, &over, &w);
    assert_int_equal(ctx_check(&cx), E_CANCELLED);
    assert_int_equal(watch_end(&cx, &w, E_CANCELLED), OK);
    assert_true(w.over && cx.status == OK && !cx.cancelled);
}

static void the_owner_who_stops_is_obeyed_beside_a_deadline(void **state)
{
    bool stop = true;
    Ctx cx = { .cancelled = yes, .cancel_arg = &stop };
    DeadlineWatch w;
    Deadline over = { now_ms() - 10, 1, 20, 0 }, far = { now_ms() + 1e7, 1, 20, 0 };
    (void)state;
    watch_begin(&cx, &far, &w);
    assert_int_equal(ctx_check(&cx), E_CANCELLED);
    assert_int_equal(watch_end(&cx, &w, E_CANCELLED), E_CANCELLED);
    ctx_forgive(&cx);
    stop = false;
    watch_begin(&cx, &over, &w);
    assert_int_equal(ctx_check(&cx), E_CANCELLED);
    stop = true;        // at the same moment
    assert_int_equal(watch_end(&cx, &w, E_CANCELLED), E_CANCELLED);
    assert_true(cx.cancelled == yes);
}

static void without_a_deadline_nothing_is_broken_off(void **state)
{
    Ctx cx = CTX_INIT;
    DeadlineWatch w;
    Deadline none = { 0 };
    (void)state;
    watch_begin(&cx, &none, &w);
    assert_null(cx.cancelled);
    assert_int_equal(watch_end(&cx, &w, E_CANCELLED), E_CANCELLED);
    assert_false(w.over);
}

/* 64 tokens are read between two looks at the clock. */
static void the_stop_comes_earlier_while_the_prompt_is_read(void **state)
{
    Ctx cx = CTX_INIT;
    DeadlineWatch w;
    Deadline near = { now_ms() + 1e6, 1e6, 1, 0 };
    (void)state;
    watch_begin(&cx, &near, &w);
    w.written = true;
    assert_int_equal(ctx_check(&cx), OK);
    w.written = false;
    assert_int_equal(ctx_check(&cx), E_CANCELLED);
    assert_int_equal(watch_end(&cx, &w, E_CANCELLED), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_nothing_out_where_there_is_time),
        cmocka_unit_test(a_plan_that_fits_takes_no_longer_than_there_is),
        cmocka_unit_test(says_where_even_the_least_takes_too_long),
        cmocka_unit_test(never_goes_beyond_what_was_asked_for),
        cmocka_unit_test(a_generator_used_first_is_reckoned_with),
        cmocka_unit_test(times_that_vary_are_trusted_less),
        cmocka_unit_test(a_machine_that_slows_down_is_noticed),
        cmocka_unit_test(what_is_no_time_is_not_learned),
        cmocka_unit_test(reads_what_the_rest_of_the_time_allows),
        cmocka_unit_test(stops_behind_a_sentence_and_at_the_end_anywhere),
        cmocka_unit_test(the_reranker_leaves_time_for_the_least),
        cmocka_unit_test(what_is_computed_at_the_deadline_is_broken_off),
        cmocka_unit_test(the_owner_who_stops_is_obeyed_beside_a_deadline),
        cmocka_unit_test(without_a_deadline_nothing_is_broken_off),
        cmocka_unit_test(the_stop_comes_earlier_while_the_prompt_is_read),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
