/* model.c -- what model.h promises, asked of every implementation behind it. */
#include "model/model.h"
#include "models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

typedef struct Subject {
    const char *name;
    const char *path;       // "fake:" or the name of a file
    bool plain;             // ask libllama, not our encoder
    float slack;            // how far a batch may move a score or a cosine
} Subject;

static const Subject subjects[] = {
    { "fake",                "fake:dim=64,window=512", false, 0 },
    { "llama/smollm2",       SMOLLM2,                  false, 0 },
    { "llama/bge-small",     BGE,                      true,  2e-2f },
    { "llama/ms-marco",      MSMARCO,                  true,  5e-2f },
    { "encoder/bge-small",   BGE,                      false, 2e-2f },
    { "encoder/ms-marco",    MSMARCO,                  false, 1e-1f },
};

static const Subject *subject;
static Model *model;
static Ctx cx;

static int open_model(void **state)
{
    (void)state;
    bool fake = strncmp(subject->path, "fake:", 5) == 0;
    const char *path = fake ? subject->path : model_file(subject->path);
    ModelOptions opt = { .threads = 1, .context_tokens = 512, .plain = subject->plain };
    if (model_open(&cx, path, &opt, &model) == OK) return 0;
    print_error("%s: %s\n", path, cx.reason);
    return -1;
}

static int close_model(void **state)
{
    (void)state;
    model_close(model);
    model = NULL;
    ctx_end(&cx);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    ctx_end(&cx);
    cx.cancelled = NULL;
    return 0;
}

static bool can(int what)
{
    return model_info(model)->can & what;
}

static void need(int what)
{
    if (!can(what)) skip();
}

/* ---- what it is ------------------------------------------------------------------- */

static void tells_what_it_is(void **state)
{
    (void)state;
    const ModelInfo *i = model_info(model);
    const Str all[] = { i->name, i->path, i->arch, i->engine, i->fingerprint };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        assert_true(all[k].n > 0);
        assert_int_equal(all[k].p[all[k].n], '\0');
    }
    assert_int_equal(i->fingerprint.n, 32);
    assert_int_equal(strspn(i->fingerprint.p, "0123456789abcdef"), 32);
    assert_true(i->can != 0);
    assert_true(i->window >= 256);
    assert_int_equal(i->dim > 0, can(CAN_EMBED));
}

static void is_the_same_when_opened_again(void **state)
{
    (void)state;
    Str before = ctx_dup(&cx, model_info(model)->fingerprint);
    model_close(model);
    assert_int_equal(open_model(NULL), 0);
    assert_true(str_eq(before, model_info(model)->fingerprint));
}

static void says_what_it_cannot_do(void **state)
{
    (void)state;
    Str text = STR("x");
    float out[4096];
    int n;
    Message msg = { "user", text };
    Generated g;
    GenerateOptions opt = { .max_tokens = 1 };
    if (!can(CAN_EMBED))
        assert_int_equal(model_embed(&cx, model, EMBED_QUERY, &text, 1, out), E_MODEL);
    ctx_forgive(&cx);
    if (!can(CAN_SCORE))
        assert_int_equal(model_score(&cx, model, text, &text, 1, out), E_MODEL);
    ctx_forgive(&cx);
    if (can(CAN_GENERATE)) return;
    assert_int_equal(model_generate(&cx, model, &msg, 1, &opt, &g), E_MODEL);
    assert_true(cx.reason[0]);
    ctx_forgive(&cx);
    assert_int_equal(model_count_chat(&cx, model, &msg, 1, &n), E_MODEL);
}

/* ---- counting --------------------------------------------------------------------- */

static int count(Str text)
{
    int n = -1;
    assert_int_equal(model_count(&cx, model, text, &n), OK);
    return n;
}

static void counts_nothing_as_nothing_and_more_as_more(void **state)
{
    (void)state;
    assert_int_equal(count(STR("")), 0);
    int one = count(STR("warranty")), two = count(STR("warranty and repair"));
    assert_true(one > 0 && one < two);
}

static const Str hostile[] = {
    { "\xFF\xFE\x80\x80", 4 }, { "a\0b", 3 }, { "\xF0\x9F", 2 }, { "\x01\x02\x1B[2J", 6 },
    { " \t\n ", 4 }, { "[CLS] [SEP] <|im_end|>", 22 }, { "", 0 }, { "\xEF\xBB\xBF", 3 },
};

enum { HOSTILE = sizeof hostile / sizeof *hostile };

static void counts_bytes_that_are_no_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < HOSTILE; i++) assert_true(count(hostile[i]) >= 0);
}

/* n words and a line break. */
static Str long_text(size_t n)
{
    Buf b = BUF(1 << 24);
    for (size_t i = 0; i < n; i++) buf_addf(&b, "word%zu ", i % 100);
    Str out = ctx_dup(&cx, buf_str(&b));
    buf_free(&b);
    return out;
}

static void counts_a_text_far_beyond_its_window(void **state)
{
    (void)state;
    assert_true(count(long_text(20000)) >= 20000);
}

/* ---- vectors ---------------------------------------------------------------------- */

static const Str texts[] = {
    { "The warranty of the mixer is two years from the day of purchase.", 64 },
    { "Cats sleep for most of the day and hunt at night.", 49 },
    { "Mixer warranty: two years.", 26 },
    { "Interest rates rose.", 20 },
    { "", 0 },
};

enum { TEXTS = sizeof texts / sizeof *texts };

static float *embed(EmbedKind kind, const Str *at, size_t n)
{
    float *v = ctx_new(&cx, float, n * (size_t)model_info(model)->dim);
    if (model_embed(&cx, model, kind, at, n, v) != OK) fail_msg("%s", cx.reason);
    return v;
}

static float dot(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < model_info(model)->dim; i++) sum += (double)a[i] * b[i];
    return (float)sum;
}

static void gives_vectors_of_length_one(void **state)
{
    (void)state;
    need(CAN_EMBED);
    float *v = embed(EMBED_PASSAGE, texts, TEXTS);
    float *h = embed(EMBED_QUERY, hostile, HOSTILE);
    size_t dim = (size_t)model_info(model)->dim;
    for (size_t i = 0; i < TEXTS; i++)
        assert_float_equal(dot(v + i * dim, v + i * dim), 1, 1e-4);
    for (size_t i = 0; i < HOSTILE; i++)
        assert_float_equal(dot(h + i * dim, h + i * dim), 1, 1e-4);
}

static void a_text_has_its_vector_whatever_stands_beside_it(void **state)
{
    (void)state;
    need(CAN_EMBED);
    float *together = embed(EMBED_PASSAGE, texts, TEXTS);
    size_t dim = (size_t)model_info(model)->dim;
    for (size_t i = 0; i < TEXTS; i++) {
        float *alone = embed(EMBED_PASSAGE, texts + i, 1);
        assert_true(dot(alone, together + i * dim) > 0.9999f - subject->slack / 10);
    }
}

static void texts_about_the_same_are_nearer(void **state)
{
    (void)state;
    need(CAN_EMBED);
    float *v = embed(EMBED_PASSAGE, texts, TEXTS);
    size_t dim = (size_t)model_info(model)->dim;
    assert_true(dot(v, v + 2 * dim) > dot(v, v + 1 * dim));
    assert_true(dot(v, v + 2 * dim) > dot(v, v + 3 * dim));
}

static void a_text_beyond_the_window_loses_its_end(void **state)
{
    (void)state;
    need(CAN_EMBED);
    Str full = long_text(2000), head = long_text(1500);
    float *a = embed(EMBED_PASSAGE, &full, 1), *b = embed(EMBED_PASSAGE, &head, 1);
    assert_float_equal(dot(a, b), 1, 1e-3);
}

static void no_texts_are_no_error(void **state)
{
    (void)state;
    float none = 7;
    if (can(CAN_EMBED))
        assert_int_equal(model_embed(&cx, model, EMBED_QUERY, NULL, 0, &none), OK);
    if (can(CAN_SCORE))
        assert_int_equal(model_score(&cx, model, STR("x"), NULL, 0, &none), OK);
    assert_true(none == 7);
}

/* ---- scores ----------------------------------------------------------------------- */

static void score(Str query, const Str *at, size_t n, float *out)
{
    if (model_score(&cx, model, query, at, n, out) != OK) fail_msg("%s", cx.reason);
}

static void a_text_that_answers_scores_higher(void **state)
{
    (void)state;
    need(CAN_SCORE);
    float s[TEXTS];
    score(STR("How long is the warranty of the mixer?"), texts, TEXTS, s);
    assert_true(s[0] > s[1]);
    assert_true(s[0] > s[3]);
}

static void a_text_has_its_score_whatever_stands_beside_it(void **state)
{
    (void)state;
    need(CAN_SCORE);
    Str query = STR("How long is the warranty of the mixer?");
    float together[TEXTS], alone;
    score(query, texts, TEXTS, together);
    for (size_t i = 0; i < TEXTS; i++) {
        score(query, texts + i, 1, &alone);
        assert_float_equal(alone, together[i], subject->slack);
    }
}

static void scores_what_is_longer_than_the_window(void **state)
{
    (void)state;
    need(CAN_SCORE);
    Str full = long_text(2000);
    float s[HOSTILE];
    score(STR("Which word comes last?"), &full, 1, s);
    assert_true(isfinite(s[0]));
    score(STR(""), hostile, HOSTILE, s);
    for (size_t i = 0; i < HOSTILE; i++) assert_true(isfinite(s[i]));
}

/* ---- answers ---------------------------------------------------------------------- */

static const Message asked[] = {
    { "system", { "You answer from the documents.", 30 } },
    { "user", { "The warranty is two years long. Cats like fish.\n\n"
                "How long is the warranty?", 74 } },
};

static bool hear(void *arg, Str piece)
{
    buf_add(arg, piece);
    return true;
}

static Generated generate(const Message *msg, size_t n, GenerateOptions opt)
{
    Generated g;
    if (model_generate(&cx, model, msg, n, &opt, &g) != OK) fail_msg("%s", cx.reason);
    return g;
}

static void says_the_same_each_time(void **state)
{
    (void)state;
    need(CAN_GENERATE);
    GenerateOptions opt = { .max_tokens = 20 };
    Generated a = generate(asked, 2, opt), b = generate(asked, 2, opt);
    assert_true(a.text.n > 0);
    assert_true(str_eq(a.text, b.text));
    assert_true(a.mean_logprob == b.mean_logprob && a.min_logprob == b.min_logprob);
    assert_true(a.min_logprob <= a.mean_logprob && a.mean_logprob <= 0);
}

static void tells_the_caller_all_it_says(void **state)
{
    (void)state;
    need(CAN_GENERATE);
    Buf heard = BUF(1 << 16);
    Generated g = generate(asked, 2, (GenerateOptions){ .max_tokens = 20, .on_text = hear,
                                                        .arg = &heard });
    assert_true(str_eq(g.text, buf_str(&heard)));
    buf_free(&heard);
}

static void counts_a_conversation_as_it_reads_it(void **state)
{
    (void)state;
    need(CAN_GENERATE);
    int n;
    assert_int_equal(model_count_chat(&cx, model, asked, 2, &n), OK);
    assert_int_equal(n, generate(asked, 2, (GenerateOptions){ .max_tokens = 1 })
                            .prompt_tokens);
}

static void ends_at_the_limit_it_was_given(void **state)
{
    (void)state;
    need(CAN_GENERATE);
    Generated g = generate(asked, 2, (GenerateOptions){ .max_tokens = 2 });
    assert_int_equal(g.tokens, 2);
    assert_int_equal(g.finish, FINISH_LENGTH);
}

static void refuses_what_does_not_fit_its_window(void **state)
{
    (void)state;
    need(CAN_GENERATE);
    Message long_one = { "user", long_text(1000) };
    GenerateOptions opt = { .max_tokens = 2 };
    Generated g;
    assert_int_equal(model_generate(&cx, model, &long_one, 1, &opt, &g), E_LIMIT);
    ctx_forgive(&cx);
    opt.max_tokens = INT32_MAX;
    assert_int_equal(model_generate(&cx, model, asked, 2, &opt, &g), E_LIMIT);
}

static void refuses_impossible_wishes(void **state)
{
    (void)state;
    need(CAN_GENERATE);
    GenerateOptions nothing = { 0 }, odd = { .max_tokens = 1, .temperature = NAN };
    Generated g;
    assert_int_equal(model_generate(&cx, model, asked, 2, &nothing, &g), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(model_generate(&cx, model, asked, 2, &odd, &g), E_ARG);
    ctx_forgive(&cx);
    nothing.max_tokens = 1;
    assert_int_equal(model_generate(&cx, model, asked, 0, &nothing, &g), E_ARG);
}

/* ---- being stopped ---------------------------------------------------------------- */

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static void stops_when_it_is_cancelled(void **state)
{
    (void)state;
    float out[4096];
    Generated g;
    GenerateOptions opt = { .max_tokens = 5 };
    cx.cancelled = always;
    if (can(CAN_EMBED))
        assert_int_equal(model_embed(&cx, model, EMBED_QUERY, texts, 1, out),
                         E_CANCELLED);
    ctx_forgive(&cx);
    if (can(CAN_SCORE))
        assert_int_equal(model_score(&cx, model, texts[0], texts, 1, out), E_CANCELLED);
    ctx_forgive(&cx);
    if (can(CAN_GENERATE))
        assert_int_equal(model_generate(&cx, model, asked, 2, &opt, &g), E_CANCELLED);
}

/* ---- the fake's faults ------------------------------------------------------------ */

static void assert_faulty(const char *spec)
{
    Model *m;
    float out[64];
    assert_int_equal(model_open(&cx, spec, NULL, &m), OK);
    assert_int_equal(model_embed(&cx, m, EMBED_QUERY, texts, 1, out), E_MODEL);
    assert_true(cx.reason[0]);
    model_close(m);
    ctx_end(&cx);
}

static void a_vector_that_is_not_finite_is_an_error(void **state)
{
    (void)state;
    assert_faulty("fake:nan=1");
    assert_faulty("fake:fail=embed");
}

static void refuses_a_spec_with_unknown_options(void **state)
{
    (void)state;
    const char *bad[] = { "fake:dim=0", "fake:dim=x", "fake:colour=red", "fake:dim=" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Model *m;
        assert_int_equal(model_open(&cx, bad[i], NULL, &m), E_ARG);
        assert_null(m);
        ctx_end(&cx);
    }
}

/* ---- all of it -------------------------------------------------------------------- */

#define asks(test) cmocka_unit_test_teardown(test, forget)

static const struct CMUnitTest promises[] = {
    asks(tells_what_it_is),
    asks(is_the_same_when_opened_again),
    asks(says_what_it_cannot_do),
    asks(counts_nothing_as_nothing_and_more_as_more),
    asks(counts_bytes_that_are_no_text),
    asks(counts_a_text_far_beyond_its_window),
    asks(gives_vectors_of_length_one),
    asks(a_text_has_its_vector_whatever_stands_beside_it),
    asks(texts_about_the_same_are_nearer),
    asks(a_text_beyond_the_window_loses_its_end),
    asks(no_texts_are_no_error),
    asks(a_text_that_answers_scores_higher),
    asks(a_text_has_its_score_whatever_stands_beside_it),
    asks(scores_what_is_longer_than_the_window),
    asks(says_the_same_each_time),
    asks(tells_the_caller_all_it_says),
    asks(counts_a_conversation_as_it_reads_it),
    asks(ends_at_the_limit_it_was_given),
    asks(refuses_what_does_not_fit_its_window),
    asks(refuses_impossible_wishes),
    asks(stops_when_it_is_cancelled),
};

static const struct CMUnitTest faults[] = {
    cmocka_unit_test(a_vector_that_is_not_finite_is_an_error),
    cmocka_unit_test(refuses_a_spec_with_unknown_options),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("fake/faults", faults, NULL, NULL);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        subject = &subjects[i];
        bool fake = strncmp(subject->path, "fake:", 5) == 0;
        if (!fake && !model_file(subject->path)) {
            print_message("%s is left out: %s is not here, pith model pull\n",
                          subject->name, subject->path);
            continue;
        }
        failed += cmocka_run_group_tests_name(subject->name, promises, open_model,
                                              close_model);
    }
    return failed;
}
