/* pith eval route and pith route: both models asked, a router fitted, its log counted. */
#include "api/route_file.h"
#include "eval/eval.h"
#include "eval/stats.h"
#include "support/folder.h"
#include "support/llm_server.h"

#include <jansson.h>
#include <math.h>

static const char corpus[] =
    "{\"id\":\"light\",\"title\":\"Lighthouse\",\"text\":\"The lighthouse was built in "
    "1871 by Ingrid Halvorsen.\"}\n"
    "{\"id\":\"museum\",\"title\":\"Museum\",\"text\":\"The museum opens at ten. Tickets "
    "cost four kroner.\"}\n";
static const char queries[] =
    "{\"id\":\"1\",\"text\":\"Who built the lighthouse?\",\"answers\":[\"Ingrid "
    "Halvorsen\"]}\n"
    "{\"id\":\"2\",\"text\":\"At what hour opens the museum?\","
    "\"answers\":[\"ten\"]}\n"
    "{\"id\":\"3\",\"text\":\"What is the mayor called?\",\"answers\":[]}\n";

typedef struct Run {
    int status;
    char *out;
    Buf said;
    json_t *json;
} Run;

static void hear(void *arg, const char *message)
{
    buf_add(arg, str_z(message));
    buf_add(arg, STR("\n"));
}

static int (*stop)(void *arg);      // asked whether to; NULL: no

static Run run(const char *line)
{
    char words[1024], *argv[24];
    int argc = 0;
    size_t n;
    Run r = { .said = BUF(65536) };
    snprintf(words, sizeof words, "%s", line);
    for (char *w = strtok(words, " "); w && argc < 23; w = strtok(NULL, " "))
        argv[argc++] = w;
    argv[argc] = NULL;
    EvalEnv env = { .open = { .generator = "fake:", .embedder = "fake:", .threads = 1,
                              .reranker = "fake:" },
                    .json = true, .on_message = hear, .arg = &r.said };
    env.open.cancelled = stop;
    env.out = open_memstream(&r.out, &n);
    assert_non_null(env.out);
    r.status = eval_main(argc, argv, &env);
    fclose(env.out);
    r.json = json_loads(r.out, 0, NULL);
    return r;
}

static void end(Run *r)
{
    json_decref(r->json);
    free(r->out);
    buf_free(&r->said);
}

static double figure(const Run *r, const char *name)
{
    const json_t *v = json_object_get(r->json, name);
    if (!json_is_number(v))
        fail_msg("no %s in %s; %.*s", name, r->out, (int)r->said.n, r->said.p);
    return json_number_value(v);
}

static void assert_refused(const char *line, int status, const char *why)
{
    Run r = run(line);
    if (r.status != status || !r.said.p || !memmem(r.said.p, r.said.n, why, strlen(why)))
        fail_msg("%d, %.*s: %s was wanted", r.status, (int)r.said.n, r.said.p, why);
    end(&r);
}

static void settle(Desk *d)
{
    setenv("XDG_CACHE_HOME", d->folder, 1);
    setenv("XDG_CONFIG_HOME", d->folder, 1);
    setenv("XDG_STATE_HOME", d->folder, 1);
    setenv("XDG_DATA_HOME", d->folder, 1);
    unsetenv("PITH_REMOTE");
    assert_int_equal(file_write(&d->cx, at(d, "corpus.jsonl"), str_z(corpus)), OK);
    assert_int_equal(file_write(&d->cx, at(d, "queries.jsonl"), str_z(queries)), OK);
}

/* ---- both models ------------------------------------------------------------------- */

static void asks_the_large_model_once_and_then_nobody(void **state)
{
    Desk *d = *state;
    char line[512];
    LlmServer s = { .answer = "It was Ingrid Halvorsen." };
    if (!llm_server_start(&s)) skip();
    settle(d);
    snprintf(line, sizeof line, "route %s --no-abstain --remote %s --per-query %s",
             d->folder, s.url, at(d, "rows.tsv"));
    Run r = run(line);
    if (r.status) fail_msg("%.*s", (int)r.said.n, r.said.p);
    assert_int_equal(s.requests, 2);
    assert_true(figure(&r, "queries") == 2);
    assert_true(figure(&r, "large") < 1 && figure(&r, "large") >= .5);  // one of two
    const json_t *curve = json_object_get(r.json, "curve");
    const json_t *first = json_array_get(curve, 0), *last = json_array_get(curve, 20);
    assert_true(json_number_value(json_object_get(first, "quality"))
                == figure(&r, "small"));
    assert_true(json_number_value(json_object_get(last, "escalated")) == 1);
    assert_true(figure(&r, "auc_best_single") >= figure(&r, "auc_random"));
    assert_true(figure(&r, "decision_ms_p50") > 0);
    assert_true(figure(&r, "decision_ms_p95") >= figure(&r, "decision_ms_p50"));
    end(&r);
    Run again = run(line);
    assert_int_equal(again.status, 0);
    assert_int_equal(s.requests, 2);
    assert_false(file_is_here(at(d, "pith/route.jsonl"), NULL));    // the owner's
    assert_true(file_is_here(at(d, "pith/remote-usage.json"), NULL));   // still paid
    end(&again);
    llm_server_stop(&s);
}

static LlmServer *watched;

/* The large model never answers the second one. */
static int at_the_second_question(void *arg)
{
    (void)arg;
    if (watched->requests == 1) watched->mood = LLM_SILENT;
    return watched->requests > 1;
}

static void keeps_the_rows_that_are_whole_when_it_is_stopped(void **state)
{
    Desk *d = *state;
    char line[512];
    Str rows;
    LlmServer s = { .answer = "It was Ingrid Halvorsen." };
    if (!llm_server_start(&s)) skip();
    settle(d);
    watched = &s;
    stop = at_the_second_question;
    snprintf(line, sizeof line, "route %s --no-abstain --remote %s --per-query %s",
             d->folder, s.url, at(d, "rows.tsv"));
    assert_refused(line, 3, "1 questions were asked");
    stop = NULL;
    s.mood = LLM_GOOD;
    assert_int_equal(file_read(&d->cx, at(d, "rows.tsv"), 9999, &rows), OK);
    assert_non_null(strstr(rows.p, "\n1\t"));
    assert_null(strstr(rows.p, "\n2\t"));
    Run r = run(line);
    assert_true(r.status == 0 && figure(&r, "queries") == 2);
    end(&r);
    llm_server_stop(&s);
}

static void stops_where_the_large_model_does_not_answer(void **state)
{
    Desk *d = *state;
    char line[512];
    settle(d);
    snprintf(line, sizeof line, "route %s --no-abstain --remote http://127.0.0.1:1",
             d->folder);
    assert_refused(line, 3, "the large model did not answer question 1: ");
    snprintf(line, sizeof line, "route %s --no-abstain", d->folder);
    assert_refused(line, 2, "--remote URL");
}

static void own_questions_are_measured_by_the_large_models_answer(void **state)
{
    Desk *d = *state;
    char line[512], *more;
    LlmServer s = { .answer = "It was Ingrid Halvorsen." };
    pith_options opt = { .store = at(d, "store.db"), .generator = "fake:",
                         .embedder = "fake:", .reranker = "fake:" };
    const pith_text doc = { "a.md", "A", "The lighthouse was built by Ingrid.", NULL, 0 };
    pith *p;
    pith_error why;
    Str rows;
    if (!llm_server_start(&s)) skip();
    settle(d);
    assert_int_equal(pith_open(&opt, &p, &why), 0);
    assert_int_equal(pith_add_texts(p, &doc, 1, NULL, NULL, &why), 0);
    pith_close(p);
    setenv("PITH_STORE", at(d, "store.db"), 1);
    assert_int_equal(file_write(&d->cx, at(d, "own.jsonl"),
                                STR("{\"question\":\"Who built the lighthouse?\"}\n")),
                     OK);
    snprintf(line, sizeof line, "route-fit %s --no-abstain --remote %s --per-query %s",
             at(d, "own.jsonl"), s.url, at(d, "rows.tsv"));
    assert_refused(line, 3, "1 questions: at least 10");
    assert_int_equal(file_read(&d->cx, at(d, "rows.tsv"), 9999, &rows), OK);
    more = strchr(rows.p, '\n');
    assert_non_null(more);
    double small = strtod(strchr(more, '\t'), &more), large = strtod(more, NULL);
    assert_true(large == 1 && small > 0 && small < 1);
    unsetenv("PITH_STORE");
    llm_server_stop(&s);
}

/* ---- fitting ----------------------------------------------------------------------- */

/* A table of n questions of which every `every`th is a comparison, on which alone the
 * large model is better. */
static void write_rows(Desk *d, const char *name, int n, int every)
{
    Buf b = BUF(1 << 20);
    buf_addf(&b, "query\tsmall\tlarge\tscore\tdraft_score\tasked\ttokens\tcost");
    for (int f = 0; pith_route_feature(f); f++)
        buf_addf(&b, "\t%s", pith_route_feature(f));
    for (int i = 0; i < n; i++) {
        bool hard = i % every == 0;
        buf_addf(&b, "\n%d\t%d\t%d\t0.5\t0.5\t1\t100\t0", i, !hard && i % 5 != 1,
                 hard || i % 5 != 1);
        for (int f = 0; pith_route_feature(f); f++)
            buf_addf(&b, "\t%g", strcmp(pith_route_feature(f), "compare") == 0
                                     ? (double)hard : (double)(i * (f + 3) % 7) / 7);
    }
    buf_addf(&b, "\n");
    assert_false(b.failed);
    assert_int_equal(file_write(&d->cx, at(d, name), buf_str(&b)), OK);
    buf_free(&b);
}

static int feature(const char *name)
{
    int f = 0;
    while (strcmp(pith_route_feature(f), name) != 0) f++;
    return f;
}

static void learns_what_speaks_for_the_large_model(void **state)
{
    Desk *d = *state;
    char line[512];
    RouteModel m;
    settle(d);
    write_rows(d, "a.tsv", 60, 3);
    write_rows(d, "b.tsv", 40, 4);
    snprintf(line, sizeof line, "route-fit %s %s --keep 1", at(d, "a.tsv"),
             at(d, "b.tsv"));
    Run r = run(line);
    if (r.status) fail_msg("%.*s", (int)r.said.n, r.said.p);
    assert_true(figure(&r, "questions") == 100);
    assert_true(figure(&r, "quality") >= figure(&r, "quality_large") - 1e-9);
    const json_t *files = json_object_get(r.json, "files");
    const json_t *a = json_object_get(files, at(d, "a.tsv"));
    assert_true(json_number_value(json_object_get(a, "auc"))
                > json_number_value(json_object_get(a, "auc_random")) + .05);
    assert_true(json_number_value(json_object_get(a, "p_random")) < .05);
    assert_string_equal(json_string_value(json_object_get(a, "best_single")), "compare");
    end(&r);
    assert_int_equal(route_model_read(&d->cx, at(d, "pith/route.json"), &m), OK);
    for (int f = 0; f < ROUTE_FEATURES; f++)
        assert_true(m.weight[f] <= m.weight[feature("compare")]);
    float easy = m.bias - m.weight[feature("compare")] * m.usual[feature("compare")];
    assert_true(1 / (1 + expf(-easy)) < m.threshold);
    assert_true(1 / (1 + expf(-easy - m.weight[feature("compare")])) > m.threshold);
}

static void learns_of_the_features_named_alone(void **state)
{
    Desk *d = *state;
    char line[512];
    RouteModel m;
    settle(d);
    write_rows(d, "a.tsv", 60, 3);
    snprintf(line, sizeof line, "route-fit %s --features length,far", at(d, "a.tsv"));
    Run r = run(line);
    if (r.status) fail_msg("%.*s", (int)r.said.n, r.said.p);
    assert_int_equal(json_object_size(json_object_get(r.json, "features")), 2);
    end(&r);
    assert_int_equal(route_model_read(&d->cx, at(d, "pith/route.json"), &m), OK);
    assert_true(m.weight[feature("compare")] == 0 && m.weight[feature("far")] != 0);
    snprintf(line, sizeof line, "route-fit %s --features length,speed", at(d, "a.tsv"));
    assert_refused(line, 2, "no feature \"speed\"");
}

static void a_share_or_a_risk_is_kept_to(void **state)
{
    Desk *d = *state;
    char line[512];
    settle(d);
    write_rows(d, "a.tsv", 400, 3);
    snprintf(line, sizeof line, "route-fit %s --share 0.25 --out %s", at(d, "a.tsv"),
             at(d, "w.json"));
    Run r = run(line);
    assert_true(fabs(figure(&r, "share") - .25) < 1e-9);
    end(&r);
    snprintf(line, sizeof line, "route-fit %s --risk 0.35", at(d, "a.tsv"));
    r = run(line);
    assert_true(figure(&r, "share") > .2 && figure(&r, "share") < .5);
    double strict = figure(&r, "share");
    end(&r);
    snprintf(line, sizeof line, "route-fit %s --risk 0.35 --confidence 0.5",
             at(d, "a.tsv"));
    r = run(line);
    assert_true(figure(&r, "share") <= strict);
    end(&r);
    snprintf(line, sizeof line, "route-fit %s --risk 0.001", at(d, "a.tsv"));
    r = run(line);
    assert_true(figure(&r, "share") == 1 && figure(&r, "threshold") == 0);
    end(&r);
}

/* The weights learn from every second question alone: what stands in the others, right
 * or wrong, must not move them. */
static void a_promise_is_made_on_questions_that_were_not_learnt_from(void **state)
{
    Desk *d = *state;
    char line[512], *text;
    RouteModel one, other;
    Str rows;
    settle(d);
    write_rows(d, "a.tsv", 400, 3);
    snprintf(line, sizeof line, "route-fit %s --risk 0.3", at(d, "a.tsv"));
    Run r = run(line);
    end(&r);
    assert_int_equal(route_model_read(&d->cx, at(d, "pith/route.json"), &one), OK);
    assert_int_equal(file_read(&d->cx, at(d, "a.tsv"), 1 << 20, &rows), OK);
    text = strstr(rows.p, "\n101\t");
    assert_non_null(text);
    text[5] = text[5] == '0' ? '1' : '0';       // small, of an odd question
    assert_int_equal(file_write(&d->cx, at(d, "a.tsv"), rows), OK);
    r = run(line);
    end(&r);
    assert_int_equal(route_model_read(&d->cx, at(d, "pith/route.json"), &other), OK);
    assert_memory_equal(one.weight, other.weight, sizeof one.weight);
    assert_true(one.bias == other.bias);
}

static double of_promise(const Run *r, const char *name)
{
    return json_number_value(json_object_get(json_object_get(r->json, "promise"), name));
}

/* Rows whose score tells how likely the small answer is wrong. */
static void write_world(Desk *d, const char *name, int n)
{
    uint64_t seed = 7;
    Buf b = BUF(1 << 20);
    buf_addf(&b, "query\tsmall\tlarge\tscore\tdraft_score\tasked\ttokens\tcost");
    for (int f = 0; pith_route_feature(f); f++)
        buf_addf(&b, "\t%s", pith_route_feature(f));
    for (int i = 0; i < n; i++) {
        double score = (double)stats_random(&seed, 1000) / 1000;
        bool wrong = (double)stats_random(&seed, 1000) / 1000 < .8 * score;
        buf_addf(&b, "\n%d\t%d\t1\t%g\t%g\t1\t100\t0", i, !wrong, score, score);
        for (int f = 0; pith_route_feature(f); f++) buf_addf(&b, "\t%g", score);
    }
    buf_addf(&b, "\n");
    assert_false(b.failed);
    assert_int_equal(file_write(&d->cx, at(d, name), buf_str(&b)), OK);
    buf_free(&b);
}

static void a_promise_holds_on_the_other_half(void **state)
{
    Desk *d = *state;
    char line[512];
    settle(d);
    write_world(d, "w.tsv", 800);
    snprintf(line, sizeof line, "route %s --risk 0.3 --splits 200", at(d, "w.tsv"));
    Run r = run(line);
    if (r.status) fail_msg("%.*s", (int)r.said.n, r.said.p);
    assert_true(figure(&r, "queries") == 800);
    assert_null(json_object_get(r.json, "decision_ms_p50"));    // nothing was decided
    assert_true(of_promise(&r, "made") > 190);
    assert_true(of_promise(&r, "not_refuted") >= .95 * of_promise(&r, "made"));
    assert_true(of_promise(&r, "risk_measured") < .3);
    assert_true(of_promise(&r, "kept_here") > .25);
    end(&r);
    snprintf(line, sizeof line, "route %s --risk 2", at(d, "w.tsv"));
    assert_refused(line, 2, "shares between 0 and 1");
}

static void says_what_is_wrong_with_rows(void **state)
{
    Desk *d = *state;
    char line[512];
    settle(d);
    write_rows(d, "few.tsv", 5, 2);
    snprintf(line, sizeof line, "route-fit %s", at(d, "few.tsv"));
    assert_refused(line, 3, "5 questions: at least 10");
    assert_int_equal(file_write(&d->cx, at(d, "em.tsv"), STR("query\tem\n1\t1\n")), OK);
    snprintf(line, sizeof line, "route-fit %s", at(d, "em.tsv"));
    assert_refused(line, 3, "column 2 is em, small was wanted");
    snprintf(line, sizeof line, "route-fit %s --share 0.5 --risk 0.1", at(d, "few.tsv"));
    assert_refused(line, 2, "exclude each other");
    snprintf(line, sizeof line, "route-fit %s --confidence 0.9", at(d, "few.tsv"));
    assert_refused(line, 2, "--confidence goes with --risk");
    assert_refused("route-fit", 2, "usage: pith route fit");
}

/* ---- the log ----------------------------------------------------------------------- */

static const char log_lines[] =
    "{\"time\":1790000000,\"route\":\"slm\",\"score\":0.2,\"draft_score\":0.3,"
    "\"fallback\":false,\"tokens\":0,\"cost\":0,\"ms\":10,\"abstained\":true,"
    "\"features\":{}}\n"
    "{\"time\":1790000100,\"route\":\"llm\",\"score\":0.9,\"fallback\":false,"
    "\"tokens\":500,\"cost\":0.25,\"ms\":40,\"abstained\":false,\"features\":{}}\n"
    "no line of ours\n"
    "{\"time\":1790000200,\"route\":\"llm\",\"score\":0.2,\"draft_score\":0.8,"
    "\"fallback\":false,\"tokens\":300,\"cost\":0.5,\"ms\":60,\"abstained\":false,"
    "\"agreement\":0.25,\"features\":{\"compare\":1}}\n"
    "{\"time\":1790000300,\"route\":\"slm\",\"score\":0.9,\"draft_score\":0.4,"
    "\"fallback\":true,\"tokens\":7,\"cost\":0,\"ms\":20,\"abstained\":false,"
    "\"features\":{}}\n";

static double of_route(const Run *r, const char *route, const char *name)
{
    const json_t *routes = json_object_get(r->json, "routes");
    return json_number_value(json_object_get(json_object_get(routes, route), name));
}

static void counts_each_route_of_the_log(void **state)
{
    Desk *d = *state;
    settle(d);
    assert_refused("route-report", 3, "no question was routed yet");
    assert_int_equal(folder_make(&d->cx, at(d, "pith")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "pith/route.jsonl"), str_z(log_lines)), OK);
    Run r = run("route-report");
    assert_int_equal(r.status, 0);
    assert_true(figure(&r, "questions") == 4);
    assert_true(figure(&r, "lines_of_others") == 1);
    assert_true(figure(&r, "tokens") == 807);
    assert_true(figure(&r, "cost") == .75);
    assert_true(figure(&r, "answered_by_both") == 1);
    assert_true(figure(&r, "agreement") == .25);
    assert_true(of_route(&r, "slm", "abstained") == 1);
    assert_true(of_route(&r, "llm", "ms_p50") == 40);
    assert_true(of_route(&r, "llm_after_draft", "tokens") == 300);
    assert_true(of_route(&r, "slm_fallback", "questions") == 1);
    end(&r);
    char line[512];
    snprintf(line, sizeof line, "route-fit %s", at(d, "pith/route.jsonl"));
    assert_refused(line, 3, "1 questions: at least 10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(asks_the_large_model_once_and_then_nobody),
        TEST(keeps_the_rows_that_are_whole_when_it_is_stopped),
        TEST(stops_where_the_large_model_does_not_answer),
        TEST(own_questions_are_measured_by_the_large_models_answer),
        TEST(learns_what_speaks_for_the_large_model),
        TEST(learns_of_the_features_named_alone),
        TEST(a_share_or_a_risk_is_kept_to),
        TEST(a_promise_is_made_on_questions_that_were_not_learnt_from),
        TEST(a_promise_holds_on_the_other_half),
        TEST(says_what_is_wrong_with_rows),
        TEST(counts_each_route_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
