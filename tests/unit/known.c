/* known.c -- excerpts of prompts whose keys and values are kept: the same answer whether
 * they were there or not, and strangers to whatever would change them. The model is
 * random and made here. */
#include "model/llama_impl.h"
#include "tiny_lm.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

#define BEFORE " (tram):\nThe tram turns at the mill.\n\nPassage 2"

enum { WINDOW = 1024, PASSAGES = 3, MIB = 1 << 20 };

static Ctx cx;
static char folder[64], path[128];
static Model *model;

static void write_model(uint32_t seed)
{
    snprintf(path, sizeof path, "%s/%u.gguf", folder, seed);
    assert_true(tiny_lm_write(path, &(TinyLm){ .arch = "qwen2", .seed = seed,
                                               .window = WINDOW }));
}

static void open_model(uint64_t kv_bytes, int answers)
{
    ModelOptions opt = { .threads = 2, .kv_bytes = kv_bytes, .answers = answers };
    model_close(model);
    assert_int_equal(llama_model_open(&cx, path, &opt, &model), OK);
}

static int set_up(void **state)
{
    MatmulWay way;
    (void)state;
    strcpy(folder, "/tmp/pith-known-XXXXXX");
    assert_non_null(mkdtemp(folder));
    setenv("XDG_CACHE_HOME", folder, 1);
    if (!prefill_way(&way)) skip();
    write_model(3);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    model_close(model);
    model = NULL;
    assert_int_equal(folder_remove(&cx, folder), OK);
    ctx_end(&cx);
    return 0;
}

/* A prompt of some passages in some order, marked as excerpts, and a question. */
typedef struct Asked {
    char text[WINDOW];
    Excerpt excerpt[PASSAGES];
    Message msg[2];
    GenerateOptions opt;
} Asked;

static void ask_of(Asked *a, const char *system, const char *order)
{
    static const char *const passage[] = {
        " (pool):\nThe outdoor basin of 50 metres is open from May to September, "
        "and the indoor one all year but for the last weeks of August.\n",
        " (bus):\nLine 7 runs every ten minutes between the harbour and the station, "
        "and at night every half hour as far as the upper town.\n",
        " (fees):\nA season ticket for adults costs 92, one for children 41 in all, "
        "and whoever comes for a day pays 6 or 3 at the window.\n",
    };
    size_t n = 0, used = 0;
    for (const char *c = order; *c; c++) {
        used += (size_t)sprintf(a->text + used, "Passage %zu", n + 1);
        a->excerpt[n].begin = used;
        used += (size_t)sprintf(a->text + used, "%s", passage[*c - 'a']);
        a->excerpt[n++].end = used;
    }
    used += (size_t)sprintf(a->text + used, "Question: when does it open?");
    a->msg[0] = (Message){ "system", str_z(system) };
    a->msg[1] = (Message){ "user", { a->text, used } };
    a->opt = (GenerateOptions){ .max_tokens = 24,
                                .excerpts = { a->excerpt, n, STR(BEFORE) } };
}

static Generated answer(const char *system, const char *order)
{
    Asked a;
    Generated got;
    ask_of(&a, system, order);
    if (model_generate(&cx, model, a.msg, 2, &a.opt, &got) != OK)
        fail_msg("%s", cx.reason);
    return got;
}

static void assert_same(Generated a, Generated b)
{
    assert_int_equal(a.tokens, b.tokens);
    assert_true(str_eq(a.text, b.text));
    assert_true(a.mean_logprob == b.mean_logprob && a.min_logprob == b.min_logprob);
}

static size_t entries(void)
{
    char kv[96];
    size_t n = 0;
    snprintf(kv, sizeof kv, "%s/pith/kv", folder);
    DIR *d = opendir(kv);
    for (struct dirent *e; d && (e = readdir(d));) n += strstr(e->d_name, ".kv") != NULL;
    if (d) closedir(d);
    return n;
}

/* ---- the same answer -------------------------------------------------------------- */

static void the_answer_is_the_same_whether_it_was_kept_or_not(void **state)
{
    (void)state;
    open_model(MIB, 1);
    Generated first = answer("Short.", "abc"), again = answer("Short.", "abc");
    assert_int_equal(first.restored_tokens, 0);
    assert_true(again.restored_tokens > 300);
    assert_same(first, again);
    assert_int_equal(entries(), 3);
    open_model(MIB, 1);
    Generated later = answer("Short.", "abc");
    assert_true(later.restored_tokens > 300);
    assert_same(first, later);
    assert_int_equal(entries(), 3);
}

static void passages_are_known_in_any_order(void **state)
{
    (void)state;
    open_model(MIB, 1);
    (void)answer("Short.", "abc");
    Generated other = answer("Short.", "acb");
    assert_true(other.restored_tokens > 300);
    assert_int_equal(entries(), 3);
    other = answer("Short.", "cab");    // c as the first, a as another
    assert_true(other.restored_tokens > 100 && other.restored_tokens < 300);
    assert_int_equal(entries(), 5);
    assert_int_equal(folder_remove(&cx, ctx_printf(&cx, "%s/pith", folder).p), OK);
    open_model(MIB, 1);
    assert_same(answer("Short.", "cab"), other);
}

static void one_passage_is_read_as_ever_to_the_bit(void **state)
{
    (void)state;
    const char *system = "Answer from the passage, in a sentence, with the words of the "
                         "passage, and nothing that is not in it, ever, at all, please.";
    open_model(0, 1);
    Generated plain = answer(system, "a");
    open_model(MIB, 1);
    Generated cold = answer(system, "a"), warm = answer(system, "a");
    assert_same(plain, cold);
    assert_same(plain, warm);
}

static void plain_prompts_are_not_answered_from_joined_ones(void **state)
{
    Asked a;
    Generated plain, after, joined;
    (void)state;
    ask_of(&a, "Short.", "abc");
    a.opt.excerpts.n = 0;
    open_model(MIB, 1);
    assert_int_equal(model_generate(&cx, model, a.msg, 2, &a.opt, &plain), OK);
    open_model(MIB, 1);
    joined = answer("Short.", "abc");
    assert_int_equal(model_generate(&cx, model, a.msg, 2, &a.opt, &after), OK);
    assert_same(plain, after);
    assert_same(joined, answer("Short.", "abc"));
}

static void several_answers_at_a_time_are_the_same(void **state)
{
    (void)state;
    open_model(MIB, 4);
    Generated first = answer("Short.", "bca");
    (void)answer("Short.", "cab");
    assert_same(first, answer("Short.", "bca"));
}

static void a_store_without_room_changes_nothing(void **state)
{
    (void)state;
    open_model(MIB, 1);
    Generated kept = answer("Short.", "abc");
    assert_int_equal(folder_remove(&cx, ctx_printf(&cx, "%s/pith", folder).p), OK);
    open_model(200, 1);
    Generated not_kept = answer("Short.", "abc");
    assert_int_equal(entries(), 0);
    assert_int_equal(not_kept.restored_tokens, 0);
    assert_same(kept, not_kept);
}

static Status ahead(Asked *a, ReadAhead *what)
{
    return model_read_ahead(&cx, model, a->msg, 2, &a->opt.excerpts, what);
}

static void what_was_read_ahead_is_known_when_it_is_asked_for(void **state)
{
    Asked a;
    ReadAhead what;
    (void)state;
    open_model(MIB, 1);
    for (const char *c = "abc"; *c; c++) {
        char one[2] = { *c };
        ask_of(&a, "Short.", one);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(ahead(&a, &what), OK);
            assert_int_equal(what, i ? READ_BEFORE : READ_KEPT);
        }
    }
    assert_int_equal(entries(), 3);
    Generated got = answer("Short.", "bca");
    assert_true(got.restored_tokens > 200);   // all but the first
    assert_int_equal(folder_remove(&cx, ctx_printf(&cx, "%s/pith", folder).p), OK);
    open_model(MIB, 1);
    assert_same(got, answer("Short.", "bca"));
}

static void reading_ahead_ends_where_room_does(void **state)
{
    Asked a;
    ReadAhead what;
    (void)state;
    ask_of(&a, "Short.", "a");
    open_model(200, 1);
    assert_int_equal(ahead(&a, &what), OK);
    assert_int_equal(what, READ_NO_ROOM);
    a.excerpt[0].end = a.excerpt[0].begin + 9;
    assert_int_equal(ahead(&a, &what), OK);
    assert_int_equal(what, READ_SHORT);
    a.opt.excerpts.n = 0;
    assert_int_equal(ahead(&a, &what), E_ARG);
    ctx_forgive(&cx);
    open_model(0, 1);
    ask_of(&a, "Short.", "a");
    assert_int_equal(ahead(&a, &what), E_MODEL);
}

static void only_the_first_is_read_without_what_stands_before(void **state)
{
    Asked a;
    Generated one, other;
    (void)state;
    open_model(MIB, 1);
    one = answer("Short.", "abc");
    ask_of(&a, "Short.", "abc");
    a.opt.excerpts.before = STR(" (ferry):\nThe ferry has no lights.\n\nPassage 2");
    assert_int_equal(model_generate(&cx, model, a.msg, 2, &a.opt, &other), OK);
    assert_true(other.restored_tokens > 100 && other.restored_tokens < 200);
    assert_int_equal(entries(), 5);
    assert_true(one.mean_logprob != other.mean_logprob);
}

/* ---- strangers -------------------------------------------------------------------- */

static void another_instruction_makes_other_entries(void **state)
{
    (void)state;
    open_model(MIB, 1);
    (void)answer("Short.", "abc");
    assert_int_equal(answer("Long..", "abc").restored_tokens, 0);
    assert_int_equal(entries(), 6);
}

static void another_model_makes_other_entries(void **state)
{
    (void)state;
    open_model(MIB, 1);
    (void)answer("Short.", "abc");
    write_model(4);
    open_model(MIB, 1);
    assert_int_equal(answer("Short.", "abc").restored_tokens, 0);
    assert_int_equal(entries(), 6);
}

static void a_damaged_entry_is_computed_again(void **state)
{
    char kv[96], file[400] = "";
    (void)state;
    open_model(MIB, 1);
    Generated first = answer("Short.", "abc");
    snprintf(kv, sizeof kv, "%s/pith/kv", folder);
    DIR *d = opendir(kv);
    for (struct dirent *e; (e = readdir(d));)
        if (strstr(e->d_name, ".kv")) snprintf(file, sizeof file, "%s/%s", kv, e->d_name);
    closedir(d);
    int fd = open(file, O_RDWR);
    assert_int_equal(pwrite(fd, "damage", 6, 700), 6);
    close(fd);
    Generated again = answer("Short.", "abc");
    assert_same(first, again);
    assert_int_equal(entries(), 3);
    assert_true(answer("Short.", "abc").restored_tokens > again.restored_tokens);
}

static void excerpts_that_are_none_are_refused(void **state)
{
    Asked a;
    Generated got;
    (void)state;
    open_model(MIB, 1);
    ask_of(&a, "Short.", "abc");
    a.excerpt[2].end = a.msg[1].content.n + 1;
    assert_int_equal(model_generate(&cx, model, a.msg, 2, &a.opt, &got), E_ARG);
    ctx_forgive(&cx);
    ask_of(&a, "Short.", "abc");
    a.excerpt[1].begin = 3;
    assert_int_equal(model_generate(&cx, model, a.msg, 2, &a.opt, &got), E_ARG);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, close_all)
    const struct CMUnitTest tests[] = {
        TEST(the_answer_is_the_same_whether_it_was_kept_or_not),
        TEST(passages_are_known_in_any_order),
        TEST(one_passage_is_read_as_ever_to_the_bit),
        TEST(plain_prompts_are_not_answered_from_joined_ones),
        TEST(several_answers_at_a_time_are_the_same),
        TEST(a_store_without_room_changes_nothing),
        TEST(what_was_read_ahead_is_known_when_it_is_asked_for),
        TEST(reading_ahead_ends_where_room_does),
        TEST(only_the_first_is_read_without_what_stands_before),
        TEST(another_instruction_makes_other_entries),
        TEST(another_model_makes_other_entries),
        TEST(a_damaged_entry_is_computed_again),
        TEST(excerpts_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
