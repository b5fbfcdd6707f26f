/* What `pith tune data` and `pith tune gate` decide by: which text is prose, when two
 * questions are one, when an adapter has won, and what the store then knows of it. */
#include "base/file.h"
#include "eval/general.h"
#include "eval/kept.h"
#include "eval/pool.h"
#include "eval/wordset.h"
#include "eval/verdict.h"
#include "pith.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants four of the above. */
#include <cmocka.h>

/* ---- prose and stems --------------------------------------------------------------- */

static void prose_is_words_and_not_a_table_of_numbers(void **state)
{
    (void)state;
    Buf prose = BUF(1 << 16), numbers = BUF(1 << 16);
    for (int i = 0; i < 10; i++) {
        buf_addf(&prose, "The ferry leaves twice a day. ");
        buf_addf(&numbers, "| a %d | %d.%d | %d | a b c ", i, i * 731, i, i * 9177);
    }
    assert_true(pool_is_prose(buf_str(&prose)));
    assert_false(pool_is_prose(buf_str(&numbers)));
    assert_false(pool_is_prose(STR("The ferry leaves twice a day.")));
    assert_false(pool_is_prose(STR("")));
    buf_free(&prose);
    buf_free(&numbers);
}

static void prose_without_spaces_counts_too(void **state)
{
    (void)state;
    Buf prose = BUF(1 << 16);
    for (int i = 0; i < 40; i++) buf_addf(&prose, "港口的灯塔");
    assert_true(pool_is_prose(buf_str(&prose)));
    buf_free(&prose);
}

static void the_same_question_in_other_words_order_has_one_key(void **state)
{
    Ctx cx = CTX_INIT;
    Words *w;
    WordSet a, b, c;
    (void)state;
    assert_int_equal(words_open(&cx, &w), OK);
    assert_int_equal(wordset_of(&cx, w, STR("What does the permit cost?"), &a), OK);
    assert_int_equal(wordset_of(&cx, w, STR("The cost of the permits: what?"), &b), OK);
    assert_int_equal(wordset_of(&cx, w, STR("Who may have a permit?"), &c), OK);
    assert_string_equal(wordset_key(&cx, &a).p, wordset_key(&cx, &b).p);
    assert_string_not_equal(wordset_key(&cx, &a).p, wordset_key(&cx, &c).p);
    assert_true(wordset_share(&a, &b) == 1);
    assert_true(wordset_share(&a, &c) == 0.5);
    words_close(w);
    ctx_end(&cx);
}

static void a_text_without_stems_has_an_empty_key(void **state)
{
    Ctx cx = CTX_INIT;
    Words *w;
    WordSet none, some;
    (void)state;
    assert_int_equal(words_open(&cx, &w), OK);
    assert_int_equal(wordset_of(&cx, w, STR("the, of?"), &none), OK);
    assert_int_equal(wordset_of(&cx, w, STR("ferry"), &some), OK);
    assert_int_equal(none.n, 0);
    assert_int_equal(wordset_key(&cx, &none).n, 0);
    assert_true(wordset_share(&some, &none) == 0);
    words_close(w);
    ctx_end(&cx);
}

/* ---- the verdict ------------------------------------------------------------------- */

enum { N = 40 };

typedef struct Case {
    double value[N_GATE][2][N];
    Measured m[N_GATE];
} Case;

/* As many right ones of N in each measure: base, tuned. */
static Verdict judge(Case *c, const int right[N_GATE][2])
{
    for (int k = 0; k < N_GATE; k++) {
        for (int t = 0; t < 2; t++)
            for (int i = 0; i < N; i++) c->value[k][t][i] = i < right[k][t];
        c->m[k] = (Measured){ c->value[k][0], c->value[k][1], N };
    }
    return verdict_of(c->m);
}

static void better_answers_win_where_nothing_is_lost(void **state)
{
    Case c;
    (void)state;
    Verdict v = judge(&c, (const int[N_GATE][2]){ { 10, 25 }, { 10, 25 }, { 20, 20 },
                                                  { 30, 30 } });
    assert_true(v.better && v.refuses && v.remembers && v.wins);
}

static void what_chance_can_do_does_not_win(void **state)
{
    Case c;
    (void)state;
    Verdict v = judge(&c, (const int[N_GATE][2]){ { 10, 11 }, { 10, 25 }, { 20, 20 },
                                                  { 30, 30 } });
    assert_true(v.of[GATE_F1].difference > 0 && v.of[GATE_F1].p > VERDICT_P);
    assert_false(v.better || v.wins);
}

static void worse_answers_do_not_win_however_sure(void **state)
{
    Case c;
    (void)state;
    Verdict v = judge(&c, (const int[N_GATE][2]){ { 25, 5 }, { 10, 25 }, { 20, 20 },
                                                  { 30, 30 } });
    assert_true(v.of[GATE_F1].p < VERDICT_P);
    assert_false(v.better || v.wins);
}

static void fewer_refusals_lose(void **state)
{
    Case c;
    (void)state;
    Verdict v = judge(&c, (const int[N_GATE][2]){ { 10, 25 }, { 10, 25 }, { 20, 19 },
                                                  { 30, 30 } });
    assert_true(v.better && v.remembers);
    assert_false(v.refuses || v.wins);       // 2.5 points
}

static void five_points_of_general_knowledge_may_go_and_no_more(void **state)
{
    Case c;
    (void)state;
    Verdict v = judge(&c, (const int[N_GATE][2]){ { 10, 25 }, { 10, 25 }, { 20, 20 },
                                                  { 30, 28 } });
    assert_true(v.remembers && v.wins);
    v = judge(&c, (const int[N_GATE][2]){ { 10, 25 }, { 10, 25 }, { 20, 20 },
                                          { 30, 27 } });
    assert_false(v.remembers || v.wins);
}

static void without_a_question_nothing_is_won(void **state)
{
    (void)state;
    Measured none[N_GATE] = { { NULL, NULL, 0 } };
    assert_false(verdict_of(none).wins);
}

static void general_questions_have_answers_that_they_do_not_give_away(void **state)
{
    (void)state;
    for (int i = 0; i < N_GENERAL; i++) {
        assert_non_null(general[i].question);
        assert_non_null(general[i].answer[0]);
        assert_null(strcasestr(general[i].question, general[i].answer[0]));
    }
}

/* ---- the store's adapter ----------------------------------------------------------- */

typedef struct Fixture {
    char folder[64], store[96], adapter[96];
} Fixture;

static int set_up(void **state)
{
    static Fixture f;
    Ctx cx = CTX_INIT;
    strcpy(f.folder, "/tmp/pith-tune-XXXXXX");
    if (!mkdtemp(f.folder)) return -1;
    snprintf(f.store, sizeof f.store, "%s/store.db", f.folder);
    snprintf(f.adapter, sizeof f.adapter, "%s/adapter.gguf", f.folder);
    Status st = file_write(&cx, f.adapter, STR("adapter"));
    ctx_end(&cx);
    *state = &f;
    return st == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    Ctx cx = CTX_INIT;
    Status st = folder_remove(&cx, ((Fixture *)*state)->folder);
    ctx_end(&cx);
    return st == OK ? 0 : -1;
}

static pith *open_with(const Fixture *f, const char *generator, const char *adapter)
{
    const pith_options o = { .store = f->store, .generator = generator,
                             .embedder = "fake:", .reranker = "fake:",
                             .adapter = adapter };
    pith_error why;
    pith *p = NULL;
    if (pith_open(&o, &p, &why)) fail_msg("%s", why.message);
    return p;
}

static int ask_code(pith *p, pith_answer **a, pith_error *why)
{
    static const char *const passage[] = { "Facts. Is the ferry fast? Look. The ferry is "
                                           "fast indeed." };
    const pith_ask_options o = { .ground = PITH_GIVEN, .passages = passage,
                                 .n_passages = 1 };
    return pith_ask(p, "Is the ferry fast?", &o, a, why);
}

static void expect_answer(const Fixture *f, const char *generator, const char *adapter,
                          const char *text)
{
    pith *p = open_with(f, generator, adapter);
    pith_answer *a = NULL;
    pith_error why;
    if (ask_code(p, &a, &why)) fail_msg("%s", why.message);
    assert_non_null(strstr(a->text, text));
    pith_answer_free(a);
    pith_close(p);
}

static void the_stores_adapter_is_used_with_its_generator(void **state)
{
    const Fixture *f = *state;
    pith_error why;
    char *json = NULL;
    pith *p = open_with(f, "fake:window=999", NULL);
    assert_int_equal(pith_adapter_json(p, &json, &why), PITH_OK);
    assert_null(json);
    assert_int_equal(pith_adapter_set(p, f->adapter, "{\"f1\":0.5}", &why), PITH_OK);
    assert_int_equal(pith_adapter_json(p, &json, &why), PITH_OK);
    assert_non_null(strstr(json, "fake:window=999"));
    assert_non_null(strstr(json, "0.5"));
    pith_string_free(json);
    pith_close(p);
    expect_answer(f, NULL, NULL, "fast indeed");
    expect_answer(f, "fake:", "none", "Is the ferry fast?");
}

static void an_adapter_is_forgotten(void **state)
{
    const Fixture *f = *state;
    pith_error why;
    pith *p = open_with(f, "fake:", NULL);
    assert_int_equal(pith_adapter_set(p, f->adapter, NULL, &why), PITH_OK);
    assert_int_equal(pith_adapter_set(p, NULL, NULL, &why), PITH_OK);
    assert_int_equal(pith_adapter_set(p, NULL, NULL, &why), PITH_OK);   // was not there
    pith_close(p);
    expect_answer(f, "fake:", NULL, "Is the ferry fast?");
}

static void an_absent_adapter_and_bad_figures_are_refused(void **state)
{
    const Fixture *f = *state;
    pith_error why;
    pith *p = open_with(f, "fake:", NULL);
    assert_int_equal(pith_adapter_set(p, "/nowhere/a.gguf", NULL, &why), PITH_E_NOTFOUND);
    assert_int_equal(pith_adapter_set(p, f->adapter, "[1]", &why), PITH_E_ARG);
    assert_int_equal(pith_adapter_set(p, f->adapter, "{", &why), PITH_E_ARG);
    pith_close(p);
}

static void a_record_that_is_damaged_is_told(void **state)
{
    static const char *const bad[] = { "", "{", "[]", "{\"adapter\":\"a\"}",
        "{\"adapter\":1,\"generator\":\"fake:\"}",
        "{\"adapter\":\"\",\"generator\":\"\"}" };
    const Fixture *f = *state;
    Ctx cx = CTX_INIT;
    Str path = ctx_printf(&cx, "%s.adapter.json", f->store);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pith_answer *a = NULL;
        pith_error why;
        assert_int_equal(file_write(&cx, path.p, str_z(bad[i])), OK);
        pith *p = open_with(f, "fake:", NULL);
        assert_int_equal(ask_code(p, &a, &why), PITH_E_FORMAT);
        assert_non_null(strstr(why.message, "adapter.json"));
        pith_close(p);
    }
    assert_int_equal(unlink(path.p), 0);
    ctx_end(&cx);
}

/* ---- what is learned --------------------------------------------------------------- */

static void the_prompt_is_the_one_that_ask_reads(void **state)
{
    const pith_passage at[] = {
        { .title = "Ferry", .section = "Times", .read = "It leaves at ten." },
        { .title = "", .section = "", .read = "Tickets cost \"four\"." },
    };
    char *json = NULL;
    pith_error why;
    (void)state;
    assert_int_equal(pith_prompt("When?", at, 2, &json, &why), PITH_OK);
    assert_non_null(strstr(json, "Passage 1 (Ferry > Times):\\nIt leaves at ten.\\n\\n"
                                 "Passage 2:\\nTickets cost \\\"four\\\".\\n\\n"
                                 "Question: When?"));
    pith_string_free(json);
    assert_int_equal(pith_prompt("\xff", at, 0, &json, &why), PITH_E_FORMAT);
    assert_null(json);
    assert_true(pith_is_refusal(pith_refusal()));
    assert_false(pith_is_refusal("At ten."));
}

/* ---- lines kept -------------------------------------------------------------------- */

static void a_line_cut_short_is_cut_off_and_others_stay(void **state)
{
    static const char good[] = "{\"key\":\"a\"}\nnot mine\n", torn[] = "{\"key\":\"b";
    const Fixture *f = *state;
    Ctx cx = CTX_INIT;
    Kept *k = NULL;
    Str path = ctx_printf(&cx, "%s/lines.jsonl", f->folder), text;
    Str both = ctx_printf(&cx, "%s%s", good, torn);
    assert_int_equal(file_write(&cx, path.p, both), OK);
    assert_int_equal(kept_open(&cx, path.p, &k), OK);
    assert_int_equal(json_object_size(kept_all(k)), 1);
    kept_close(k);
    assert_int_equal(file_read(&cx, path.p, 1 << 16, &text), OK);
    assert_string_equal(text.p, good);
    ctx_end(&cx);
}

static void a_whole_last_line_needs_no_line_end(void **state)
{
    const Fixture *f = *state;
    Ctx cx = CTX_INIT;
    Kept *k = NULL;
    Str path = ctx_printf(&cx, "%s/whole.jsonl", f->folder), text;
    assert_int_equal(file_write(&cx, path.p, STR("{\"key\":\"a\"}")), OK);
    assert_int_equal(kept_open(&cx, path.p, &k), OK);
    assert_int_equal(kept_add(&cx, k, "b", json_object()), OK);
    kept_close(k);
    assert_int_equal(file_read(&cx, path.p, 1 << 16, &text), OK);
    assert_string_equal(text.p, "{\"key\":\"a\"}\n{\"key\":\"b\"}\n");
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prose_is_words_and_not_a_table_of_numbers),
        cmocka_unit_test(prose_without_spaces_counts_too),
        cmocka_unit_test(the_same_question_in_other_words_order_has_one_key),
        cmocka_unit_test(a_text_without_stems_has_an_empty_key),
        cmocka_unit_test(better_answers_win_where_nothing_is_lost),
        cmocka_unit_test(what_chance_can_do_does_not_win),
        cmocka_unit_test(worse_answers_do_not_win_however_sure),
        cmocka_unit_test(fewer_refusals_lose),
        cmocka_unit_test(five_points_of_general_knowledge_may_go_and_no_more),
        cmocka_unit_test(without_a_question_nothing_is_won),
        cmocka_unit_test(general_questions_have_answers_that_they_do_not_give_away),
        cmocka_unit_test_setup_teardown(the_stores_adapter_is_used_with_its_generator,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_adapter_is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_absent_adapter_and_bad_figures_are_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_that_is_damaged_is_told, set_up,
                                        tear_down),
        cmocka_unit_test(the_prompt_is_the_one_that_ask_reads),
        cmocka_unit_test_setup_teardown(a_line_cut_short_is_cut_off_and_others_stay,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_whole_last_line_needs_no_line_end, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
