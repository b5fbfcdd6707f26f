/* The text edition of documents that are no text. */
#include "parse/edition.h"
#include "parse/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* All windows put together, each checked to be what edition.h promises. */
typedef struct Whole {
    Ctx cx;
    Buf text, kinds;
    size_t windows;
    char title[64];
} Whole;

static Status take(void *arg, const Parsed *w)
{
    Whole *all = arg;
    size_t last = w->base;
    assert_int_equal(w->base, all->text.n);
    assert_true(w->verbatim);
    if (all->windows++ == 0 && w->title.n) memcpy(all->title, w->title.p, w->title.n);
    for (size_t i = 0; i < w->n; i++) {
        const Part *p = &w->at[i];
        assert_true(p->start >= last && p->end > p->start);
        assert_true(str_eq(p->text, (Str){ w->source.p + p->start - w->base,
                                           p->end - p->start }));
        buf_addf(&all->kinds, "%d%d@%d ", (int)p->kind, p->level, p->page);
        last = p->end;
    }
    assert_true(last <= w->base + w->source.n);
    buf_add(&all->text, w->source);
    return OK;
}

static Whole *whole_new(void)
{
    Whole *all = calloc(1, sizeof *all);
    assert_non_null(all);
    all->text = all->kinds = BUF(64 << 20);
    return all;
}

static void whole_free(Whole *all)
{
    buf_free(&all->text);
    buf_free(&all->kinds);
    ctx_end(&all->cx);
    free(all);
}

static void assert_text(const Whole *all, const char *text)
{
    assert_int_equal(all->text.n, strlen(text));
    assert_memory_equal(all->text.p, text, all->text.n);
}

static void writes_parts_with_blank_lines_and_lists_without(void **state)
{
    (void)state;
    Whole *all = whole_new();
    Edition e;
    edition_open(&e, &all->cx, &(Sink){ take, all });
    assert_int_equal(edition_title(&e, STR(" A\n title ")), OK);
    edition_page(&e, 1);
    assert_int_equal(edition_add(&e, PART_HEADING, 2, STR("Of  mice")), OK);
    assert_int_equal(edition_add(&e, PART_PARAGRAPH, 0, STR(" One\ntwo.\t")), OK);
    assert_int_equal(edition_add(&e, PART_PARAGRAPH, 0, STR(" \n ")), OK);
    edition_page(&e, 2);
    assert_int_equal(edition_add(&e, PART_ROW, 0, STR("a | b")), OK);
    assert_int_equal(edition_add(&e, PART_ROW, 0, STR("c | d")), OK);
    assert_int_equal(edition_add(&e, PART_CODE, 0, STR("\n  if (x)\r\n\ty();\n\n")), OK);
    assert_int_equal(edition_end(&e), OK);
    edition_close(&e);
    assert_text(all, "Of mice\n\nOne two.\n\na | b\nc | d\n\n  if (x)\n\ty();");
    assert_string_equal(all->title, "A title");
    assert_int_equal(all->kinds.n, strlen("02@1 10@1 40@2 40@2 20@2 "));
    assert_memory_equal(all->kinds.p, "02@1 10@1 40@2 40@2 20@2 ", all->kinds.n);
    whole_free(all);
}

static void mends_what_is_no_text(void **state)
{
    (void)state;
    Whole *all = whole_new();
    Edition e;
    edition_open(&e, &all->cx, &(Sink){ take, all });
    assert_int_equal(edition_add(&e, PART_PARAGRAPH, 0,
                                 (Str){ "a\0b\x01" "c\xFFz\xC3", 8 }), OK);
    assert_int_equal(edition_end(&e), OK);
    edition_close(&e);
    assert_text(all, "a b c\xEF\xBF\xBDz\xEF\xBF\xBD");
    whole_free(all);
}

static void hands_a_large_document_on_in_windows(void **state)
{
    (void)state;
    Whole *all = whole_new();
    Edition e;
    char line[1000];
    memset(line, 'x', sizeof line);
    edition_open(&e, &all->cx, &(Sink){ take, all });
    for (int i = 0; i < 5000; i++)
        assert_int_equal(edition_add(&e, PART_PARAGRAPH, 0, (Str){ line, 1000 }), OK);
    assert_int_equal(edition_end(&e), OK);
    edition_close(&e);
    assert_int_equal(all->text.n, 5000 * 1002 - 2);
    assert_in_range(all->windows, 4, 6);
    whole_free(all);
}

static void gives_one_window_for_nothing(void **state)
{
    (void)state;
    Whole *all = whole_new();
    Edition e;
    edition_open(&e, &all->cx, &(Sink){ take, all });
    assert_int_equal(edition_end(&e), OK);
    edition_close(&e);
    assert_int_equal(all->windows, 1);
    assert_int_equal(all->text.n, 0);
    whole_free(all);
}

static Status refuse(void *arg, const Parsed *w)
{
    (void)arg, (void)w;
    return E_LIMIT;
}

static void ends_with_what_the_sink_says(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Edition e;
    edition_open(&e, &cx, &(Sink){ refuse, NULL });
    assert_int_equal(edition_add(&e, PART_PARAGRAPH, 0, STR("x")), OK);
    assert_int_equal(edition_end(&e), E_LIMIT);
    edition_close(&e);
    ctx_end(&cx);
}

static void knows_kinds_by_name_and_bytes(void **state)
{
    (void)state;
    static const struct { const char *name, *head; Kind kind; } t[] = {
        { "a/b.md", "# x", KIND_MARKDOWN }, { "B.HTML", "x", KIND_HTML },
        { "x", "<!doctype html><p>", KIND_HTML }, { "x.d/y", "plain", KIND_TEXT },
        { "x.c", "int main;", KIND_SOURCE }, { "x.txt", "\x7F" "ELF", KIND_NONE },
        { "", "", KIND_TEXT },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_int_equal(kind_of(str_z(t[i].name), str_z(t[i].head)), t[i].kind);
    assert_int_equal(kind_named(STR("html")), KIND_HTML);
    assert_int_equal(kind_named(STR("none")), KIND_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_parts_with_blank_lines_and_lists_without),
        cmocka_unit_test(mends_what_is_no_text),
        cmocka_unit_test(hands_a_large_document_on_in_windows),
        cmocka_unit_test(gives_one_window_for_nothing),
        cmocka_unit_test(ends_with_what_the_sink_says),
        cmocka_unit_test(knows_kinds_by_name_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
