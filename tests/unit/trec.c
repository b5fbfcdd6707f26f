/* Judgements and runs: what is read, in which order, and what is refused, with its line
 * named. */
#include "eval/table.h"
#include "eval/trec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants four of the above. */
#include <cmocka.h>

static void assert_text(Str got, const char *wanted)
{
    char copy[200];
    assert_in_range(got.n, 0, sizeof copy - 1);
    if (got.n) memcpy(copy, got.p, got.n);
    copy[got.n] = '\0';
    assert_string_equal(copy, wanted);
}

static void assert_reason(const Ctx *cx, const char *part)
{
    if (!strstr(cx->reason, part)) print_error("'%s' lacks '%s'\n", cx->reason, part);
    assert_non_null(strstr(cx->reason, part));
}

/* ---- judgements -------------------------------------------------------------------- */

static void reads_three_and_four_columns(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Qrels q;
    Str tabs = STR("2\tb c\t1\r\n1\ta\t3\n\n1\tb\t-1");
    assert_int_equal(qrels_parse(&cx, "q", tabs, &q), OK);
    assert_int_equal(q.n, 3);
    assert_text(q.at[0].doc, "a");
    assert_int_equal(q.at[0].grade, 3);
    assert_int_equal(q.at[1].grade, -1);
    assert_text(q.at[2].doc, "b c");   // tabs alone separate
    assert_int_equal(qrels_parse(&cx, "q", STR("1 0  a  2\n"), &q), OK);
    assert_text(q.at[0].doc, "a");
    assert_int_equal(q.at[0].grade, 2);
    ctx_end(&cx);
}

static void skips_the_heading_of_beir(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Qrels q;
    Str text = STR("query-id\tcorpus-id\tscore\n1\ta\t1\n");
    assert_int_equal(qrels_parse(&cx, "q", text, &q), OK);
    assert_int_equal(q.n, 1);
    ctx_end(&cx);
}

static void names_the_line_of_a_broken_judgement(void **state)
{
    (void)state;
    const struct { Str text; const char *reason; } t[] = {
        { STR("1 a 1\n1 b\n"), "q line 2: 2 columns" },
        { STR("1 0 a 1 x y z zz\n"), "q line 1: 7 columns" },
        { STR("1 a 1\n\n1 b good\n"), "q line 3: grade 'good'" },
        { STR("1 a 1.5\n"), "q line 1: grade '1.5'" },
        { STR("1 a nan\n"), "grade 'nan'" },
        { STR("1 a 99999999999999999999\n"), "no whole number" },
        { STR("\ta\t1\n"), "line 1: an empty name" },
        { STR("1 a 1\n1 b 1\n1 a 2\n"), "q line 3: document a of query 1 has grade 2 "
                                        "here and 1 in line 1" },
        { STR(""), "q holds no judgement" },
        { STR("\n \n"), "q holds no judgement" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        Ctx cx = CTX_INIT;
        Qrels q;
        assert_int_equal(qrels_parse(&cx, "q", t[i].text, &q), E_FORMAT);
        assert_reason(&cx, t[i].reason);
        assert_int_equal(q.n, 0);
        ctx_end(&cx);
    }
}

static void counts_a_judgement_said_twice_once(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Qrels q;
    assert_int_equal(qrels_parse(&cx, "q", STR("1 a 1\n1 b 1\n1 a 1\n"), &q), OK);
    assert_int_equal(q.n, 2);
    ctx_end(&cx);
}

static void finds_the_judgements_of_one_query(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Qrels q;
    Str text = STR("10 a 1\n2 b 1\n10 c 2\n1 d 1\n");
    assert_int_equal(qrels_parse(&cx, "q", text, &q), OK);
    assert_int_equal(qrels_of(&q, STR("10")).n, 2);
    assert_text(qrels_of(&q, STR("10")).at[1].doc, "c");
    assert_int_equal(qrels_of(&q, STR("1")).n, 1);
    assert_int_equal(qrels_of(&q, STR("3")).n, 0);
    assert_int_equal(qrels_of(&q, STR("")).n, 0);
    ctx_end(&cx);
}

/* ---- runs -------------------------------------------------------------------------- */

static void orders_by_score_then_by_name_downwards(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Run r;
    Str text = STR("q Q0 a 9 1.5 t\nq Q0 c 1 1.5 t\nq Q0 b 2 1.5 t\nq Q0 z 3 -2e0 t\n"
                   "q Q0 y 3 1.50000000001 t\n");   // equal as float
    assert_int_equal(run_parse(&cx, "r", text, &r), OK);
    assert_text(r.at[0].doc, "y");
    assert_text(r.at[1].doc, "c");
    assert_text(r.at[2].doc, "b");
    assert_text(r.at[3].doc, "a");
    assert_text(r.at[4].doc, "z");
    ctx_end(&cx);
}

static void tells_ranks_from_scores_in_three_columns(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Run r;
    assert_int_equal(run_parse(&cx, "r", STR("1\ta\t1\n1\tb\t2\n2\tc\t1\n"), &r), OK);
    assert_text(r.at[0].doc, "a");
    assert_int_equal(run_parse(&cx, "r", STR("1\ta\t3\n1\tb\t2\n1\tc\t1\n"), &r), OK);
    assert_text(r.at[0].doc, "a");   // falls: scores
    assert_int_equal(run_parse(&cx, "r", STR("1\ta\t1\n1\tb\t2\n2\tc\t.5\n"), &r), OK);
    assert_text(r.at[0].doc, "b");   // one query does not count: scores
    ctx_end(&cx);
}

static void names_the_line_of_a_broken_ranking(void **state)
{
    (void)state;
    const struct { Str text; const char *reason; } t[] = {
        { STR("1 Q0 a 1 2.0\n"), "r line 1: 5 columns" },
        { STR("1\ta\t1\n1 Q0 b 1 2.0 t\n"), "r line 2: 6 columns" },
        { STR("1\ta\tinf\n"), "r line 1: score 'inf'" },
        { STR("1\ta\tnan\n"), "score 'nan'" },
        { STR("1\ta\t1e99\n"), "score '1e99'" },
        { STR("1\ta\t1x\n"), "score '1x'" },
        { STR("1\ta\t1\n1\tb\t2\n1\ta\t3\n"),
          "query 1 has document a twice, in lines 1 and 3" },
        { STR(""), "r holds no ranking" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        Ctx cx = CTX_INIT;
        Run r;
        assert_int_equal(run_parse(&cx, "r", t[i].text, &r), E_FORMAT);
        assert_reason(&cx, t[i].reason);
        ctx_end(&cx);
    }
}

static void says_which_file_is_not_there(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Run r;
    assert_int_equal(run_read(&cx, "/nowhere/x.run", &r), E_NOTFOUND);
    assert_reason(&cx, "/nowhere/x.run");
    ctx_end(&cx);
}

static void writes_a_run_that_reads_the_same(void **state)
{
    (void)state;
    char path[] = "/tmp/pith-trec-XXXXXX";
    Ctx cx = CTX_INIT;
    Run a, b;
    Str text = STR("1 Q0 a 1 0.1 t\n1 Q0 b 1 0.30000001 t\n2 Q0 c 1 -7 t\n"
                   "2 Q0 d 1 1e-20 t\n");
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(run_parse(&cx, "r", text, &a), OK);
    assert_int_equal(run_write(&cx, path, &a, "t"), OK);
    assert_int_equal(run_read(&cx, path, &b), OK);
    unlink(path);
    assert_int_equal(a.n, b.n);
    for (size_t i = 0; i < a.n; i++) {
        assert_true(str_eq(a.at[i].doc, b.at[i].doc));
        assert_true(a.at[i].score == b.at[i].score);
    }
    ctx_end(&cx);
}

/* ---- tables ------------------------------------------------------------------------ */

static void compares_the_questions_that_both_tables_have(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Table a, b;
    size_t n = 0;
    json_t *out = json_object();
    Str first = STR("query\tf1\tms\n1\t0\t5\n2\t0.5\t5\n3\t1\t5\n");
    Str second = STR("query\tem\tf1\n4\t0\t1\n3\t0\t1\n2\t1\t1\n");
    assert_int_equal(table_parse(&cx, "a", first, &a), OK);
    assert_int_equal(table_parse(&cx, "b", second, &b), OK);
    assert_int_equal(table_compare(&cx, &a, &b, out, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(json_object_size(out), 1);
    json_t *f1 = json_object_get(out, "f1");
    assert_true(json_real_value(json_object_get(f1, "a")) == .75);
    assert_true(json_real_value(json_object_get(f1, "difference")) == .25);
    json_decref(out);
    ctx_end(&cx);
}

static void refuses_tables_that_are_none(void **state)
{
    (void)state;
    const struct { Str text; const char *reason; } t[] = {
        { STR(""), "t line 1: a heading is wanted" },
        { STR("query\n1\n"), "t line 1: a heading is wanted" },
        { STR("query\tf1\n1\tx\n"), "t line 2: column f1 holds no number" },
        { STR("query\tf1\n1\t1\n2\n"), "t line 3: column f1 holds no number" },
        { STR("query\tf1\n1\t1\t2\n"), "t line 2: more columns" },
        { STR("query\tf1\n1\tnan\n"), "holds no number" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        Ctx cx = CTX_INIT;
        Table x;
        assert_int_equal(table_parse(&cx, "t", t[i].text, &x), E_FORMAT);
        assert_reason(&cx, t[i].reason);
        ctx_end(&cx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_three_and_four_columns),
        cmocka_unit_test(skips_the_heading_of_beir),
        cmocka_unit_test(names_the_line_of_a_broken_judgement),
        cmocka_unit_test(counts_a_judgement_said_twice_once),
        cmocka_unit_test(finds_the_judgements_of_one_query),
        cmocka_unit_test(orders_by_score_then_by_name_downwards),
        cmocka_unit_test(tells_ranks_from_scores_in_three_columns),
        cmocka_unit_test(names_the_line_of_a_broken_ranking),
        cmocka_unit_test(says_which_file_is_not_there),
        cmocka_unit_test(writes_a_run_that_reads_the_same),
        cmocka_unit_test(compares_the_questions_that_both_tables_have),
        cmocka_unit_test(refuses_tables_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
