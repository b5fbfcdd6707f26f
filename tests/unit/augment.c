/* What the small model adds to a question: read from what it wrote, and joined. The
 * model here is a server that says what the test wants. */
#include "ask/ask.h"
#include "base/file.h"
#include "pith.h"

#include "support/llm_server.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the first four */
#include <cmocka.h>

typedef struct Fixture {
    LlmServer server;
    Model *writer;
    Ctx cx;
} Fixture;

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    *state = f;
    if (!llm_server_start(&f->server)) return -1;
    return model_open(&f->cx, f->server.url, NULL, &f->writer) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    model_close(f->writer);
    llm_server_stop(&f->server);
    ctx_end(&f->cx);
    free(f);
    return 0;
}

static Augmented write_for(Fixture *f, const char *says, AugmentOptions opt)
{
    Augmented a;
    f->server.answer = says;
    Status st = augment_write(&f->cx, f->writer, &opt, STR("Who was first?"), &a);
    if (st != OK) fail_msg("%s", f->cx.reason);
    return a;
}

static void assert_queries(const Augmented *a, size_t n, const char *const *wanted)
{
    assert_int_equal(a->n_queries, n);
    for (size_t i = 0; i < n; i++)
        if (!str_eq(a->query[i], str_z(wanted[i])))
            fail_msg("'%.*s' is not '%s'", (int)a->query[i].n, a->query[i].p, wanted[i]);
}

/* ---- what is read from the model's words ------------------------------------------- */

static void takes_at_most_three_parts_without_their_bullets(void **state)
{
    const char *const wanted[] = { "Who wrote Dune?", "Who filmed Dune?",
                                   "When was it?" };
    Augmented a = write_for(*state, "1. Who wrote Dune?\\n\\n- Who filmed Dune?\\n"
                            "* When was it?\\n4) Who else is there?",
                            (AugmentOptions){ .decompose = true });
    assert_queries(&a, 3, wanted);
    assert_int_equal(a.passage.n, 0);
}

static void leaves_out_what_is_of_no_use(void **state)
{
    const char *const wanted[] = { "Who wrote Dune?" };
    Augmented a = write_for(*state, "who was first?\\nWho wrote Dune?\\nwho wrote "
                            "dune?\\n?\\nThe documents do not say.",
                            (AugmentOptions){ .decompose = true });
    assert_queries(&a, 1, wanted);
    a = write_for(*state, "Who was first?", (AugmentOptions){ .rewrite = true });
    assert_int_equal(a.n_queries, 0);
    a = write_for(*state, "The passages do not contain it.",
                  (AugmentOptions){ .hyde = true });
    assert_int_equal(a.passage.n, 0);
}

static void a_rewrite_is_one_line_and_a_passage_is_whole(void **state)
{
    const char *const wanted[] = { "first person, origin" };
    Augmented a = write_for(*state, "first person, origin\\nand why",
                            (AugmentOptions){ .rewrite = true, .hyde = true });
    assert_queries(&a, 1, wanted);
    assert_true(str_eq(a.passage, STR("first person, origin\nand why")));
}

static void writes_nothing_where_nothing_is_wanted(void **state)
{
    Fixture *f = *state;
    Augmented a = write_for(f, "x", (AugmentOptions){ 0 });
    assert_int_equal(a.n_queries, 0);
    assert_int_equal(f->server.requests, 0);
}

static void asks_once_for_the_same_question(void **state)
{
    Fixture *f = *state;
    AugmentMemo memo = { 0 };
    AugmentOptions opt = { .decompose = true, .memo = &memo };
    const char *const wanted[] = { "Who wrote Dune?" };
    for (int i = 0; i < 3; i++) {
        Augmented a = write_for(f, i ? "Who else?" : "Who wrote Dune?", opt);
        assert_queries(&a, 1, wanted);
    }
    assert_int_equal(f->server.requests, 1);
    opt.hyde = true;     // another wish is another text
    write_for(f, "Who wrote Dune?", opt);
    assert_int_equal(f->server.requests, 3);
    augment_forget(&memo);
    augment_forget(&memo);
}

static void a_model_that_fails_is_an_error_and_leaves_no_memo(void **state)
{
    Fixture *f = *state;
    AugmentMemo memo = { 0 };
    AugmentOptions opt = { .rewrite = true, .memo = &memo };
    Augmented a;
    f->server.mood = LLM_401;
    assert_int_not_equal(augment_write(&f->cx, f->writer, &opt, STR("Who?"), &a), OK);
    assert_true(f->cx.reason[0] != '\0');
    assert_int_equal(memo.question.n, 0);
    augment_forget(&memo);
}

/* ---- joining ----------------------------------------------------------------------- */

static Passages list_of(Passage *p, const int64_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (Passage){ .chunk = { .id = ids[i], .uri = STR("d"),
                                     .start = (size_t)ids[i] },
                          .words = (float)i };
    return (Passages){ .at = p, .n = n };
}

static void joins_by_the_sum_of_inverse_ranks(void **state)
{
    Fixture *f = *state;
    Passage a[3], b[3];
    const int64_t first[] = { 1, 2, 3 }, second[] = { 3, 4, 1 };
    Passages list[2] = { list_of(a, first, 3), list_of(b, second, 3) }, out;
    assert_int_equal(augment_join(&f->cx, list, 2, 10, &out), OK);
    const int64_t order[] = { 1, 3, 2, 4 };      // 1 and 3 tie: the earlier bytes first
    assert_int_equal(out.n, 4);
    for (size_t i = 0; i < 4; i++) assert_true(out.at[i].chunk.id == order[i]);
    assert_true(fabsf(out.at[0].score - (1 / 61.f + 1 / 63.f) * 61 / 2) < 1e-6f);
    assert_true(fabsf(out.at[2].fused - 1 / 62.f * 61 / 2) < 1e-6f);
    assert_true(out.at[1].words == 2);           // of the first list that has it
    assert_int_equal(augment_join(&f->cx, list, 2, 2, &out), OK);
    assert_int_equal(out.n, 2);
}

static void joins_nothing_to_nothing(void **state)
{
    Fixture *f = *state;
    Passages none[2] = { { 0 }, { 0 } }, out;
    assert_int_equal(augment_join(&f->cx, none, 2, 5, &out), OK);
    assert_int_equal(out.n, 0);
}

static void one_list_keeps_its_order_and_begins_at_one(void **state)
{
    Fixture *f = *state;
    Passage a[50];
    int64_t ids[50];
    for (int i = 0; i < 50; i++) ids[i] = (i * 7) % 50 + 1;
    Passages list = list_of(a, ids, 50), out;
    assert_int_equal(augment_join(&f->cx, &list, 1, 50, &out), OK);
    assert_true(fabsf(out.at[0].score - 1) < 1e-6f);
    for (size_t i = 0; i < 50; i++) {
        assert_true(out.at[i].chunk.id == ids[i]);
        assert_true(out.at[i].score > 0 && out.at[i].score <= 1 + 1e-6f);
    }
}

/* ---- in a search ------------------------------------------------------------------- */

static const pith_text documents[] = {
    { "a", "A", "Apples grow on trees.", "text", 0 },
    { "b", "B", "Frank Herbert wrote Dune.", "text", 0 },
    { "c", "C", "Ferries leave at noon.", "text", 0 },
};

/* A store with these documents, below a folder of its own. */
static void fill(char *folder, char *path, size_t n)
{
    pith *p = NULL;
    assert_non_null(mkdtemp(folder));
    snprintf(path, n, "%s/s.db", folder);
    pith_options o = { .store = path, .embedder = "fake:" };
    assert_int_equal(pith_open(&o, &p, NULL), 0);
    assert_int_equal(pith_add_texts(p, documents, 3, NULL, NULL, NULL), 0);
    pith_close(p);
}

static void assert_first(Fixture *f, const Asker *a, const AugmentOptions *augment,
                         RetrieveMode mode, const char *uri)
{
    Passages found;
    RetrieveOptions opt = { .mode = mode, .k = 1 };
    Status st = ask_retrieve(&f->cx, a, augment, &opt, STR("xyzzy"), &found);
    if (st != OK) fail_msg("%s", f->cx.reason);
    assert_int_equal(found.n, uri ? 1 : 0);
    if (uri) assert_true(str_eq(found.at[0].chunk.uri, str_z(uri)));
}

static void finds_by_what_was_added(void **state)
{
    Fixture *f = *state;
    char folder[] = "/tmp/pith-augment-XXXXXX", path[64];
    Asker a = { .writer = f->writer };
    fill(folder, path, sizeof path);
    const StoreOptions reading = { .read_only = true };
    assert_int_equal(store_open(&f->cx, path, &reading, &a.store), OK);
    assert_int_equal(model_open(&f->cx, "fake:", NULL, &a.embedder), OK);
    f->server.answer = "Who wrote Dune, Frank Herbert?";
    const AugmentOptions none = { 0 }, parts = { .decompose = true },
                         passage = { .hyde = true };
    assert_first(f, &a, &none, RETRIEVE_WORDS, NULL);
    assert_first(f, &a, &parts, RETRIEVE_WORDS, "b");
    assert_first(f, &a, &passage, RETRIEVE_VECTORS, "b");
    model_close(a.embedder);
    store_close(a.store);
    assert_int_equal(folder_remove(&f->cx, folder), OK);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(takes_at_most_three_parts_without_their_bullets),
        test(leaves_out_what_is_of_no_use),
        test(a_rewrite_is_one_line_and_a_passage_is_whole),
        test(writes_nothing_where_nothing_is_wanted),
        test(asks_once_for_the_same_question),
        test(a_model_that_fails_is_an_error_and_leaves_no_memo),
        test(joins_by_the_sum_of_inverse_ranks),
        test(joins_nothing_to_nothing),
        test(one_list_keeps_its_order_and_begins_at_one),
        test(finds_by_what_was_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
