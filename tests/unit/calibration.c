/* A calibration beside the store: kept, used, and refused where it does not fit. */
#include "api/calibration.h"
#include "ask/abstain.h"
#include "base/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants four of the above */
#include <cmocka.h>

static const pith_text documents[] = {
    { "notes/lighthouse", "Lighthouse",
      "The lighthouse was built in 1871 by Ingrid Halvorsen.", "text", 0 },
    { "notes/museum", "Museum", "The museum opens at ten. Tickets cost four kroner.",
      "text", 0 },
    { "notes/ferry", "Ferry", "The ferry leaves twice a day from the pier.", "text", 0 },
};
enum { N_DOCUMENTS = sizeof documents / sizeof *documents };
static const char question[] = "Who built the lighthouse?";

typedef struct Fixture {
    char folder[64], store[96], file[128];
    pith *p;
} Fixture;

static pith *open_with(const Fixture *f, const char *ranker, int read_only)
{
    pith_options opt = { .store = f->store, .generator = "fake:", .embedder = "fake:",
                         .reranker = ranker, .read_only = read_only };
    pith *p = NULL;
    assert_int_equal(pith_open(&opt, &p, NULL), 0);
    return p;
}

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    strcpy(f->folder, "/tmp/pith-calibration-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    snprintf(f->store, sizeof f->store, "%s/store.db", f->folder);
    snprintf(f->file, sizeof f->file, "%s.calibration.json", f->store);
    f->p = open_with(f, "fake:", 0);
    *state = f;
    return pith_add_texts(f->p, documents, N_DOCUMENTS, NULL, NULL, NULL);
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    Ctx cx = CTX_INIT;
    pith_close(f->p);
    Status st = folder_remove(&cx, f->folder);
    ctx_end(&cx);
    free(f);
    return st == OK ? 0 : -1;
}

static pith_answer *asked(pith *p, const pith_ask_options *opt)
{
    pith_answer *a = NULL;
    pith_error why = { 0 };
    if (pith_ask(p, question, opt, &a, &why)) fail_msg("%s", why.message);
    return a;
}

static double confidence(pith *p, const pith_ask_options *opt)
{
    pith_answer *a = asked(p, opt);
    double c = a->confidence;
    pith_answer_free(a);
    return c;
}

static const pith_calibration plain = { .bias = 0, .slope = 1, .threshold = .25,
                                        .risk = .1, .confidence = .95, .questions = 200,
                                        .source = "a test" };

static void keep(pith *p, pith_calibration c)
{
    pith_error why = { 0 };
    if (pith_calibration_set(p, &c, &why)) fail_msg("%s", why.message);
}

/* ---- use --------------------------------------------------------------------------- */

static void maps_the_confidence_by_its_weights(void **state)
{
    Fixture *f = *state;
    pith_calibration c = plain;
    double before = confidence(f->p, NULL), logit = log(before / (1 - before));
    assert_true(before > .05 && before < .95);
    keep(f->p, c);
    assert_true(fabs(confidence(f->p, NULL) - before) < 1e-5);
    c.bias = -.7, c.slope = 2.5;
    keep(f->p, c);
    double wanted = 1 / (1 + exp(-(-.7 + 2.5 * logit)));
    assert_true(fabs(confidence(f->p, NULL) - wanted) < 1e-5);
    const pith_ask_options without = { .no_calibration = 1 };
    assert_true(fabs(confidence(f->p, &without) - before) < 1e-6);
}

static void answers_from_its_threshold_on(void **state)
{
    Fixture *f = *state;
    pith_calibration c = plain;
    double at = confidence(f->p, NULL);
    for (int above = 0; above < 2; above++) {
        c.threshold = above ? at - .01 : at + .01;
        keep(f->p, c);
        pith_answer *a = asked(f->p, NULL);
        assert_int_equal(a->abstained, !above);
        assert_null(a->caution);
        pith_answer_free(a);
    }
    c.threshold = 1;
    keep(f->p, c);
    const pith_ask_options bold = { .no_abstain = 1 };
    pith_answer *a = asked(f->p, &bold);
    assert_false(a->abstained);
    pith_answer_free(a);
}

static void is_not_used_with_another_reranker(void **state)
{
    Fixture *f = *state;
    pith_calibration c = plain;
    c.threshold = 1;      // would refuse everything
    keep(f->p, c);
    const char *const rankers[] = { "fake:dim=32", "none" };
    for (int i = 0; i < 2; i++) {
        pith *p = open_with(f, rankers[i], 0);
        pith_ask_options opt = { .context_only = 1 };
        pith_answer *a = asked(p, &opt);
        assert_non_null(a->caution);
        assert_non_null(strstr(a->caution, "another reranker"));
        assert_non_null(strstr(a->caution, "run `pith calibrate` again"));
        char *json = pith_answer_json(a);
        assert_non_null(strstr(json, "\"caution\""));
        pith_string_free(json);
        pith_answer_free(a);
        pith_close(p);
    }
    pith_ask_options alone = { .no_rerank = 1 };
    pith_answer *a = asked(f->p, &alone);
    assert_non_null(strstr(a->caution, "now none"));
    pith_answer_free(a);
}

static void is_not_used_where_the_programs_own_weights_are_others(void **state)
{
    Fixture *f = *state;
    Ctx cx = CTX_INIT;
    Str text;
    keep(f->p, plain);
    assert_int_equal(file_read(&cx, f->file, 1 << 16, &text), OK);
    char *probe = strstr(text.p, "\"probe\": 0.");
    assert_non_null(probe);
    probe[11] = probe[11] == '9' ? '1' : (char)(probe[11] + 1);
    assert_int_equal(file_write(&cx, f->file, text), OK);
    pith_answer *a = asked(f->p, NULL);
    assert_non_null(a->caution);
    assert_non_null(strstr(a->caution, "other weights"));
    pith_answer_free(a);
    ctx_end(&cx);
}

static void a_damaged_file_costs_the_promise_and_nothing_else(void **state)
{
    Fixture *f = *state;
    Ctx cx = CTX_INIT;
    const char *const texts[] = { "", "{", "[]", "{\"weights\":{\"bias\":0}}",
                                  "\xff\xfe" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *json = NULL;
        pith_error why;
        assert_int_equal(file_write(&cx, f->file, str_z(texts[i])), OK);
        pith_answer *a = asked(f->p, NULL);
        assert_non_null(a->caution);
        assert_non_null(strstr(a->caution, "the calibration is not used"));
        assert_non_null(strstr(a->text, "1871"));
        pith_answer_free(a);
        assert_int_equal(pith_calibration_json(f->p, &json, &why), PITH_E_FORMAT);
        assert_null(json);
    }
    ctx_end(&cx);
}

/* ---- the file ---------------------------------------------------------------------- */

static void shows_what_it_keeps_and_forgets_it(void **state)
{
    Fixture *f = *state;
    char *json = NULL;
    int removed = -1;
    assert_int_equal(pith_calibration_json(f->p, &json, NULL), 0);
    assert_null(json);
    keep(f->p, plain);
    assert_int_equal(pith_calibration_json(f->p, &json, NULL), 0);
    assert_non_null(strstr(json, "\"source\": \"a test\""));
    assert_non_null(strstr(json, "\"fingerprint\""));
    pith_string_free(json);
    assert_int_equal(pith_calibration_reset(f->p, &removed, NULL), 0);
    assert_int_equal(removed, 1);
    assert_int_equal(pith_calibration_reset(f->p, &removed, NULL), 0);
    assert_int_equal(removed, 0);
    assert_false(file_is_here(f->file, NULL));
}

static void takes_no_numbers_that_mean_nothing(void **state)
{
    Fixture *f = *state;
    pith_calibration bad[6] = { plain, plain, plain, plain, plain, plain };
    bad[0].slope = 0;
    bad[1].slope = -1;
    bad[2].bias = NAN;
    bad[3].threshold = NAN;
    bad[4].threshold = -.1;
    bad[5].slope = NAN;
    for (int i = 0; i < 6; i++)
        assert_int_equal(pith_calibration_set(f->p, &bad[i], NULL), PITH_E_ARG);
    bad[0] = plain;
    bad[0].threshold = 1.5;
    assert_int_not_equal(pith_calibration_set(f->p, &bad[0], NULL), 0);
    assert_false(file_is_here(f->file, NULL));
    pith *reader = open_with(f, "fake:", 1);
    assert_int_equal(pith_calibration_set(reader, &plain, NULL), PITH_E_ARG);
    assert_int_equal(pith_calibration_reset(reader, NULL, NULL), PITH_E_ARG);
    pith_close(reader);
}

static void says_which_field_is_wrong(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    CalibrationFile f;
    const struct { const char *text, *reason; } t[] = {
        { "{\"weights\":{\"bias\":\"x\",\"slope\":1}}", "\"bias\"" },
        { "{\"weights\":{\"bias\":0,\"slope\":0}}", "\"slope\"" },
        { "{\"weights\":{\"bias\":0,\"slope\":1},\"threshold\":2}", "\"threshold\"" },
        { "{\"weights\":{\"bias\":0,\"slope\":1},\"threshold\":0,\"probe\":0}",
          "\"embedder\"" },
        { "{\"a\":1,\"a\":2}", "line 1" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        Str text = str_z(t[i].text);
        assert_int_equal(calibration_parse(&cx, "the file", text, &f), E_FORMAT);
        assert_non_null(strstr(cx.reason, "the file"));
        assert_non_null(strstr(cx.reason, t[i].reason));
        ctx_forgive(&cx);
    }
    ctx_end(&cx);
}

/* ---- what it is made with ---------------------------------------------------------- */

static void leaves_documents_out_of_a_search(void **state)
{
    Fixture *f = *state;
    const char *const whole[] = { "notes/lighthouse" }, *const end[] = { "lighthouse" };
    const char *const part[] = { "house" };
    const struct { const char *const *names; int there; } t[] = {
        { whole, 0 }, { end, 0 }, { part, 1 },
    };
    for (size_t i = 0; i < 3; i++) {
        pith_ask_options opt = { .context_only = 1, .no_abstain = 1, .no_filter = 1,
                                 .without = t[i].names, .n_without = 1 };
        pith_answer *a = asked(f->p, &opt);
        int there = 0;
        for (size_t k = 0; k < a->n_passages; k++)
            there |= strcmp(a->passages[k].document, whole[0]) == 0;
        assert_int_equal(there, t[i].there);
        assert_true(a->n_passages > 0);
        pith_answer_free(a);
    }
}

static void draws_passages_again_by_their_seed(void **state)
{
    Fixture *f = *state;
    pith_results *a = NULL, *b = NULL, *all = NULL, *none = NULL;
    assert_int_equal(pith_sample(f->p, 2, 7, &a, NULL), 0);
    assert_int_equal(pith_sample(f->p, 2, 7, &b, NULL), 0);
    assert_int_equal(a->n, 2);
    assert_int_equal(b->n, 2);
    for (size_t i = 0; i < 2; i++) assert_true(a->at[i].chunk == b->at[i].chunk);
    assert_true(a->at[0].chunk != a->at[1].chunk);
    assert_int_equal(pith_sample(f->p, 50, 1, &all, NULL), 0);
    assert_int_equal(all->n, N_DOCUMENTS);
    for (size_t i = 1; i < all->n; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(all->at[i].chunk != all->at[k].chunk);
    assert_int_equal(pith_sample(f->p, 0, 1, &none, NULL), PITH_E_ARG);
    pith_results_free(a);
    pith_results_free(b);
    pith_results_free(all);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(maps_the_confidence_by_its_weights),
        test(answers_from_its_threshold_on),
        test(is_not_used_with_another_reranker),
        test(is_not_used_where_the_programs_own_weights_are_others),
        test(a_damaged_file_costs_the_promise_and_nothing_else),
        test(shows_what_it_keeps_and_forgets_it),
        test(takes_no_numbers_that_mean_nothing),
        cmocka_unit_test(says_which_field_is_wrong),
        test(leaves_documents_out_of_a_search),
        test(draws_passages_again_by_their_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
