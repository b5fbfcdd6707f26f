/* Quotations: word for word, whoever writes and however its tokens fall. */
#include "ask/cite.h"
#include "ask/quote.h"
#include "base/offsets.h"
#include "model/model.h"
#include "tiny_lm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the first four */
#include <cmocka.h>

static const char lighthouse[] =
    "The Halvorsen lighthouse stands on Brekke island.[2] It was built in 1871 by the\n"
    "engineer Ingrid Halvorsen.\n\nHer brother said \"never\" to a lamp of 3.5 metres.";
static const char museum[] = "The museum opens at ten. Tickets cost four kroner.";
static const char market[] = "市场每周三开放。 Der Markt öffnet um neun – für alle.";

enum { PASSAGES = 3, LIGHTHOUSE_AT = 1000, MUSEUM_AT = 50, MARKET_AT = 7 };

typedef struct Desk {
    Ctx cx;
    Passage p[PASSAGES];
    Passages ps;
    bool begin;             // answers begin with a quotation
    Quoter *q;
} Desk;

static Passage passage(const char *text, size_t start)
{
    Str t = str_z(text);
    return (Passage){ .chunk = { .text = t, .start = start, .end = start + t.n } };
}

static int set_up(void **state)
{
    Desk *d = calloc(1, sizeof *d);
    if (!d) return -1;
    d->p[0] = passage(lighthouse, LIGHTHOUSE_AT);
    d->p[1] = passage(museum, MUSEUM_AT);
    d->p[2] = passage(market, MARKET_AT);
    d->ps = (Passages){ d->p, PASSAGES, 0, 0 };
    *state = d;
    return quoter_open(&d->cx, &d->ps, d->begin, &d->q) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    Desk *d = *state;
    quoter_close(d->q);
    ctx_end(&d->cx);
    free(d);
    return 0;
}

/* Begins anew; d->p may have been changed. */
static void again(Desk *d)
{
    quoter_close(d->q);
    assert_int_equal(quoter_open(&d->cx, &d->ps, d->begin, &d->q), OK);
}

static bool allows(const Desk *d, const char *bytes)
{
    return quoter_allows(d->q, str_z(bytes));
}

static bool allows_alone(Desk *d, const char *bytes)
{
    again(d);
    return allows(d, bytes);
}

/* ---- what may be said ------------------------------------------------------------- */

static void outside_of_quotations_everything_may_be_said(void **state)
{
    Desk *d = *state;
    assert_true(allows(d, "Nobody wrote this [1]. 'Not' this\n"));
    assert_true(allows(d, ""));
    assert_true(allows(d, "\xF0\x9F"));
}

static void inside_them_only_words_of_the_passages(void **state)
{
    Desk *d = *state;
    assert_true(allows(d, "They say \"The museum opens at ten.\" and"));
    assert_true(allows(d, "\"The"));
    assert_true(allows(d, "\"stands on Bre"));
    assert_false(allows(d, "\"The museum closes"));
    assert_false(allows(d, "\"the museum"));
    assert_true(allows(d, "\"built in 1871 by the\nengineer\""));
    assert_false(allows(d, "\"built in 1871 by the engineer"));
}

static void they_begin_and_end_at_borders_of_words(void **state)
{
    Desk *d = *state;
    assert_false(allows(d, "\"useum opens"));
    assert_false(allows(d, "\"museum ope\""));
    assert_false(allows(d, "\"museum \""));
    assert_false(allows(d, "\" museum"));
    assert_false(allows(d, "\"\""));
    assert_true(allows(d, "\"museum\""));
    assert_true(allows(d, "\"3.5 metres\""));
    assert_false(allows(d, "\"5 metres\""));
}

static void they_do_not_go_over_marks_empty_lines_and_passages(void **state)
{
    Desk *d = *state;
    assert_false(allows(d, "\"Brekke island.["));
    assert_false(allows(d, "\"Ingrid Halvorsen.\n\nHer"));
    assert_false(allows(d, "\"Her brother said "));
    assert_true(allows(d, "\"Her brother said\""));
    assert_true(allows(d, "\"never\""));
    assert_false(allows(d, "\"four kroner.\xE5"));
}

static void every_pair_of_marks_counts(void **state)
{
    Desk *d = *state;
    static const char *const good[] = { "\xE2\x80\x9Cmuseum\xE2\x80\x9D",
        "\xE2\x80\x9Emuseum\xE2\x80\x9C", "\xC2\xABmuseum\xC2\xBB",
        "\xE3\x80\x8Cmuseum\xE3\x80\x8D" };
    for (size_t i = 0; i < 4; i++) {
        char bad[32];
        snprintf(bad, sizeof bad, "%.*sz", good[i][0] == '\xC2' ? 2 : 3, good[i]);
        assert_true(allows(d, good[i]));
        assert_false(allows(d, bad));
    }
}

/* An opening mark glued to a word would be read as an inch or an apostrophe. */
static void none_opens_within_a_word(void **state)
{
    Desk *d = *state;
    assert_false(allows(d, "a pipe of 5\""));
    assert_false(allows(d, "Stra\xC3\x9F\"museum"));
    assert_true(allows(d, "(\"museum\")"));
    assert_true(allows(d, "\xE4\xB8\x80\"museum\""));
}

static void scripts_without_spaces_are_quoted_by_the_character(void **state)
{
    Desk *d = *state;
    assert_true(allows(d, "\"市场\""));
    assert_true(allows(d, "\"每周三\""));
    assert_true(allows(d, "\"\xE5"));
    assert_false(allows(d, "\"\xE5\xB8\""));
    assert_true(allows(d, "\"öffnet um neun –"));
    assert_true(allows(d, "\xE2\x80\x9Cneun \xE2\x80"));     // of the dash
    assert_true(allows(d, "\xE2\x80\x9Cneun\xE2\x80"));      // of the closing mark
    assert_false(allows(d, "\xE2\x80\x9Cneu\xE2\x80"));
}

static void sentences_that_the_filter_dropped_are_not_quoted(void **state)
{
    Desk *d = *state;
    size_t second = (size_t)(strstr(museum, "Tickets") - museum);
    Span kept[] = { { second, sizeof museum - 1 } };
    d->p[1].kept = kept;
    d->p[1].n_kept = 1;
    assert_false(allows_alone(d, "\"museum"));
    assert_true(allows(d, "\"Tickets cost four kroner.\""));
    Span both[] = { { 0, second - 1 }, { second, sizeof museum - 1 } };
    d->p[1].kept = both;
    d->p[1].n_kept = 2;
    assert_true(allows_alone(d, "\"opens at ten. Tickets cost\""));
}

static void without_passages_there_is_nothing_to_quote(void **state)
{
    Desk *d = *state;
    d->ps.n = 0;
    assert_false(allows_alone(d, "\""));
    assert_true(allows(d, "No."));
}

static void an_answer_may_have_to_begin_with_one(void **state)
{
    Desk *d = *state;
    d->begin = true;
    assert_false(allows_alone(d, "The"));
    assert_false(allows(d, ""));
    assert_false(allows(d, " \"The"));
    assert_true(allows(d, "\"The museum\" opens"));
    assert_true(allows(d, "\xE2\x80"));
    assert_false(allows(d, "\xE2\x81"));
    quoter_feed(d->q, STR("\"The museum\""));
    assert_true(allows(d, " opens"));
    d->ps.n = 0;
    assert_true(allows_alone(d, "Nothing to quote."));
}

/* ---- what is shown ---------------------------------------------------------------- */

static void a_quotation_that_breaks_off_ends_with_its_last_whole_word(void **state)
{
    Desk *d = *state;
    assert_true(str_eq(quoter_feed(d->q, STR("It \"mus")), STR("It ")));
    assert_true(str_eq(quoter_feed(d->q, STR("eum ope")), STR("\"museum")));
    assert_false(allows(d, "n\""));
    assert_false(allows(d, ""));
    assert_true(str_eq(quoter_finish(d->q), STR("\"")));
    again(d);
    assert_true(str_eq(quoter_feed(d->q, STR("It \"mus")), STR("It ")));
    assert_int_equal(quoter_finish(d->q).n, 0);
}

static void an_answer_may_end_behind_a_word_of_a_quotation(void **state)
{
    Desk *d = *state;
    quoter_feed(d->q, STR("\"The museum"));
    assert_true(allows(d, ""));
    assert_true(str_eq(quoter_finish(d->q), STR("\"")));
}

/* ---- what is found ---------------------------------------------------------------- */

static void finds_quotations_with_their_bytes_and_those_made_up(void **state)
{
    Desk *d = *state;
    Quotes got;
    Str text = STR("\"four kroner\" [1], \"five kroner\" or \"Brekke island\". And \"so");
    assert_int_equal(quoter_find(&d->cx, d->q, text, &got), OK);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.unfounded, 2);
    assert_int_equal(got.at[0].passage, 1);
    size_t four = (size_t)(strstr(museum, "four") - museum);
    assert_int_equal(got.at[0].start, MUSEUM_AT + four);
    assert_int_equal(got.at[0].end - got.at[0].start, strlen("four kroner"));
    assert_true(str_eq(got.at[1].text, STR("Brekke island")));
}

static void leads_to_the_words_of_a_page(void **state)
{
    Desk *d = *state;
    Offsets map = { 0 };
    Quotes got;
    size_t second = (size_t)(strstr(museum, "Tickets") - museum);
    size_t n = sizeof museum - 1 - second;
    const Run run[] = { { 0, second - 1, 60, second - 1 }, { second, n, 300, n } };
    for (int i = 0; i < 2; i++) assert_int_equal(offsets_add(&d->cx, &map, run[i]), OK);
    d->p[1].chunk.end = 400;
    d->p[1].chunk.map = offsets_pack(&d->cx, &map, d->p[1].chunk.start);
    again(d);
    assert_int_equal(quoter_find(&d->cx, d->q, STR("\"cost four\""), &got), OK);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.at[0].start, 300 + strlen("Tickets "));
    assert_int_equal(got.at[0].end, 300 + strlen("Tickets cost four"));
}

static void a_mark_of_a_claim_never_stands_in_a_quotation(void **state)
{
    Desk *d = *state;
    static const char answer[] =
        "\"The museum opens at ten. Tickets cost four kroner.\" So it was \"built in "
        "1871 by the\nengineer\".";
    for (size_t n = 1; n < sizeof answer; n += 3) {
        CiteOptions opt = { .quotes = true };
        Citer *c;
        Cited got;
        Quotes quotes;
        bool more;
        assert_int_equal(citer_open(&d->cx, &d->ps, STR("When?"), &opt, &c), OK);
        for (Str s = str_z(answer); s.n;) {
            size_t some = n < s.n ? n : s.n;
            assert_int_equal(citer_feed(c, (Str){ s.p, some }, &more), OK);
            s = (Str){ s.p + some, s.n - some };
        }
        assert_int_equal(citer_finish(c, &got), OK);
        assert_int_equal(quoter_find(&d->cx, d->q, got.text, &quotes), OK);
        assert_int_equal(quotes.n, 2);
        assert_int_equal(quotes.unfounded, 0);
        assert_true(got.n >= 2);
        citer_close(c);
    }
}

static void a_mark_that_is_never_closed_is_given_up(void **state)
{
    char text[8192];
    (void)state;
    memset(text, 'x', sizeof text);
    text[0] = '"';
    assert_true(quote_is_open((Str){ text, 100 }));
    assert_false(quote_is_open((Str){ text, sizeof text }));
}

/* ---- a thousand answers ----------------------------------------------------------- */

enum { ANSWERS = 1000 };

/* Every quotation of the answer stands at its bytes of its source. */
static size_t quotations(Desk *d, Str text)
{
    static const char *const source[] = { lighthouse, museum, market };
    static const size_t at[] = { LIGHTHOUSE_AT, MUSEUM_AT, MARKET_AT };
    Quotes got;
    assert_int_equal(quoter_find(&d->cx, d->q, text, &got), OK);
    assert_int_equal(got.unfounded, 0);
    for (size_t i = 0; i < got.n; i++) {
        const Quote *x = &got.at[i];
        const char *words = source[x->passage] + x->start - at[x->passage];
        assert_int_equal(x->end - x->start, x->text.n);
        assert_memory_equal(words, x->text.p, x->text.n);
        assert_non_null(memmem(text.p, text.n, words, x->text.n));
    }
    return got.n;
}

/* The next character out of those that may be said, quotation marks far too often. */
static Str any_character(const Desk *d, uint32_t *luck)
{
    static const char *const some[] = { "\"", "\xE2\x80\x9C", "\xE2\x80\x9D", " ", "m",
                                        "T", "\xC2\xAB", "\xC2\xBB", "a", "\n", "." };
    static char one[4];
    enum { SOME = sizeof some / sizeof *some };
    for (int tries = 0; tries < 4; tries++) {
        tlm_random(luck);
        Str s = str_z(some[(*luck >> 20) % SOME]);
        if (quoter_allows(d->q, s)) return s;
    }
    size_t from = (*luck >> 8) % sizeof market;     // what stands in a text, in its order
    const char *texts[] = { lighthouse, museum, market };
    for (size_t t = 0; t < 3; t++)
        for (size_t i = 0, n = strlen(texts[t]); i < n; i++) {
            const char *p = texts[t] + (i + from) % n;
            unsigned char lead = (unsigned char)*p;
            size_t size = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : 3;
            memcpy(one, p, size);
            Str s = { one, size };
            if (size && quoter_allows(d->q, s)) return s;
        }
    for (int i = 0; i < SOME; i++)                  // or an end
        if (quoter_allows(d->q, str_z(some[i]))) return str_z(some[i]);
    fail_msg("nothing may be said");
    return (Str){ 0 };
}

static void whoever_writes_never_gets_stuck_and_never_misquotes(void **state)
{
    Desk *d = *state;
    uint32_t luck = 1;
    size_t all = 0;
    for (int i = 0; i < ANSWERS; i++) {
        Buf text = BUF(1 << 16);
        again(d);
        for (int n = 0; n < 60; n++)
            buf_add(&text, quoter_feed(d->q, any_character(d, &luck)));
        buf_add(&text, quoter_finish(d->q));
        all += quotations(d, buf_str(&text));
        buf_free(&text);
    }
    assert_true(all > ANSWERS);
}

typedef struct Talk {
    Desk *d;
    Buf text;
} Talk;

static bool hear(void *arg, Str piece)
{
    Talk *t = arg;
    buf_add(&t->text, quoter_feed(t->d->q, piece));
    return true;
}

static bool rule(void *arg, Str bytes)
{
    return quoter_allows(((Talk *)arg)->d->q, bytes);
}

static void a_model_held_to_it_quotes_word_for_word(void **state)
{
    Desk *d = *state;
    char path[] = "/tmp/pith-quote-XXXXXX";
    TinyLm tiny = { .arch = "llama", .seed = 4, .window = 256 };
    ModelOptions open = { .threads = 1 };
    Message msg = { "user", STR("Quote.") };
    Model *m;
    size_t all = 0;
    close(mkstemp(path));
    d->begin = true;
    d->ps.n = 2;            // its vocabulary has ASCII alone
    assert_true(tiny_lm_write(path, &tiny));
    assert_int_equal(model_open(&d->cx, path, &open, &m), OK);
    for (int i = 0; i < ANSWERS; i++) {
        Talk t = { d, BUF(1 << 16) };
        GenerateOptions opt = { .max_tokens = 24, .temperature = i ? 2 : 0,
                                .seed = (uint64_t)i, .on_text = hear, .allows = rule,
                                .arg = &t };
        Generated g;
        again(d);
        assert_int_equal(model_generate(&d->cx, m, &msg, 1, &opt, &g), OK);
        buf_add(&t.text, quoter_finish(d->q));
        all += quotations(d, buf_str(&t.text));
        buf_free(&t.text);
    }
    assert_true(all >= ANSWERS);
    model_close(m);
    unlink(path);
}

/* ---- what is repeated ------------------------------------------------------------- */

static Quotes copied(Desk *d, const char *text)
{
    Quotes found;
    assert_int_equal(quoter_copied(&d->cx, d->q, str_z(text), &found), OK);
    for (size_t i = 0; i < found.n; i++) {
        Str said = found.at[i].text;
        assert_non_null(memmem(text, strlen(text), said.p, said.n));
    }
    return found;
}

static void what_an_answer_repeats_is_found(void **state)
{
    Desk *d = *state;
    Quotes found =
        copied(d, "As is known, the Halvorsen lighthouse stands on Brekke island, where "
                  "tickets cost money. [1] Tickets cost four kroner. [2]");
    assert_int_equal(found.n, 2);
    assert_string_equal(ctx_dup(&d->cx, found.at[0].text).p,
                        "Halvorsen lighthouse stands on Brekke island");
    assert_int_equal(found.at[0].start, LIGHTHOUSE_AT + 4);
    assert_int_equal(found.at[0].end, LIGHTHOUSE_AT + 48);
    assert_int_equal(found.at[1].passage, 1);
    assert_int_equal(found.at[1].start, MUSEUM_AT + 25);
    assert_int_equal(found.at[1].end, MUSEUM_AT + 49);
}

static void a_few_words_are_told_only_where_they_are_the_claim(void **state)
{
    Desk *d = *state;
    assert_int_equal(copied(d, "Ingrid Halvorsen [1]").n, 1);
    assert_int_equal(copied(d, "Ingrid Halvorsen.").n, 1);
    assert_int_equal(copied(d, "It was Ingrid Halvorsen.").n, 0);
    assert_int_equal(copied(d, "No. [1] Ingrid Halvorsen; [2]").n, 1);
    assert_int_equal(copied(d, "Halvorsen").n, 0);
    assert_int_equal(copied(d, "").n, 0);
}

static void pairs_of_characters_are_not_told_twice(void **state)
{
    Desk *d = *state;
    Quotes found = copied(d, "\u5e02\u573a\u6bcf\u5468\u4e09\u5f00\u653e\u3002");
    assert_int_equal(found.n, 1);
    assert_int_equal(found.at[0].start, MARKET_AT);
    assert_int_equal(found.at[0].end, MARKET_AT + 21);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outside_of_quotations_everything_may_be_said),
        TEST(inside_them_only_words_of_the_passages),
        TEST(they_begin_and_end_at_borders_of_words),
        TEST(they_do_not_go_over_marks_empty_lines_and_passages),
        TEST(every_pair_of_marks_counts),
        TEST(none_opens_within_a_word),
        TEST(scripts_without_spaces_are_quoted_by_the_character),
        TEST(sentences_that_the_filter_dropped_are_not_quoted),
        TEST(without_passages_there_is_nothing_to_quote),
        TEST(an_answer_may_have_to_begin_with_one),
        TEST(a_quotation_that_breaks_off_ends_with_its_last_whole_word),
        TEST(an_answer_may_end_behind_a_word_of_a_quotation),
        TEST(finds_quotations_with_their_bytes_and_those_made_up),
        TEST(leads_to_the_words_of_a_page),
        TEST(a_mark_of_a_claim_never_stands_in_a_quotation),
        TEST(a_mark_that_is_never_closed_is_given_up),
        TEST(what_an_answer_repeats_is_found),
        TEST(a_few_words_are_told_only_where_they_are_the_claim),
        TEST(pairs_of_characters_are_not_told_twice),
        TEST(whoever_writes_never_gets_stuck_and_never_misquotes),
        TEST(a_model_held_to_it_quotes_word_for_word),
    };
    return cmocka_run_group_tests_name("quote", tests, NULL, NULL);
}
