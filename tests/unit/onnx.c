/* ONNX to GGUF on a BERT of one layer: width 4, inner width 8, two heads, seven tokens.
 *
 * In the fixture value i of a weight is stored as 7i mod 256 with zero point 3 (tables)
 * or as 7i mod 255 - 127 with zero point 1 (products); column c has the scale .25 or, in
 * the six products of the layer where c is odd, .5. Value i of a vector is i + a base. */
#include "model/convert.h"
#include "model/onnx.h"
#include <gguf.h>
#include "support/folder.h"

static const char VOCABULARY[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhel\n##lo\n";
static const BertFacts FACTS = {
    .name = "tiny", .licence = "MIT", .query_prefix = "q: ", .pooling = BERT_RANK,
    .heads = 2, .window = 3, .norm_epsilon = 1e-12f,
};
static const char FIXTURE[] = TESTS_DIR "/fuzz/corpus/onnx/tiny_rank.onnx";

static Status convert(Desk *d, const char *vocabulary, BertFacts facts)
{
    assert_int_equal(file_write(&d->cx, at(d, "vocab.txt"), str_z(vocabulary)), OK);
    return bert_convert(&d->cx, FIXTURE, at(d, "vocab.txt"), &facts, at(d, "out.gguf"));
}

typedef struct Result {
    struct gguf_context *meta;
    struct ggml_context *data;
} Result;

static Result load(Desk *d)
{
    Result r = { 0 };
    struct gguf_init_params p = { .no_alloc = false, .ctx = &r.data };
    r.meta = gguf_init_from_file(at(d, "out.gguf"), p);
    assert_non_null(r.meta);
    return r;
}

static void unload(Result r)
{
    gguf_free(r.meta);
    ggml_free(r.data);
}

static float value(const Result *r, const char *name, int64_t row, int64_t column)
{
    struct ggml_tensor *t = ggml_get_tensor(r->data, name);
    assert_non_null(t);
    assert_true(row < t->ne[1] && column < t->ne[0]);
    int64_t i = row * t->ne[0] + column;
    if (t->type == GGML_TYPE_F32) return ((const float *)t->data)[i];
    assert_int_equal(t->type, GGML_TYPE_F16);
    return ggml_fp16_to_fp32(((const ggml_fp16_t *)t->data)[i]);
}

static float table(int64_t i) { return (float)(7 * i % 256 - 3) * .25f; }

static float product(int64_t i) { return (float)(7 * i % 255 - 127 - 1); }

static void dequantizes_and_transposes_products_by_column(void **state)
{
    Desk *d = *state;
    assert_int_equal(convert(d, VOCABULARY, FACTS), OK);
    Result r = load(d);
    for (int64_t out = 0; out < 8; out++)
        for (int64_t in = 0; in < 4; in++)
            assert_true(value(&r, "blk.0.ffn_up.weight", out, in) ==
                        product(in * 8 + out) * (out % 2 ? .5f : .25f));
    assert_true(value(&r, "cls.output.weight", 0, 3) == product(3) * .25f);
    assert_true(value(&r, "blk.0.ffn_up.bias", 0, 7) == 12.f);
    assert_true(value(&r, "blk.0.layer_output_norm.bias", 0, 0) == 4.f);
    unload(r);
}

static void keeps_tables_as_they_are(void **state)
{
    Desk *d = *state;
    assert_int_equal(convert(d, VOCABULARY, FACTS), OK);
    Result r = load(d);
    for (int64_t i = 0; i < 7 * 4; i++)
        assert_true(value(&r, "token_embd.weight", i / 4, i % 4) == table(i));
    for (int64_t i = 0; i < 2 * 4; i++)
        assert_true(value(&r, "token_types.weight", i / 4, i % 4) == table(i));
    assert_true(value(&r, "position_embd.weight", 2, 3) == table(11));
    unload(r);
}

static void gives_a_cross_encoder_each_token_twice(void **state)
{
    Desk *d = *state;
    assert_int_equal(convert(d, VOCABULARY, FACTS), OK);
    Result r = load(d);
    int64_t key = gguf_find_key(r.meta, "pith.segment_b_offset");
    int64_t tokens = gguf_find_key(r.meta, "tokenizer.ggml.tokens");
    assert_true(key >= 0 && tokens >= 0);
    assert_int_equal(gguf_get_val_u32(r.meta, key), 7);
    assert_int_equal(gguf_get_arr_n(r.meta, tokens), 14);
    for (int64_t i = 0; i < 7 * 4; i++)
        assert_true(value(&r, "token_embd.weight", 7 + i / 4, i % 4) ==
                    table(i) + table(4 + i % 4) - table(i % 4));
    unload(r);
}

static void writes_the_vocabulary_as_libllama_reads_it(void **state)
{
    Desk *d = *state;
    BertFacts facts = FACTS;
    facts.pooling = BERT_CLS;
    assert_int_equal(convert(d, VOCABULARY, facts), OK);
    Result r = load(d);
    int64_t tokens = gguf_find_key(r.meta, "tokenizer.ggml.tokens");
    assert_int_equal(gguf_get_arr_n(r.meta, tokens), 7);
    assert_string_equal(gguf_get_arr_str(r.meta, tokens, 2), "[CLS]");
    assert_string_equal(gguf_get_arr_str(r.meta, tokens, 5), "\xe2\x96\x81hel");
    assert_string_equal(gguf_get_arr_str(r.meta, tokens, 6), "lo");
    int64_t prefix = gguf_find_key(r.meta, "pith.query_prefix");
    assert_string_equal(gguf_get_val_str(r.meta, prefix), "q: ");
    assert_true(gguf_find_key(r.meta, "pith.segment_b_offset") < 0);
    assert_null(ggml_get_tensor(r.data, "cls.weight"));
    unload(r);
}

static void writes_the_same_bytes_each_time(void **state)
{
    Desk *d = *state;
    Str first;
    assert_int_equal(convert(d, VOCABULARY, FACTS), OK);
    assert_int_equal(file_read(&d->cx, at(d, "out.gguf"), 1 << 20, &first), OK);
    assert_int_equal(convert(d, VOCABULARY, FACTS), OK);
    assert_holds(d, at(d, "out.gguf"), first);
}

static void refuses_a_vocabulary_of_another_size(void **state)
{
    Desk *d = *state;
    static const char *const wrong[] = {
        "", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhel\n",
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhel\n##lo\nmore\n",
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\nno mask\nhel\n##lo\n",
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n\n##lo\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(convert(d, wrong[i], FACTS), E_FORMAT);
        ctx_forgive(&d->cx);
    }
}

static void refuses_facts_that_do_not_fit_the_weights(void **state)
{
    Desk *d = *state;
    BertFacts heads = FACTS, window = FACTS;
    heads.heads = 3;
    window.window = 4;
    assert_int_equal(convert(d, VOCABULARY, heads), E_FORMAT);
    ctx_forgive(&d->cx);
    assert_int_equal(convert(d, VOCABULARY, window), E_FORMAT);
}

static void refuses_a_model_cut_short_anywhere(void **state)
{
    Desk *d = *state;
    Str whole;
    Onnx o;
    assert_int_equal(file_read(&d->cx, FIXTURE, 1 << 20, &whole), OK);
    for (size_t n = 0; n < whole.n; n++) {
        Status st = onnx_read(&d->cx, (Str){ whole.p, n }, &o);
        /* A cut between two fields of the model itself leaves a whole graph. */
        if (st == OK) assert_int_equal(o.n_products, 8);
        else assert_int_equal(st, E_FORMAT);
        ctx_forgive(&d->cx);
    }
}

static void refuses_a_tensor_with_fewer_values_than_its_shape(void **state)
{
    Desk *d = *state;
    Str bytes;
    Onnx o;
    const char *path = TESTS_DIR "/fuzz/corpus/onnx/dims_without_values";
    assert_int_equal(file_read(&d->cx, path, 100, &bytes), OK);
    assert_int_equal(onnx_read(&d->cx, bytes, &o), E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dequantizes_and_transposes_products_by_column),
        TEST(keeps_tables_as_they_are),
        TEST(gives_a_cross_encoder_each_token_twice),
        TEST(writes_the_vocabulary_as_libllama_reads_it),
        TEST(writes_the_same_bytes_each_time),
        TEST(refuses_a_vocabulary_of_another_size),
        TEST(refuses_facts_that_do_not_fit_the_weights),
        TEST(refuses_a_model_cut_short_anywhere),
        TEST(refuses_a_tensor_with_fewer_values_than_its_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
