/* Collections: the layout of BEIR as people really write it, and what is refused. */
#include "eval/collection.h"
#include "eval/options.h"
#include "eval/windows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants four of the above. */
#include <cmocka.h>

static void assert_reason(const Ctx *cx, const char *part)
{
    if (!strstr(cx->reason, part)) print_error("'%s' lacks '%s'\n", cx->reason, part);
    assert_non_null(strstr(cx->reason, part));
}

/* ---- documents --------------------------------------------------------------------- */

static void finds_documents_by_their_names(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Corpus c;
    Str text = STR("{\"id\":\"b\",\"title\":\"B\",\"text\":\"second\"}\r\n\n"
                   "{\"_id\":\"a\",\"text\":\"\",\"metadata\":{}}\n"
                   "{\"id\":12,\"title\":null,\"text\":\"twelve\"}");
    assert_int_equal(corpus_parse(&cx, "c", text, &c), OK);
    assert_int_equal(c.n, 3);
    assert_string_equal(corpus_find(&c, STR("b"))->text.p, "second");
    assert_string_equal(corpus_find(&c, STR("12"))->title.p, "");
    assert_string_equal(corpus_find(&c, STR("a"))->text.p, "");
    assert_null(corpus_find(&c, STR("c")));
    ctx_end(&cx);
}

static void names_the_line_of_a_broken_document(void **state)
{
    (void)state;
    const struct { Str text; const char *reason; } t[] = {
        { STR("{\"id\":\"a\",\"text\":\"x\"}\n{\"id\":\n"), "c line 2, column" },
        { STR("{\"id\":\"a\",\"text\":\"x\"}\n\n[1]\n"), "c line 3: no JSON object" },
        { STR("{\"text\":\"x\"}\n"), "c line 1: no \"id\"" },
        { STR("{\"id\":\"a\"}\n"), "c line 1: no \"text\"" },
        { STR("{\"id\":\"a\",\"text\":7}\n"), "c line 1: \"text\" is no text" },
        { STR("{\"id\":\"a\",\"id\":\"a\",\"text\":\"x\"}\n"), "c line 1, column" },
        { STR("{\"id\":\"a\",\"text\":\"\xff\"}\n"), "c line 1, column" },
        { STR("{\"id\":\"a\",\"text\":\"x\"} tail\n"), "c line 1, column" },
        { STR("{\"id\":\"a\",\"text\":\"x\"}\n{\"id\":\"b\",\"text\":\"\"}\n"
              "{\"id\":\"a\",\"text\":\"y\"}\n"),
          "document a stands twice, in lines 1 and 3" },
        { STR(""), "c holds no document" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        Ctx cx = CTX_INIT;
        Corpus c;
        assert_int_equal(corpus_parse(&cx, "c", t[i].text, &c), E_FORMAT);
        assert_reason(&cx, t[i].reason);
        assert_int_equal(c.n, 0);
        ctx_end(&cx);
    }
}

static void counts_judgements_of_unknown_documents(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Corpus c;
    Qrels q;
    Str text = STR("{\"id\":\"a\",\"text\":\"x\"}");
    assert_int_equal(corpus_parse(&cx, "c", text, &c), OK);
    assert_int_equal(qrels_parse(&cx, "q", STR("1 a 1\n1 b 1\n2 c 0\n"), &q), OK);
    assert_int_equal(corpus_unknown(&c, &q), 2);
    ctx_end(&cx);
}

/* ---- questions --------------------------------------------------------------------- */

static void reads_questions_of_both_kinds(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Questions q;
    Str text = STR("{\"id\":\"1\",\"text\":\"who?\",\"answers\":[\"me\",\"I\"]}\n"
                   "{\"question\":\"where?\",\"document\":\"a.md\","
                   "\"answers\":\"here\"}\n");
    assert_int_equal(questions_parse(&cx, "q", text, &q), OK);
    assert_int_equal(q.n, 2);
    assert_int_equal(q.at[0].n_answers, 2);
    assert_string_equal(q.at[0].answers[1].p, "I");
    assert_string_equal(q.at[1].id.p, "2");
    assert_string_equal(q.at[1].text.p, "where?");
    assert_string_equal(q.at[1].document.p, "a.md");
    assert_string_equal(q.at[1].answers[0].p, "here");
    ctx_end(&cx);
}

static void knows_which_questions_have_no_answer(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Questions q;
    Str text = STR("{\"id\":1,\"text\":\"a\",\"answers\":[]}\n"
                   "{\"id\":2,\"text\":\"a\",\"answers\":[\"-\"],"
                   "\"type\":\"no_answer\"}\n"
                   "{\"id\":3,\"text\":\"a\",\"type\":\"unanswerable\"}\n"
                   "{\"id\":4,\"text\":\"a\"}\n"
                   "{\"id\":5,\"text\":\"a\",\"answers\":[\"x\"]}\n");
    assert_int_equal(questions_parse(&cx, "q", text, &q), OK);
    const bool wanted[] = { true, true, true, false, false };
    for (int i = 0; i < 5; i++) assert_int_equal(q.at[i].unanswerable, wanted[i]);
    ctx_end(&cx);
}

static void names_the_line_of_a_broken_question(void **state)
{
    (void)state;
    const struct { Str text; const char *reason; } t[] = {
        { STR("{\"id\":\"1\"}\n"), "q line 1: no \"text\"" },
        { STR("{\"id\":\"1\",\"text\":\"  \"}\n"), "q line 1: no \"text\"" },
        { STR("{\"text\":\"x\",\"answers\":7}\n"), "\"answers\" is no list" },
        { STR("{\"text\":\"x\",\"answers\":[7]}\n"), "an answer is no text" },
        { STR("{\"id\":1,\"text\":\"x\"}\n{\"id\":\"1\",\"text\":\"y\"}\n"),
          "question 1 stands twice, in lines 1 and 2" },
        { STR("\n\n"), "q holds no question" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        Ctx cx = CTX_INIT;
        Questions q;
        assert_int_equal(questions_parse(&cx, "q", t[i].text, &q), E_FORMAT);
        assert_reason(&cx, t[i].reason);
        ctx_end(&cx);
    }
}

/* ---- windows ----------------------------------------------------------------------- */

static void leaves_a_short_document_whole(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Windows w;
    Doc d = { STR("1"), STR("Title"), STR("some text"), 1 };
    assert_int_equal(windows_of(&cx, &d, &w), OK);
    assert_int_equal(w.n, 1);
    assert_string_equal(w.at[0], "Title. some text");
    Doc empty = { STR("2"), STR(""), STR(""), 1 };
    assert_int_equal(windows_of(&cx, &empty, &w), OK);
    assert_int_equal(w.n, 1);
    assert_string_equal(w.at[0], "");
    ctx_end(&cx);
}

/* Every word of a long text stands whole in some window, and no window is too long. */
static void cuts_a_long_document_between_words(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 20);
    Windows w;
    for (int i = 0; i < 2000; i++) buf_addf(&b, "w%dö ", i);
    Doc d = { STR("1"), STR(""), buf_str(&b), 1 };
    assert_int_equal(windows_of(&cx, &d, &w), OK);
    assert_true(w.n > 5);
    for (size_t i = 0; i < w.n; i++) assert_true(strlen(w.at[i]) <= WINDOW_BYTES);
    for (int i = 0; i < 2000; i += 7) {
        char word[32];
        bool found = false;
        snprintf(word, sizeof word, "w%dö ", i);
        for (size_t k = 0; k < w.n && !found; k++) found = strstr(w.at[k], word) != NULL;
        assert_true(found || i > 1990);
    }
    buf_free(&b);
    ctx_end(&cx);
}

static void cuts_no_character_where_there_is_no_space(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 20);
    Windows w;
    for (int i = 0; i < 3000; i++) buf_add(&b, STR("漢"));
    Doc d = { STR("1"), STR(""), buf_str(&b), 1 };
    assert_int_equal(windows_of(&cx, &d, &w), OK);
    for (size_t i = 0; i < w.n; i++) {
        assert_int_equal(strlen(w.at[i]) % 3, 0);
        assert_memory_equal(w.at[i], "漢", 3);
    }
    buf_free(&b);
    ctx_end(&cx);
}

/* ---- options ----------------------------------------------------------------------- */

static void reads_options_wherever_they_stand(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    EvalOptions o;
    char *argv[] = { "retrieve", "--mode=words", "dir", "--limit", "5", "--json", "--",
                     "-x", NULL };
    assert_int_equal(eval_options_read(&cx, EVAL_RETRIEVE, 8, argv, &o), OK);
    assert_int_equal(o.n_operands, 2);
    assert_string_equal(o.operand[1], "-x");
    assert_int_equal(o.mode, 1);
    assert_int_equal(o.limit, 5);
    assert_int_equal(o.k, 100);
    assert_true(o.json);
    ctx_end(&cx);
}

static void refuses_options_that_it_does_not_take(void **state)
{
    (void)state;
    const struct { char *a, *b; const char *reason; } t[] = {
        { "--oracle", NULL, "no option --oracle" }, { "--limit", NULL, "needs a value" },
        { "--limit", "0", "above 0" },              { "--limit", "1x", "above 0" },
        { "--limit", "99999999999", "above 0" },    { "--mode", "fast", "hybrid, words" },
        { "--json=1", NULL, "takes no value" },     { "-q", NULL, "no option -q" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        Ctx cx = CTX_INIT;
        EvalOptions o;
        char *argv[] = { "retrieve", t[i].a, t[i].b, NULL };
        int argc = t[i].b ? 3 : 2;
        assert_int_equal(eval_options_read(&cx, EVAL_RETRIEVE, argc, argv, &o), E_ARG);
        assert_reason(&cx, t[i].reason);
        ctx_end(&cx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_documents_by_their_names),
        cmocka_unit_test(names_the_line_of_a_broken_document),
        cmocka_unit_test(counts_judgements_of_unknown_documents),
        cmocka_unit_test(reads_questions_of_both_kinds),
        cmocka_unit_test(knows_which_questions_have_no_answer),
        cmocka_unit_test(names_the_line_of_a_broken_question),
        cmocka_unit_test(leaves_a_short_document_whole),
        cmocka_unit_test(cuts_a_long_document_between_words),
        cmocka_unit_test(cuts_no_character_where_there_is_no_space),
        cmocka_unit_test(reads_options_wherever_they_stand),
        cmocka_unit_test(refuses_options_that_it_does_not_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
