/* bench.c -- what `pith bench` is made of: made-up stores, the weights of a token, the
 * rate of memory, a generator of which all is known; and what is refused. */
#include "api/bench.h"
#include "model/prefill.h"
#include "model/read_speed.h"
#include "model/weights.h"
#include "store/made.h"
#include "tiny_lm.h"

#include <dirent.h>
#include <math.h>

#include "support/folder.h"

enum { DIM = 24, FLOAT = sizeof(float) };

static Made made_new(uint64_t seed)
{
    return (Made){ .random = seed, .words = 30, .by = { STR("made"), STR("0"), DIM } };
}

/* ---- made-up stores --------------------------------------------------------------- */

static void the_same_seed_makes_the_same_text_and_another_one_another(void **state)
{
    (void)state;
    Made a = made_new(1), b = made_new(1), c = made_new(2);
    Buf x = BUF(4096), y = BUF(4096), z = BUF(4096);
    Str first = made_text(&a, &x);
    assert_true(str_eq(first, made_text(&b, &y)));
    assert_false(str_eq(first, made_text(&c, &z)));
    buf_free(&x), buf_free(&y), buf_free(&z);
}

static void a_text_has_the_words_asked_for_and_a_query_is_a_part_of_it(void **state)
{
    (void)state;
    Made m = made_new(3);
    Buf b = BUF(4096);
    Str text = made_text(&m, &b);
    int words = 0;
    for (size_t i = 0; i < text.n; i++) words += text.p[i] == ' ';
    assert_int_equal(words, 30);
    for (int i = 0; i < 100; i++) {
        Str q = made_query(&m, text);
        assert_true(q.p >= text.p && q.p + q.n <= text.p + text.n);
    }
    buf_free(&b);
}

static void vectors_have_length_one(void **state)
{
    (void)state;
    Made m = made_new(4);
    float v[DIM], sum = 0;
    made_vector(&m, v);
    for (int i = 0; i < DIM; i++) sum += v[i] * v[i];
    assert_true(fabsf(sum - 1) < 1e-5f);
}

static void documents_are_put_and_replaced_by_number(void **state)
{
    Desk *d = *state;
    Made m = made_new(5);
    StoreOptions opt = { .create = true };
    StoreStats stats;
    Store *s;
    double ms = 0;
    assert_int_equal(store_open(&d->cx, at(d, "s.db"), &opt, &s), OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(made_put(&d->cx, s, &m, i % 3, &ms), OK);
    assert_int_equal(store_flush(&d->cx, s), OK);
    assert_int_equal(store_stats(&d->cx, s, &stats), OK);
    assert_int_equal(stats.documents, 3);
    assert_int_equal(stats.chunks, 3 * MADE_CHUNKS);
    assert_true(ms > 0);
    store_close(s);
}

/* ---- the machine ------------------------------------------------------------------ */

static void a_series_knows_its_median_and_its_ends(void **state)
{
    (void)state;
    Series s = { .n = 0 };
    assert_true(series_at(&s, .5) == 0);
    for (int i = 4; i > 0; i--) series_add(&s, i);
    assert_true(series_at(&s, 0) == 1 && series_at(&s, 1) == 4);
    assert_true(series_at(&s, .5) == 2.5);
    series_add(&s, 100);
    assert_true(series_at(&s, .5) == 3);
}

static bool stop(void *arg)
{
    (void)arg;
    return true;
}

static void memory_is_read_at_some_rate_by_one_thread_and_by_many(void **state)
{
    Desk *d = *state;
    double rate[2];
    assert_int_equal(read_speed(&d->cx, 1, 2, rate), OK);
    assert_true(rate[0] > 0 && rate[1] > 0 && isfinite(rate[0]));
    assert_int_equal(read_speed(&d->cx, 1000, 1, rate), OK);
    d->cx.cancelled = stop;
    assert_int_equal(read_speed(&d->cx, 1, 2, rate), E_CANCELLED);
}

/* ---- a generator ------------------------------------------------------------------ */

static const char *tiny(Desk *d, const char *arch)
{
    TinyLm t = { .arch = arch, .window = 1024 };
    const char *path = at(d, arch);
    assert_true(tiny_lm_write(path, &t));
    return path;
}

static void a_table_that_is_no_head_is_not_read_for_each_token(void **state)
{
    Desk *d = *state;
    const uint64_t table = (uint64_t)TLM_VOCAB * TLM_DIM * FLOAT;
    const uint64_t biases = TLM_LAYERS * (TLM_HEADS + 2 * TLM_KV) * TLM_HEAD * FLOAT;
    Weights tied, own;
    assert_int_equal(weights_read(&d->cx, tiny(d, "llama"), &tied), OK);
    assert_int_equal(weights_read(&d->cx, tiny(d, "qwen2"), &own), OK);
    assert_true(tied.bytes > table);
    assert_int_equal(own.bytes, tied.bytes + biases);
    assert_string_equal(tied.quant, "f32");
}

static void what_is_no_model_has_no_weights(void **state)
{
    Desk *d = *state;
    Weights w;
    const char *path = at(d, "note.gguf");
    assert_int_equal(file_write(&d->cx, path, STR("GGUF, or so it says")), OK);
    assert_int_equal(weights_read(&d->cx, path, &w), E_FORMAT);
    ctx_forgive(&d->cx);
    assert_int_equal(weights_read(&d->cx, at(d, "absent.gguf"), &w), E_FORMAT);
}

static void a_generator_has_rates_and_the_reader_of_its_prompts_is_told(void **state)
{
    Desk *d = *state;
    BenchPlan plan = { .model = { .threads = 1 }, .repeats = 2, .prompt = 512,
                       .written = 8 };
    MatmulWay way;
    BenchGenerator *g = ctx_new(&d->cx, BenchGenerator, 1);
    assert_int_equal(bench_generator(&d->cx, tiny(d, "qwen2"), &plan, g), OK);
    assert_true(g->prefill.n == 2 && series_at(&g->prefill, 0) > 0);
    assert_true(g->weight_bytes > 0 && g->step_bytes > 0);
    assert_int_equal(g->ours, prefill_way(&way));
    assert_true(bench_bandwidth(g, 1) > 0 && bench_bandwidth(g, 0) == 0);
}

/* ---- the whole -------------------------------------------------------------------- */

static int now(void *arg)
{
    (void)arg;
    return 1;
}

static void assert_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *e; (e = readdir(dir));) assert_true(*e->d_name == '.');
    closedir(dir);
}

static void a_bench_that_is_stopped_leaves_nothing(void **state)
{
    Desk *d = *state;
    pith_options open = { .generator = "fake:", .embedder = "fake:", .reranker = "fake:",
                          .cancelled = now };
    pith_error why;
    char *json = "unset";
    setenv("TMPDIR", d->folder, 1);
    assert_int_equal(pith_bench(&open, NULL, &json, &why), PITH_E_CANCELLED);
    assert_null(json);
    assert_true(*why.message);
    assert_empty(d->folder);
    unsetenv("TMPDIR");
}

static void refuses_stores_too_small_and_too_large(void **state)
{
    (void)state;
    pith_error why;
    char *json;
    static const long wrong[] = { -1, 1, 99, 1000001 };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        pith_bench_options opt = { .chunks = wrong[i] };
        assert_int_equal(pith_bench(NULL, &opt, &json, &why), PITH_E_ARG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_seed_makes_the_same_text_and_another_one_another),
        TEST(a_text_has_the_words_asked_for_and_a_query_is_a_part_of_it),
        TEST(vectors_have_length_one),
        TEST(documents_are_put_and_replaced_by_number),
        TEST(a_series_knows_its_median_and_its_ends),
        TEST(memory_is_read_at_some_rate_by_one_thread_and_by_many),
        TEST(a_table_that_is_no_head_is_not_read_for_each_token),
        TEST(what_is_no_model_has_no_weights),
        TEST(a_generator_has_rates_and_the_reader_of_its_prompts_is_told),
        TEST(a_bench_that_is_stopped_leaves_nothing),
        TEST(refuses_stores_too_small_and_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
