/* Plain text to parts, and the charset of unknown bytes. */
#include "parse/charset.h"
#include "index_support.h"

static void finds_headings_by_their_underlines(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p;
    assert_int_equal(text_parse(&cx, golden(&cx, "manual.txt"), &p), OK);
    assert_slices(&p);
    assert_golden_parts(&cx, &p, "manual.txt.parts");
    ctx_end(&cx);
}

static void code_has_no_headings(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p;
    assert_int_equal(code_parse(&cx, STR("int x;\n======\n\n  int y;\n"), &p), OK);
    assert_slices(&p);
    assert_int_equal(p.n, 2);
    assert_int_equal(p.at[0].kind, PART_CODE);
    assert_true(str_eq(p.at[1].text, STR("  int y;")));
    ctx_end(&cx);
}

static void markup_has_items_and_blocks_of_code(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Parsed p;
    Buf b = BUF(1 << 16);
    assert_int_equal(markup_parse(&cx, STR(
        "=====\nTitle\n=====\n\nPart\n----\n\nFor example::\n\n  a = 1\n\n  b = 2\n"
        "\nText.\n- one\n  goes on\n- two\n\n1. first\n2. second\n\n[source,c]\n----\n"
        "int x;\n\nint y;\n----\n\n.. code-block:: c\n\n   z;\n\n== Level\n\n"
        "----\n"), &p), OK);
    assert_slices(&p);
    write_parts(&b, &p);
    assert_string_equal(b.p, "title: Title\n"
        "heading 1 [Title]: =====\\nTitle\\n=====\nheading 2 [Part]: Part\\n----\n"
        "paragraph: For example::\ncode:   a = 1\\n\\n  b = 2\nparagraph: Text.\n"
        "item: - one\\n  goes on\nitem: - two\nitem: 1. first\nitem: 2. second\n"
        "paragraph: [source,c]\ncode: ----\\nint x;\\n\\nint y;\\n----\n"
        "paragraph: .. code-block:: c\ncode:    z;\nheading 2 [Level]: == Level\n"
        "paragraph: ----\n");
    buf_free(&b);
    ctx_end(&cx);
}

static void assert_utf8(Str bytes, Str wanted)
{
    Ctx cx = CTX_INIT;
    Str out;
    assert_int_equal(charset_utf8(&cx, bytes, &out), OK);
    assert_int_equal(out.n, wanted.n);
    assert_memory_equal(out.p, wanted.p, wanted.n);
    ctx_end(&cx);
}

static void utf8_is_not_copied(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Str out, in = STR("\xEF\xBB\xBFgr\xC3\xBC\xC3\x9F");
    assert_int_equal(charset_utf8(&cx, in, &out), OK);
    assert_ptr_equal(out.p, in.p);
    ctx_end(&cx);
}

static void utf16_is_read_with_and_without_its_mark(void **state)
{
    (void)state;
    assert_utf8(STR("\xFF\xFEh\0i\0\xFC\0"), STR("\xEF\xBB\xBFhi\xC3\xBC"));
    assert_utf8(STR("\xFE\xFF\0h\0i\0\xFC"), STR("\xEF\xBB\xBFhi\xC3\xBC"));
    assert_utf8(STR("p\0l\0a\0i\0n\0"), STR("plain"));
    assert_utf8(STR("\0p\0l\0a\0i\0n"), STR("plain"));
}

static void old_charsets_are_found(void **state)
{
    (void)state;
    assert_utf8(STR("<meta charset=\"windows-1251\"><p>\xCF\xF0\xE8"),
                STR("<meta charset=\"windows-1251\"><p>\xD0\x9F\xD1\x80\xD0\xB8"));
    assert_utf8(STR("Die M\xFChle am Bach rauscht, und der M\xFCller schl\xE4"
                    "ft in der K\xFC" "che."),
                STR("Die M\xC3\xBChle am Bach rauscht, und der M\xC3\xBCller schl\xC3\xA4"
                    "ft in der K\xC3\xBC" "che."));
}

/* FF FE is UTF-16's mark at the front of a file, and nowhere else. */
static void a_mark_in_the_middle_is_no_mark(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Str out, front = STR("bad "), end = STR(" bytes and a harbour too");
    Str in = STR("bad \xFF\xFE\xFA bytes and a harbour too");
    assert_int_equal(charset_utf8(&cx, in, &out), OK);
    assert_true(str_starts(out, front) && str_ends(out, end));
    ctx_end(&cx);
}

static void a_few_bad_bytes_do_not_make_utf8_something_else(void **state)
{
    (void)state;
    assert_utf8(STR("\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC"
                    "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC"
                    "\xFF."),
                STR("\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC"
                    "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC"
                    "\xEF\xBF\xBD."));
}

/* A tenth of them are control characters, give or take. */
static void random_bytes_without_a_zero_are_no_text(void **state)
{
    enum { FILES = 1000, BYTES = 500 };
    char bytes[BYTES];
    uint32_t seed = 1;
    (void)state;
    for (int i = 0; i < FILES; i++) {
        for (int k = 0; k < BYTES; k++) {
            seed = seed * 1664525 + 1013904223;
            bytes[k] = (char)(1 + (seed >> 8) % 255);
        }
        assert_true(charset_is_binary((Str){ bytes, BYTES }));
    }
    assert_false(charset_is_binary(STR("caf\xE9 de la gare, ouvert\r\n\x1A")));
    assert_false(charset_is_binary(STR("\x01\x02 caf\xC3\xA9 de la gare, ouvert tous les "
                                       "jours \x7F de six heures")));
}

static void binary_is_refused(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Str out;
    assert_int_equal(charset_utf8(&cx, STR("\x7F" "ELF\2\1\1\0\0\0\0"), &out), E_FORMAT);
    ctx_forgive(&cx);
    assert_int_equal(charset_utf8(&cx, STR("%PDF-1.4 text"), &out), E_FORMAT);
    assert_true(charset_is_binary(STR("abc\0def")));
    assert_false(charset_is_binary(STR("abc\033[1mdef\f\n")));
    assert_false(charset_is_binary(STR("")));
    ctx_end(&cx);
}

static void counts_the_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    static const struct { Str s; size_t bad; } cases[] = {
        { { "ascii and \xF0\x9F\x98\x80", 14 }, 0 }, { { "\xC0\x80", 2 }, 2 },
        { { "\xED\xA0\x80", 3 }, 3 }, { { "\xF4\x90\x80\x80", 4 }, 4 },
        { { "\xE2\x82", 2 }, 2 }, { { "12345678\xFF" "12345678", 17 }, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(charset_invalid(cases[i].s), cases[i].bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_headings_by_their_underlines),
        cmocka_unit_test(code_has_no_headings),
        cmocka_unit_test(markup_has_items_and_blocks_of_code),
        cmocka_unit_test(utf8_is_not_copied),
        cmocka_unit_test(utf16_is_read_with_and_without_its_mark),
        cmocka_unit_test(old_charsets_are_found),
        cmocka_unit_test(a_mark_in_the_middle_is_no_mark),
        cmocka_unit_test(a_few_bad_bytes_do_not_make_utf8_something_else),
        cmocka_unit_test(binary_is_refused),
        cmocka_unit_test(random_bytes_without_a_zero_are_no_text),
        cmocka_unit_test(counts_the_bytes_that_are_no_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
