/* Rich Text Format: text, code pages, tables, what is left out, hostile files. */
#include "packed.h"

static void assert_said(const char *rtf, const char *want)
{
    Ctx cx = CTX_INIT;
    assert_string_equal(said(&cx, "a.rtf", str_z(rtf)), want);
    ctx_end(&cx);
}

static void paragraphs_headings_and_title_are_read(void **state)
{
    (void)state;
    assert_said("{\\rtf1\\ansi{\\stylesheet{Normal;}{\\s1\\b heading 1;}{\\s7 Own;}}"
                "{\\info{\\title The manual}{\\author Nobody}}\\pard\\s1 Top\\par "
                "\\pard\\s7 Plain\\line text\\par\\pard\\outlinelevel1 Under\\par}",
                "= The manual\nH1 Top\nP Plain text\nH2 Under\n");
    assert_said("{\\rtf1 One\\'\npara\\\n{\\b Two} three}", "P Onepara\nP Two three\n");
}

static void characters_come_from_code_pages_and_from_unicode(void **state)
{
    (void)state;
    assert_said("{\\rtf1\\ansi\\ansicpg1252 Caf\\'e9 \\'80\\u8364?5 \\uc0"
                "\\u235 x \\uc2\\u-3913?? \\uc1\\u55357?\\u56832? "
                "\\ldblquote a\\rdblquote\\~b\\_c}",
                "P Café €€5 ëx \xEF\x82\xB7 😀 “a” b-c\n");
    assert_said("{\\rtf1\\ansi{\\fonttbl{\\f1\\fcharset204 A;}{\\f2\\fcharset128 M;}}"
                "{\\f1\\'cf\\'f0\\'e8} {\\f2\\'93\\'fa\\'83A} \\'e9}", "P При 日ア é\n");
    assert_said("{\\rtf1\\mac caf\\'8e}", "P café\n");
}

static void tables_are_rows_and_notes_stand_behind(void **state)
{
    (void)state;
    assert_said("{\\rtf1\\trowd\\pard\\intbl Name\\cell Price\\par each\\cell\\row"
                "\\trowd\\pard\\intbl Tea\\cell\\cell\\row\\pard After{\\footnote Noted."
                "} it.\\par Next}",
                "R Name | Price each\nR Tea |\nP After it.\nP Noted.\nP Next\n");
    assert_said("{\\rtf1\\pard\\intbl a\\cell b\\cell unfinished", "R a | b | "
                "unfinished\n");
    assert_said("{\\rtf1{\\listtext 1.\\tab}First\\par Text}", "I 1. First\nP Text\n");
}

static void what_is_no_text_of_the_document_is_left_out(void **state)
{
    (void)state;
    assert_said("{\\rtf1{\\header H}{\\*\\unknown U}a{\\deleted d}{\\v v}{\\pict\\bin4 "
                "}{}}00ff}{\\field{\\*\\fldinst X}{\\fldrslt b}}{\\colortbl;\\red0;}c}",
                "P abc\n");
}

static void what_is_no_rich_text_is_told_so(void **state)
{
    (void)state;
    assert_said("nothing of it", "! it does not begin with {\\rtf\n");
    Ctx cx = CTX_INIT;
    assert_int_equal(kind_of(STR("letter.doc"), STR("{\\rtf1 x}")), KIND_RTF);
    ctx_end(&cx);
}

/* Broken at any byte, nested without end, numbers past all limits. */
static void hostile_files_end_in_text(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    enum { DEEP = 100000 };
    char *deep = malloc(DEEP + 64);
    assert_non_null(deep);
    memcpy(deep, "{\\rtf1 ", 7);
    memset(deep + 7, '{', DEEP);
    memcpy(deep + 7 + DEEP, "text}}", 7);
    assert_said(deep, "P text\n");
    free(deep);
    static const char whole[] =
        "{\\rtf1{\\fonttbl{\\f99999999999\\fcharset-1 x;}}\\s-5\\outlinelevel99"
        "\\u99999999?"
        "\\uc-7\\bin99999999999 \\'zz\\cell\\row\\trowd\\cell{\\footnote\\cell\\par}}}}x";
    for (size_t n = 5; n < sizeof whole; n++)
        assert_non_null(said(&cx, "a.rtf", (Str){ whole, n }));
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paragraphs_headings_and_title_are_read),
        cmocka_unit_test(characters_come_from_code_pages_and_from_unicode),
        cmocka_unit_test(tables_are_rows_and_notes_stand_behind),
        cmocka_unit_test(what_is_no_text_of_the_document_is_left_out),
        cmocka_unit_test(what_is_no_rich_text_is_told_so),
        cmocka_unit_test(hostile_files_end_in_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
