/* Citations: marks stand behind the claims they support, and point at words there. */
#include "ask/cite.h"
#include "base/offsets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

static const char lighthouse[] =
    "The Halvorsen lighthouse stands on Brekke island. It was built in 1871 by the "
    "engineer Ingrid Halvorsen. The lamp was automated in 1986.";
static const char museum[] = "The museum opens at ten. Tickets cost four kroner.";
static const char thefts[] = "The shop ran for three years. 74 bicycles were stolen.";

typedef struct Heard {
    bool hold;           // what the citer is told
    Buf text;
    size_t stop_after;   // pieces; 0: never
    size_t pieces;
} Heard;

static bool hear(void *arg, Str piece)
{
    Heard *h = arg;
    buf_add(&h->text, piece);
    return ++h->pieces != h->stop_after;
}

static Passage passage(const char *text, size_t start)
{
    Str t = str_z(text);
    return (Passage){ .chunk = { .text = t, .start = start, .end = start + t.n } };
}

/* Feeds the answer in pieces of n bytes. */
static void cite(Ctx *cx, const char *answer, size_t n, Heard *heard, Cited *out)
{
    Passage p[] = { passage(lighthouse, 1000), passage(museum, 50), passage(thefts, 9) };
    Passages ps = { p, sizeof p / sizeof *p, 0, 0 };
    CiteOptions opt = { .hold = heard->hold, .on_text = hear, .arg = heard };
    Citer *c;
    bool more = true;
    heard->text = BUF(1 << 16);
    assert_int_equal(citer_open(cx, &ps, STR("Who built the lighthouse?"), &opt, &c), OK);
    Str rest = str_z(answer);
    while (rest.n && more) {
        size_t k = rest.n < n ? rest.n : n;
        assert_int_equal(citer_feed(c, (Str){ rest.p, k }, &more), OK);
        rest.p += k;
        rest.n -= k;
    }
    assert_int_equal(citer_finish(c, out), OK);
    citer_close(c);
}

static void marks_a_claim_with_the_sentence_it_came_from(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { 0 };
    Cited got;
    (void)state;
    cite(&cx, "It was built by Ingrid Halvorsen in 1871.", 3, &heard, &got);
    assert_string_equal(got.text.p, "It was built by Ingrid Halvorsen in 1871. [1]");
    assert_int_equal(got.n, 1);
    const char *at = strstr(lighthouse, "It was built");
    assert_int_equal(got.at[0].start, 1000 + (size_t)(at - lighthouse));
    assert_true(str_eq(got.at[0].text,
                       STR("It was built in 1871 by the engineer Ingrid Halvorsen.")));
    assert_int_equal(got.unsupported, 0);
    buf_free(&heard.text);
    ctx_end(&cx);
}

/* Another sentence has the question's lighthouse, which proves nothing. */
static void cites_no_further_sentence_for_words_of_the_question(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { 0 };
    Cited got;
    (void)state;
    cite(&cx, "The lighthouse was automated.", 4, &heard, &got);
    assert_string_equal(got.text.p, "The lighthouse was automated. [1]");
    assert_true(str_eq(got.at[0].text, STR("The lamp was automated in 1986.")));
    assert_int_equal(got.n, 1);
    buf_free(&heard.text);
    ctx_end(&cx);
}

/* A page, whose text is no slice of it: the second sentence stands behind tags. */
static void cites_the_bytes_of_a_sentence_of_a_page(void **state)
{
    Ctx cx = CTX_INIT;
    Offsets map = { 0 };
    Passage p = passage(museum, 50);
    Passages ps = { &p, 1, 0, 0 };
    CiteOptions opt = { 0 };
    Citer *c;
    Cited got;
    bool more;
    (void)state;
    size_t second = (size_t)(strstr(museum, "Tickets") - museum);
    size_t n = sizeof museum - 1 - second;
    p.chunk.end = 400;
    assert_int_equal(offsets_add(&cx, &map, (Run){ 0, second - 1, 60, second - 1 }), OK);
    assert_int_equal(offsets_add(&cx, &map, (Run){ second, n, 300, n }), OK);
    p.chunk.map = offsets_pack(&cx, &map, p.chunk.start);
    assert_int_equal(citer_open(&cx, &ps, STR("What is it?"), &opt, &c), OK);
    assert_int_equal(citer_feed(c, STR("Tickets cost four kroner."), &more), OK);
    assert_int_equal(citer_finish(c, &got), OK);
    citer_close(c);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.at[0].start, 300);
    assert_int_equal(got.at[0].end, 300 + n);
    ctx_end(&cx);
}

static void gives_the_same_text_whatever_the_size_of_the_pieces(void **state)
{
    static const char answer[] =
        "Ingrid Halvorsen built it in 1871. The museum opens at ten.\n"
        "Tickets cost four kroner.";
    (void)state;
    for (size_t n = 1; n < sizeof answer; n++) {
        Ctx cx = CTX_INIT;
        Heard heard = { 0 };
        Cited got;
        cite(&cx, answer, n, &heard, &got);
        assert_string_equal(got.text.p, "Ingrid Halvorsen built it in 1871. [1] The "
                            "museum opens at ten. [2]\nTickets cost four kroner. [3]");
        assert_string_equal(heard.text.p, got.text.p);
        buf_free(&heard.text);
        ctx_end(&cx);
    }
}

static void leaves_a_claim_without_a_source_unmarked_and_counts_it(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { 0 };
    Cited got;
    (void)state;
    cite(&cx, "Bananas ripen faster beside apples.", 5, &heard, &got);
    assert_string_equal(got.text.p, "Bananas ripen faster beside apples.");
    assert_int_equal(got.n, 0);
    assert_int_equal(got.unsupported, 1);
    buf_free(&heard.text);
    ctx_end(&cx);
}

static void does_not_support_a_number_that_the_source_does_not_have(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { 0 };
    Cited got;
    (void)state;
    cite(&cx, "The lighthouse was built in 1925.", 5, &heard, &got);
    assert_int_equal(got.n, 0);
    assert_int_equal(got.unsupported, 1);
    buf_free(&heard.text);
    ctx_end(&cx);
}

/* The source: "... for 3 years. 74 bicycles were stolen ..." */
static void does_not_support_a_number_of_something_else(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { 0 };
    Cited got;
    (void)state;
    cite(&cx, "The shop ran for 74 years. The shop ran for 3 years. There, 74 bicycles "
         "were stolen.", 5, &heard, &got);
    assert_string_equal(got.text.p, "The shop ran for 74 years. The shop ran for 3 "
                        "years. [1] There, 74 bicycles were stolen. [2]");
    assert_int_equal(got.unsupported, 1);
    buf_free(&heard.text);
    ctx_end(&cx);
}

/* All but the year is in the source. */
static void does_not_support_a_claim_whose_only_fault_is_a_number(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { 0 };
    Cited got;
    (void)state;
    cite(&cx, "The engineer Ingrid Halvorsen built the Halvorsen lighthouse, which "
         "stands on Brekke island, in 1925.", 5, &heard, &got);
    assert_int_equal(got.n, 0);
    assert_int_equal(got.unsupported, 1);
    buf_free(&heard.text);
    ctx_end(&cx);
}

static void cites_a_number_that_stands_apart_from_the_rest(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { 0 };
    Cited got;
    (void)state;
    cite(&cx, "Ingrid Halvorsen, the engineer, built the Halvorsen lighthouse of Brekke "
         "island, whose lamp was automated in 1986.", 7, &heard, &got);
    assert_int_equal(got.unsupported, 0);
    assert_int_equal(got.n, 3);
    buf_free(&heard.text);
    ctx_end(&cx);
}

static void takes_the_number_of_a_list_for_no_claim(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { 0 };
    Cited got;
    (void)state;
    cite(&cx, "7) The museum opens at ten.\n8) Tickets cost four kroner.", 3, &heard,
         &got);
    assert_string_equal(got.text.p, "7) The museum opens at ten. [1]\n"
                        "8) Tickets cost four kroner. [2]");
    buf_free(&heard.text);
    ctx_end(&cx);
}

static void removes_marks_that_the_model_wrote_itself(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { 0 };
    Cited got;
    (void)state;
    cite(&cx, "The lamp was automated in 1986 [7]. Tickets cost four kroner [see below].",
         1, &heard, &got);
    assert_string_equal(got.text.p, "The lamp was automated in 1986. [1] Tickets cost "
                        "four kroner [see below]. [2]");
    buf_free(&heard.text);
    ctx_end(&cx);
}

static void says_nothing_before_a_claim_has_its_source(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { .hold = true };
    Cited got;
    (void)state;
    cite(&cx, "Bananas ripen fast. The museum opens at ten.", 3, &heard, &got);
    assert_string_equal(heard.text.p, "Bananas ripen fast. The museum opens at ten. [1]");
    assert_int_equal(heard.pieces, 1);   // nothing before the mark was known
    assert_false(got.withheld);
    buf_free(&heard.text);
    ctx_end(&cx);
}

static void withholds_an_answer_of_which_nothing_has_a_source(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { .hold = true };
    Cited got;
    (void)state;
    cite(&cx, "Bananas ripen faster beside apples.", 4, &heard, &got);
    assert_true(got.withheld);
    assert_int_equal(heard.pieces, 0);
    buf_free(&heard.text);
    ctx_end(&cx);
}

static void stops_when_the_reader_wants_no_more(void **state)
{
    Ctx cx = CTX_INIT;
    Heard heard = { .stop_after = 2 };
    Cited got;
    (void)state;
    cite(&cx, "The museum opens at ten. Tickets cost four kroner.", 4, &heard, &got);
    assert_int_equal(heard.pieces, 2);
    buf_free(&heard.text);
    ctx_end(&cx);
}

static void accepts_bytes_that_are_no_utf8_and_empty_answers(void **state)
{
    static const char *const odd[] = { "", " \n ", "\xff\xfe[", "[[[[1]]]]", "[1", "...",
                                       "\n\n\n" };
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        Ctx cx = CTX_INIT;
        Heard heard = { 0 };
        Cited got;
        cite(&cx, odd[i], 1, &heard, &got);
        assert_int_equal(got.n, 0);
        buf_free(&heard.text);
        ctx_end(&cx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_a_claim_with_the_sentence_it_came_from),
        cmocka_unit_test(cites_no_further_sentence_for_words_of_the_question),
        cmocka_unit_test(cites_the_bytes_of_a_sentence_of_a_page),
        cmocka_unit_test(gives_the_same_text_whatever_the_size_of_the_pieces),
        cmocka_unit_test(leaves_a_claim_without_a_source_unmarked_and_counts_it),
        cmocka_unit_test(does_not_support_a_number_that_the_source_does_not_have),
        cmocka_unit_test(does_not_support_a_number_of_something_else),
        cmocka_unit_test(does_not_support_a_claim_whose_only_fault_is_a_number),
        cmocka_unit_test(cites_a_number_that_stands_apart_from_the_rest),
        cmocka_unit_test(takes_the_number_of_a_list_for_no_claim),
        cmocka_unit_test(removes_marks_that_the_model_wrote_itself),
        cmocka_unit_test(says_nothing_before_a_claim_has_its_source),
        cmocka_unit_test(withholds_an_answer_of_which_nothing_has_a_source),
        cmocka_unit_test(stops_when_the_reader_wants_no_more),
        cmocka_unit_test(accepts_bytes_that_are_no_utf8_and_empty_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
