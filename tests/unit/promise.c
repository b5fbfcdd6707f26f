/* pith calibrate and pith eval risk end to end, with the model that needs no file. */
#include "eval/trial.h"

#include <math.h>
/* last, for cmocka has a macro called fail */
#include "support/evaluation.h"

enum { TOPICS = 150 };

/* A collection in which document i alone tells of topic i; the last third of the
 * questions is about topics that no document tells of. */
static void write_collection(const Fixture *f)
{
    Buf corpus = BUF(1 << 20), queries = BUF(1 << 20), qrels = BUF(1 << 20);
    for (int i = 0; i < TOPICS; i++) {
        bool known = i < TOPICS * 2 / 3;
        if (known)
            buf_addf(&corpus, "{\"id\":\"d%d\",\"title\":\"T%d\",\"text\":\"The zebra%d "
                     "lives in river%d. It eats leaf%d.\"}\n", i, i, i, i, i);
        buf_addf(&queries, "{\"id\":\"q%d\",\"text\":\"Where lives zebra%d?\","
                 "\"answers\":[%s", i, i, known ? "" : "]}\n");
        if (known) buf_addf(&queries, "\"river%d\"]}\n", i);
        if (known) buf_addf(&qrels, "q%d\td%d\t1\n", i, i);
    }
    write_file(f, "corpus.jsonl", buf_str(&corpus));
    write_file(f, "queries.jsonl", buf_str(&queries));
    write_file(f, "qrels.tsv", buf_str(&qrels));
    buf_free(&corpus);
    buf_free(&queries);
    buf_free(&qrels);
}

static int set_up(void **state)
{
    Fixture *f = fixture_new();
    if (!f) return -1;
    write_collection(f);
    *state = f;
    return 0;
}

/* ---- calibrate --------------------------------------------------------------------- */

static void keeps_what_it_found_and_pith_ask_uses_it(void **state)
{
    Fixture *f = *state;
    evaluate(f, "calibrate %s --risk .2");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "questions") == TOPICS);
    assert_true(figure(f->json, "unanswerable") >= TOPICS / 3.0);
    assert_true(figure(f->json, "risk_upper") <= .2);
    assert_true(figure(f->json, "kept_answerable") > .5);
    double threshold = figure(f->json, "threshold");
    evaluate(f, "calibrate --show");
    assert_int_equal(f->status, 0);
    assert_true(fabs(figure(f->json, "threshold") - threshold) < 1e-6);
    assert_true(figure(json_object_get(f->json, "promise"), "risk") == .2);
    evaluate(f, "calibrate --reset");
    assert_told(f, "is removed");
    evaluate(f, "calibrate --show");
    assert_int_equal(f->status, 0);
    assert_told(f, "no calibration");
}

static void makes_questions_where_none_are_given(void **state)
{
    Fixture *f = *state;
    pith_options o = models();
    pith_text doc[120];
    char text[120][128], name[120][16];
    pith *p = NULL;
    /* The fake model answers with the sentence of the passage that has most words of the
     * instruction: these are questions. */
    for (int i = 0; i < 120; i++) {
        snprintf(name[i], sizeof name[i], "d%d", i);
        snprintf(text[i], sizeof text[i],
                 "Name the thing: what does zebra%d eat in river%d?\n"
                 "zebra%d river%d eat", i, i, i, i);
        doc[i] = (pith_text){ name[i], NULL, text[i], "text", 0 };
    }
    assert_int_equal(pith_open(&o, &p, NULL), 0);
    assert_int_equal(pith_add_texts(p, doc, 120, NULL, NULL, NULL), 0);
    pith_close(p);
    evaluate(f, "calibrate --limit 110 --risk .3 --per-query %s/a.tsv");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "questions") == 110);
    double wrong = figure(f->json, "unanswerable");
    assert_true(wrong > 30 && wrong < 80);    // those whose document was left out
    evaluate(f, "risk %s/a.tsv --risk .3 --splits 20");
    assert_int_equal(f->status, 0);
}

static void says_how_many_questions_it_wants(void **state)
{
    Fixture *f = *state;
    evaluate(f, "calibrate %s --limit 20");
    assert_int_equal(f->status, 3);
    assert_told(f, "20 questions are too few");
    assert_told(f, "42 must pass without one wrong");
    evaluate(f, "calibrate --show");
    assert_told(f, "no calibration");
}

static void says_that_nothing_can_be_promised(void **state)
{
    Fixture *f = *state;
    Buf b = BUF(1 << 16);
    for (int i = 0; i < 120; i++)      // known topics, said to be unanswerable
        buf_addf(&b, "{\"id\":%d,\"text\":\"Where lives zebra%d?\",\"answers\":[]}\n", i,
                 i % 90);
    write_file(f, "queries.jsonl", buf_str(&b));
    buf_free(&b);
    evaluate(f, "calibrate %s");
    assert_int_equal(f->status, 3);
    assert_told(f, "no threshold keeps the risk within 0.1");
}

static void masks_about_half_of_the_answerable_questions(void **state)
{
    Fixture *f = *state;
    int masked = 0;
    for (size_t i = 0; i < 1000; i++) masked += trial_is_masked(i);
    assert_true(masked > 450 && masked < 550);
    evaluate(f, "risk %s --masked --per-query %s/a.tsv --splits 1");
    assert_int_equal(f->status, 0);
    evaluate(f, "risk %s/a.tsv %s/a.tsv --splits 50 --risk .3");
    assert_int_equal(f->status, 0);
    const json_t *all = json_object_get(json_object_get(f->json, "splits"), "all");
    assert_true(figure(all, "questions") == 2 * TOPICS);
    assert_true(figure(all, "unanswerable") > TOPICS);
    assert_true(figure(all, "made") == 50);
    assert_true(figure(all, "within") <= figure(all, "not_refuted"));
    assert_true(figure(all, "not_refuted") >= 45);
}

static void tells_wrong_usage(void **state)
{
    Fixture *f = *state;
    const struct { const char *words, *reason; int status; } t[] = {
        { "calibrate %s --risk 1.5", "between 0 and 1", 2 },
        { "calibrate %s --confidence 1", "between 0 and 1", 2 },
        { "calibrate %s --risk 0", "above 0", 2 },
        { "calibrate --show --reset", "exclude each other", 2 },
        { "calibrate %s %s", "usage: pith calibrate", 2 },
        { "risk", "usage: pith eval risk", 2 },
        { "risk %s/qrels.tsv", "qrels.tsv", 3 },
        { "calibrate %s/none.jsonl", "none.jsonl", 3 },
        { "calibrate", "makes a store", 3 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        evaluate(f, t[i].words);
        assert_int_equal(f->status, t[i].status);
        assert_told(f, t[i].reason);
    }
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(keeps_what_it_found_and_pith_ask_uses_it),
        test(makes_questions_where_none_are_given),
        test(says_how_many_questions_it_wants),
        test(says_that_nothing_can_be_promised),
        test(masks_about_half_of_the_answerable_questions),
        test(tells_wrong_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
