/* tape.c -- the decoder that is trained: its logits against libllama's, its derivatives
 * against finite differences, its fast products against portable ones. */
#include "model/engine.h"
#include "tiny_lm.h"
#include "tune/tape.h"

#include <llama.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RANK = 3, TOKENS = 21 };

static Ctx cx;
static char path[64];
static const LoraShape lora = { RANK, 0.7f };

/* Two sequences in one row; learned are parts of both. */
static const int32_t token[TOKENS] = { 5, 17, 30, 98, 2, 44, 60, 8, 9, 71, 12, 3,
                                       40, 41, 5, 5, 90, 13, 77, 20, 6 };
static const uint8_t learn[TOKENS] = { 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1,
                                       0, 0, 1, 1, 1, 1, 1, 1, 1 };
static const uint32_t begin[] = { 0, 12, TOKENS };
static const Sample sample = { token, learn, TOKENS, begin, 2 };

static Lm *tiny_of(TinyLm t, GemmWay way)
{
    Lm *lm = NULL;
    snprintf(path, sizeof path, "/tmp/pith_tape_%d.gguf", (int)getpid());
    assert_true(tiny_lm_write(path, &t));
    if (lm_open(&cx, path, way, &lm) != OK) fail_msg("%s", cx.reason);
    return lm;
}

static Lm *tiny(const char *arch, GemmWay way)
{
    return tiny_of((TinyLm){ .arch = arch }, way);
}

static float *random_adapters(const Lm *lm, float size)
{
    size_t n = lora_count(&lm->shape, RANK);
    float *p = calloc(n + 64, sizeof *p);
    uint32_t state = 3;
    for (size_t i = 0; i < n; i++) p[i] = size * tlm_random(&state);
    return p;
}

static int forget(void **state)
{
    (void)state;
    unlink(path);
    ctx_end(&cx);
    return 0;
}

/* ---- against libllama ------------------------------------------------------------- */

static void llama_logits(const int32_t *t, int n, float *out)   // (n, TLM_VOCAB)
{
    struct llama_model_params mp = llama_model_default_params();
    struct llama_context_params cp = llama_context_default_params();
    engine_start();
    struct llama_model *m = llama_model_load_from_file(path, mp);
    assert_non_null(m);
    cp.n_ctx = TLM_WINDOW;
    cp.n_threads = cp.n_threads_batch = 1;
    cp.type_k = cp.type_v = GGML_TYPE_F32;
    cp.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    struct llama_context *c = llama_init_from_model(m, cp);
    assert_non_null(c);
    struct llama_batch b = llama_batch_init(n, 0, 1);
    for (int i = 0; i < n; i++) {
        b.token[i] = t[i], b.pos[i] = i, b.n_seq_id[i] = 1, b.seq_id[i][0] = 0;
        b.logits[i] = 1;
    }
    b.n_tokens = n;
    assert_int_equal(llama_decode(c, b), 0);
    for (int i = 0; i < n; i++)
        memcpy(out + i * TLM_VOCAB, llama_get_logits_ith(c, i), TLM_VOCAB * sizeof *out);
    llama_batch_free(b);
    llama_free(c);
    llama_model_free(m);
}

static void expect_libllama(TinyLm of)
{
    static float want[TOKENS * TLM_VOCAB], got[TLM_VOCAB];
    Lm *lm = tiny_of(of, GEMM_WAY_PLAIN);
    Tape *t = NULL;
    assert_int_equal(tape_open(&cx, lm, lora, TOKENS, &t), OK);
    assert_true(tape_forward(t, NULL, &sample));
    for (size_t q = 0; q < sample.n_sequences; q++) {
        llama_logits(token + begin[q], (int)(begin[q + 1] - begin[q]), want);
        for (size_t i = begin[q]; i < begin[q + 1]; i++) {
            assert_true(tape_logits(t, i, got));
            for (size_t v = 0; v < TLM_VOCAB; v++)
                if (fabsf(got[v] - want[(i - begin[q]) * TLM_VOCAB + v]) > 2e-3f)
                    fail_msg("%s: token %zu, logit %zu: %g, libllama has %g", of.arch, i,
                             v, (double)got[v],
                             (double)want[(i - begin[q]) * TLM_VOCAB + v]);
        }
    }
    tape_close(t);
    lm_close(lm);
}

static void logits_of_every_family_are_those_of_libllama(void **state)
{
    (void)state;
    for (int i = 0; i < TLM_FAMILIES; i++)
        expect_libllama((TinyLm){ .arch = tlm_families[i].arch });
    expect_libllama((TinyLm){ .arch = "llama", .rope_freqs = true });
    expect_libllama((TinyLm){ .arch = "gemma3", .stretch = 8 });
    expect_libllama((TinyLm){ .arch = "granite", .still = true });
}

/* ---- derivatives ------------------------------------------------------------------ */

static double loss_at(Tape *t, float *p, size_t i, float x)
{
    float before = p[i];
    double loss = 0;
    p[i] = x;
    assert_true(tape_forward(t, p, &sample));
    assert_true(tape_backward(t, p, &sample, 1, &loss, NULL));
    p[i] = before;
    return loss;
}

/* The five-point stencil: its error falls with the fourth power of the step. */
static double difference(Tape *t, float *p, size_t i)
{
    float h = 0.02f, x = p[i];
    return (loss_at(t, p, i, x - 2 * h) - loss_at(t, p, i, x + 2 * h)
            + 8 * (loss_at(t, p, i, x + h) - loss_at(t, p, i, x - h))) / (12 * (double)h);
}

/* Of each `step`-th of one array of n: the largest error, by the array's largest
 * derivative. */
static double worst_of(Tape *t, float *p, const float *g, size_t at, size_t n,
                       size_t step)
{
    double largest = 1e-9, worst = 0;
    for (size_t i = at; i < at + n; i++) largest = fmax(largest, fabs((double)g[i]));
    for (size_t i = at; i < at + n; i += step) {
        double d = difference(t, p, i), error = fabs(d - (double)g[i]);
        largest = fmax(largest, fabs(d));
        worst = fmax(worst, error);
    }
    return worst / largest;
}

static void expect_derivatives(const char *arch, size_t step)
{
    Lm *lm = tiny(arch, GEMM_WAY_PLAIN);
    const LmShape *s = &lm->shape;
    Tape *t = NULL;
    double loss = 0, worst = 0;
    float *p = random_adapters(lm, 0.3f);
    float *g = calloc(lora_count(s, RANK) + 64, sizeof *g);
    assert_int_equal(tape_open(&cx, lm, lora, TOKENS, &t), OK);
    assert_true(tape_forward(t, p, &sample));
    assert_true(tape_backward(t, p, &sample, 1, &loss, g));
    for (size_t b = 0; b < s->layers; b++)
        for (Linear l = 0; l < LINEARS; l++) {
            size_t n_a = RANK * lm_in(s, l), n_b = RANK * lm_out(s, l);
            double a = worst_of(t, p, g, lora_a(s, RANK, b, l), n_a, step);
            double c = worst_of(t, p, g, lora_b(s, RANK, b, l), n_b, step);
            if (a > 1e-3 || c > 1e-3)
                fail_msg("%s, block %zu, %s: A is off by %g, B by %g", arch, b,
                         lm_linear_name(l), a, c);
            worst = fmax(worst, fmax(a, c));
        }
    print_message("%s: loss %.4f, largest error of a derivative %.1e\n", arch, loss,
                  worst);
    tape_close(t);
    lm_close(lm);
    free(p);
    free(g);
}

static void derivatives_of_every_family_are_finite_differences(void **state)
{
    (void)state;
    /* all of the two smallest, a few of the others: each takes four passes */
    for (int i = 0; i < TLM_FAMILIES; i++)
        expect_derivatives(tlm_families[i].arch, i < 2 ? 1 : 23);
}

/* ---- ways ------------------------------------------------------------------------- */

static void derive(const char *arch, GemmWay way, double *loss, float **g, size_t *n)
{
    Lm *lm = tiny(arch, way);
    Tape *t = NULL;
    float *p = random_adapters(lm, 0.3f);
    *n = lora_count(&lm->shape, RANK);
    *g = calloc(*n + 64, sizeof **g);
    *loss = 0;
    assert_int_equal(tape_open(&cx, lm, lora, TOKENS + 5, &t), OK);
    assert_true(tape_forward(t, p, &sample));
    assert_true(tape_backward(t, p, &sample, 1, loss, *g));
    tape_close(t);
    lm_close(lm);
    free(p);
}

static void fast_products_give_the_same_derivatives(void **state)
{
    static const double most[GEMM_WAYS] = {
        [GEMM_WAY_F32] = 1e-4, [GEMM_WAY_BF16] = 5e-2, [GEMM_WAY_INT8] = 1e-1 };
    (void)state;
    for (GemmWay way = GEMM_WAY_F32; way < GEMM_WAYS; way++) {
        double want_loss, loss, d = 0, s = 0;
        float *want, *got;
        size_t n;
        if (!gemm_can(way)) continue;
        derive("qwen2", GEMM_WAY_PLAIN, &want_loss, &want, &n);
        derive("qwen2", way, &loss, &got, &n);
        for (size_t i = 0; i < n; i++) {
            d += pow((double)got[i] - want[i], 2);
            s += pow((double)want[i], 2);
        }
        print_message("%s: loss %.4f (%.4f), derivatives off by %.1e\n", gemm_name(way),
                      loss,
                      want_loss, sqrt(d / s));
        assert_true(fabs(loss - want_loss) < most[way] * want_loss);
        assert_true(sqrt(d / s) < most[way]);
        free(want);
        free(got);
    }
}

static void sequences_of_a_row_do_not_see_each_other(void **state)
{
    (void)state;
    Lm *lm = tiny("llama", GEMM_WAY_PLAIN);
    Tape *t = NULL;
    static float alone[TLM_VOCAB], packed[TLM_VOCAB];
    static const uint32_t one[] = { 0, TOKENS - 12 };
    Sample second = { token + 12, learn + 12, TOKENS - 12, one, 1 };
    assert_int_equal(tape_open(&cx, lm, lora, TOKENS, &t), OK);
    assert_true(tape_forward(t, NULL, &sample) && tape_logits(t, TOKENS - 1, packed));
    assert_true(tape_forward(t, NULL, &second) && tape_logits(t, TOKENS - 13, alone));
    for (int i = 0; i < TLM_VOCAB; i++) assert_true(fabsf(alone[i] - packed[i]) < 1e-4f);
    tape_close(t);
    lm_close(lm);
}

static void refuses_files_that_lack_a_tensor_or_are_of_no_known_family(void **state)
{
    Lm *lm = NULL;
    TinyLm lacks = { .arch = "llama", .leave_out = "blk.1.ffn_up.weight" };
    TinyLm other = { .arch = "gptneox" };
    (void)state;
    snprintf(path, sizeof path, "/tmp/pith_tape_%d.gguf", (int)getpid());
    assert_true(tiny_lm_write(path, &lacks));
    assert_int_equal(lm_open(&cx, path, GEMM_WAY_PLAIN, &lm), E_MODEL);
    assert_non_null(strstr(cx.reason, "no tensor blk.1.ffn_up.weight"));
    ctx_end(&cx);
    assert_true(tiny_lm_write(path, &other));
    assert_int_equal(lm_open(&cx, path, GEMM_WAY_PLAIN, &lm), E_MODEL);
    assert_non_null(strstr(cx.reason, "gptneox\"; llama, qwen2, qwen3, gemma3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(logits_of_every_family_are_those_of_libllama, forget),
        cmocka_unit_test_teardown(derivatives_of_every_family_are_finite_differences,
                                  forget),
        cmocka_unit_test_teardown(fast_products_give_the_same_derivatives, forget),
        cmocka_unit_test_teardown(sequences_of_a_row_do_not_see_each_other, forget),
        cmocka_unit_test_teardown(
            refuses_files_that_lack_a_tensor_or_are_of_no_known_family,
                                  forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
