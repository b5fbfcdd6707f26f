/* Markdown to parts. */
#include "index_support.h"

static Parsed parse(Ctx *cx, const char *text)
{
    Parsed p;
    assert_int_equal(markdown_parse(cx, str_z(text), &p), OK);
    assert_slices(&p);
    return p;
}

static void reads_every_kind_of_block(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p;
    assert_int_equal(markdown_parse(&cx, golden(&cx, "guide.md"), &p), OK);
    assert_slices(&p);
    assert_golden_parts(&cx, &p, "guide.md.parts");
    ctx_end(&cx);
}

static void counts_a_byte_order_mark(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, "\xEF\xBB\xBF# Title\n\nwords\n");
    assert_int_equal(p.at[0].start, 3);
    assert_int_equal(p.at[0].kind, PART_HEADING);
    ctx_end(&cx);
}

static void front_matter_needs_its_closing_mark(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, "---\ntitle: no end\n\nwords\n");
    assert_int_equal(p.title.n, 0);
    p = parse(&cx, "+++\ntitle = 'toml'\n+++\nwords\n");
    assert_true(str_eq(p.title, STR("toml")));
    assert_int_equal(p.n, 1);
    ctx_end(&cx);
}

static void a_fence_that_is_never_closed_runs_to_the_end(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, "a\n\n```c\nint x;\n\nint y;");
    assert_int_equal(p.n, 2);
    assert_true(str_eq(p.at[1].text, STR("```c\nint x;\n\nint y;")));
    ctx_end(&cx);
}

static void keeps_shortcodes_and_line_ends_of_windows(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p = parse(&cx, "# A\r\n\r\n{{< note >}}\r\nwords\r\n");
    assert_int_equal(p.n, 2);
    assert_true(str_eq(p.at[0].text, STR("# A")));
    assert_true(str_eq(p.at[1].text, STR("{{< note >}}\r\nwords")));
    ctx_end(&cx);
}

static void nothing_gives_no_parts(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_int_equal(parse(&cx, "").n, 0);
    assert_int_equal(parse(&cx, " \n\n<!-- x -->\n").n, 0);
    assert_int_equal(parse(&cx, "---\ntitle: t\n---\n").n, 0);
    ctx_end(&cx);
}

static void a_table_bomb_is_read_as_text(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 20);
    for (int i = 0; i < 1000; i++) buf_add(&b, STR("|a"));
    buf_add(&b, STR("|\n"));
    for (int i = 0; i < 1000; i++) buf_add(&b, STR("|-"));
    buf_add(&b, STR("|\n"));
    for (int i = 0; i < 5000; i++) buf_add(&b, STR("|b\n"));
    Parsed p;
    assert_int_equal(markdown_parse(&cx, buf_str(&b), &p), OK);
    assert_int_equal(p.n, 1);
    assert_int_equal(p.at[0].kind, PART_PARAGRAPH);
    buf_free(&b);
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_block),
        cmocka_unit_test(counts_a_byte_order_mark),
        cmocka_unit_test(front_matter_needs_its_closing_mark),
        cmocka_unit_test(a_fence_that_is_never_closed_runs_to_the_end),
        cmocka_unit_test(keeps_shortcodes_and_line_ends_of_windows),
        cmocka_unit_test(nothing_gives_no_parts),
        cmocka_unit_test(a_table_bomb_is_read_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
