/* What the small model is spared: sentences beside the point, repeats; and what stays. */
#include "ask/filter.h"
#include "ask/rerank.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
/* cmocka wants the first four */
#include <cmocka.h>

static const char harbour[] =
    "Gulls nest on the roof. The ferry leaves the harbour at nine. Paint peels in salt "
    "air. Cats sleep on nets. Rust never sleeps. The moon pulls the tide.";
static const char table[] =
    "| Ship | Berth |\n|---|---|\n| Sigrun | four |\n| Halvor | nine |\n"
    "| Marit | seven |\n";

static Passage passage(const char *text)
{
    Str t = str_z(text);
    return (Passage){ .chunk = { .text = t, .end = t.n, .uri = STR("a") },
                      .rerank = NAN };
}

typedef struct Case {
    Ctx cx;
    Model *ranker;
    Passage at[4];
    Passages ps;
} Case;

static void begin(Case *c, const char *const *texts, size_t n)
{
    *c = (Case){ .cx = CTX_INIT };
    assert_int_equal(model_open(&c->cx, "fake:", NULL, &c->ranker), OK);
    for (size_t i = 0; i < n; i++) c->at[i] = passage(texts[i]);
    c->ps = (Passages){ c->at, n, 0, 0 };
}

static void end(Case *c)
{
    model_close(c->ranker);
    ctx_end(&c->cx);
}

static void keeps_the_sentence_that_answers_and_its_offsets(void **state)
{
    const char *const texts[] = { harbour };
    FilterOptions opt = { .margin = 15 };
    Case c;
    (void)state;
    begin(&c, texts, 1);
    assert_int_equal(filter(&c.cx, c.ranker, &opt,
                            STR("When does the ferry leave the harbour?"), &c.ps), OK);
    Str read = passage_text(&c.cx, &c.ps.at[0]);
    assert_non_null(strstr(read.p, "The ferry leaves the harbour at nine."));
    assert_null(strstr(read.p, "The moon pulls the tide."));
    assert_true(str_eq(c.ps.at[0].chunk.text, str_z(harbour)));
    for (size_t i = 0; i < c.ps.at[0].n_kept; i++)
        assert_true(c.ps.at[0].kept[i].end <= sizeof harbour - 1);
    end(&c);
}

static void keeps_a_passage_whole_where_it_is_told_to(void **state)
{
    const char *const texts[] = { harbour };
    FilterOptions opt = { .margin = 15, .whole = true };
    Case c;
    (void)state;
    begin(&c, texts, 1);
    assert_int_equal(filter(&c.cx, c.ranker, &opt,
                            STR("When does the ferry leave the harbour?"), &c.ps), OK);
    assert_int_equal(c.ps.n, 1);
    assert_true(str_eq(passage_text(&c.cx, &c.ps.at[0]), str_z(harbour)));
    end(&c);
}

static void keeps_the_head_of_a_table_with_its_row(void **state)
{
    const char *const texts[] = { table };
    FilterOptions opt = { .margin = 0.01f };
    Case c;
    (void)state;
    begin(&c, texts, 1);
    assert_int_equal(filter(&c.cx, c.ranker, &opt, STR("Marit seven"), &c.ps), OK);
    Str read = passage_text(&c.cx, &c.ps.at[0]);
    assert_true(str_starts(read, STR("| Ship | Berth |\n|---|---|\n")));
    assert_non_null(strstr(read.p, "| Marit | seven |"));
    end(&c);
}

static void drops_a_passage_that_says_again_what_a_better_one_said(void **state)
{
    const char *const texts[] = { harbour, harbour,
                                  "The ferry to the harbour costs four kroner." };
    FilterOptions opt = { .margin = 100 };
    Case c;
    (void)state;
    begin(&c, texts, 3);
    assert_int_equal(filter(&c.cx, c.ranker, &opt, STR("ferry harbour"), &c.ps), OK);
    assert_int_equal(c.ps.n, 2);
    assert_true(str_eq(c.ps.at[1].chunk.text, str_z(texts[2])));
    end(&c);
}

static void looks_at_no_more_passages_than_it_may(void **state)
{
    const char *const texts[] = { harbour, table, "Cats.",
                                  "The ferry leaves the harbour." };
    FilterOptions opt = { .max_passages = 2, .margin = 100 };
    Case c;
    (void)state;
    begin(&c, texts, 4);
    assert_int_equal(filter(&c.cx, c.ranker, &opt, STR("ferry"), &c.ps), OK);
    assert_int_equal(c.ps.n, 2);
    end(&c);
}

static void leaves_nothing_alone(void **state)
{
    FilterOptions opt = { 0 };
    Case c;
    (void)state;
    begin(&c, NULL, 0);
    assert_int_equal(filter(&c.cx, c.ranker, &opt, STR("ferry"), &c.ps), OK);
    assert_int_equal(c.ps.n, 0);
    end(&c);
}

static void reranking_puts_the_passage_that_answers_first(void **state)
{
    const char *const texts[] = { "Cats sleep.", table, harbour };
    RerankOptions opt = { .depth = 3, .weight = 1 };
    Case c;
    (void)state;
    begin(&c, texts, 3);
    assert_int_equal(rerank(&c.cx, c.ranker, &opt, STR("ferry leaves harbour"), &c.ps),
                     OK);
    assert_true(str_eq(c.ps.at[0].chunk.text, str_z(harbour)));
    for (size_t i = 0; i < 3; i++) assert_false(isnan(c.ps.at[i].rerank));
    end(&c);
}

static void reranking_reads_no_deeper_than_it_may(void **state)
{
    const char *const texts[] = { "Cats sleep.", table, harbour };
    RerankOptions opt = { .depth = 1 };
    Case c;
    (void)state;
    begin(&c, texts, 3);
    assert_int_equal(rerank(&c.cx, c.ranker, &opt, STR("ferry"), &c.ps), OK);
    size_t read = 0;
    for (size_t i = 0; i < 3; i++) read += !isnan(c.ps.at[i].rerank);
    assert_int_equal(read, 1);
    end(&c);
}

static void a_score_that_is_not_finite_is_an_error(void **state)
{
    const char *const texts[] = { harbour };
    RerankOptions opt = { .depth = 1 };
    Model *bad;
    Case c;
    (void)state;
    begin(&c, texts, 1);
    assert_int_equal(model_open(&c.cx, "fake:nan=1", NULL, &bad), OK);
    assert_int_equal(rerank(&c.cx, bad, &opt, STR("ferry"), &c.ps), E_MODEL);
    model_close(bad);
    end(&c);
}

static void sentences_split_at_rows_items_and_headings(void **state)
{
    static const char text[] = "# Ferry\nIt leaves\nat nine. It returns.\n- one item\n"
                               "  goes on\n2. second\n| a | b |\n| c | d |\nAfter.";
    static const char *const wanted[] = { "# Ferry\nIt leaves\nat nine.", "It returns.",
        "- one item\n  goes on", "2. second", "| a | b |", "| c | d |", "After." };
    Ctx cx = CTX_INIT;
    Words *w;
    Span *span;
    size_t n;
    (void)state;
    assert_int_equal(words_open(&cx, &w), OK);
    assert_int_equal(passage_sentences(&cx, w, str_z(text), &span, &n), OK);
    for (size_t i = 0; i < n && i < 7; i++) {
        Str got = { text + span[i].start, span[i].end - span[i].start };
        if (!str_eq(got, str_z(wanted[i]))) print_error("'%.*s'\n", (int)got.n, got.p);
        assert_true(str_eq(got, str_z(wanted[i])));
    }
    assert_int_equal(n, 7);
    words_close(w);
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_sentence_that_answers_and_its_offsets),
        cmocka_unit_test(keeps_a_passage_whole_where_it_is_told_to),
        cmocka_unit_test(keeps_the_head_of_a_table_with_its_row),
        cmocka_unit_test(drops_a_passage_that_says_again_what_a_better_one_said),
        cmocka_unit_test(looks_at_no_more_passages_than_it_may),
        cmocka_unit_test(leaves_nothing_alone),
        cmocka_unit_test(reranking_puts_the_passage_that_answers_first),
        cmocka_unit_test(reranking_reads_no_deeper_than_it_may),
        cmocka_unit_test(a_score_that_is_not_finite_is_an_error),
        cmocka_unit_test(sentences_split_at_rows_items_and_headings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
