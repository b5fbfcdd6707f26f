/* prefill.c -- prompts read by our own forward pass, against libllama on the same file.
 * The model is random and made here, so that nothing has to be there. */
#include "model/llama_impl.h"
#include "model/prefill_state.h"
#include "models.h"
#include "tiny_lm.h"

#include "model/engine.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { WINDOW = 512, LONGEST = 320 };

static Ctx cx;
static char path[64];
static struct llama_model *model;
static struct llama_context *talk;
static Prefill *prefill;
static PrefillSeq *seq;       // of prefill
static Model *generator;
static int32_t token[LONGEST];

/* ---- a model, a prompt ------------------------------------------------------------ */

static void write_model(TinyLm t)
{
    strcpy(path, "/tmp/pith-prefill-XXXXXX");
    close(mkstemp(path));
    if (!t.window) t.window = WINDOW;
    assert_true(tiny_lm_write(path, &t));
}

static void open_context(bool flash)
{
    struct llama_context_params p = llama_context_default_params();
    p.n_ctx = WINDOW;
    p.n_batch = p.n_ubatch = WINDOW;
    p.n_threads = p.n_threads_batch = 1;
    p.flash_attn_type = flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED
                              : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    if (talk) llama_free(talk);
    talk = llama_init_from_model(model, p);
    assert_non_null(talk);
}

static void open_libllama(void)
{
    engine_start();
    model = llama_model_load_from_file(path, llama_model_default_params());
    assert_non_null(model);
    open_context(false);
}

static void close_prefill(void)
{
    prefill_seq_close(seq);
    seq = NULL;
    prefill_close(prefill);
    prefill = NULL;
}

static Status open_prefill(MatmulWay way, int threads, uint64_t max_bytes)
{
    PrefillOptions opt = { .way = way, .threads = threads, .max_bytes = max_bytes };
    close_prefill();
    Status st = prefill_open(&cx, path, &opt, &prefill);
    return st == OK ? prefill_seq_open(&cx, prefill, &seq) : st;
}

/* n tokens behind those of the one sequence. */
static Status step(const int32_t *at, size_t n, const float **logits)
{
    PrefillPart part = { seq, at, n, NULL };
    Status st = prefill_step(&cx, prefill, &part, 1);
    *logits = part.logits;
    return st;
}

static void open_both_of(TinyLm t, MatmulWay way)
{
    t.seed = 3;
    write_model(t);
    open_libllama();
    assert_int_equal(open_prefill(way, 2, UINT64_MAX), OK);
    for (uint32_t i = 0, state = 5; i < LONGEST; i++) {
        tlm_random(&state);
        token[i] = (int32_t)(state >> 16) % (TLM_VOCAB - 4);
    }
}

static void open_both(const char *arch, MatmulWay way)
{
    open_both_of((TinyLm){ .arch = arch }, way);
}

static int close_all(void **state)
{
    (void)state;
    close_prefill();
    model_close(generator);
    generator = NULL;
    if (talk) llama_free(talk);
    talk = NULL;
    if (model) llama_model_free(model);
    model = NULL;
    if (path[0]) unlink(path);
    path[0] = '\0';
    ctx_end(&cx);
    return 0;
}

static void decode(size_t first, size_t n)
{
    assert_int_equal(llama_decode(talk, llama_batch_get_one(token + first, (int)n)), 0);
}

/* libllama's own: the logits behind n tokens. */
static void logits_theirs(size_t n, float out[TLM_VOCAB])
{
    llama_memory_clear(llama_get_memory(talk), true);
    decode(0, n);
    memcpy(out, llama_get_logits_ith(talk, -1), TLM_VOCAB * sizeof *out);
}

/* The same behind ours: what the prefill holds, and one token more. */
static void logits_ours(float out[TLM_VOCAB])
{
    size_t n = prefill_tokens(seq);
    assert_int_equal(prefill_hand_over(&cx, seq, talk), OK);
    decode(n, 1);
    memcpy(out, llama_get_logits_ith(talk, -1), TLM_VOCAB * sizeof *out);
}

static void make_friends(void)
{
    llama_memory_clear(llama_get_memory(talk), true);
    decode(0, PREFILL_PROBE);
    assert_int_equal(prefill_run(&cx, seq, token, 0, PREFILL_PROBE), OK);
    if (prefill_agree(&cx, seq, talk) != OK) fail_msg("%s", cx.reason);
}

static double divergence(const float p[TLM_VOCAB], const float q[TLM_VOCAB])
{
    double zp = 0, zq = 0, kl = 0;
    for (int i = 0; i < TLM_VOCAB; i++) zp += exp(p[i]), zq += exp(q[i]);
    for (int i = 0; i < TLM_VOCAB; i++)
        kl += exp(p[i]) / zp * ((double)(p[i] - q[i]) - log(zp / zq));
    return kl;
}

static void assert_close_at(size_t n, double most)
{
    float theirs[TLM_VOCAB], ours[TLM_VOCAB];
    logits_theirs(n, theirs);
    assert_int_equal(prefill_run(&cx, seq, token, 0, n - 1), OK);
    logits_ours(ours);
    double kl = divergence(theirs, ours);
    if (!(kl < most)) fail_msg("%zu tokens: KL is %g, below %g was wanted", n, kl, most);
}

static void assert_close_of(TinyLm t, MatmulWay way, double most)
{
    static const size_t length[] = { 2, 3, 17, 63, 64, 65, 300 };
    open_both_of(t, way);
    make_friends();
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        assert_close_at(length[i], most);
}

/* ---- the same numbers ------------------------------------------------------------- */

static void assert_close(const char *arch, MatmulWay way, double most)
{
    assert_close_of((TinyLm){ .arch = arch }, way, most);
}

static void every_family_is_read_as_libllama_reads_it(void **state)
{
    for (int i = 0; i < TLM_FAMILIES; i++) {
        print_message("%s\n", tlm_families[i].arch);
        assert_close(tlm_families[i].arch, MATMUL_PLAIN, 1e-5);
        close_all(state);
    }
}

static void so_are_positions_that_are_stretched(void **state)
{
    assert_close_of((TinyLm){ .arch = "llama", .rope_freqs = true }, MATMUL_PLAIN, 1e-5);
    close_all(state);
    assert_close_of((TinyLm){ .arch = "gemma3", .stretch = 8 }, MATMUL_PLAIN, 1e-5);
    close_all(state);
    assert_close_of((TinyLm){ .arch = "granite", .still = true }, MATMUL_PLAIN, 1e-5);
}

static void every_fast_product_reads_the_same(void **state)
{
    (void)state;
    static const MatmulWay way[] = { MATMUL_INT8, MATMUL_BF16, MATMUL_F32 };
    int tried = 0;
    for (size_t i = 0; i < sizeof way / sizeof *way; i++)
        if (matmul_can(way[i])) {
            assert_close("qwen2", way[i], 2e-3);
            close_all(state);
            assert_close("gemma3", way[i], 2e-3);
            close_all(state);
            tried++;
        }
    if (tried == 0) skip();
}

static void values_may_lie_either_way_round(void **state)
{
    (void)state;
    open_both("llama", MATMUL_PLAIN);
    make_friends();
    assert_close_at(65, 1e-5);
    open_context(true);          // with flash attention values are not turned around
    make_friends();
    assert_close_at(65, 1e-5);
}

static void how_a_prompt_is_cut_changes_no_bit(void **state)
{
    (void)state;
    static const size_t cut[] = { 1, 31, 64, 100, 299 };
    float whole[TLM_VOCAB], parts[TLM_VOCAB];
    MatmulWay way = matmul_can(MATMUL_INT8) ? MATMUL_INT8 : MATMUL_PLAIN;
    open_both("qwen2", way);
    make_friends();
    assert_int_equal(prefill_run(&cx, seq, token, 0, 300), OK);
    logits_ours(whole);
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        size_t n = cut[i];
        assert_int_equal(prefill_run(&cx, seq, token, 0, n), OK);
        assert_int_equal(prefill_run(&cx, seq, token + n, n, 300 - n), OK);
        logits_ours(parts);
        assert_memory_equal(whole, parts, sizeof whole);
    }
}

static void so_do_threads_and_what_was_read_before(void **state)
{
    (void)state;
    float two[TLM_VOCAB], one[TLM_VOCAB];
    MatmulWay way = matmul_can(MATMUL_INT8) ? MATMUL_INT8 : MATMUL_PLAIN;
    open_both("llama", way);
    make_friends();
    assert_int_equal(prefill_run(&cx, seq, token + 7, 0, 300), OK);
    assert_int_equal(prefill_run(&cx, seq, token, 0, 250), OK);
    logits_ours(two);
    assert_int_equal(open_prefill(way, 1, UINT64_MAX), OK);
    make_friends();
    assert_int_equal(prefill_run(&cx, seq, token, 0, 250), OK);
    logits_ours(one);
    assert_memory_equal(one, two, sizeof one);
}

/* ---- what cannot be done ---------------------------------------------------------- */

static void sees_that_libllama_read_something_else(void **state)
{
    (void)state;
    open_both("qwen2", MATMUL_PLAIN);
    decode(1, PREFILL_PROBE);                  // as a wrong order of heads would look
    assert_int_equal(prefill_run(&cx, seq, token, 0, PREFILL_PROBE), OK);
    assert_int_equal(prefill_agree(&cx, seq, talk), E_MODEL);
    assert_non_null(strstr(cx.reason, "differ from libllama's"));
    ctx_forgive(&cx);
    assert_int_equal(prefill_hand_over(&cx, seq, talk), E_ARG);
}

static void sees_a_sequence_of_another_length(void **state)
{
    (void)state;
    open_both("llama", MATMUL_PLAIN);
    decode(0, PREFILL_PROBE + 1);
    assert_int_equal(prefill_run(&cx, seq, token, 0, PREFILL_PROBE), OK);
    assert_int_equal(prefill_agree(&cx, seq, talk), E_MODEL);
    assert_non_null(strstr(cx.reason, "not known here"));
}

static void libllama_with_too_little_room_says_no(void **state)
{
    (void)state;
    open_both("llama", MATMUL_PLAIN);
    make_friends();
    struct llama_context_params p = llama_context_default_params();
    p.n_ctx = 256;
    p.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    struct llama_context *small = llama_init_from_model(model, p);
    assert_int_equal(prefill_run(&cx, seq, token, 0, 300), OK);
    assert_int_equal(prefill_hand_over(&cx, seq, small), E_MODEL);
    assert_int_equal(llama_memory_seq_pos_max(llama_get_memory(small), 0), -1);
    llama_free(small);
}

static void refuses_what_is_not_there_to_compute(void **state)
{
    (void)state;
    open_both("llama", MATMUL_PLAIN);
    int32_t bad[] = { 1, TLM_VOCAB }, negative = -1;
    assert_int_equal(prefill_run(&cx, seq, bad, 0, 2), E_ARG);
    assert_int_equal(prefill_run(&cx, seq, &negative, 0, 1), E_ARG);
    assert_int_equal(prefill_run(&cx, seq, token, 1, 1), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(prefill_run(&cx, seq, token, 0, WINDOW + 1), E_LIMIT);
    assert_int_equal(prefill_tokens(seq), 0);
}

static void keeps_its_limit_of_memory(void **state)
{
    (void)state;
    open_both("llama", MATMUL_PLAIN);
    assert_int_equal(prefill_run(&cx, seq, token, 0, 64), OK);
    uint64_t used = prefill_bytes(prefill);
    assert_int_equal(open_prefill(MATMUL_PLAIN, 1, 1000), E_LIMIT);
    assert_null(prefill);
    ctx_forgive(&cx);
    assert_int_equal(open_prefill(MATMUL_PLAIN, 2, used), OK);
    assert_int_equal(prefill_run(&cx, seq, token, 0, 64), OK);
    assert_true(prefill_bytes(prefill) <= used);
    assert_int_equal(open_prefill(MATMUL_PLAIN, 2, used - 1), OK);
    assert_int_equal(prefill_run(&cx, seq, token, 0, 64), E_LIMIT);
}

static void refuses_a_model_with_a_tensor_missing(void **state)
{
    (void)state;
    write_model((TinyLm){ .arch = "qwen2", .leave_out = "blk.1.ffn_up.weight" });
    assert_int_equal(open_prefill(MATMUL_PLAIN, 2, UINT64_MAX), E_MODEL);
    assert_null(prefill);
    assert_non_null(strstr(cx.reason, "no tensor blk.1.ffn_up.weight"));
}

static bool at_once(void *arg)
{
    (void)arg;
    return true;
}

static void stops_when_it_is_cancelled(void **state)
{
    (void)state;
    open_both("llama", MATMUL_PLAIN);
    assert_int_equal(prefill_run(&cx, seq, token, 0, 20), OK);
    cx.cancelled = at_once;
    assert_int_equal(prefill_run(&cx, seq, token + 10, 10, 100), E_CANCELLED);
    assert_int_equal(prefill_tokens(seq), 10);
    ctx_forgive(&cx);
    assert_int_equal(open_prefill(MATMUL_PLAIN, 1, UINT64_MAX), E_CANCELLED);
    cx.cancelled = NULL;
}

/* ---- steps ------------------------------------------------------------------------ */

static void assert_step_close(const char *arch, MatmulWay way, double most)
{
    float theirs[TLM_VOCAB];
    const float *ours;
    open_both(arch, way);
    assert_int_equal(prefill_run(&cx, seq, token, 0, 40), OK);
    assert_int_equal(step(token + 40, 3, &ours), OK);
    assert_int_equal(prefill_tokens(seq), 43);
    for (size_t i = 0; i < 3; i++) {
        logits_theirs(41 + i, theirs);
        double kl = divergence(theirs, ours + i * TLM_VOCAB);
        if (!(kl < most)) fail_msg("row %zu: KL is %g, not below %g", i, kl, most);
    }
}

static void a_step_gives_the_logits_that_libllama_gives(void **state)
{
    (void)state;
    for (int i = 0; i < TLM_FAMILIES; i++) {
        assert_step_close(tlm_families[i].arch, MATMUL_PLAIN, 1e-5);
        close_all(NULL);
    }
    if (matmul_can(MATMUL_INT8)) assert_step_close("qwen2", MATMUL_INT8, 2e-3);
}

/* The logits of tokens 100 to 123, from steps of `size` tokens behind a run. */
static void in_steps(int threads, size_t size, float out[PREFILL_STEP][TLM_VOCAB])
{
    MatmulWay way = matmul_can(MATMUL_INT8) ? MATMUL_INT8 : MATMUL_PLAIN;
    const float *logits;
    assert_int_equal(open_prefill(way, threads, UINT64_MAX), OK);
    assert_int_equal(prefill_run(&cx, seq, token, 0, 100), OK);
    for (size_t i = 0; i < PREFILL_STEP; i += size) {
        size_t n = PREFILL_STEP - i < size ? PREFILL_STEP - i : size;
        assert_int_equal(step(token + 100 + i, n, &logits), OK);
        memcpy(out[i], logits, n * sizeof out[i]);
    }
}

static void steps_of_any_size_change_no_bit(void **state)
{
    static float want[PREFILL_STEP][TLM_VOCAB], got[PREFILL_STEP][TLM_VOCAB];
    (void)state;
    open_both("qwen2", MATMUL_PLAIN);
    in_steps(1, 1, want);
    for (size_t size = 1; size <= PREFILL_STEP; size += 1 + size / 3)
        for (int threads = 1; threads <= 5; threads += 2) {
            in_steps(threads, size, got);
            assert_memory_equal(want, got, sizeof want);
        }
}

static void a_prompt_may_be_read_in_steps(void **state)
{
    float run[TLM_VOCAB], steps[TLM_VOCAB];
    const float *logits;
    (void)state;
    open_both("llama", MATMUL_PLAIN);
    assert_int_equal(prefill_run(&cx, seq, token, 0, 100), OK);
    assert_int_equal(step(token + 100, 1, &logits), OK);
    memcpy(run, logits, sizeof run);
    assert_int_equal(prefill_run(&cx, seq, NULL, 0, 0), OK);
    for (size_t i = 0; i < 100; i += 20)
        assert_int_equal(step(token + i, 20, &logits), OK);
    assert_int_equal(step(token + 100, 1, &logits), OK);
    memcpy(steps, logits, sizeof steps);
    assert_memory_equal(run, steps, sizeof run);
}

static void refuses_steps_that_are_none(void **state)
{
    const float *logits;
    (void)state;
    open_both("llama", MATMUL_PLAIN);
    assert_int_equal(step(token, 0, &logits), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(step(token, PREFILL_STEP + 1, &logits), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(step(&(int32_t){ TLM_VOCAB }, 1, &logits),
                     E_ARG);
    ctx_forgive(&cx);
    cx.cancelled = at_once;
    assert_int_equal(step(token, 1, &logits), E_CANCELLED);
    cx.cancelled = NULL;
    assert_int_equal(prefill_tokens(seq), 0);
}

/* ---- what is known ---------------------------------------------------------------- */

enum { ALL = 200 };

static uint16_t *taken(size_t first, size_t n)
{
    uint16_t *out = malloc(prefill_values(prefill, n) * sizeof *out);
    prefill_take_out(seq, first, n, out);
    return out;
}

/* Reads the first ALL tokens, of which some are known. */
static void read_around(const PrefillKnown *known, size_t n)
{
    PrefillText all = { token, 0, ALL, known, n };
    assert_int_equal(prefill_read(&cx, seq, &all), OK);
    assert_int_equal(prefill_tokens(seq), ALL);
}

static void what_is_put_back_in_its_place_leaves_the_same_bits(void **state)
{
    static const size_t from[][2] = { { 3, 5 }, { 20, 90 }, { 140, 59 } };
    PrefillKnown known[3];
    (void)state;
    open_both("qwen2", matmul_can(MATMUL_INT8) ? MATMUL_INT8 : MATMUL_PLAIN);
    assert_int_equal(prefill_run(&cx, seq, token, 0, ALL), OK);
    uint16_t *whole = taken(0, ALL), *data[3];
    for (int i = 0; i < 3; i++) {
        data[i] = taken(from[i][0], from[i][1]);
        known[i] = (PrefillKnown){ data[i], from[i][1], from[i][0], (size_t)i,
                                   from[i][0] + (size_t)i };
    }
    assert_int_equal(prefill_run(&cx, seq, token + 7, 0, ALL), OK);    // others
    read_around(known, 3);
    uint16_t *joined = taken(0, ALL);
    assert_memory_equal(joined, whole, prefill_values(prefill, ALL) * sizeof *whole);
    for (int i = 0; i < 3; i++) free(data[i]);
    free(whole);
    free(joined);
}

/* In the first block keys and values hang on the token and its place alone. */
static void assert_first_block(const uint16_t *a, const uint16_t *b, size_t n,
                               size_t head)
{
    size_t half = n * TLM_KV * head;
    for (size_t i = 0; i < 2 * half; i++) {
        float x = ggml_fp16_to_fp32(a[i]), y = ggml_fp16_to_fp32(b[i]);
        if (!(fabsf(x - y) <= (i < half ? 4e-3f : 0)))
            fail_msg("%s %zu: %g, %g was wanted", i < half ? "key" : "value", i,
                     (double)x, (double)y);
    }
}

static void moved_from(const char *arch, size_t home, size_t at)
{
    enum { N = 50 };
    int32_t other[ALL];
    open_both(arch, MATMUL_PLAIN);
    for (size_t i = 0; i < ALL; i++) other[i] = token[ALL - i];
    memcpy(other + home, token + at, N * sizeof *other);
    assert_int_equal(prefill_run(&cx, seq, other, 0, home + N), OK);
    uint16_t *data = taken(home, N);
    PrefillKnown known = { data, N, home, 0, at };
    read_around(&known, 1);
    uint16_t *joined = taken(at, N);
    assert_int_equal(prefill_run(&cx, seq, token, 0, ALL), OK);
    uint16_t *plain = taken(at, N);
    size_t head = (size_t)tlm_family(&(TinyLm){ .arch = arch })->head;
    assert_first_block(joined, plain, N, head);
    free(data);
    free(joined);
    free(plain);
}

static void what_is_known_is_turned_to_where_it_stands(void **state)
{
    moved_from("qwen2", 5, 120);
    close_all(state);
    moved_from("qwen2", 140, 9);
    close_all(state);
    moved_from("llama", 31, 32);
    close_all(state);
    moved_from("gemma3", 140, 9);              // by the angles of a block that slides
}

static void the_longer_the_head_the_nearer_to_plain_reading(void **state)
{
    static const size_t skip[] = { 0, 64, 99 };
    float plain[TLM_VOCAB], joined[TLM_VOCAB];
    double kl[3];
    (void)state;
    open_both("qwen2", MATMUL_PLAIN);
    make_friends();
    assert_int_equal(prefill_run(&cx, seq, token, 0, ALL), OK);
    logits_ours(plain);
    assert_int_equal(prefill_run(&cx, seq, token + 90, 0, 110), OK);   // 10 before it
    uint16_t *data = taken(10, 100);
    for (int i = 0; i < 3; i++) {
        PrefillKnown known = { data, 100, 10, skip[i], 100 + skip[i] };
        read_around(&known, 1);
        logits_ours(joined);
        kl[i] = divergence(plain, joined);
    }
    free(data);
    assert_true(kl[0] > kl[2]);
    assert_true(kl[1] > kl[2] || kl[1] < 1e-6);
    assert_true(kl[2] < 1e-3);
}

static void known_tokens_may_be_read_in_any_slices(void **state)
{
    (void)state;
    open_both("qwen2", matmul_can(MATMUL_INT8) ? MATMUL_INT8 : MATMUL_PLAIN);
    assert_int_equal(prefill_run(&cx, seq, token + 50, 0, ALL), OK);
    uint16_t *data = taken(10, 100);
    PrefillKnown known = { data, 100, 10, 7, 67 };
    read_around(&known, 1);
    uint16_t *once = taken(0, ALL);
    assert_int_equal(prefill_run(&cx, seq, NULL, 0, 0), OK);
    for (size_t past = 0, n; past < ALL; past += n) {
        n = past + 33 < ALL ? 33 : ALL - past;
        PrefillText some = { token + past, past, n, &known, 1 };
        assert_int_equal(prefill_read(&cx, seq, &some), OK);
    }
    uint16_t *slices = taken(0, ALL);
    assert_memory_equal(once, slices, prefill_values(prefill, ALL) * sizeof *once);
    free(data);
    free(once);
    free(slices);
}

/* ---- in a conversation ------------------------------------------------------------ */

static LlamaModel *open_generator(const char *file, ModelOptions opt)
{
    opt.threads = 2;
    model_close(generator);
    assert_int_equal(llama_model_open(&cx, file, &opt, &generator), OK);
    return (LlamaModel *)generator;
}

static Str letters(size_t n, char first)
{
    char text[LONGEST + 1];
    for (size_t i = 0; i < n; i++) text[i] = (char)(first + i * i % 23);
    return ctx_dup(&cx, (Str){ text, n });
}

static Generated ask_with(Str question, GenerateOptions opt)
{
    Message m = { "user", question };
    Generated g;
    assert_int_equal(llama_generate(&cx, generator, &m, 1, &opt, &g), OK);
    return g;
}

static Generated ask(Str question)
{
    return ask_with(question, (GenerateOptions){ .max_tokens = 4 });
}

static void assert_same(Generated a, Generated b)
{
    assert_true(str_eq(a.text, b.text));
    assert_memory_equal(&a.mean_logprob, &b.mean_logprob, sizeof a.mean_logprob);
    assert_memory_equal(&a.min_logprob, &b.min_logprob, sizeof a.min_logprob);
}

static void need_fast_products(void)
{
    MatmulWay way;
    if (prefill_way(&way) && !llama_supports_gpu_offload()) return;
    print_message("no fast products here, or a GPU\n");
    skip();
}

/* Our own pass reads long prompts; and it writes. */
static bool reads(const LlamaModel *m)
{
    return atomic_load(&m->batch) != NULL;
}

static bool writes(const LlamaModel *m)
{
    return reads(m) && prefill_can_step(batch_prefill(atomic_load(&m->batch)));
}

static void answers_the_same_whatever_was_asked_before(void **state)
{
    (void)state;
    need_fast_products();
    write_model((TinyLm){ .arch = "qwen2", .seed = 3 });
    Str question = letters(300, 'a');
    LlamaModel *m = open_generator(path, (ModelOptions){ 0 });
    Generated first = ask(question);
    assert_true(reads(m));
    assert_int_equal(first.reused_tokens, 0);
    Generated again = ask(question);
    assert_int_equal(again.reused_tokens, again.prompt_tokens - 1);
    assert_same(first, again);
    ask(letters(40, 'd'));                     // a short one is libllama's
    assert_same(first, ask(question));
    Str longer = letters(310, 'a');            // the same head, another tail
    Generated behind = ask(longer);
    assert_true(behind.reused_tokens > first.prompt_tokens - 20);
    open_generator(path, (ModelOptions){ 0 });
    assert_same(ask(longer), behind);
}

static void libllama_reads_where_memory_is_short_or_it_is_told_to(void **state)
{
    (void)state;
    need_fast_products();
    write_model((TinyLm){ .arch = "llama", .seed = 3 });
    LlamaModel *m = open_generator(path, (ModelOptions){ .plain = true });
    Generated plain = ask(letters(300, 'a'));
    assert_false(reads(m));
    m = open_generator(path, (ModelOptions){ .prefill_bytes = 1000 });
    assert_same(plain, ask(letters(300, 'a')));
    assert_false(reads(m));
    assert_int_equal(cx.status, OK);
}

/* One token, for the answers of random models part where two are about as likely. */
static void every_family_answers_as_by_libllama(void **state)
{
    GenerateOptions one = { .max_tokens = 1 };
    need_fast_products();
    for (int i = 0; i < TLM_FAMILIES; i++) {
        write_model((TinyLm){ .arch = tlm_families[i].arch, .seed = 3 });
        open_generator(path, (ModelOptions){ .plain = true });
        Generated plain = ask_with(letters(300, 'a'), one);
        LlamaModel *m = open_generator(path, (ModelOptions){ 0 });
        Generated ours = ask_with(letters(300, 'a'), one);
        assert_true(writes(m));
        print_message("%s: %g, libllama %g\n", tlm_families[i].arch,
                      (double)ours.mean_logprob, (double)plain.mean_logprob);
        assert_true(fabsf(ours.mean_logprob - plain.mean_logprob) < 0.05f);
        close_all(state);
    }
}

static void libllama_reads_what_we_do_not_compute(void **state)
{
    (void)state;
    need_fast_products();
    write_model((TinyLm){ .arch = "llama", .seed = 3, .scaling = "yarn", .stretch = 4 });
    open_generator(path, (ModelOptions){ .plain = true });
    Generated plain = ask(letters(300, 'a'));
    LlamaModel *m = open_generator(path, (ModelOptions){ 0 });
    assert_same(plain, ask(letters(300, 'a')));
    assert_false(reads(m));
    assert_int_equal(cx.status, OK);
    assert_int_equal(open_prefill(MATMUL_PLAIN, 1, UINT64_MAX), E_MODEL);
    assert_non_null(strstr(cx.reason, "rope scaling \"yarn\" is not computed here"));
}

/* The same answer token by token and in drafts. Returns how many guesses were right. */
static int assert_drafts_change_nothing(Str question, int max_tokens)
{
    GenerateOptions opt = { .max_tokens = max_tokens, .no_drafts = true };
    Generated single = ask_with(question, opt);
    opt.no_drafts = false;
    Generated drafts = ask_with(question, opt);
    assert_same(single, drafts);
    assert_int_equal(single.tokens, drafts.tokens);
    assert_int_equal(single.finish, drafts.finish);
    assert_int_equal(single.drafted, 0);
    assert_true(drafts.accepted <= drafts.drafted);
    return drafts.accepted;
}

static void a_draft_changes_no_token(void **state)
{
    int accepted = 0;
    (void)state;
    need_fast_products();
    for (uint32_t seed = 1; seed <= 12; seed++) {
        write_model((TinyLm){ .arch = seed % 2 ? "llama" : "qwen2", .seed = seed });
        LlamaModel *m = open_generator(path, (ModelOptions){ 0 });
        for (int n = 1; n <= 150; n += 37)
            accepted += assert_drafts_change_nothing(letters(200 + 2 * seed, 'a'), n);
        assert_true(writes(m));
        unlink(path);
    }
    assert_true(accepted > 100);       // small random models love to repeat themselves
}

static void what_was_said_is_read_again_by_nobody(void **state)
{
    GenerateOptions opt = { .max_tokens = 30 };
    Generated first, second, fresh;
    (void)state;
    need_fast_products();
    write_model((TinyLm){ .arch = "llama", .seed = 2 });
    open_generator(path, (ModelOptions){ 0 });
    Message m[] = { { "user", letters(220, 'a') }, { "assistant", { NULL, 0 } },
                    { "user", letters(20, 'c') } };
    assert_int_equal(llama_generate(&cx, generator, m, 1, &opt, &first), OK);
    m[1].content = first.text;
    assert_int_equal(llama_generate(&cx, generator, m, 3, &opt, &second), OK);
    assert_true(second.reused_tokens >= first.prompt_tokens + 20);
    open_generator(path, (ModelOptions){ 0 });
    assert_int_equal(llama_generate(&cx, generator, m, 3, &opt, &fresh), OK);
    assert_int_equal(fresh.reused_tokens, 0);
    assert_same(fresh, second);
}

static void who_writes_does_not_hang_on_what_was_asked_before(void **state)
{
    GenerateOptions hot = { .max_tokens = 80, .temperature = .6f, .seed = 4 };
    (void)state;
    need_fast_products();
    write_model((TinyLm){ .arch = "llama", .seed = 5 });
    LlamaModel *m = open_generator(path, (ModelOptions){ 0 });
    Str question = letters(230, 'a');
    Generated greedy = ask(question);
    assert_true(writes(m));
    Generated warm = ask_with(question, hot);
    assert_false(str_eq(greedy.text, warm.text));
    assert_same(greedy, ask(question));
    ask(letters(30, 'a'));                         // a short one is libllama's
    assert_same(warm, ask_with(question, hot));
    hot.no_drafts = true;                          // nor on how it was guessed
    assert_same(warm, ask_with(question, hot));
}

static Str lines(int n, const char *end)
{
    Buf b = BUF(1 << 20);
    for (int i = 0; i < n; i++) buf_addf(&b, "item %d costs %d; ", i, i * 7 % 50);
    buf_addf(&b, "\n\n%s", end);
    Str out = ctx_dup(&cx, buf_str(&b));
    buf_free(&b);
    return out;
}

/* SmolLM2's packed weights are larger than its file by too much to write with. */
static void a_context_that_grew_takes_the_keys_along(void **state)
{
    (void)state;
    const char *file = model_file(SMOLLM2);
    need_fast_products();
    if (!file) {
        print_message("%s is not here: pith model pull\n", SMOLLM2);
        skip();
    }
    Str question = lines(40, "What does item 3 cost?");
    LlamaModel *m = open_generator(file, (ModelOptions){ 0 });
    Generated first = ask(question);
    assert_true(reads(m) && !writes(m));
    assert_int_equal(first.drafted, 0);
    llama_free(m->talk);
    m->talk = NULL;
    Generated again = ask(question);
    assert_int_equal(again.reused_tokens, again.prompt_tokens - 1);
    assert_same(first, again);
    ask(letters(40, 'a'));                     // a short one is libllama's
    assert_same(first, ask(question));
}

static void a_real_model_gives_the_answer_that_libllama_gives(void **state)
{
    (void)state;
    const char *file = model_file(QWEN);
    need_fast_products();
    if (!file) {
        print_message("%s is not here: pith model pull\n", QWEN);
        skip();
    }
    Str question = lines(60, "What does item 3 cost? Say the number alone.");
    LlamaModel *m = open_generator(file, (ModelOptions){ .plain = true });
    Generated plain = ask(question);
    m = open_generator(file, (ModelOptions){ 0 });
    Generated ours = ask(question);
    assert_true(writes(m));
    if (!str_eq(plain.text, ours.text))
        fail_msg("\"%s\", not \"%s\"", ours.text.p, plain.text.p);
    assert_true(fabsf(ours.mean_logprob - plain.mean_logprob) < 0.2f);
}

static void a_real_model_quotes_in_drafts_what_it_quotes_without(void **state)
{
    const char *file = model_file(QWEN);
    (void)state;
    need_fast_products();
    if (!file) {
        print_message("%s is not here: pith model pull\n", QWEN);
        skip();
    }
    LlamaModel *m = open_generator(file, (ModelOptions){ 0 });
    Str quote = STR("The ferry to the island leaves the old harbour every morning at "
                    "a quarter past seven, except on Sundays, when the first boat is "
                    "at ten. Tickets are sold at the kiosk beside the fish market and"
                    " on board; children under six travel free, and a bicycle costs "
                    "two pounds. In winter, from November to the end of March, the "
                    "afternoon boat does not run. When the wind is strong the captain"
                    " may decide to stay in the harbour: a red flag is then raised on"
                    " the pier, and tickets that were bought in advance are valid for"
                    " thirty days. Dogs must be kept on a lead. The crossing takes "
                    "forty minutes, and the last boat back leaves the island at half "
                    "past six. Whoever misses it finds a bed at the hostel above the "
                    "bay, which is open all year and wants no booking; breakfast is "
                    "served from eight, and the path to the pier takes a quarter of "
                    "an hour on foot.\n\nQuote the text above word for word, from its"
                    " beginning.");
    int accepted = assert_drafts_change_nothing(quote, 40);
    assert_true(writes(m));
    assert_true(accepted > 0);
    assert_drafts_change_nothing(lines(30, "What is a list?"), 30);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, close_all)
    const struct CMUnitTest tests[] = {
        TEST(every_family_is_read_as_libllama_reads_it),
        TEST(so_are_positions_that_are_stretched),
        TEST(every_fast_product_reads_the_same),
        TEST(values_may_lie_either_way_round),
        TEST(how_a_prompt_is_cut_changes_no_bit),
        TEST(so_do_threads_and_what_was_read_before),
        TEST(sees_that_libllama_read_something_else),
        TEST(sees_a_sequence_of_another_length),
        TEST(libllama_with_too_little_room_says_no),
        TEST(refuses_what_is_not_there_to_compute),
        TEST(keeps_its_limit_of_memory),
        TEST(refuses_a_model_with_a_tensor_missing),
        TEST(stops_when_it_is_cancelled),
        TEST(a_step_gives_the_logits_that_libllama_gives),
        TEST(steps_of_any_size_change_no_bit),
        TEST(a_prompt_may_be_read_in_steps),
        TEST(refuses_steps_that_are_none),
        TEST(what_is_put_back_in_its_place_leaves_the_same_bits),
        TEST(what_is_known_is_turned_to_where_it_stands),
        TEST(the_longer_the_head_the_nearer_to_plain_reading),
        TEST(known_tokens_may_be_read_in_any_slices),
        TEST(a_draft_changes_no_token),
        TEST(what_was_said_is_read_again_by_nobody),
        TEST(who_writes_does_not_hang_on_what_was_asked_before),
        TEST(a_real_model_quotes_in_drafts_what_it_quotes_without),
        TEST(answers_the_same_whatever_was_asked_before),
        TEST(a_context_that_grew_takes_the_keys_along),
        TEST(libllama_reads_where_memory_is_short_or_it_is_told_to),
        TEST(every_family_answers_as_by_libllama),
        TEST(libllama_reads_what_we_do_not_compute),
        TEST(a_real_model_gives_the_answer_that_libllama_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
