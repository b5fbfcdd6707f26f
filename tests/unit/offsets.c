/* Maps from a text to its source: found, cut, stored, and foreign bytes refused; and on
 * real pages, that each sentence of a passage is found in its source to the byte. */
#include "ask/passage.h"
#include "base/offsets.h"
#include "index_support.h"

#include <glob.h>
#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>

static void add(Ctx *cx, Offsets *o, size_t text, size_t n, size_t source, size_t m)
{
    assert_int_equal(offsets_add(cx, o, (Run){ text, n, source, m }), OK);
}

static void assert_found(const Offsets *o, size_t start, size_t end, size_t from,
                         size_t to)
{
    size_t a = 0, b = 0;
    assert_true(offsets_find(o, start, end, &a, &b));
    assert_int_equal(a, from);
    assert_int_equal(b, to);
}

/* "- a & b cd" of "<li>a &amp; b <b>cd": bullet, "a ", the entity, " b ", "cd". */
static Offsets example(Ctx *cx)
{
    Offsets o = { 0 };
    add(cx, &o, 2, 2, 4, 2);
    add(cx, &o, 4, 1, 6, 5);
    add(cx, &o, 5, 3, 11, 3);
    add(cx, &o, 8, 2, 17, 2);
    return o;
}

static void finds_bytes_wholes_and_what_stands_nowhere(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Offsets o = example(&cx);
    size_t a = 77, b = 77;
    assert_found(&o, 0, 10, 4, 19);
    assert_found(&o, 2, 3, 4, 5);
    assert_found(&o, 4, 5, 6, 11);
    assert_found(&o, 6, 7, 12, 13);
    assert_found(&o, 9, 10, 18, 19);
    assert_false(offsets_find(&o, 0, 2, &a, &b));
    assert_false(offsets_find(&o, 10, 12, &a, &b));
    assert_int_equal(a + b, 154);
    ctx_end(&cx);
}

static void runs_that_go_on_are_one(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Offsets o = { 0 };
    for (size_t i = 0; i < 100; i++) add(&cx, &o, i * 5, 4, 10 + i * 5, 4);
    assert_int_equal(o.n, 1);
    assert_found(&o, 123, 456, 133, 466);
    ctx_end(&cx);
}

static void a_slice_is_cut_and_moved(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Offsets o = example(&cx), s = { 0 };
    assert_int_equal(offsets_slice(&cx, &o, 4, 5, 100, &s), OK);
    assert_found(&s, 0, 200, 6, 18);
    assert_found(&s, 104, 105, 17, 18);
    ctx_end(&cx);
}

static void comes_back_as_it_was_stored(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Offsets o = example(&cx), back;
    add(&cx, &o, 1 << 20, 70000, (size_t)1 << 33, 3);
    Str packed = offsets_pack(&cx, &o, 4);
    assert_int_equal(offsets_unpack(&cx, packed, 4, &back), OK);
    assert_int_equal(back.n, o.n);
    assert_memory_equal(back.at, o.at, o.n * sizeof *o.at);
    for (size_t n = 1; n < packed.n; n++) {
        Status st = offsets_unpack(&cx, (Str){ packed.p, n }, 4, &back);
        assert_true(n % 4 == 0 || st == E_FORMAT || st == OK);
        ctx_forgive(&cx);
    }
    Str huge = STR("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
    assert_int_equal(offsets_unpack(&cx, huge, 0, &back), E_FORMAT);
    ctx_end(&cx);
}

/* ---- real pages -------------------------------------------------------------------- */

/* Letters and digits of a text, a byte each: what is left without marks and spaces. */
static Str letters(Ctx *cx, Str s)
{
    char *to = ctx_new(cx, char, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > ' ' && !strchr("|-", s.p[i])) to[n++] = s.p[i];
    return (Str){ to, n };
}

/* A character of an entity at s, and how long that is; 0: none. */
static size_t entity(Str s, unsigned *c)
{
    const char *end = memchr(s.p, ';', s.n < 12 ? s.n : 12);
    if (s.p[0] != '&' || !end) return 0;
    char name[16] = { 0 };
    memcpy(name, s.p + 1, (size_t)(end - s.p) - 1);
    if (name[0] == '#') *c = (unsigned)strtoul(name + 1 + (name[1] == 'x'), NULL,
                                               name[1] == 'x' ? 16 : 10);
    else {
        const htmlEntityDesc *e = htmlEntityLookup((const xmlChar *)name);
        if (!e) return 0;
        *c = e->value;
    }
    return (size_t)(end - s.p) + 1;
}

/* The source without tags and comments, entities decoded: by other means than ours. */
static Str plain(Ctx *cx, Str s)
{
    char *to = ctx_new(cx, char, s.n + 8);
    size_t n = 0, skip;
    for (size_t i = 0; i < s.n; i += skip) {
        Str rest = { s.p + i, s.n - i };
        unsigned c = 0;
        int bytes = 0;
        const char *end = NULL;
        skip = 1;
        if (str_starts(rest, STR("<!--"))) end = memmem(rest.p, rest.n, "-->", 3);
        else if (rest.p[0] == '<' && rest.n > 1 && strchr("/!?abcdefghijklmnopqrstuvwxyz",
                                                           rest.p[1] | 0x20))
            end = memchr(rest.p, '>', rest.n);
        if (end) {
            skip = (size_t)(end - rest.p) + (str_starts(rest, STR("<!--")) ? 3 : 1);
        } else if ((skip = entity(rest, &c)) > 0) {
            bytes = xmlCopyChar(0, (xmlChar *)to + n, (int)c);
        } else {
            skip = 1, bytes = 1;
            to[n] = rest.p[0];
        }
        n += (size_t)bytes;
    }
    return (Str){ to, n };
}

typedef struct Tally {
    size_t sentences, exact;    // exact: no byte of another sentence
} Tally;

static void check_chunk(Ctx *cx, Words *w, Str source, const Chunk *c, Tally *t)
{
    Offsets map;
    Span *s;
    size_t n;
    assert_int_equal(offsets_unpack(cx, c->map, c->start, &map), OK);
    assert_int_equal(passage_sentences(cx, w, c->text, &s, &n), OK);
    for (size_t i = 0; i < n; i++) {
        size_t from, to;
        Str said = letters(cx, (Str){ c->text.p + s[i].start, s[i].end - s[i].start });
        if (said.n == 0) continue;
        assert_true(offsets_find(&map, s[i].start, s[i].end, &from, &to));
        assert_true(c->start <= from && from < to && to <= c->end);
        Str there = letters(cx, plain(cx, (Str){ source.p + from, to - from }));
        t->sentences++;
        if (str_eq(said, there)) t->exact++;
        else print_message("'%.*s' is '%.*s'\n", (int)said.n, said.p, (int)there.n,
                           there.p);
    }
}

static void every_sentence_of_a_page_stands_where_its_map_says(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Tally t = { 0 };
    Chunker c = { .aim = 100 };
    glob_t pages = { 0 };
    assert_int_equal(glob(TESTS_DIR "/../examples/docs/*/*.html", 0, NULL, &pages), 0);
    assert_int_equal(glob(TESTS_DIR "/golden/index/*.html", GLOB_APPEND, NULL, &pages),
                     0);
    assert_int_equal(words_open(&cx, &c.words), OK);
    assert_int_equal(model_open(&cx, "fake:", NULL, &c.embedder), OK);
    for (size_t i = 0; i < pages.gl_pathc; i++) {
        Parsed p;
        Chunk *chunk;
        size_t n;
        Str source = file_text(&cx, pages.gl_pathv[i]);
        assert_int_equal(html_parse(&cx, source, &p), OK);
        assert_int_equal(chunk_parts(&cx, &c, &p, &chunk, &n), OK);
        for (size_t k = 0; k < n; k++) check_chunk(&cx, c.words, source, &chunk[k], &t);
    }
    print_message("%zu sentences of %zu pages, %zu exact\n", t.sentences, pages.gl_pathc,
                  t.exact);
    assert_true(t.sentences > 1000);
    assert_int_equal(t.exact, t.sentences);
    globfree(&pages);
    words_close(c.words);
    model_close(c.embedder);
    ctx_end(&cx);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_bytes_wholes_and_what_stands_nowhere),
        TEST(runs_that_go_on_are_one),
        TEST(a_slice_is_cut_and_moved),
        TEST(comes_back_as_it_was_stored),
        TEST(every_sentence_of_a_page_stands_where_its_map_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
