/* draft.c -- the automaton against a search by hand, and how drafts come and go. */
#include "model/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static Ctx cx;
static Draft *draft;

static void begin(size_t max_tokens)
{
    assert_int_equal(draft_open(&cx, max_tokens, &draft), OK);
}

static int end(void **state)
{
    (void)state;
    draft_close(draft);
    draft = NULL;
    ctx_end(&cx);
    return 0;
}

static void add_text(const char *text)
{
    for (; *text; text++) draft_add(draft, &(int32_t){ *text }, 1);
}

static const char *proposed(size_t most)
{
    static char text[DRAFT_MOST + 1];
    int32_t token[DRAFT_MOST];
    size_t n = draft_propose(draft, most, token);
    assert_true(n <= DRAFT_MOST);
    for (size_t i = 0; i < n; i++) text[i] = (char)token[i];
    text[n] = '\0';
    return text;
}

/* The longest suffix of t (n) that ends earlier too, and where it first did. */
static size_t by_hand(const int32_t *t, size_t n, size_t *behind)
{
    size_t longest = 0;
    for (size_t stop = 1; stop < n; stop++) {
        size_t len = 0;
        while (len < stop && t[stop - 1 - len] == t[n - 1 - len]) len++;
        if (len > longest) longest = len, *behind = stop;
    }
    return longest;
}

static void finds_what_a_search_by_hand_finds(void **state)
{
    enum { MOST = 300 };
    int32_t text[MOST];
    uint32_t random = 7;
    (void)state;
    for (int letters = 1; letters <= 6; letters++) {
        begin(MOST);
        for (size_t n = 0; n < MOST; n++) {
            size_t want = 0, got = 0, length;
            random = random * 1664525u + 1013904223u;
            text[n] = (int32_t)((random >> 16) % (uint32_t)letters) * 50000;
            draft_add(draft, &text[n], 1);
            length = by_hand(text, n + 1, &want);
            assert_int_equal(draft_match(draft, &got), length);
            assert_int_equal(got, want);
        }
        draft_close(draft);
    }
    draft = NULL;
}

static void goes_on_as_the_text_went_on(void **state)
{
    (void)state;
    begin(1000);
    add_text("The fee is 40 pounds a year. Q: the fee? A: Th");
    assert_string_equal(proposed(DRAFT_MOST), "e fee");
    add_text("e fee is");
    assert_string_equal(proposed(3), " 40");
}

static void has_nothing_to_say_where_nothing_was_repeated(void **state)
{
    (void)state;
    begin(1000);
    assert_string_equal(proposed(DRAFT_MOST), "");
    add_text("abcdefg");
    assert_string_equal(proposed(DRAFT_MOST), "");
    add_text("xa");                        // one token is not enough
    assert_string_equal(proposed(DRAFT_MOST), "");
}

static void grows_while_it_is_right(void **state)
{
    static const size_t length[] = { 5, 11, 23, 23 };
    (void)state;
    begin(1000);
    add_text("abcdefghijklmnopqrstuvwxyz0123456789-ab");
    for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
        assert_int_equal(strlen(proposed(DRAFT_MOST)), length[i]);
        draft_judge(draft, length[i], length[i]);
    }
    draft_judge(draft, 23, 3);
    assert_int_equal(strlen(proposed(DRAFT_MOST)), 5);
}

static void falls_silent_where_it_is_wrong(void **state)
{
    int turns = 4000, drafts = 0;
    (void)state;
    begin(1000);
    add_text("abcdefghijklmnopqrstuvwxyz0123456789-ab");
    for (int i = 0; i < turns; i++) {
        if (!*proposed(DRAFT_MOST)) continue;
        drafts++;
        draft_judge(draft, 5, 0);
    }
    assert_true(drafts > 50);
    assert_true(drafts < turns / 30);      // 12 % of a step's time each: .4 % in all
    while (!*proposed(DRAFT_MOST)) continue;
    draft_judge(draft, 5, 5);
    assert_int_equal(strlen(proposed(DRAFT_MOST)), 11);
}

static void keeps_no_more_than_it_has_room_for(void **state)
{
    size_t behind = 99;
    (void)state;
    begin(4);
    add_text("ababababab");
    assert_int_equal(draft_match(draft, &behind), 2);
    assert_int_equal(behind, 2);
    end(NULL);
    begin(0);
    add_text("a");
    assert_int_equal(draft_match(draft, &behind), 0);
    assert_string_equal(proposed(DRAFT_MOST), "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, end)
    const struct CMUnitTest tests[] = {
        TEST(finds_what_a_search_by_hand_finds),
        TEST(goes_on_as_the_text_went_on),
        TEST(has_nothing_to_say_where_nothing_was_repeated),
        TEST(grows_while_it_is_right),
        TEST(falls_silent_where_it_is_wrong),
        TEST(keeps_no_more_than_it_has_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
