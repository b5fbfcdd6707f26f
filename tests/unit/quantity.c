/* Numbers and what they count: when does a text say what another one says? */
#include "ask/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>

typedef struct Pair {
    const char *claim, *source;
} Pair;

/* Whether all numbers of the claim are said by the source. */
static bool said(Pair p)
{
    Ctx cx = CTX_INIT;
    Words *w;
    Quantities claim, source;
    bool all = true;
    assert_int_equal(words_open(&cx, &w), OK);
    assert_int_equal(quantities_read(&cx, w, str_z(p.claim), &claim), OK);
    assert_int_equal(quantities_read(&cx, w, str_z(p.source), &source), OK);
    assert_true(claim.n > 0);
    for (size_t i = 0; i < claim.n; i++) all &= quantities_say(&source, &claim.at[i]);
    words_close(w);
    ctx_end(&cx);
    return all;
}

static void expect(const Pair *p, size_t n, bool wanted)
{
    for (size_t i = 0; i < n; i++)
        if (said(p[i]) != wanted)
            fail_msg("\"%s\" from \"%s\": %s was wanted", p[i].claim, p[i].source,
                     wanted ? "said" : "not said");
}
#define EXPECT(pairs, wanted) expect(pairs, sizeof(pairs) / sizeof *(pairs), wanted)

static void a_number_of_something_else_is_not_said(void **state)
{
    static const Pair pairs[] = {
        { "It was closed for 74 years.", "After three years, 74 bicycles were sold." },
        { "The ferry takes 20 minutes.", "The ferry carries 20 cars." },
        { "It grew by 5 %.", "It grew by 5 dollars." },
        { "It costs $40.", "It weighs 40 kilograms." },
        { "They waited 74 years.", "They waited 740 years." },
        { "He won 5 medals in 3 races.", "He won 3 medals in 5 races." },
    };
    (void)state;
    EXPECT(pairs, false);
}

static void another_way_to_write_it_is(void **state)
{
    static const Pair pairs[] = {
        { "It lasted 3 years.", "It lasted three years." },
        { "Twelve ships sank.", "12 ships were lost." },
        { "1200 people live there.", "A place of 1,200 people." },
        { "It grew by 5 percent.", "It grew by 5%." },
        { "It costs 40 dollars.", "The price is $40." },
        { "It is 10 km away.", "A walk of 10km." },
        { "It takes 100 minutes.", "It takes 100 min its way." },
        { "A share of 7 percent left.", "About 7 per cent left." },
        { "The 74-year-old man fell.", "He was 74 years old." },
        { "74 red bicycles were sold.", "They sold 74 bicycles." },
        { "74 bicycles were sold.", "They sold 74 red bicycles." },
        { "It has 35 members.", "It has members (35)." },
        { "On 5 May it opened.", "It opened on May 5 at noon." },
    };
    (void)state;
    EXPECT(pairs, true);
}

/* What the one leaves open is no contradiction to the other. */
static void a_number_alone_is_compared_alone(void **state)
{
    static const Pair pairs[] = {
        { "74", "74 bicycles were sold." },
        { "She was 74 years old.", "Her age: 74." },
        { "She was 74, the oldest.", "She lived 74 years." },
        { "She was 74 years old.", "She won it at age 74 and is now retired." },
    };
    (void)state;
    EXPECT(pairs, true);
}

static void a_year_counts_nothing(void **state)
{
    static const Pair pairs[] = {
        { "In 1871 engineers built it.", "It was opened in 1871 after two winters." },
        { "By the 1950s trains ran hourly.", "The line, rebuilt in the 1950s under a "
          "new owner, was busy." },
    };
    (void)state;
    EXPECT(pairs, true);
}

static void words_behind_a_mark_belong_to_no_number(void **state)
{
    static const Pair pairs[] = {
        { "Of all votes 74 were valid.", "| votes | 74 | Berlin |" },
        { "It has 12\xe2\x80\x94small rooms.", "It has 12 windows." },
    };
    (void)state;
    EXPECT(pairs, true);
}

static void any_bytes_are_read(void **state)
{
    static const char *const odd[] = { "", "9", "%", "$", "5%%%", "\xff 5 \xe2", "1,,,2",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 x", "1.2.3_4five",
        "5\xe2\x80",
        "9999999999999999999999999999999999999999999999999999999999999999999999999999" };
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        Ctx cx = CTX_INIT;
        Words *w;
        Quantities q;
        assert_int_equal(words_open(&cx, &w), OK);
        assert_int_equal(quantities_read(&cx, w, str_z(odd[i]), &q), OK);
        for (size_t k = 0; k < q.n; k++) assert_true(quantities_say(&q, &q.at[k]));
        words_close(w);
        ctx_end(&cx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_of_something_else_is_not_said),
        cmocka_unit_test(another_way_to_write_it_is),
        cmocka_unit_test(a_number_alone_is_compared_alone),
        cmocka_unit_test(a_year_counts_nothing),
        cmocka_unit_test(words_behind_a_mark_belong_to_no_number),
        cmocka_unit_test(any_bytes_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
