/* HTML to parts. */
#include "index_support.h"

static Parsed parse(Ctx *cx, const char *text)
{
    Parsed p;
    assert_int_equal(html_parse(cx, str_z(text), &p), OK);
    for (size_t i = 0; i < p.n; i++) {
        assert_true(p.at[i].start < p.at[i].end && p.at[i].end <= p.source.n);
        assert_true(i == 0 || p.at[i].start >= p.at[i - 1].end);
    }
    return p;
}

static void reads_every_kind_of_block(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, golden(&cx, "guide.html").p);
    assert_golden_parts(&cx, &p, "guide.html.parts");
    ctx_end(&cx);
}

static void the_range_of_a_part_covers_its_words(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, golden(&cx, "guide.html").p);
    for (size_t i = 0; i < p.n; i++) {
        const Part *q = &p.at[i];
        Str range = { p.source.p + q->start, q->end - q->start };
        assert_true((unsigned char)range.p[0] > ' ' && range.p[0] != '>');
        if (!memmem(range.p, range.n, "&", 1) && !memmem(range.p, range.n, "\xC3", 1))
            assert_words_in(q->text, range);
    }
    ctx_end(&cx);
}

static void offsets_count_a_byte_order_mark_and_wide_characters(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, "\xEF\xBB\xBF<p>\xC3\x84\xE2\x82\xAC one</p><p>two</p>");
    assert_int_equal(p.n, 2);
    assert_int_equal(p.at[0].start, 6);
    assert_true(str_eq(p.at[0].text, STR("\xC3\x84\xE2\x82\xAC one")));
    assert_true(str_starts((Str){ p.source.p + p.at[1].start, 3 }, STR("two")));
    ctx_end(&cx);
}

static void what_meta_says_does_not_change_utf8(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, "<head><meta charset=iso-8859-1><title>\xC3\x84</title></head>"
                          "<p>\xC3\xBC");
    assert_true(str_eq(p.title, STR("\xC3\x84")));
    assert_true(str_eq(p.at[0].text, STR("\xC3\xBC")));
    ctx_end(&cx);
}

static void links_of_a_list_stay_once_the_text_has_begun(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, "<ul><li><a>menu</a></ul><h1>T</h1>"
                          "<ul><li><a>contents</a></ul>");
    assert_int_equal(p.n, 2);
    assert_true(str_eq(p.at[1].text, STR("- contents")));
    ctx_end(&cx);
}

static void a_layout_table_does_not_become_one_row(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, "<table><tr><td><h1>T</h1><p>words<pre>a\n b</pre></td></tr>"
                          "</table>");
    assert_int_equal(p.n, 3);
    assert_int_equal(p.at[0].kind, PART_HEADING);
    assert_true(str_eq(p.at[2].text, STR("a\n b")));
    ctx_end(&cx);
}

static void nesting_without_end_is_read(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 22);
    for (int i = 0; i < 100000; i++) buf_add(&b, STR("<div><b>"));
    buf_add(&b, STR("deep"));
    Parsed p = parse(&cx, b.p);
    assert_true(p.n <= 1);
    buf_free(&b);
    ctx_end(&cx);
}

static void nothing_gives_no_parts(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_int_equal(parse(&cx, "").n, 0);
    assert_int_equal(parse(&cx, "\xEF\xBB\xBF").n, 0);
    assert_int_equal(parse(&cx, "<script>x</script><p> &nbsp").n <= 1, 1);
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_block),
        cmocka_unit_test(the_range_of_a_part_covers_its_words),
        cmocka_unit_test(offsets_count_a_byte_order_mark_and_wide_characters),
        cmocka_unit_test(what_meta_says_does_not_change_utf8),
        cmocka_unit_test(links_of_a_list_stay_once_the_text_has_begun),
        cmocka_unit_test(a_layout_table_does_not_become_one_row),
        cmocka_unit_test(nesting_without_end_is_read),
        cmocka_unit_test(nothing_gives_no_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
