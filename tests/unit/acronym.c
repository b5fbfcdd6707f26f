/* Abbreviations where a text explains them. */
#include "ask/acronym.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* All pairs of the text as "TERM=meaning;". */
static void assert_finds(const char *text, const char *want)
{
    char found[512] = "";
    size_t at = 0, n = 0;
    for (Acronym a; acronym_next(str_z(text), &at, &a);)
        n += (size_t)snprintf(found + n, sizeof found - n, "%.*s=%.*s;", (int)a.term.n,
                              a.term.p, (int)a.meaning.n, a.meaning.p);
    assert_string_equal(found, want);
}

static void finds_the_long_form_before_its_bracket(void **state)
{
    (void)state;
    assert_finds("of acute coronary syndrome (ACS) in", "ACS=acute coronary syndrome;");
    assert_finds("the hypertext\ntransfer protocol (HTTP).",
                 "HTTP=hypertext\ntransfer protocol;");
    assert_finds("Write-Ahead Log (WAL), DNA damage response (DDR; see 2)",
                 "WAL=Write-Ahead Log;DDR=DNA damage response;");
    assert_finds("human immunodeficiency virus type 1 (HIV-1)",
                 "HIV-1=human immunodeficiency virus type 1;");
    assert_finds("5-methyl-cytosine (5-mC)", "5-mC=5-methyl-cytosine;");
}

static void finds_it_in_the_bracket_and_in_words(void **state)
{
    (void)state;
    assert_finds("NMU (Non-Maintainer Upload)", "NMU=Non-Maintainer Upload;");
    assert_finds("BTS stands for Bug Tracking System.", "BTS=Bug Tracking System;");
    assert_finds("An ITP, short for \"Intent To Package\", is", "ITP=Intent To Package;");
}

static void leaves_the_s_of_a_plural_out_of_the_term(void **state)
{
    (void)state;
    assert_finds("Toll-like receptors (TLRs)", "TLR=Toll-like receptors;");
}

static void does_not_take_what_is_no_abbreviation(void **state)
{
    (void)state;
    assert_finds("a service (see below) and a cat (a pet)", "");
    assert_finds("in the year of the war (1914) or (X)", "");
    assert_finds("we like tea (ACS)", "");
    assert_finds("marks such as H3K36 (H3) are", "");
    assert_finds("It ends. All cats sleep; acute: coronary. Syndrome (ACS)", "");
    assert_finds("acute (coronary syndrome (ACS)", "");
    assert_finds("(ACS) ACS (", "");
    assert_finds("(", "");
    assert_finds("", "");
}

static void a_long_form_has_a_bounded_number_of_words(void **state)
{
    (void)state;
    assert_finds("a one two three four b (AB)", "");
    assert_finds("a one two b (AB)", "AB=a one two b;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_long_form_before_its_bracket),
        cmocka_unit_test(finds_it_in_the_bracket_and_in_words),
        cmocka_unit_test(leaves_the_s_of_a_plural_out_of_the_term),
        cmocka_unit_test(does_not_take_what_is_no_abbreviation),
        cmocka_unit_test(a_long_form_has_a_bounded_number_of_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
