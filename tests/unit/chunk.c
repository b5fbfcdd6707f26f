/* Parts packed into chunks. The fake embedder's token is a word. */
#include "index_support.h"

typedef struct Desk {
    Ctx cx;
    Chunker c;
} Desk;

static int setup(void **state)
{
    Desk *d = calloc(1, sizeof *d);
    d->c.aim = 40;
    assert_int_equal(model_open(&d->cx, "fake:window=512", NULL, &d->c.embedder), OK);
    assert_int_equal(words_open(&d->cx, &d->c.words), OK);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    Desk *d = *state;
    model_close(d->c.embedder);
    words_close(d->c.words);
    ctx_end(&d->cx);
    free(d);
    return 0;
}

static size_t cut(Desk *d, const Parsed *p, Chunk **out)
{
    size_t n = 0;
    assert_int_equal(chunk_parts(&d->cx, &d->c, p, out, &n), OK);
    for (size_t i = 0; i < n; i++) {
        const Chunk *c = &(*out)[i];
        assert_true(c->start < c->end && c->end <= p->source.n);
        assert_true(c->tokens <= chunk_maximum(&d->c));
        if (!p->verbatim) continue;
        assert_ptr_equal(c->text.p, p->source.p + c->start);
        assert_int_equal(c->text.n, c->end - c->start);
        assert_true(i == 0 || c->start >= (*out)[i - 1].end);
    }
    return n;
}

static size_t cut_markdown(Desk *d, const char *text, Chunk **out)
{
    Parsed *p = ctx_new(&d->cx, Parsed, 1);
    assert_int_equal(markdown_parse(&d->cx, str_z(text), p), OK);
    return cut(d, p, out);
}

static void add_sentences(Buf *b, int n)
{
    for (int i = 0; i < n; i++) buf_addf(b, "This is sentence number %d of many. ", i);
}

static void nothing_gives_no_chunks(void **state)
{
    Chunk *c;
    assert_int_equal(cut_markdown(*state, "\n \n", &c), 0);
}

static void a_section_is_a_path_without_the_title(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 16);
    buf_add(&b, STR("# T\n\n"));
    add_sentences(&b, 3);
    buf_add(&b, STR("\n\n## A\n\n"));
    add_sentences(&b, 3);
    buf_add(&b, STR("\n\n### B\n\n"));
    add_sentences(&b, 3);
    assert_int_equal(cut_markdown(*state, b.p, &c), 3);
    assert_true(str_eq(c[0].section, STR("")));
    assert_true(str_eq(c[1].section, STR("A")));
    assert_true(str_eq(c[2].section, STR("A > B")));
    assert_true(str_starts(c[2].text, STR("### B\n\nThis is")));
    buf_free(&b);
}

static void headings_stay_with_what_follows(void **state)
{
    Chunk *c;
    assert_int_equal(cut_markdown(*state, "# A\n\n## B\n\n### C\n\nwords\n", &c), 1);
    assert_true(str_eq(c[0].section, STR("B > C")));
    assert_int_equal(c[0].start, 0);
}

static void a_small_section_joins_its_neighbour_under_the_same_parent(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 16);
    buf_add(&b, STR("# T\n\n## A\n\n"));
    add_sentences(&b, 4);
    buf_add(&b, STR("\n\n## B\n\nfew words\n"));
    assert_int_equal(cut_markdown(*state, b.p, &c), 1);
    assert_true(str_eq(c[0].section, STR("")));     // what A and B share
    buf_free(&b);
}

static void cousins_are_not_joined(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 16);
    buf_add(&b, STR("# T\n\n## A\n\n### X\n\n"));
    add_sentences(&b, 4);
    buf_add(&b, STR("\n\n## B\n\n### Y\n\nfew words\n"));
    assert_int_equal(cut_markdown(*state, b.p, &c), 2);
    buf_free(&b);
}

static void a_long_paragraph_is_cut_between_sentences(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 16);
    add_sentences(&b, 100);
    size_t n = cut_markdown(*state, b.p, &c);
    assert_true(n > 10);
    for (size_t i = 0; i < n; i++) {
        assert_true(str_starts(c[i].text, STR("This is sentence")));
        assert_true(str_ends(c[i].text, STR("of many.")));
        assert_true(i + 1 == n || c[i].tokens >= 20);
    }
    buf_free(&b);
}

static void code_is_kept_whole_up_to_the_maximum(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 16);
    buf_add(&b, STR("```\n"));
    for (int i = 0; i < 20; i++) buf_add(&b, STR("let it be;\n\n"));
    buf_add(&b, STR("```\n"));
    assert_int_equal(cut_markdown(*state, b.p, &c), 1);
    buf_free(&b);
}

static void longer_code_is_cut_at_blank_lines(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 16);
    Parsed p;
    Desk *d = *state;
    for (int i = 0; i < 50; i++)
        buf_add(&b, STR("void f()\n{\n    one two three;\n}\n\n"));
    assert_int_equal(code_parse(&d->cx, buf_str(&b), &p), OK);
    size_t n = cut(d, &p, &c);
    assert_true(n > 3);
    for (size_t i = 0; i < n; i++) assert_true(str_starts(c[i].text, STR("void f()")));
    buf_free(&b);
}

static void words_without_spaces_are_cut_between_characters(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 20);
    Desk *d = *state;
    Parsed p;
    for (int i = 0; i < 20000; i++) buf_add(&b, STR("\xE6\xBC\xA2"));
    assert_int_equal(text_parse(&d->cx, buf_str(&b), &p), OK);
    size_t n = cut(d, &p, &c), sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += c[i].text.n;
        assert_int_equal(c[i].text.n % 3, 0);
        assert_true(c[i].text.n <= 8u * 90);
    }
    assert_int_equal(sum, b.n);
    buf_free(&b);
}

static void what_a_list_is_announced_by_stays_with_it(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 16);
    buf_add(&b, STR("# One\n\n# Two\n\n"));   // with sections, it may be cut
    add_sentences(&b, 4);
    buf_add(&b, STR("\n\nThe parts of it are the following:\n\n"));
    for (int i = 0; i < 5; i++) buf_add(&b, STR("- one part of a few words\n"));
    assert_int_equal(cut_markdown(*state, b.p, &c), 2);
    assert_true(str_starts(c[1].text, STR("The parts of it")));
    buf_free(&b);
}

static void a_short_text_without_sections_stays_whole(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 16);
    add_sentences(&b, 12);
    assert_int_equal(cut_markdown(*state, b.p, &c), 1);
    add_sentences(&b, 12);
    assert_true(cut_markdown(*state, b.p, &c) > 1);
    buf_free(&b);
}

static void a_long_comment_is_not_carried_along(void **state)
{
    Chunk *c;
    Buf b = BUF(1 << 16);
    buf_add(&b, STR("Words before.\n\n<!-- "));
    for (int i = 0; i < 100; i++) buf_add(&b, STR("unread "));
    buf_add(&b, STR("-->\n\nWords after.\n"));
    assert_int_equal(cut_markdown(*state, b.p, &c), 2);
    assert_true(str_eq(c[0].text, STR("Words before.")));
    assert_true(str_eq(c[1].text, STR("Words after.")));
    buf_free(&b);
}

static void the_words_of_a_page_stand_in_the_range_of_their_chunk(void **state)
{
    Desk *d = *state;
    Chunk *c;
    Parsed p;
    Buf b = BUF(1 << 20);
    for (int i = 0; i < 30; i++) {
        buf_addf(&b, "<h2>Part number %d</h2><p class=\"x\">", i);
        add_sentences(&b, 9);
        buf_add(&b, STR("</p><ul><li>an <b>item</b><li>other</ul><pre>code here</pre>"));
    }
    assert_int_equal(html_parse(&d->cx, buf_str(&b), &p), OK);
    size_t n = cut(d, &p, &c);
    assert_true(n >= 30);
    for (size_t i = 0; i < n; i++)
        assert_words_in(c[i].text, (Str){ b.p + c[i].start, c[i].end - c[i].start });
    buf_free(&b);
}

static void the_embedder_reads_title_and_section_first(void **state)
{
    Desk *d = *state;
    Chunk c = { .text = STR("words"), .section = STR("A > B") };
    assert_true(str_eq(embedding_text(&d->cx, STR("T"), &c), STR("T > A > B\nwords")));
    c.section = STR("");
    assert_true(str_eq(embedding_text(&d->cx, STR("T"), &c), STR("T\nwords")));
    assert_true(str_eq(embedding_text(&d->cx, STR(""), &c), STR("words")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_gives_no_chunks),
        TEST(a_section_is_a_path_without_the_title),
        TEST(headings_stay_with_what_follows),
        TEST(a_small_section_joins_its_neighbour_under_the_same_parent),
        TEST(cousins_are_not_joined),
        TEST(a_long_paragraph_is_cut_between_sentences),
        TEST(code_is_kept_whole_up_to_the_maximum),
        TEST(longer_code_is_cut_at_blank_lines),
        TEST(words_without_spaces_are_cut_between_characters),
        TEST(what_a_list_is_announced_by_stays_with_it),
        TEST(a_short_text_without_sections_stays_whole),
        TEST(a_long_comment_is_not_carried_along),
        TEST(the_words_of_a_page_stand_in_the_range_of_their_chunk),
        TEST(the_embedder_reads_title_and_section_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
