/* What the owner's terms mean: the file, and a question that has some. */
#include "ask/glossary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char file[] = "\xEF\xBB\xBF# ours\n\nSLA = service level agreement\r\n"
                           "SLA = single letter answer\n  k8s=Kubernetes\n"
                           "C++ = the language\n\xC3\x9C = Ueber\n";

static void assert_expands(const char *question, const char *want, size_t n)
{
    Ctx cx = CTX_INIT;
    Glossary g = { 0 };
    Str out;
    size_t terms;
    assert_int_equal(glossary_parse(&cx, "g", str_z(file), &g), OK);
    assert_int_equal(g.n, 5);
    assert_int_equal(glossary_expand(&cx, &g, str_z(question), &out, &terms), OK);
    assert_int_equal(terms, n);
    assert_true(str_eq(out, str_z(want)));
    ctx_end(&cx);
}

static void puts_meanings_behind_the_question(void **state)
{
    (void)state;
    assert_expands("What is the SLA?",
                   "What is the SLA? (service level agreement, single letter answer)", 2);
    assert_expands("All SLAs",
                   "All SLAs (service level agreement, single letter answer)", 2);
    assert_expands("K8s or C++", "K8s or C++ (Kubernetes, the language)", 2);
    assert_expands("What is an \xC3\x9C?", "What is an \xC3\x9C? (Ueber)", 1);
}

static void finds_whole_words_as_they_are_written(void **state)
{
    (void)state;
    assert_expands("sla", "sla", 0);
    assert_expands("TESLA and SLAM", "TESLA and SLAM", 0);
    assert_expands("SLAsh", "SLAsh", 0);
    assert_expands("\xC3\x9C" "ber", "\xC3\x9C" "ber", 0);
    assert_expands("", "", 0);
}

static void does_not_repeat_what_the_question_says(void **state)
{
    (void)state;
    assert_expands("Is the SLA a service level agreement?",
                   "Is the SLA a service level agreement? (single letter answer)", 1);
}

static void tells_the_line_that_is_none(void **state)
{
    (void)state;
    static const struct { const char *text, *why; } t[] = {
        { "a = b\nnothing\n", "g line 2: \"term = meaning\" is wanted" },
        { "= b", "g line 1: there is nothing before the '='" },
        { "\n\na =", "g line 3: there is nothing behind the '='" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        Ctx cx = CTX_INIT;
        Glossary g = { 0 };
        assert_int_equal(glossary_parse(&cx, "g", str_z(t[i].text), &g), E_FORMAT);
        assert_string_equal(cx.reason, t[i].why);
        ctx_end(&cx);
    }
}

static void expands_a_bounded_number_of_terms(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Glossary g = { 0 };
    Buf b = BUF(1 << 16);
    Str out;
    size_t terms;
    for (int i = 0; i < 100; i++) buf_addf(&b, "x = meaning %d\n", i);
    assert_int_equal(glossary_parse(&cx, "g", buf_str(&b), &g), OK);
    assert_int_equal(glossary_expand(&cx, &g, STR("x"), &out, &terms), OK);
    assert_int_equal(terms, GLOSSARY_TERMS);
    buf_free(&b);
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_meanings_behind_the_question),
        cmocka_unit_test(finds_whole_words_as_they_are_written),
        cmocka_unit_test(does_not_repeat_what_the_question_says),
        cmocka_unit_test(tells_the_line_that_is_none),
        cmocka_unit_test(expands_a_bounded_number_of_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
