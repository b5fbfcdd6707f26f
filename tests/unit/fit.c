/* fit.c -- a generator's other forms: written, compared, chosen, remembered and used. */
#include "api/fit.h"
#include "base/file.h"
#include "model/lineage.h"
#include "model/machine.h"
#include "model/quantize.h"
#include "model/weights.h"
#include "tiny_lm.h"

#include <signal.h>
#include <sys/resource.h>

#include "support/folder.h"

static const Str TEXT[] = {
    { "the pump in the yard is cleaned every week", 42 },
    { "who looks after the valve? the operator does", 44 },
};
enum { TEXT_N = 2 };

static const char *tiny(Desk *d)
{
    TinyLm t = { .arch = "qwen2", .window = 1024 };
    const char *path = at(d, "tiny.gguf");
    assert_true(tiny_lm_write(path, &t));
    return path;
}

static Status write_form(Desk *d, const char *from, const char *to, const char *blocks,
                         const char *head)
{
    QuantizeOptions opt = { .blocks = blocks, .head = head, .threads = 2 };
    return quantize_file(&d->cx, from, to, &opt);
}

static Likeness compare(Desk *d, const char *original, const char *other)
{
    Expected *e;
    Likeness l;
    assert_int_equal(expected_open(&d->cx, original, 1, TEXT, TEXT_N, &e), OK);
    assert_int_equal(likeness(&d->cx, e, other, &l), OK);
    expected_close(e);
    return l;
}

/* ---- another form ----------------------------------------------------------------- */

static void another_form_is_smaller_and_of_the_same_lineage(void **state)
{
    Desk *d = *state;
    const char *from = tiny(d), *to = at(d, "q8.gguf");
    Blake2bHex a, b;
    Weights was, is;
    assert_int_equal(write_form(d, from, to, "q8_0", NULL), OK);
    assert_int_equal(lineage_of(&d->cx, from, &a), OK);
    assert_int_equal(lineage_of(&d->cx, to, &b), OK);
    assert_string_equal(a.z, b.z);
    assert_int_equal(weights_read(&d->cx, from, &was), OK);
    assert_int_equal(weights_read(&d->cx, to, &is), OK);
    assert_true(is.bytes < was.bytes * 6 / 10);
}

static void the_head_changes_where_that_is_asked_for(void **state)
{
    Desk *d = *state;
    Weights kept, changed;
    const char *from = tiny(d), *one = at(d, "one.gguf"), *both = at(d, "both.gguf");
    assert_int_equal(write_form(d, from, one, "q8_0", NULL), OK);
    assert_int_equal(write_form(d, one, both, "q8_0", "q8_0"), OK);
    assert_int_equal(weights_read(&d->cx, one, &kept), OK);
    assert_int_equal(weights_read(&d->cx, both, &changed), OK);
    assert_true(changed.bytes < kept.bytes);
}

static void a_model_is_like_itself_and_the_less_so_the_fewer_its_bits(void **state)
{
    Desk *d = *state;
    const char *from = tiny(d), *q8 = at(d, "q8.gguf"), *q4 = at(d, "q4.gguf");
    assert_int_equal(write_form(d, from, q8, "q8_0", "q8_0"), OK);
    assert_int_equal(write_form(d, from, q4, "q4_0", "q4_0"), OK);
    Likeness self = compare(d, from, from), eight = compare(d, from, q8),
             four = compare(d, from, q4);
    assert_int_equal(self.places, TEXT[0].n + TEXT[1].n - 2);
    assert_true(self.divergence < 1e-5 && self.same == 1);
    assert_true(self.perplexity > 1);
    assert_true(eight.divergence > self.divergence);
    assert_true(four.divergence > 4 * eight.divergence);
    assert_true(four.original == self.original && four.same <= eight.same);
}

static void too_little_text_compares_nothing(void **state)
{
    Desk *d = *state;
    Expected *e;
    Str text = STR("short");
    assert_int_equal(expected_open(&d->cx, tiny(d), 1, &text, 1, &e), E_ARG);
    assert_null(e);
}

static void refuses_forms_that_weights_alone_cannot_take(void **state)
{
    Desk *d = *state;
    static const char *const wrong[] = { "q3_wide", "f32", "iq1_s", "" };
    const char *from = tiny(d);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(write_form(d, from, at(d, "x.gguf"), wrong[i], NULL), E_ARG);
        ctx_forgive(&d->cx);
        assert_false(file_is_here(at(d, "x.gguf"), NULL));
    }
}

static void a_file_cut_short_leaves_nothing(void **state)
{
    Desk *d = *state;
    Str whole;
    const char *from = tiny(d), *cut = at(d, "cut.gguf");
    assert_int_equal(file_read(&d->cx, from, 1 << 24, &whole), OK);
    whole.n -= 1000;
    assert_int_equal(file_write(&d->cx, cut, whole), OK);
    assert_int_equal(write_form(d, cut, at(d, "x.gguf"), "q8_0", NULL), E_FORMAT);
    assert_false(file_is_here(at(d, "x.gguf"), NULL));
}

static bool stop(void *arg)
{
    (void)arg;
    return true;
}

static void a_stop_leaves_nothing(void **state)
{
    Desk *d = *state;
    const char *from = tiny(d);
    d->cx.cancelled = stop;
    assert_int_equal(write_form(d, from, at(d, "x.gguf"), "q8_0", NULL), E_CANCELLED);
    assert_false(file_is_here(at(d, "x.gguf"), NULL));
}

/* A limit on the file's size, in the place of a full disk. */
static void a_disk_that_says_no_leaves_nothing(void **state)
{
    Desk *d = *state;
    const char *from = tiny(d);
    struct rlimit was, small;
    getrlimit(RLIMIT_FSIZE, &was);
    small = was;
    small.rlim_cur = 20000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    Status st = write_form(d, from, at(d, "x.gguf"), "q8_0", NULL);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(st, E_IO);
    assert_false(file_is_here(at(d, "x.gguf"), NULL));
}

/* ---- the rule --------------------------------------------------------------------- */

static void set_try(FitTry *t, double divergence, double first_ms, double second_ms)
{
    t->like.divergence = divergence;
    t->runs = 2;
    t->run[0].answer_ms = first_ms;
    t->run[1].answer_ms = second_ms;
}

static void the_fastest_that_loses_little_is_picked(void **state)
{
    Desk *d = *state;
    FitRule rule = { 1200, 64, .05 };
    FitTry *try = ctx_new(&d->cx, FitTry, 4);
    set_try(&try[0], 0, 200, 100);
    set_try(&try[1], .01, 95, 90);
    set_try(&try[2], .04, 150, 60);
    set_try(&try[3], .06, 20, 20);
    assert_int_equal(fit_pick(&rule, try, 4), 2);
    assert_int_equal(try[2].best, 1);
    assert_true(try[0].within && try[2].within && !try[3].within);
    rule.max_loss = .1;
    assert_int_equal(fit_pick(&rule, try, 4), 3);
}

static void the_file_stays_where_nothing_is_a_twentieth_faster(void **state)
{
    Desk *d = *state;
    FitRule rule = { 1200, 64, .05 };
    FitTry *try = ctx_new(&d->cx, FitTry, 2);
    set_try(&try[0], 0, 100, 110);
    set_try(&try[1], .01, 96, 99);
    assert_int_equal(fit_pick(&rule, try, 2), 0);
    try[1].run[1].answer_ms = 94;
    assert_int_equal(fit_pick(&rule, try, 2), 1);
}

static void what_was_not_measured_is_not_picked(void **state)
{
    Desk *d = *state;
    FitRule rule = { 1200, 64, .05 };
    FitTry *try = ctx_new(&d->cx, FitTry, 3);
    set_try(&try[0], 0, 100, 100);
    set_try(&try[1], 0, 0, 0);
    assert_int_equal(fit_pick(&rule, try, 3), 0);
}

static void the_bound_counts_from_what_the_named_file_loses(void **state)
{
    Desk *d = *state;
    FitRule rule = { 1200, 64, .05 };
    FitTry *try = ctx_new(&d->cx, FitTry, 2);
    set_try(&try[0], .1, 100, 100);
    set_try(&try[1], .14, 50, 50);
    assert_int_equal(fit_pick(&rule, try, 2), 1);
}

static void threads_go_from_one_to_all(void **state)
{
    (void)state;
    static const int most[] = { 1, 2, 3, 4, 6, 64, 1000 };
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        int t[FIT_RUNS], n = fit_threads(most[i], t);
        assert_true(n >= 1 && n <= FIT_RUNS);
        assert_int_equal(t[0], 1);
        assert_int_equal(t[n - 1], most[i]);
        for (int k = 1; k < n; k++) assert_true(t[k] > t[k - 1]);
    }
}

/* ---- the whole -------------------------------------------------------------------- */

static pith_fit_options small(const char *model)
{
    return (pith_fit_options){ .model = model, .prompt_tokens = 300, .answer_tokens = 4 };
}

static json_t *fit_now(Desk *d, const char *model)
{
    pith_options open = { .store = at(d, "none.db"), .threads = 1 };
    pith_fit_options opt = small(model);
    pith_error why = { 0 };
    char *json = NULL;
    int code = pith_model_fit(&open, &opt, &json, &why);
    if (code) fail_msg("%s", why.message);
    json_t *j = json_loads(json, 0, NULL);
    pith_string_free(json);
    return j;
}

static void a_fit_tells_all_forms_and_leaves_no_files_of_others(void **state)
{
    Desk *d = *state;
    const char *model = tiny(d);
    json_t *j = fit_now(d, model);
    json_t *first = json_array_get(json_object_get(j, "candidates"), 0);
    assert_true(json_array_size(json_object_get(j, "candidates")) >= 3);
    assert_true(json_array_size(json_object_get(first, "runs")) == 1);
    assert_true(json_is_true(json_object_get(first, "within")));
    assert_int_equal(json_integer_value(json_object_get(j, "threads")), 1);
    assert_false(file_is_here(at(d, "fitted/.work/1.gguf"), NULL));
    assert_true(folder_bytes(at(d, "fitted/.work")) == 0);
    json_decref(j);
}

static int stop_call(void *arg)
{
    (void)arg;
    return 1;
}

static void a_stopped_fit_changes_nothing(void **state)
{
    Desk *d = *state;
    const char *model = tiny(d);
    pith_options open = { .store = at(d, "none.db"), .threads = 1 };
    pith_fit_options opt = small(model);
    pith_error why;
    char *json = "unset";
    open.cancelled = stop_call;
    assert_int_equal(pith_model_fit(&open, &opt, &json, &why), PITH_E_CANCELLED);
    assert_null(json);
    assert_int_equal(folder_bytes(at(d, "fitted")), 0);
    assert_int_equal(pith_model_fitted(model, &json, &why), PITH_OK);
    assert_null(json);
}

static void impossible_wishes_are_refused(void **state)
{
    Desk *d = *state;
    const char *model = tiny(d);
    pith_error why;
    char *json;
    pith_fit_options opt = small(model);
    opt.prompt_tokens = 3;
    assert_int_equal(pith_model_fit(NULL, &opt, &json, &why), PITH_E_ARG);
    opt = small(model);
    opt.max_loss = -1;
    assert_int_equal(pith_model_fit(NULL, &opt, &json, &why), PITH_E_ARG);
    opt = small(at(d, "absent.gguf"));
    assert_int_equal(pith_model_fit(NULL, &opt, &json, &why), PITH_E_NOTFOUND);
}

/* ---- remembered ------------------------------------------------------------------- */

/* A result as a fit writes it, whose file is q8_0. */
static FittedPaths remember(Desk *d, const char *model, const char *machine)
{
    FittedPaths p;
    uint64_t bytes;
    assert_int_equal(fitted_paths(&d->cx, model, &p), OK);
    assert_int_equal(folder_make(&d->cx, p.folder.p), OK);
    assert_int_equal(write_form(d, model, p.model.p, "q8_0", NULL), OK);
    assert_true(file_is_here(p.model.p, &bytes));
    Str text = ctx_printf(&d->cx, "{\"original\": \"%s\", \"machine_key\": \"%s\", "
        "\"chosen\": \"Q8_0\", \"path\": \"%s\", \"file_bytes\": %llu, \"threads\": 1, "
        "\"flash\": true, \"cpu\": \"some\", \"cores\": 3}", p.print.p, machine,
        p.model.p, (unsigned long long)bytes);
    assert_int_equal(file_write(&d->cx, p.record.p, text), OK);
    return p;
}

static Str used(Desk *d, const char *model, FittedUse *use)
{
    Str path = str_z(model);
    assert_int_equal(fitted_use(&d->cx, &path, use), OK);
    return path;
}

static void a_result_is_used_on_the_machine_it_was_found_on(void **state)
{
    Desk *d = *state;
    FittedUse use;
    const char *model = tiny(d);
    FittedPaths p = remember(d, model, machine_key().z);
    assert_true(str_eq(used(d, model, &use), p.model));
    assert_int_equal(use.threads, 1);
    assert_true(use.flash);
}

static void on_another_machine_the_file_is_used_as_it_came(void **state)
{
    Desk *d = *state;
    FittedUse use;
    pith_error why;
    char *json = NULL;
    const char *model = tiny(d);
    remember(d, model, "0123");
    assert_true(str_eq(used(d, model, &use), str_z(model)));
    assert_int_equal(use.threads, 0);
    assert_int_equal(pith_model_fitted(model, &json, &why), PITH_OK);
    assert_non_null(strstr(json, "another machine"));
    pith_string_free(json);
}

static void a_file_that_is_gone_or_cut_short_is_not_used(void **state)
{
    Desk *d = *state;
    FittedUse use;
    const char *model = tiny(d);
    FittedPaths p = remember(d, model, machine_key().z);
    assert_int_equal(truncate(p.model.p, 5000), 0);
    assert_true(str_eq(used(d, model, &use), str_z(model)));
    assert_int_equal(unlink(p.model.p), 0);
    assert_true(str_eq(used(d, model, &use), str_z(model)));
}

static void a_record_of_another_file_or_none_is_no_record(void **state)
{
    Desk *d = *state;
    FittedUse use;
    static const char *const text[] = { "", "{", "[]", "{\"original\": 7}",
        "{\"original\": \"00\", \"machine_key\": \"\", \"chosen\": \"x\"}" };
    const char *model = tiny(d);
    FittedPaths p = remember(d, model, machine_key().z);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        assert_int_equal(file_write(&d->cx, p.record.p, str_z(text[i])), OK);
        assert_true(str_eq(used(d, model, &use), str_z(model)));
    }
}

static void going_back_removes_both_files(void **state)
{
    Desk *d = *state;
    pith_error why;
    int removed = 7;
    const char *model = tiny(d);
    FittedPaths p = remember(d, model, machine_key().z);
    assert_int_equal(pith_model_unfit(model, &removed, &why), PITH_OK);
    assert_int_equal(removed, 1);
    assert_false(file_is_here(p.model.p, NULL) || file_is_here(p.record.p, NULL));
    assert_int_equal(pith_model_unfit(model, &removed, &why), PITH_OK);
    assert_int_equal(removed, 0);
}

static int open_models(void **state)
{
    if (desk_open(state) != 0) return -1;
    setenv("PITH_MODELS", ((Desk *)*state)->folder, 1);
    return 0;
}

int main(void)
{
#define IN_MODELS(f) cmocka_unit_test_setup_teardown(f, open_models, desk_close)
    const struct CMUnitTest tests[] = {
        IN_MODELS(another_form_is_smaller_and_of_the_same_lineage),
        IN_MODELS(the_head_changes_where_that_is_asked_for),
        IN_MODELS(a_model_is_like_itself_and_the_less_so_the_fewer_its_bits),
        IN_MODELS(too_little_text_compares_nothing),
        IN_MODELS(refuses_forms_that_weights_alone_cannot_take),
        IN_MODELS(a_file_cut_short_leaves_nothing),
        IN_MODELS(a_stop_leaves_nothing),
        IN_MODELS(a_disk_that_says_no_leaves_nothing),
        IN_MODELS(the_fastest_that_loses_little_is_picked),
        IN_MODELS(the_file_stays_where_nothing_is_a_twentieth_faster),
        IN_MODELS(what_was_not_measured_is_not_picked),
        IN_MODELS(the_bound_counts_from_what_the_named_file_loses),
        IN_MODELS(threads_go_from_one_to_all),
        IN_MODELS(a_fit_tells_all_forms_and_leaves_no_files_of_others),
        IN_MODELS(a_stopped_fit_changes_nothing),
        IN_MODELS(impossible_wishes_are_refused),
        IN_MODELS(a_result_is_used_on_the_machine_it_was_found_on),
        IN_MODELS(on_another_machine_the_file_is_used_as_it_came),
        IN_MODELS(a_file_that_is_gone_or_cut_short_is_not_used),
        IN_MODELS(a_record_of_another_file_or_none_is_no_record),
        IN_MODELS(going_back_removes_both_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
