/* encoder.c -- our BERT against libllama's and against itself. A tiny random model made
 * here serves most tests; those of the real models skip where they are not pulled. */
#include "model/encoder.h"
#include "tiny_bert.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXTS = 24 };

typedef struct Files {
    char folder[64];
    char cls[96], mean[96], rank[96], q8[96], cut[96], lacking[96];
} Files;

static char *put(Files *f, char path[96], const char *name, TinyBert t)
{
    snprintf(path, 96, "%s/%s.gguf", f->folder, name);
    assert_true(tiny_bert_write(path, &t));
    return path;
}

static int make_files(void **state)
{
    Files *f = calloc(1, sizeof *f);
    if (!f) return -1;
    strcpy(f->folder, "/tmp/pith-encoder-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    put(f, f->cls, "cls", (TinyBert){ .pooling = 2 });
    put(f, f->mean, "mean", (TinyBert){ .pooling = 1, .type = GGML_TYPE_F16 });
    put(f, f->rank, "rank", (TinyBert){ .pooling = 4 });
    put(f, f->q8, "q8", (TinyBert){ .pooling = 2, .type = GGML_TYPE_Q8_0 });
    put(f, f->cut, "cut", (TinyBert){ .pooling = 2 });
    put(f, f->lacking, "lacking",
        (TinyBert){ .pooling = 2, .leave_out = "blk.1.ffn_up.bias" });
    *state = f;
    return 0;
}

static int remove_files(void **state)
{
    Files *f = *state;
    char *all[] = { f->cls, f->mean, f->rank, f->q8, f->cut, f->lacking };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) unlink(all[i]);
    rmdir(f->folder);
    free(f);
    return 0;
}

static Model *open_way(Ctx *cx, const char *path, MatmulWay way)
{
    ModelOptions opt = { .threads = 2 };
    Model *m = NULL;
    if (encoder_open_way(cx, path, &opt, way, &m) != OK) fail_msg("%s", cx->reason);
    return m;
}

static Model *open_plain(Ctx *cx, const char *path)
{
    ModelOptions opt = { .threads = 2, .plain = true };
    Model *m = NULL;
    if (model_open(cx, path, &opt, &m) != OK) fail_msg("%s", cx->reason);
    return m;
}

/* Texts of 0, 1, 2, ... words; deterministic. */
static void make_texts(Ctx *cx, Str texts[TEXTS])
{
    static const char *const word[] = { "battery", "warranty", "the", "lasts", "years",
                                        "two", "cab", "x", "!" };
    uint32_t seed = 5;
    for (int i = 0; i < TEXTS; i++) {
        Buf b = BUF(1 << 16);
        for (int k = 0; k < i * i / 4; k++) {
            seed = seed * 1664525u + 1013904223u;
            buf_addf(&b, "%s ", word[(seed >> 16) % 9]);
        }
        texts[i] = ctx_dup(cx, buf_str(&b));
        buf_free(&b);
    }
}

static float cosine(const float *a, const float *b, int dim)
{
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < dim; i++) ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
    return (float)(ab / sqrt(aa * bb));
}

static void embed(Ctx *cx, Model *m, EmbedKind kind, const Str *t, size_t n, float *out)
{
    if (model_embed(cx, m, kind, t, n, out) != OK) fail_msg("%s", cx->reason);
}

static void score(Ctx *cx, Model *m, Str query, const Str *t, size_t n, float *out)
{
    if (model_score(cx, m, query, t, n, out) != OK) fail_msg("%s", cx->reason);
}

/* Each way this machine has, against libllama, over texts of no word to many. */
static void expect_like_libllama(const char *path, float least)
{
    Ctx cx = CTX_INIT;
    Str texts[TEXTS];
    make_texts(&cx, texts);
    Model *plain = open_plain(&cx, path);
    int dim = model_info(plain)->dim;
    float *want[2], *got = ctx_new(&cx, float, TEXTS * dim);
    for (EmbedKind kind = EMBED_PASSAGE; kind <= EMBED_QUERY; kind++) {
        want[kind] = ctx_new(&cx, float, TEXTS * dim);
        embed(&cx, plain, kind, texts, TEXTS, want[kind]);
    }
    for (MatmulWay way = MATMUL_PLAIN; way <= MATMUL_INT8; way++) {
        if (!matmul_can(way)) continue;
        if (way == MATMUL_PLAIN && dim > TINY_HIDDEN) continue;   // minutes
        Model *m = open_way(&cx, path, way);
        for (EmbedKind kind = EMBED_PASSAGE; kind <= EMBED_QUERY; kind++) {
            embed(&cx, m, kind, texts, TEXTS, got);
            for (int i = 0; i < TEXTS; i++) {
                float c = cosine(want[kind] + i * dim, got + i * dim, dim);
                /* No word, two markers: nothing averages the rounding of integers. */
                bool coarse = texts[i].n == 0 && way == MATMUL_INT8;
                float bound = coarse ? least - 0.002f : least;
                if (!(c >= bound))
                    fail_msg("%s, text %d: cosine %f", matmul_name(way), i, (double)c);
            }
        }
        model_close(m);
    }
    model_close(plain);
    ctx_end(&cx);
}

static void cls_vectors_are_those_of_libllama(void **state)
{
    expect_like_libllama(((Files *)*state)->cls, 0.999f);
}

static void mean_vectors_of_f16_weights_are_those_of_libllama(void **state)
{
    expect_like_libllama(((Files *)*state)->mean, 0.999f);
}

static void q8_weights_are_read(void **state)
{
    expect_like_libllama(((Files *)*state)->q8, 0.999f);
}

static void a_text_has_the_same_vector_alone_and_among_others(void **state)
{
    Ctx cx = CTX_INIT;
    Str texts[TEXTS];
    make_texts(&cx, texts);
    float all[TEXTS][TINY_HIDDEN], one[TINY_HIDDEN];
    for (MatmulWay way = MATMUL_F32; way <= MATMUL_INT8; way++) {
        if (!matmul_can(way)) continue;
        Model *m = open_way(&cx, ((Files *)*state)->cls, way);
        embed(&cx, m, EMBED_PASSAGE, texts, TEXTS, &all[0][0]);
        for (int i = 0; i < TEXTS; i++) {
            embed(&cx, m, EMBED_PASSAGE, &texts[i], 1, one);
            for (int k = 0; k < TINY_HIDDEN; k++)
                assert_float_equal(one[k], all[i][k], 1e-2f);
        }
        model_close(m);
    }
    ctx_end(&cx);
}

static void vectors_have_length_one_and_stand_in_the_order_of_texts(void **state)
{
    Ctx cx = CTX_INIT;
    Str texts[] = { STR("two"), STR("the battery lasts two years and so on"), STR(""),
                    STR("two") };
    float v[4][TINY_HIDDEN];
    Model *m = open_way(&cx, ((Files *)*state)->cls, matmul_best());
    embed(&cx, m, EMBED_PASSAGE, texts, 4, &v[0][0]);
    for (int i = 0; i < 4; i++) {
        float squares = 0;
        for (int k = 0; k < TINY_HIDDEN; k++) squares += v[i][k] * v[i][k];
        assert_float_equal(squares, 1, 1e-5);
    }
    assert_memory_equal(v[0], v[3], sizeof v[0]);
    assert_true(cosine(v[0], v[1], TINY_HIDDEN) < 0.999f);
    assert_true(cosine(v[0], v[2], TINY_HIDDEN) < 0.999f);
    model_close(m);
    ctx_end(&cx);
}

static void a_text_past_the_window_counts_by_its_head(void **state)
{
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 20);
    for (int i = 0; i < 10000; i++) buf_addf(&b, "%s ", i < 70 ? "battery" : "years");
    Buf c = BUF(1 << 20);
    for (int i = 0; i < 10000; i++) buf_addf(&c, "%s ", i < 70 ? "battery" : "two");
    Str texts[] = { buf_str(&b), buf_str(&c) };
    float v[2][TINY_HIDDEN];
    Model *m = open_way(&cx, ((Files *)*state)->mean, matmul_best());
    embed(&cx, m, EMBED_PASSAGE, texts, 2, &v[0][0]);
    assert_memory_equal(v[0], v[1], sizeof v[0]);
    model_close(m);
    buf_free(&b);
    buf_free(&c);
    ctx_end(&cx);
}

static void a_query_gets_its_prefix(void **state)
{
    Ctx cx = CTX_INIT;
    Str plain = STR("battery"), prefixed = STR("query battery");
    float a[TINY_HIDDEN], b[TINY_HIDDEN];
    Model *m = open_way(&cx, ((Files *)*state)->cls, matmul_best());
    embed(&cx, m, EMBED_QUERY, &plain, 1, a);
    embed(&cx, m, EMBED_PASSAGE, &prefixed, 1, b);
    assert_memory_equal(a, b, sizeof a);
    model_close(m);
    ctx_end(&cx);
}

static void counts_tokens_without_markers(void **state)
{
    Ctx cx = CTX_INIT;
    int n = -1;
    Model *m = open_way(&cx, ((Files *)*state)->cls, matmul_best());
    assert_int_equal(model_count(&cx, m, STR("the battery lasts cab"), &n), OK);
    assert_int_equal(n, 6);   // c, a, b are three
    assert_int_equal(model_count(&cx, m, STR(""), &n), OK);
    assert_int_equal(n, 0);
    model_close(m);
    ctx_end(&cx);
}

static void scores_agree_between_all_ways(void **state)
{
    Ctx cx = CTX_INIT;
    Str texts[TEXTS];
    float want[TEXTS], got[TEXTS];
    make_texts(&cx, texts);
    Model *m = open_way(&cx, ((Files *)*state)->rank, MATMUL_PLAIN);
    score(&cx, m, STR("the warranty"), texts, TEXTS, want);
    model_close(m);
    assert_true(fabsf(want[4] - want[9]) > 1e-3f);
    for (MatmulWay way = MATMUL_F32; way <= MATMUL_INT8; way++) {
        if (!matmul_can(way)) continue;
        m = open_way(&cx, ((Files *)*state)->rank, way);
        score(&cx, m, STR("the warranty"), texts, TEXTS, got);
        for (int i = 0; i < TEXTS; i++) assert_float_equal(want[i], got[i], 0.02f);
        model_close(m);
    }
    ctx_end(&cx);
}

static void the_segment_of_a_token_matters_to_its_score(void **state)
{
    Ctx cx = CTX_INIT;
    Str battery = STR("battery"), years = STR("years");
    float a, b;
    Model *m = open_way(&cx, ((Files *)*state)->rank, MATMUL_PLAIN);
    score(&cx, m, years, &battery, 1, &a);
    score(&cx, m, battery, &years, 1, &b);
    assert_true(fabsf(a - b) > 1e-4f);
    model_close(m);
    ctx_end(&cx);
}

static void a_query_past_the_window_leaves_room_for_the_text(void **state)
{
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 20);
    for (int i = 0; i < 10000; i++) buf_addf(&b, "battery ");
    Str texts[] = { STR("two years"), STR("the warranty lasts") };
    float s[2];
    Model *m = open_way(&cx, ((Files *)*state)->rank, matmul_best());
    score(&cx, m, buf_str(&b), texts, 2, s);
    assert_true(fabsf(s[0] - s[1]) > 1e-5f);
    model_close(m);
    buf_free(&b);
    ctx_end(&cx);
}

static void an_embedder_refuses_to_score_and_a_ranker_to_embed(void **state)
{
    Ctx cx = CTX_INIT;
    Str text = STR("two");
    float out[TINY_HIDDEN];
    Model *m = open_way(&cx, ((Files *)*state)->cls, matmul_best());
    assert_int_equal(model_info(m)->can, CAN_EMBED);
    assert_int_equal(model_score(&cx, m, text, &text, 1, out), E_MODEL);
    model_close(m);
    ctx_forgive(&cx);
    m = open_way(&cx, ((Files *)*state)->rank, matmul_best());
    assert_int_equal(model_info(m)->can, CAN_SCORE);
    assert_int_equal(model_embed(&cx, m, EMBED_PASSAGE, &text, 1, out), E_MODEL);
    model_close(m);
    ctx_end(&cx);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    Files *f = *state;
    FILE *file = fopen(f->cls, "rb");
    static char bytes[2 << 20];
    size_t whole = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(whole < sizeof bytes);
    for (size_t n = 0; n < whole; n += n < 4096 ? 331 : 40009) {
        Ctx cx = CTX_INIT;
        Model *m = NULL;
        file = fopen(f->cut, "wb");
        assert_int_equal(fwrite(bytes, 1, n, file), n);
        fclose(file);
        assert_int_not_equal(model_open(&cx, f->cut, NULL, &m), OK);
        assert_null(m);
        assert_true(cx.reason[0] != '\0');
        ctx_end(&cx);
    }
}

static void a_file_without_a_tensor_is_left_to_others(void **state)
{
    Ctx cx = CTX_INIT;
    Model *m = NULL;
    assert_int_equal(encoder_open_way(&cx, ((Files *)*state)->lacking, NULL, MATMUL_PLAIN,
                                      &m), E_MODEL);
    assert_null(m);
    assert_non_null(strstr(cx.reason, "ffn_up.bias"));
    ctx_end(&cx);
}

static bool stop(void *arg)
{
    (void)arg;
    return true;
}

static void stops_on_request(void **state)
{
    Ctx cx = CTX_INIT;
    Str text = STR("two");
    float out[TINY_HIDDEN];
    Model *m = open_way(&cx, ((Files *)*state)->cls, matmul_best());
    cx.cancelled = stop;
    assert_int_equal(model_embed(&cx, m, EMBED_PASSAGE, &text, 1, out), E_CANCELLED);
    model_close(m);
    ctx_end(&cx);
}

/* ---- the real models -------------------------------------------------------------- */

/* Where pulled models lie; NULL: not there. */
static const char *find(Ctx *cx, const char *name)
{
    const char *models = getenv("PITH_MODELS"), *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    Str path = models ? ctx_printf(cx, "%s/%s.gguf", models, name)
             : data ? ctx_printf(cx, "%s/pith/models/%s.gguf", data, name)
             : ctx_printf(cx, "%s/.local/share/pith/models/%s.gguf", home ? home : "",
                          name);
    return path.p && access(path.p, R_OK) == 0 ? path.p : NULL;
}

static void bge_small_is_that_of_libllama(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const char *path = find(&cx, "bge-small-en-v1.5");
    if (!path) {
        print_message("bge-small-en-v1.5 is not pulled\n");
        skip();
    }
    expect_like_libllama(path, 0.999f);
    ctx_end(&cx);
}

#define PARIS "Paris is the capital and most populous city of France."
#define WARRANTY "The battery is covered by a warranty of two years from the day of " \
                 "purchase."
#define CAPITAL "What is the capital of France?"
#define HOW_LONG "How long is the battery warranty?"

static const struct { Str query, text; float logit; } golden[] = {
#include "golden/minilm_logits.inc"
};

/* tests/golden/minilm_logits.inc comes from onnxruntime and the published ONNX file. */
static void minilm_gives_the_logits_of_onnxruntime(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const char *path = find(&cx, "ms-marco-MiniLM-L-12-v2");
    if (!path) {
        print_message("ms-marco-MiniLM-L-12-v2 is not pulled\n");
        skip();
    }
    for (MatmulWay way = MATMUL_F32; way <= MATMUL_INT8; way++) {
        if (!matmul_can(way)) continue;
        Model *m = open_way(&cx, path, way);
        for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
            float s;
            score(&cx, m, golden[i].query, &golden[i].text, 1, &s);
            float most = way == MATMUL_INT8 ? 0.1f : 0.05f;
            if (!(fabsf(s - golden[i].logit) <= most))
                fail_msg("%s, pair %zu: %f, not %f", matmul_name(way), i, (double)s,
                         (double)golden[i].logit);
        }
        model_close(m);
    }
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cls_vectors_are_those_of_libllama),
        cmocka_unit_test(mean_vectors_of_f16_weights_are_those_of_libllama),
        cmocka_unit_test(q8_weights_are_read),
        cmocka_unit_test(a_text_has_the_same_vector_alone_and_among_others),
        cmocka_unit_test(vectors_have_length_one_and_stand_in_the_order_of_texts),
        cmocka_unit_test(a_text_past_the_window_counts_by_its_head),
        cmocka_unit_test(a_query_gets_its_prefix),
        cmocka_unit_test(counts_tokens_without_markers),
        cmocka_unit_test(scores_agree_between_all_ways),
        cmocka_unit_test(the_segment_of_a_token_matters_to_its_score),
        cmocka_unit_test(a_query_past_the_window_leaves_room_for_the_text),
        cmocka_unit_test(an_embedder_refuses_to_score_and_a_ranker_to_embed),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_file_without_a_tensor_is_left_to_others),
        cmocka_unit_test(stops_on_request),
        cmocka_unit_test(bge_small_is_that_of_libllama),
        cmocka_unit_test(minilm_gives_the_logits_of_onnxruntime),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
