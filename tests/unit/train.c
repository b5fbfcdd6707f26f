/* train.c -- training on tiny models: it learns, goes on bit for bit, and what it writes
 * is what libllama and the forward pass make of it. */
#include "base/file.h"
#include "model/model.h"
#include "model/engine.h"
#include "tiny_lm.h"
#include "tune/adapter.h"
#include "tune/examples.h"
#include "tune/train.h"

#include <llama.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static Ctx cx;
static char folder[64], base[96], data[96], out[2][96];

static int begin(void **state)
{
    (void)state;
    TinyLm t = { .arch = "llama" };
    snprintf(folder, sizeof folder, "/tmp/pith_train_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(base, sizeof base, "%s/base.gguf", folder);
    snprintf(data, sizeof data, "%s/data.jsonl", folder);
    for (int i = 0; i < 2; i++) snprintf(out[i], sizeof out[i], "%s/out%d", folder, i);
    assert_true(tiny_lm_write(base, &t));
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(folder_remove(&cx, folder), OK);
    ctx_end(&cx);
    return 0;
}

static void write_data(const char *text)
{
    assert_int_equal(file_write(&cx, data, str_z(text)), OK);
}

static const char facts[] =
    "{\"messages\":[{\"role\":\"user\",\"content\":\"who\"},"
    "{\"role\":\"assistant\",\"content\":\"zorb\"}]}\n"
    "{\"messages\":[{\"role\":\"user\",\"content\":\"what\"},"
    "{\"role\":\"assistant\",\"content\":\"turnip\"}]}\n\n"
    "{\"messages\":[{\"role\":\"user\",\"content\":\"where\"},"
    "{\"role\":\"assistant\",\"content\":\"brekke\"}]}\n";

static TrainOptions options(int folder_number)
{
    return (TrainOptions){ .data = data, .model = base, .out = out[folder_number],
                           .seq = 64,
                           .batch = 2, .steps = 12, .rate = 1e-2, .threads = 2,
                               .rank = 4 };
}

static Str file_of(int folder_number, const char *name)
{
    Str path, bytes = { NULL, 0 };
    assert_int_equal(path_join(&cx, str_z(out[folder_number]), str_z(name), &path), OK);
    assert_int_equal(file_read(&cx, path.p, 1 << 24, &bytes), OK);
    return bytes;
}

static void expect_same_file(const char *name)
{
    Str a = file_of(0, name), b = file_of(1, name);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
}

static void loss_falls_on_what_is_learned_by_heart(void **state)
{
    (void)state;
    TrainOptions o = options(0);
    TrainResult r;
    write_data(facts);
    o.steps = 150;
    if (train(&cx, &o, &r) != OK) fail_msg("%s", cx.reason);
    print_message("loss %.3f -> %.3f\n", r.loss_first, r.loss_last);
    assert_int_equal(r.steps, 150);
    assert_true(r.finished);
    assert_true(r.loss_last < 0.2 * r.loss_first);
}

/* ---- going on --------------------------------------------------------------------- */

typedef struct Stop {
    uint64_t at, seen;
} Stop;

static void count_step(void *arg, const TrainStep *now)
{
    ((Stop *)arg)->seen = now->step;
}

static bool time_to_stop(void *arg)
{
    const Stop *s = arg;
    return s->at && s->seen >= s->at;
}

static void a_stopped_run_goes_on_as_if_it_had_not_been(void **state)
{
    (void)state;
    Stop stop = { .at = 5 };
    TrainOptions o = options(0);
    TrainResult whole, parts;
    write_data(facts);
    if (train(&cx, &o, &whole) != OK) fail_msg("%s", cx.reason);
    o = options(1);
    o.on_step = count_step;
    o.arg = cx.cancel_arg = &stop;
    cx.cancelled = time_to_stop;
    assert_int_equal(train(&cx, &o, &parts), E_CANCELLED);
    assert_int_equal(stop.seen, 5);
    ctx_forgive(&cx);
    stop.at = 0;
    if (train(&cx, &o, &parts) != OK) fail_msg("%s", cx.reason);
    cx.cancelled = NULL;
    assert_int_equal(parts.steps, whole.steps);
    assert_true(parts.loss_last == whole.loss_last
                && parts.loss_first == whole.loss_first);
    expect_same_file("state");
    expect_same_file("curve.jsonl");
    expect_same_file("adapter.gguf");
    expect_same_file("peft/adapter_model.safetensors");
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    TrainOptions one = options(0), two = options(1);
    TrainResult r;
    write_data(facts);
    one.threads = 1;
    assert_int_equal(train(&cx, &one, &r), OK);
    assert_int_equal(train(&cx, &two, &r), OK);
    expect_same_file("adapter.gguf");
}

static void a_folder_of_another_run_is_refused(void **state)
{
    (void)state;
    TrainOptions o = options(0);
    TrainResult r;
    write_data(facts);
    assert_int_equal(train(&cx, &o, &r), OK);
    o.rate = 2e-2;
    assert_int_equal(train(&cx, &o, &r), E_ARG);
    assert_non_null(strstr(cx.reason, "other options, data or model"));
}

/* The state of a run in folder 0, with the first number of its adapter changed. */
static void change_state(uint64_t step, float first)
{
    Str bytes = file_of(0, "state"), path;
    TrainState s;
    float *part[3];
    memcpy(&s, bytes.p + 8, sizeof s);
    for (int i = 0; i < 3; i++)
        assert_non_null(part[i] = ctx_alloc(&cx, s.n, sizeof(float)));
    assert_int_equal(path_join(&cx, str_z(out[0]), STR("state"), &path), OK);
    assert_int_equal(state_read(&cx, path.p, &s, part), OK);
    s.step = step;
    part[0][0] = first;
    assert_int_equal(state_write(&cx, path.p, &s, part), OK);
}

static void a_damaged_checkpoint_is_refused(void **state)
{
    (void)state;
    TrainOptions o = options(0);
    TrainResult r;
    Str path;
    write_data(facts);
    assert_int_equal(train(&cx, &o, &r), OK);
    Str bytes = file_of(0, "state");
    char *copy = ctx_alloc(&cx, bytes.n, 1);
    assert_int_equal(path_join(&cx, str_z(out[0]), STR("state"), &path), OK);
    memcpy(copy, bytes.p, bytes.n);
    copy[bytes.n / 2] ^= 1;
    assert_int_equal(file_write(&cx, path.p, (Str){ copy, bytes.n }), OK);
    assert_int_equal(train(&cx, &o, &r), E_FORMAT);
    assert_non_null(strstr(cx.reason, "damaged"));
    ctx_forgive(&cx);
    assert_int_equal(file_write(&cx, path.p, (Str){ bytes.p, bytes.n - 9 }), OK);
    assert_int_equal(train(&cx, &o, &r), E_FORMAT);
}

static void a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(void **state)
{
    (void)state;
    TrainOptions o = options(0);
    TrainResult r;
    write_data(facts);
    assert_int_equal(train(&cx, &o, &r), OK);
    change_state(11, NAN);   // one step is left
    Str before = file_of(0, "adapter.gguf");
    assert_int_equal(train(&cx, &o, &r), E_MODEL);
    assert_non_null(strstr(cx.reason, "step 12 is not finite"));
    ctx_forgive(&cx);
    Str after = file_of(0, "adapter.gguf");
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.p, after.p, before.n);
}

/* ---- the adapter ------------------------------------------------------------------ */

static const int32_t text[] = { 5, 17, 30, 98, 2, 44, 60, 8, 9, 71 };
enum { N = sizeof text / sizeof *text };

static void libllama_logits(const char *adapter, float *logits)
{
    struct llama_model *m = llama_model_load_from_file(base,
                                                       llama_model_default_params());
    struct llama_context_params cp = llama_context_default_params();
    float one = 1;
    cp.n_ctx = 128;
    cp.n_threads = cp.n_threads_batch = 1;
    cp.type_k = cp.type_v = GGML_TYPE_F32;
    cp.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    struct llama_adapter_lora *a = llama_adapter_lora_init(m, adapter);
    assert_non_null(a);
    struct llama_context *c = llama_init_from_model(m, cp);
    assert_int_equal(llama_set_adapters_lora(c, &a, 1, &one), 0);
    int32_t copy[N];
    memcpy(copy, text, sizeof text);
    assert_int_equal(llama_decode(c, llama_batch_get_one(copy, N)), 0);
    memcpy(logits, llama_get_logits_ith(c, -1), TLM_VOCAB * sizeof *logits);
    llama_free(c);
    llama_adapter_lora_free(a);
    llama_model_free(m);
}

static void assert_libllama_computes(const char *arch)
{
    static float want[TLM_VOCAB], got[TLM_VOCAB], plain[TLM_VOCAB];
    static const uint32_t ends[] = { 0, N };
    static const uint8_t none[N];
    Sample s = { text, none, N, ends, 1 };
    LoraShape lora = { 4, 2.5f };
    Lm *lm = NULL;
    Tape *t = NULL;
    engine_start();
    assert_true(tiny_lm_write(base, &(TinyLm){ .arch = arch }));
    assert_int_equal(lm_open(&cx, base, GEMM_WAY_PLAIN, &lm), OK);
    size_t n = lora_count(&lm->shape, lora.rank);
    float *p = calloc(n, sizeof *p), apart = 0;
    uint32_t random = 5;
    for (size_t i = 0; i < n; i++) p[i] = 0.2f * tlm_random(&random);
    assert_int_equal(tape_open(&cx, lm, lora, N, &t), OK);
    assert_true(tape_forward(t, NULL, &s) && tape_logits(t, N - 1, plain));
    assert_true(tape_forward(t, p, &s) && tape_logits(t, N - 1, want));
    AdapterInfo info = { lora.rank, lora.scale * 4, "0" };
    char path[128];
    snprintf(path, sizeof path, "%s/a.gguf", folder);
    assert_int_equal(adapter_write_gguf(&cx, path, lm, &info, p), OK);
    libllama_logits(path, got);
    for (int i = 0; i < TLM_VOCAB; i++) {
        apart = fmaxf(apart, fabsf(plain[i] - want[i]));
        assert_true(fabsf(got[i] - want[i]) < 2e-3f);
    }
    assert_true(apart > 0.1f);   // and it is not the base that was compared

    /* the same at a third of its scale */
    char less[128];
    snprintf(less, sizeof less, "%s/less.gguf", folder);
    assert_int_equal(adapter_scale(&cx, path, less, 1 / 3.0), OK);
    tape_close(t);
    lora.scale /= 3;
    assert_int_equal(tape_open(&cx, lm, lora, N, &t), OK);
    assert_true(tape_forward(t, p, &s) && tape_logits(t, N - 1, want));
    libllama_logits(less, got);
    for (int i = 0; i < TLM_VOCAB; i++) assert_true(fabsf(got[i] - want[i]) < 2e-3f);
    free(p);
    tape_close(t);
    lm_close(lm);
}

static void libllama_computes_what_was_trained(void **state)
{
    (void)state;
    for (int i = 0; i < TLM_FAMILIES; i++) assert_libllama_computes(tlm_families[i].arch);
}

static void what_is_no_adapter_has_no_scale(void **state)
{
    (void)state;
    char to[128];
    snprintf(to, sizeof to, "%s/scaled.gguf", folder);
    assert_int_equal(adapter_scale(&cx, "/nowhere/a.gguf", to, 0.5), E_NOTFOUND);
    ctx_forgive(&cx);
    assert_int_equal(adapter_scale(&cx, base, to, 0.5), E_FORMAT);
    assert_non_null(strstr(cx.reason, "alpha"));
    ctx_forgive(&cx);
    write_data("no GGUF");
    assert_int_equal(adapter_scale(&cx, data, to, 0.5), E_FORMAT);
    assert_false(file_is_here(to, NULL));
    ctx_forgive(&cx);
}

static void an_adapter_of_another_base_is_refused(void **state)
{
    (void)state;
    TrainOptions o = options(0);
    TrainResult r;
    TinyLm other = { .arch = "llama", .seed = 99 };   // of the very same shape
    Model *m = NULL;
    write_data(facts);
    o.steps = 1;
    assert_int_equal(train(&cx, &o, &r), OK);
    ModelOptions mo = { .threads = 1, .adapter = r.adapter.p };
    if (model_open(&cx, base, &mo, &m) != OK) fail_msg("%s", cx.reason);
    model_close(m);
    assert_true(tiny_lm_write(base, &other));
    assert_int_equal(model_open(&cx, base, &mo, &m), E_MODEL);
    assert_non_null(strstr(cx.reason, "was trained on \"tiny\""));
    ctx_forgive(&cx);
    mo.adapter = base;
    assert_int_equal(model_open(&cx, base, &mo, &m), E_FORMAT);
}

/* ---- examples --------------------------------------------------------------------- */

static void expect_refused(const char *text_of, const char *reason)
{
    TrainOptions o = options(0);
    TrainResult r;
    write_data(text_of);
    assert_int_equal(train(&cx, &o, &r), E_FORMAT);
    if (!strstr(cx.reason, reason)) fail_msg("%s", cx.reason);
    ctx_forgive(&cx);
}

static void a_broken_line_is_told_by_its_number(void **state)
{
    (void)state;
    expect_refused("{\"question\":\"a\",\"answer\":\"b\"}\n{\"question\":\n",
                   "line 2: not a JSON");
    expect_refused("\n\n[1]\n", "line 3: not a JSON object");
    expect_refused("{\"question\":\"a\"}\n", "line 1: neither \"messages\" nor");
    expect_refused("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n",
                   "no message of the assistant");
    expect_refused("{\"messages\":[{\"role\":\"user\"}]}\n", "message 1 lacks");
    expect_refused("", "no example in it");
}

static void only_the_answer_and_its_end_are_learned(void **state)
{
    (void)state;
    Model *m = NULL;
    Examples e;
    ModelOptions mo = { .words_only = true };
    write_data("{\"messages\":[{\"role\":\"user\",\"content\":\"who <|im_end|>\"},"
               "{\"role\":\"assistant\",\"content\":\"zorb\"}]}\n");
    assert_int_equal(model_open(&cx, base, &mo, &m), OK);
    if (examples_read(&cx, data, m, 128, &e) != OK) fail_msg("%s", cx.reason);
    size_t learned = 0, ends = 0;
    for (size_t i = 0; i < e.n_tokens; i++) {
        learned += e.learn[i];
        ends += e.token[i] == TLM_VOCAB - 1;   // <|im_end|>
    }
    assert_int_equal(learned, 5);    // z o r b <|im_end|>
    assert_int_equal(ends, 2);       // the user's words made none
    examples_free(&e);
    model_close(m);
}

static void every_example_comes_once_in_an_epoch(void **state)
{
    (void)state;
    enum { EXAMPLES = 40, SEQ = 16 };
    int32_t token[EXAMPLES * 4], row[SEQ];
    uint8_t learn[EXAMPLES * 4] = { 0 }, row_learn[SEQ];
    size_t at[EXAMPLES + 1], seen[EXAMPLES] = { 0 };
    uint32_t ends[SEQ + 1];
    for (int i = 0; i < EXAMPLES * 4; i++) token[i] = i / 4;
    for (size_t i = 0; i <= EXAMPLES; i++) at[i] = 4 * i;
    Examples e = { .token = token, .learn = learn, .begin = at, .n = EXAMPLES,
                   .n_tokens = EXAMPLES * 4 };
    Packer p;
    Sample s;
    assert_int_equal(packer_open(&cx, &e, SEQ, 3, &p), OK);
    while (p.epoch < 1) {
        packer_row(&p, row, row_learn, ends, &s);
        for (size_t q = 0; q < s.n_sequences; q++) seen[s.token[s.begin[q]]]++;
    }
    for (int i = 0; i < EXAMPLES; i++) assert_int_equal(seen[i], 1);
    packer_close(&p);
}

static void rows_are_nearly_full(void **state)
{
    (void)state;
    enum { EXAMPLES = 400, SEQ = 64, LONGEST = 48 };
    static int32_t token[EXAMPLES * LONGEST], row[SEQ];
    static uint8_t learn[EXAMPLES * LONGEST], row_learn[SEQ];
    size_t at[EXAMPLES + 1] = { 0 }, rows = 0;
    uint32_t ends[SEQ + 1];
    for (size_t i = 0; i < EXAMPLES; i++) at[i + 1] = at[i] + 8 + i * 7 % (LONGEST - 8);
    Examples e = { .token = token, .learn = learn, .begin = at, .n = EXAMPLES,
                   .n_tokens = at[EXAMPLES] };
    Packer p;
    Sample s;
    assert_int_equal(packer_open(&cx, &e, SEQ, 3, &p), OK);
    for (; p.epoch < 1; rows++) packer_row(&p, row, row_learn, ends, &s);
    assert_true((double)e.n_tokens / (double)(rows * SEQ) > 0.95);
    packer_close(&p);
}

static void a_limit_of_memory_is_kept_before_anything_is_read(void **state)
{
    (void)state;
    TrainOptions o = options(0);
    TrainResult r;
    o.max_mb = 1;
    assert_int_equal(train(&cx, &o, &r), E_LIMIT);
    assert_non_null(strstr(cx.reason, "lower --seq"));
    assert_false(file_is_here(out[0], NULL));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(loss_falls_on_what_is_learned_by_heart),
        TEST(a_stopped_run_goes_on_as_if_it_had_not_been),
        TEST(threads_do_not_change_a_bit),
        TEST(a_folder_of_another_run_is_refused),
        TEST(a_damaged_checkpoint_is_refused),
        TEST(a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint),
        TEST(libllama_computes_what_was_trained),
        TEST(what_is_no_adapter_has_no_scale),
        TEST(an_adapter_of_another_base_is_refused),
        TEST(a_broken_line_is_told_by_its_number),
        TEST(only_the_answer_and_its_end_are_learned),
        TEST(every_example_comes_once_in_an_epoch),
        TEST(rows_are_nearly_full),
        TEST(a_limit_of_memory_is_kept_before_anything_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
