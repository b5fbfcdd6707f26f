/* The map of queries: its algebra, its file, and what a store does with it. */
#include "api/query_map.h"
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
#include <cmocka.h>

enum { DIM = 12, N = 200 };

/* Points whose first value varies most, around a mean that is not zero. */
static void points(float *v)
{
    uint32_t x = 1;
    for (int i = 0; i < N * DIM; i++) {
        x = x * 1664525u + 1013904223u;
        float noise = (float)(x >> 8) / (1 << 24) - 0.5f;
        v[i] = i % DIM == 0 ? 9 * noise + 2 : noise + (i % DIM == 1);
    }
}

static void assert_near(float a, float b)
{
    assert_true(fabsf(a - b) < 1e-4f);
}

static void a_map_that_changes_nothing_is_the_identity(void **state)
{
    static float v[N * DIM];
    Ctx cx = CTX_INIT;
    QueryMap m;
    (void)state;
    points(v);
    assert_int_equal(query_map_fit(&cx, v, N, DIM, &(QueryMapShape){ 0, 0 }, &m), OK);
    for (int i = 0; i < DIM; i++) {
        assert_near(m.bias[i], 0);
        for (int k = 0; k < DIM; k++) assert_near(m.weight[i * DIM + k], i == k);
    }
    ctx_end(&cx);
}

static void two_halves_of_a_power_are_the_whole(void **state)
{
    static float v[N * DIM];
    Ctx cx = CTX_INIT;
    QueryMap half, whole;
    (void)state;
    points(v);
    assert_int_equal(query_map_fit(&cx, v, N, DIM, &(QueryMapShape){ .5, 0 }, &half), OK);
    assert_int_equal(query_map_fit(&cx, v, N, DIM, &(QueryMapShape){ 1, 0 }, &whole), OK);
    for (int i = 0; i < DIM; i++)
        for (int k = 0; k < DIM; k++) {
            float s = 0;
            for (int j = 0; j < DIM; j++)
                s += half.weight[i * DIM + j] * half.weight[j * DIM + k];
            assert_near(s, whole.weight[i * DIM + k]);
        }
    assert_true(whole.weight[0] < whole.weight[DIM + 1]);   // it varies most
    ctx_end(&cx);
}

static void the_mean_itself_becomes_nothing_and_all_else_a_unit(void **state)
{
    static float v[N * DIM];
    float mean[DIM] = { 0 }, out[DIM], length = 0;
    Ctx cx = CTX_INIT;
    QueryMap m;
    (void)state;
    points(v);
    for (int i = 0; i < N * DIM; i++) mean[i % DIM] += v[i] / N;
    assert_int_equal(query_map_fit(&cx, v, N, DIM, &(QueryMapShape){ .3, 1 }, &m), OK);
    for (int i = 0; i < DIM; i++) {
        float s = m.bias[i];
        for (int k = 0; k < DIM; k++) s += m.weight[i * DIM + k] * mean[k];
        assert_near(s, 0);
    }
    query_map_apply(&m, v, out);
    for (int i = 0; i < DIM; i++) length += out[i] * out[i];
    assert_near(length, 1);
    assert_true(query_map_span(&m) > 1);
    ctx_end(&cx);
}

static void vectors_that_are_all_alike_make_a_map_too(void **state)
{
    float v[4] = { 1, 0, 1, 0 }, out[2];
    Ctx cx = CTX_INIT;
    QueryMap m;
    (void)state;
    assert_int_equal(query_map_fit(&cx, v, 2, 2, &(QueryMapShape){ 1, 1 }, &m), OK);
    query_map_apply(&m, v, out);
    assert_true(isfinite(out[0]) && isfinite(out[1]));
    assert_int_equal(query_map_fit(&cx, v, 1, 2, &(QueryMapShape){ 1, 1 }, &m), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(query_map_fit(&cx, v, 2, 2, &(QueryMapShape){ 2, 1 }, &m), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(query_map_fit(&cx, v, 2, 2, &(QueryMapShape){ NAN, 1 }, &m), E_ARG);
    ctx_end(&cx);
}

/* ---- the file ---------------------------------------------------------------------- */

static void assert_refuses(const char *head, size_t numbers, float last, const char *why)
{
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 16);
    QueryMapFile f;
    float number[16] = { 0 };
    number[numbers ? numbers - 1 : 0] = last;
    buf_addf(&b, "%s\n", head);
    buf_add(&b, (Str){ (const char *)number, numbers * sizeof(float) });
    assert_int_equal(query_map_parse(&cx, "m", buf_str(&b), &f), why ? E_FORMAT : OK);
    if (why) assert_non_null(strstr(cx.reason, why));
    else assert_int_equal(f.map.dim, 2);
    buf_free(&b);
    ctx_end(&cx);
}

#define HEAD "{\"embedder\":{\"fingerprint\":\"f\"},\"whiten\":0.3,\"center\":0,\"dim\":"

static void reads_what_it_wrote_and_refuses_the_rest(void **state)
{
    (void)state;
    assert_refuses(HEAD "2}", 6, 1, NULL);
    assert_refuses(HEAD "2}", 5, 1, "20 bytes of numbers: 24 are wanted");
    assert_refuses(HEAD "2}", 7, 1, "28 bytes");
    assert_refuses(HEAD "2}", 6, NAN, "number 6 is not finite");
    assert_refuses(HEAD "0}", 0, 0, "\"dim\"");
    assert_refuses(HEAD "99999}", 6, 0, "\"dim\"");
    assert_refuses("{}", 6, 0, "\"embedder\"");
    assert_refuses("nothing", 6, 0, "--reset");
}

/* ---- a store ----------------------------------------------------------------------- */

static void a_kept_map_is_used_for_its_embedder_alone(void **state)
{
    char folder[] = "/tmp/pith-map-XXXXXX", store[64], text[64];
    pith *p;
    pith_error why;
    const pith_query_map shape = { .3, .5 };
    char *json = NULL;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(store, sizeof store, "%s/s.db", folder);
    snprintf(text, sizeof text, "%s/a.txt", folder);
    FILE *to = fopen(text, "w");
    assert_non_null(to);
    for (int i = 0; i < 400; i++)
        fprintf(to, "Boat number %d lies at pier %d.\n\n", i, i % 7);
    fclose(to);
    const char *paths[] = { text };
    pith_options o = { .store = store, .embedder = "fake:dim=16", .reranker = "none" };
    assert_int_equal(pith_open(&o, &p, &why), PITH_OK);
    assert_int_equal(pith_add(p, paths, 1, NULL, NULL, &why), PITH_OK);
    assert_int_equal(pith_query_map_json(p, &json, &why), PITH_OK);
    assert_null(json);
    assert_int_equal(pith_query_map_use(p, &shape, &why), PITH_OK);
    assert_int_equal(pith_query_map_keep(p, "[]", &why), PITH_E_ARG);
    assert_int_equal(pith_query_map_keep(p, "{\"p\":0.01}", &why), PITH_OK);
    pith_close(p);

    assert_int_equal(pith_open(&o, &p, &why), PITH_OK);
    pith_results *with, *without;
    assert_int_equal(pith_search(p, "boat 7", NULL, &with, &why), PITH_OK);
    assert_int_equal(pith_query_map_json(p, &json, &why), PITH_OK);
    assert_non_null(strstr(json, "\"whiten\":0.3"));
    pith_string_free(json);
    assert_int_equal(pith_query_map_use(p, NULL, &why), PITH_OK);
    assert_int_equal(pith_search(p, "boat 7", NULL, &without, &why), PITH_OK);
    bool differ = with->n != without->n;
    for (size_t i = 0; i < with->n && !differ; i++)
        differ = with->at[i].score != without->at[i].score;
    assert_true(differ);
    assert_int_equal(pith_query_map_keep(p, NULL, &why), PITH_OK);
    assert_int_equal(pith_query_map_json(p, &json, &why), PITH_OK);
    assert_null(json);
    pith_results_free(with);
    pith_results_free(without);
    pith_close(p);

    o.embedder = "fake:dim=32";
    assert_int_equal(pith_open(&o, &p, &why), PITH_OK);
    assert_int_equal(pith_query_map_use(p, &shape, &why), PITH_E_MODEL);
    pith_close(p);
    Ctx cx = CTX_INIT;
    assert_int_equal(folder_remove(&cx, folder), OK);
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_that_changes_nothing_is_the_identity),
        cmocka_unit_test(two_halves_of_a_power_are_the_whole),
        cmocka_unit_test(the_mean_itself_becomes_nothing_and_all_else_a_unit),
        cmocka_unit_test(vectors_that_are_all_alike_make_a_map_too),
        cmocka_unit_test(reads_what_it_wrote_and_refuses_the_rest),
        cmocka_unit_test(a_kept_map_is_used_for_its_embedder_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
