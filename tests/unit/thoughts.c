/* thoughts.c -- an answer without its thoughts: however it is cut, in the template of a
 * model that thinks, and in what training reads. */
#include "model/thoughts.h"

#include "model/llama_impl.h"
#include "tiny_lm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the filter ------------------------------------------------------------------- */

/* What is let through of text that comes in pieces of n bytes. */
static void assert_passes(const char *text, const char *answer, size_t n)
{
    Thoughts t = thoughts_open();
    Buf got = BUF(1 << 12);
    for (size_t i = 0, left = strlen(text); left; i += n) {
        if (n > left) n = left;
        buf_add(&got, thoughts_pass(&t, (Str){ text + i, n }));
        left -= n;
    }
    buf_add(&got, thoughts_rest(&t));
    buf_add(&got, thoughts_rest(&t));          // once is all
    assert_string_equal(got.n ? got.p : "", answer);
    buf_free(&got);
    thoughts_close(&t);
}

static void leaves_the_answer_alone_however_it_is_cut(void **state)
{
    static const char *const pair[][2] = {
        { "Forty-two.", "Forty-two." },
        { "<think>six by seven</think>\n\nForty-two.", "Forty-two." },
        { "\n<think>\n\n</think>\n\nForty-two.\n", "Forty-two.\n" },
        { "<think>a <think> b</think> x</think>", "x</think>" },
        { "<think>without an end", "" },
        { "<think>nothing more</think>\n", "" },
        { "<thin> is a tag", "<thin> is a tag" },
        { "  it begins with spaces", "  it begins with spaces" },
        { "so <think>not at the start</think>", "so <think>not at the start</think>" },
        { "<thi", "<thi" }, { " \n", " \n" }, { "", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        for (size_t n = 1; n < 50; n++) assert_passes(pair[i][0], pair[i][1], n);
}

static void tells_what_the_next_piece_will_be(void **state)
{
    Thoughts t = thoughts_open();
    Str held;
    (void)state;
    thoughts_pass(&t, STR("<thi"));
    assert_false(thoughts_go_on(&t, &held));
    assert_true(str_eq(held, STR("<thi")));
    thoughts_pass(&t, STR("nk>hm"));
    assert_true(thoughts_go_on(&t, &held));
    thoughts_pass(&t, STR("</think>\n"));
    assert_false(thoughts_go_on(&t, &held));   // the answer begins, by nothing yet
    assert_int_equal(held.n, 0);
    assert_true(str_eq(thoughts_pass(&t, STR("Yes")), STR("Yes")));
    assert_false(thoughts_go_on(&t, &held));
    thoughts_close(&t);
}

/* ---- the template ----------------------------------------------------------------- */

static Ctx cx;
static char path[64];
static LlamaModel *model;

static void open_model(const char *template)
{
    strcpy(path, "/tmp/pith-thoughts-XXXXXX");
    close(mkstemp(path));
    TinyLm t = { .arch = "qwen3", .template = template };
    assert_true(tiny_lm_write(path, &t));
    ModelOptions opt = { .threads = 1 };
    assert_int_equal(llama_model_open(&cx, path, &opt, (Model **)&model), OK);
}

static int close_model(void **state)
{
    (void)state;
    model_close(&model->base);
    unlink(path);
    ctx_end(&cx);
    return 0;
}

static const Message asked[] = {
    { "user", { "two?", 4 } }, { "assistant", { "no", 2 } },
    { "user", { "one?", 4 } }, { "assistant", { "yes", 3 } },
};

static void assert_tokens(Tokens got, const char *text)
{
    Tokens want = { 0 };
    assert_int_equal(tokens_add(&cx, model, &want, str_z(text), TOKENS_MARKERS), OK);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.at, want.at, want.n * sizeof *want.at);
}

#define ASKED "<|im_start|>user\ntwo?<|im_end|>\n<|im_start|>assistant\nno<|im_end|>\n" \
              "<|im_start|>user\none?<|im_end|>\n"
#define OPENING ASKED "<|im_start|>assistant\n"
#define NOTHING "<think>\n\n</think>\n\n"

static void a_model_that_thinks_is_asked_not_to(void **state)
{
    Tokens t;
    (void)state;
    open_model(TLM_TEMPLATE "{# <think> #}");
    assert_int_equal(chat_tokens(&cx, model, asked, 3, &t), OK);
    assert_tokens(t, OPENING NOTHING);
    close_model(state);
    open_model(TLM_TEMPLATE);
    assert_int_equal(chat_tokens(&cx, model, asked, 3, &t), OK);
    assert_tokens(t, OPENING);
}

/* The same tokens before the answer, and none of them is learned. */
static void training_reads_what_asking_reads(void **state)
{
    ChatTokens c;
    Tokens t;
    (void)state;
    open_model(TLM_TEMPLATE "{# <think> #}");
    assert_int_equal(chat_tokens(&cx, model, asked, 3, &t), OK);
    assert_int_equal(llama_chat_tokens(&cx, &model->base, asked, 4, &c), OK);
    assert_tokens((Tokens){ c.id, c.n, c.n }, OPENING NOTHING "yes<|im_end|>\n");
    assert_memory_equal(c.id, t.at, t.n * sizeof *t.at);
    assert_int_equal(c.answer[t.n - 1], 0);
    assert_int_equal(c.answer[t.n], 1);
    assert_int_equal(llama_chat_tokens(&cx, &model->base, asked, 3, &c), OK);
    assert_tokens((Tokens){ c.id, c.n, c.n }, ASKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_the_answer_alone_however_it_is_cut),
        cmocka_unit_test(tells_what_the_next_piece_will_be),
        cmocka_unit_test_teardown(a_model_that_thinks_is_asked_not_to, close_model),
        cmocka_unit_test_teardown(training_reads_what_asking_reads, close_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
