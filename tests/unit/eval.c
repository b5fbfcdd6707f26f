/* Evaluations from end to end, over the public API, with the model that needs no file. */
#include "support/evaluation.h"

static const char corpus[] =
    "{\"id\":\"light\",\"title\":\"Lighthouse\",\"text\":\"The lighthouse was built in "
    "1871 by Ingrid Halvorsen.\"}\n"
    "{\"id\":\"museum\",\"title\":\"Museum\",\"text\":\"The museum opens at ten. Tickets "
    "cost four kroner.\"}\n"
    "{\"id\":\"ferry\",\"title\":\"Ferry\",\"text\":\"The ferry leaves twice a day from "
    "the north pier.\"}\n";
static const char queries[] =
    "{\"id\":\"1\",\"text\":\"Who built the lighthouse?\",\"answers\":[\"Ingrid "
    "Halvorsen\"]}\n"
    "{\"id\":\"2\",\"text\":\"At what hour opens the museum?\","
    "\"answers\":[\"ten\"]}\n"
    "{\"id\":\"3\",\"text\":\"What is the mayor called?\",\"answers\":[]}\n";
static const char qrels[] = "1\tlight\t1\n2\tmuseum\t2\n2\tferry\t0\n";

static void write_text(const Fixture *f, const char *name, const char *text)
{
    write_file(f, name, str_z(text));
}

static int set_up(void **state)
{
    Fixture *f = fixture_new();
    if (!f) return -1;
    write_text(f, "corpus.jsonl", corpus);
    write_text(f, "queries.jsonl", queries);
    write_text(f, "qrels.tsv", qrels);
    *state = f;
    return 0;
}

/* ---- each evaluation --------------------------------------------------------------- */

static void ranks_a_collection_in_each_mode(void **state)
{
    Fixture *f = *state;
    const char *const words[] = {
        "retrieve %s --mode words", "retrieve %s --mode vectors",
        "retrieve %s --mode hybrid --rerank 3",
        "retrieve %s --rewrite --decompose --hyde",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        evaluate(f, words[i]);
        assert_int_equal(f->status, 0);
        assert_true(figure(f->json, "queries") == 2);   // 3 has no judgement
        assert_true(figure(f->json, "ndcg@10") == 1);
        assert_true(figure(f->json, "recall@100") == 1);
        assert_true(figure(f->json, "mrr@10") == 1);
        assert_true(figure(f->json, "ms_p99") >= figure(f->json, "ms_p50"));
    }
}

static void compares_with_a_run_that_it_wrote(void **state)
{
    Fixture *f = *state;
    evaluate(f, "retrieve %s --run-out %s/a.run --per-query %s/a.tsv");
    assert_int_equal(f->status, 0);
    evaluate(f, "retrieve %s --baseline %s/a.run");
    assert_int_equal(f->status, 0);
    const json_t *ndcg = json_object_get(json_object_get(f->json, "against_baseline"),
                                         "ndcg@10");
    assert_true(json_real_value(json_object_get(ndcg, "difference")) == 0);
    assert_true(json_real_value(json_object_get(ndcg, "p")) == 1);
    evaluate(f, "compare %s/a.tsv %s/a.tsv");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "queries") == 2);
}

/* The question of the first example, and its figure in the second table. */
static void assert_example(const Fixture *f, const char *way, const char *query,
                           double to)
{
    json_t *first = json_array_get(json_object_get(f->json, way), 0);
    assert_string_equal(json_string_value(json_object_get(first, "query")), query);
    assert_true(json_real_value(json_object_get(first, "b")) == to);
}

static void shows_what_gained_most_and_what_lost_most(void **state)
{
    Fixture *f = *state;
    write_text(f, "a.tsv", "query\tem\tf1\tquestion\n1\t0\t0.5\tWho?\n2\t0\t0.5\tWhy?\n"
                           "3\t0\t0.5\t\n4\t1\t1\tSame?\n");
    write_text(f, "b.tsv", "query\tf1\tem\tanswer\n3\t1\t0\ta spirit\n1\t0.75\t0\t\n"
                           "2\t0.25\t1\t\n4\t1\t1\t\n");
    evaluate(f, "compare %s/a.tsv %s/b.tsv --examples 3 --by f1");
    assert_int_equal(f->status, 0);
    assert_int_equal(json_array_size(json_object_get(f->json, "gained")), 2);
    assert_int_equal(json_array_size(json_object_get(f->json, "lost")), 1);
    assert_example(f, "gained", "3", 1);
    assert_example(f, "lost", "2", .25);
    assert_non_null(strstr(f->out, "\"texts\":{\"question\":\"Why?\"}"));
    assert_non_null(strstr(f->out, "\"texts\":{\"b\":\"a spirit\"}"));
    evaluate(f, "compare %s/a.tsv %s/b.tsv --examples 1");   // by em, the first of both
    assert_example(f, "gained", "2", 1);
    evaluate(f, "compare %s/a.tsv %s/b.tsv --examples 1 --by map");
    assert_int_equal(f->status, 3);
    assert_told(f, "--by map: no such column in both; the first has em");
}

static void shows_people_a_question_below_its_figures(void **state)
{
    Fixture *f = *state;
    f->for_people = true;
    write_text(f, "a.tsv", "query\tf1\tquestion\tanswer\n1\t0.5\tWho?\tThe  ferry\n");
    write_text(f, "b.tsv", "query\tf1\tquestion\tanswer\n1\t0.25\tWho?\tA spirit\n");
    evaluate(f, "compare %s/a.tsv %s/b.tsv --examples 3");
    assert_int_equal(f->status, 0);
    assert_non_null(strstr(f->out, "  0.5000         0.2500\n      question  Who?\n"
                            "             a  The  ferry\n             b  A spirit\n"));
}

static void keeps_what_was_asked_and_said_beside_the_figures(void **state)
{
    Fixture *f = *state;
    evaluate(f, "answer %s --oracle --per-query %s/a.tsv");
    evaluate(f, "answer %s --closed-book --per-query %s/b.tsv");
    evaluate(f, "compare %s/b.tsv %s/a.tsv --examples 1 --by contains");
    assert_int_equal(f->status, 0);
    json_t *first = json_array_get(json_object_get(f->json, "gained"), 0);
    json_t *texts = json_object_get(first, "texts");
    assert_string_equal(json_string_value(json_object_get(texts, "question")),
                        "Who built the lighthouse?");
    assert_non_null(strstr(json_string_value(json_object_get(texts, "b")), "Halvorsen"));
}

static void reranks_a_run(void **state)
{
    Fixture *f = *state;
    write_text(f, "bad.run", "1\tferry\t1\n1\tlight\t2\n2\tunknown\t1\n2\tferry\t2\n"
                             "2\tmuseum\t3\n");
    evaluate(f, "rerank %s --run %s/bad.run");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "ndcg@10") == 1);
    assert_true(figure(f->json, "ndcg@10_before") < .7);
    assert_true(figure(f->json, "pairs") == 4);
    assert_told(f, "1 documents of the run are not in the corpus");
}

static void scores_answers_from_a_search_and_from_given_documents(void **state)
{
    Fixture *f = *state;
    evaluate(f, "answer %s --per-query %s/a.tsv");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "queries") == 2);
    assert_true(figure(f->json, "context_recall") > 0);
    evaluate(f, "answer %s --oracle");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "context_recall") == 1);
    assert_true(figure(f->json, "contains") == 1);
    assert_true(figure(f->json, "f1") > 0 && figure(f->json, "f1") <= 1);
    evaluate(f, "answer %s --closed-book --limit 1");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "queries") == 1);
    assert_true(figure(f->json, "context_recall") == 0);
}

static void leaves_the_first_questions_out(void **state)
{
    Fixture *f = *state;
    evaluate(f, "retrieve %s --mode words --skip 1 --limit 2 --per-query %s/q.tsv");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "queries") == 1);
    evaluate(f, "retrieve %s --mode words --skip 9");
    assert_int_not_equal(f->status, 0);
    assert_told(f, "--skip 9 leaves none of");
}

static void counts_refusals_of_both_kinds(void **state)
{
    Fixture *f = *state;
    evaluate(f, "abstain %s");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "unanswerable") == 1);
    assert_true(figure(f->json, "answerable") == 2);
    double kept = figure(f->json, "kept_answerable");
    assert_true(kept >= 0 && kept <= 1);
    json_t *risks = json_object_get(f->json, "risk_coverage");
    assert_int_equal(json_array_size(risks), 10);
    const json_t *last = json_array_get(risks, 9);
    assert_true(json_real_value(json_object_get(last, "coverage")) == 1);
}

static void asks_the_users_own_questions(void **state)
{
    Fixture *f = *state;
    write_text(f, "mine.jsonl",
               "{\"question\":\"Who built the lighthouse?\",\"document\":\"light\","
               "\"answers\":[\"Ingrid Halvorsen\"]}\n"
               "{\"question\":\"xyzzy\",\"answers\":[]}\n");
    pith_options o = { .embedder = "fake:", .generator = "fake:", .reranker = "none" };
    pith_text doc = { "docs/light", "Lighthouse", "Ingrid Halvorsen built it in 1871.",
                      "text", 0 };
    pith_error why;
    pith *p = NULL;
    assert_int_equal(pith_open(&o, &p, &why), PITH_OK);
    assert_int_equal(pith_add_texts(p, &doc, 1, NULL, NULL, &why), PITH_OK);
    pith_close(p);
    evaluate(f, "questions %s/mine.jsonl");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "hit@1") == 1);
    assert_true(figure(f->json, "with_answers") == 1);
    assert_true(figure(f->json, "unanswerable") == 1);
    assert_true(figure(f->json, "refused_unanswerable") == 1);
}

static void makes_a_page_and_lets_no_markup_in(void **state)
{
    Fixture *f = *state;
    write_text(f, "<b>.json",
               "{\"queries\":3,\"f1\":0.5,\"<script>\":0.25,\"before_after\":{\"f1\":"
               "{\"difference\":0.1,\"low\":0.05,\"high\":0.2,\"p\":0.01}},"
               "\"risk_coverage\":[{\"coverage\":1.0,\"risk\":0.5},7]}");
    evaluate(f, "report %s/<b>.json");
    assert_int_equal(f->status, 0);
    assert_non_null(strstr(f->out, "&lt;script&gt;"));
    assert_non_null(strstr(f->out, "&lt;b&gt;"));
    assert_null(strstr(f->out, "<script"));
    assert_null(strstr(f->out, "<b>"));
    assert_non_null(strstr(f->out, "<polyline"));
    assert_non_null(strstr(f->out, "</html>"));
}

/* ---- the cache --------------------------------------------------------------------- */

static void indexes_anew_when_the_corpus_changed(void **state)
{
    Fixture *f = *state;
    evaluate(f, "retrieve %s");
    assert_true(figure(f->json, "ndcg@10") == 1);
    write_text(f, "corpus.jsonl", "{\"id\":\"ferry\",\"text\":\"The museum opens.\"}\n"
                                  "{\"id\":\"museum\",\"text\":\"nothing\"}\n");
    evaluate(f, "retrieve %s");
    assert_int_equal(f->status, 0);
    assert_true(figure(f->json, "ndcg@10") < 1);
}

/* ---- what goes wrong --------------------------------------------------------------- */

static void says_what_is_wrong_with_a_collection(void **state)
{
    Fixture *f = *state;
    const struct { const char *file, *text, *words, *reason; } t[] = {
        { "qrels.tsv", "1\tx\t1\n", "retrieve %s", "not one judgement names" },
        { "qrels.tsv", "1\tlight\t0\n", "retrieve %s", "no question has a document" },
        { "qrels.tsv", "", "retrieve %s", "holds no judgement" },
        { "qrels.tsv", qrels, "retrieve %s --queries %s/no", "no: No such file" },
        { "queries.jsonl", "\n", "retrieve %s", "holds no question" },
        { "queries.jsonl", "{\"id\":1,\"text\":\"x\"}\n", "answer %s",
          "\"answers\" is wanted" },
        { "queries.jsonl", queries, "rerank %s --run %s/empty", "empty holds no" },
        { "corpus.jsonl", "{\"id\":1,\"text\":\"\"}\n{\"id\":1,\"text\":\"\"}\n",
          "retrieve %s", "stands twice, in lines 1 and 2" },
        { "corpus.jsonl", "{", "retrieve %s", "corpus.jsonl line 1, column" },
    };
    write_text(f, "empty", "");
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        write_text(f, t[i].file, t[i].text);
        evaluate(f, t[i].words);
        assert_int_equal(f->status, 3);
        assert_told(f, t[i].reason);
        assert_int_equal(f->n_out, 0);
    }
}

static void tells_wrong_usage_apart(void **state)
{
    Fixture *f = *state;
    const struct { const char *words, *reason; } t[] = {
        { "", "eval needs one of" },
        { "retrive %s", "eval needs one of" },
        { "retrieve", "usage: pith eval retrieve DIR" },
        { "retrieve %s %s", "usage: pith eval retrieve DIR" },
        { "retrieve %s --oracle", "no option --oracle" },
        { "retrieve %s --k 20000", "at most" },
        { "rerank %s", "--run FILE is wanted" },
        { "answer %s --oracle --closed-book", "exclude each other" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        evaluate(f, t[i].words);
        assert_int_equal(f->status, 2);
        assert_told(f, t[i].reason);
    }
}

static void passes_on_what_a_model_says(void **state)
{
    Fixture *f = *state;
    write_text(f, "a.run", "1\tlight\t1\n");
    evaluate(f, "rerank %s --run %s/a.run --reranker fake:fail=score");
    assert_int_equal(f->status, 3);
    assert_true(f->messages.n > 0);
    evaluate(f, "rerank %s --run %s/a.run --reranker fake:nan=1");
    assert_int_equal(f->status, 3);
    assert_true(f->messages.n > 0);
}

int main(void)
{
#define EVAL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        EVAL_TEST(ranks_a_collection_in_each_mode),
        EVAL_TEST(compares_with_a_run_that_it_wrote),
        EVAL_TEST(shows_what_gained_most_and_what_lost_most),
        EVAL_TEST(shows_people_a_question_below_its_figures),
        EVAL_TEST(keeps_what_was_asked_and_said_beside_the_figures),
        EVAL_TEST(reranks_a_run),
        EVAL_TEST(scores_answers_from_a_search_and_from_given_documents),
        EVAL_TEST(leaves_the_first_questions_out),
        EVAL_TEST(counts_refusals_of_both_kinds),
        EVAL_TEST(asks_the_users_own_questions),
        EVAL_TEST(makes_a_page_and_lets_no_markup_in),
        EVAL_TEST(indexes_anew_when_the_corpus_changed),
        EVAL_TEST(says_what_is_wrong_with_a_collection),
        EVAL_TEST(tells_wrong_usage_apart),
        EVAL_TEST(passes_on_what_a_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
