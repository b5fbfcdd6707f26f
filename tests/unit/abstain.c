/* How sure pith is that what was found answers, and what lowers it. */
#include "ask/abstain.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the first four */
#include <cmocka.h>

static float confidence(float logit, size_t unknown)
{
    Passage p[2] = { { .rerank = logit, .vector = .7f }, { .rerank = NAN } };
    return abstain_confidence(&(Passages){ .at = p, .n = 2, .unknown = unknown });
}

static void nothing_found_is_no_confidence(void **state)
{
    (void)state;
    assert_true(abstain_confidence(&(Passages){ 0 }) == 0);
}

static void grows_with_the_best_logit(void **state)
{
    (void)state;
    for (float logit = -11; logit < 11; logit++)
        assert_true(confidence(logit, 0) < confidence(logit + 1, 0));
    assert_true(confidence(-8, 0) < ABSTAIN_THRESHOLD);
    assert_true(confidence(0, 0) > ABSTAIN_THRESHOLD);
}

static void a_word_that_the_store_lacks_speaks_against_an_answer(void **state)
{
    (void)state;
    assert_true(confidence(-1, 1) < ABSTAIN_THRESHOLD);
    assert_true(confidence(-1, 0) > ABSTAIN_THRESHOLD);
}

static void a_strong_passage_wins_over_a_misspelt_word(void **state)
{
    (void)state;
    assert_true(confidence(5, 1) > ABSTAIN_THRESHOLD);
}

static void goes_by_the_cosine_where_no_reranker_looked(void **state)
{
    Passage p = { .rerank = NAN, .vector = .8f };
    Passages ps = { .at = &p, .n = 1 };
    (void)state;
    float near = abstain_confidence(&ps);
    p.vector = .5f;
    assert_true(abstain_confidence(&ps) < near);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_found_is_no_confidence),
        cmocka_unit_test(grows_with_the_best_logit),
        cmocka_unit_test(a_word_that_the_store_lacks_speaks_against_an_answer),
        cmocka_unit_test(a_strong_passage_wins_over_a_misspelt_word),
        cmocka_unit_test(goes_by_the_cosine_where_no_reranker_looked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
