/* Program source by definition. */
#include "packed.h"

static void a_function_is_a_section_with_its_comment(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(
        said(&cx, "a.c", STR("/* a.c -- what it is. */\n#include <stdio.h>\n\n"
             "enum { A, B };\n\n/* Adds. */\nstatic int\nadd(int a, int b)\n{\n"
             "#if X\n    a++;\n#endif\n\n    /* and so */\n    return a + b;\n}\n\n"
             "int seven;\nint eight;\n\nstruct P {\n    int x;\n} p;\n")),
        "C /* a.c -- what it is. */\n#include <stdio.h>\nC enum { A, B };\n"
        "H1 add(int a, int b)\nC static int\nadd(int a, int b)\n{\n#if X\n    a++;\n"
        "#endif\n\n    /* and so */\n    return a + b;\n}\n"
        "H1 int seven;\nC int eight;\nH1 struct P\nC     int x;\n} p;\n");
    ctx_end(&cx);
}

static void python_is_cut_by_its_indentation(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(
        said(&cx, "a.py", STR("\"\"\"What it is.\nIn the first column.\n\"\"\"\n"
             "import os\n\n@cached\ndef one(a,\n        b):\n    \"\"\"Says\nanything.\n"
             "\"\"\"\n    return a\n\n# why\nclass Two:\n    x = 1\n")),
        "C \"\"\"What it is.\nIn the first column.\n\"\"\"\nimport os\n"
        "H1 def one(a,\nC def one(a,\n        b):\n    \"\"\"Says\nanything.\n\"\"\"\n"
        "    return a\nH1 class Two\nC class Two:\n    x = 1\n");
    ctx_end(&cx);
}

static void a_long_class_is_cut_into_its_members(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 16);
    buf_add(&b, STR("package p;\n\npublic class Box {\n    int n;\n\n    // Opens.\n"
                    "    void open() {\n"));
    for (int i = 0; i < 40; i++) buf_add(&b, STR("        n++;\n"));
    buf_add(&b, STR("    }\n\n    void close() {\n        n--;\n    }\n}\n"));
    const char *out = said(&cx, "Box.java", buf_str(&b));
    assert_non_null(strstr(out, "C package p;\nH1 public class Box\nC     int n;\n"
                                "H2 void open()\nC     void open() {\n        n++;"));
    assert_non_null(strstr(out, "    }\nH2 void close()\nC         n--;\n    }\n}\n"));
    buf_free(&b);
    ctx_end(&cx);
}

/* Every byte that is no white space is in a part. */
static void no_line_is_lost(void **state)
{
    (void)state;
    static const char text[] = "  odd\n// c\n\n// d\nint a;\n}\n/* open\nx\n\n*/ y\n#z\n"
                               "f() {\n// mid\n\n  g\n// last\n";
    for (size_t n = 0; n < sizeof text; n++) {
        Ctx cx = CTX_INIT;
        Parsed p;
        size_t kept = 0, all = 0;
        assert_int_equal(source_parse(&cx, (Str){ text, n }, &p), OK);
        for (size_t i = 0; i < p.n; i++)
            for (size_t k = p.at[i].start; k < p.at[i].end; k++)
                kept += (unsigned char)text[k] > ' ';
        for (size_t k = 0; k < n; k++) all += (unsigned char)text[k] > ' ';
        assert_int_equal(kept, all);
        ctx_end(&cx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_is_a_section_with_its_comment),
        cmocka_unit_test(python_is_cut_by_its_indentation),
        cmocka_unit_test(a_long_class_is_cut_into_its_members),
        cmocka_unit_test(no_line_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
