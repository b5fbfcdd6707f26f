/* batch.c -- several answers at a time: as alone, to the bit, whoever comes, goes or
 * waits. The model is random and made here. */
#include "model/batch.h"
#include "model/llama_impl.h"
#include "models.h"
#include "tiny_lm.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { WINDOW = 512, PROMPT = 150, MORE = 24, CALLERS = 6 };

static Ctx cx;
static char path[64];
static Batch *batch;
static Model *model;

/* ---- a batch, and who talks to it ------------------------------------------------- */

static void write_model(const char *arch)
{
    TinyLm t = { .arch = arch, .seed = 3, .window = WINDOW };
    strcpy(path, "/tmp/pith-batch-XXXXXX");
    close(mkstemp(path));
    assert_true(tiny_lm_write(path, &t));
}

static void open_batch(size_t seats, uint64_t max_bytes)
{
    PrefillOptions opt = { .threads = 2, .max_bytes = max_bytes };
    BatchOptions with = { .seats = seats, .window = WINDOW, .threads = 2 };
    Prefill *p;
    if (!path[0]) write_model("qwen2");
    opt.way = matmul_can(MATMUL_INT8) ? MATMUL_INT8 : MATMUL_PLAIN;
    assert_int_equal(prefill_open(&cx, path, &opt, &p), OK);
    assert_int_equal(batch_open(&cx, p, &with, &batch), OK);
}

static int close_all(void **state)
{
    (void)state;
    batch_close(batch);
    batch = NULL;
    model_close(model);
    model = NULL;
    if (path[0]) unlink(path);
    path[0] = '\0';
    ctx_end(&cx);
    return 0;
}

typedef struct Caller {
    pthread_t thread;
    uint32_t seed;           // of the prompt
    size_t n, same, more;    // tokens; of them those that all begin with; written
    size_t rows;             // a step's; all but the first are a wrong draft
    int cancel_after;        // looks at cancellation; 0: never
    _Atomic int looks;
    Status st;
    uint64_t bits;           // of all logits
    size_t steps, reused;
} Caller;

static bool is_cancelled(void *arg)
{
    Caller *c = arg;
    return c->cancel_after && atomic_fetch_add(&c->looks, 1) + 1 >= c->cancel_after;
}

static void fill(const Caller *c, int32_t *token)
{
    uint32_t common = 1, own = c->seed * 77;
    for (size_t i = 0; i < c->n; i++) {
        uint32_t *state = i < c->same ? &common : &own;
        tlm_random(state);
        token[i] = (int32_t)(*state >> 16) % (TLM_VOCAB - 4);
    }
}

static int32_t likeliest(Caller *c, const float *logits)
{
    int best = 0;
    for (int i = 0; i < TLM_VOCAB; i++) {
        uint32_t bits;
        memcpy(&bits, &logits[i], sizeof bits);
        c->bits = (c->bits ^ bits) * 1099511628211u;
        if (logits[i] > logits[best]) best = i;
    }
    return best;
}

static Status write_on(Ctx *own, Caller *c, Seat *s, int32_t token)
{
    for (size_t i = 0; i < c->more; i++, c->steps++) {
        int32_t at[4] = { token, 1, 2, 3 };
        size_t n = c->rows;
        const float *logits;
        TRY(batch_step(own, s, at, &n, &logits));
        token = likeliest(c, logits);
        batch_looked(s, n - 1);
    }
    return OK;
}

static void *call(void *arg)
{
    Caller *c = arg;
    Ctx own = { .cancelled = is_cancelled, .cancel_arg = c };
    int32_t token[WINDOW];
    Seat *s;
    if (!c->rows) c->rows = 1;
    fill(c, token);
    BatchPrompt p = { token, c->n, c->more + c->rows, NULL, 0 };
    c->st = batch_sit(&own, batch, &p, &c->reused, &s);
    if (c->st == OK) {
        c->st = write_on(&own, c, s, token[c->n - 1]);
        batch_leave(s);
    }
    ctx_end(&own);
    return NULL;
}

static void call_all(Caller *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_create(&c[i].thread, NULL, call, &c[i]), 0);
    for (size_t i = 0; i < n; i++) pthread_join(c[i].thread, NULL);
}

static Caller caller(size_t i)
{
    return (Caller){ .seed = (uint32_t)i, .n = PROMPT + 31 * i, .same = 40,
                     .more = MORE + i, .rows = 1 + i % 3 };
}

/* What each caller gets when nobody else is there. */
static void alone(Caller c[CALLERS])
{
    open_batch(1, UINT64_MAX);
    for (size_t i = 0; i < CALLERS; i++) {
        c[i] = caller(i);
        c[i].rows = 1;
        call(&c[i]);
        assert_int_equal(c[i].st, OK);
        assert_int_equal(c[i].steps, MORE + i);
    }
    batch_close(batch);
    batch = NULL;
}

static void assert_as_alone(const Caller *want, const Caller *got)
{
    assert_int_equal(got->st, OK);
    assert_int_equal(got->steps, want->steps);
    assert_true(got->bits == want->bits);
}

static void together(size_t seats, uint64_t max_bytes)
{
    Caller want[CALLERS], got[CALLERS];
    alone(want);
    open_batch(seats, max_bytes);
    for (size_t i = 0; i < CALLERS; i++) got[i] = caller(i);
    call_all(got, CALLERS);
    for (size_t i = 0; i < CALLERS; i++) assert_as_alone(&want[i], &got[i]);
    assert_true(prefill_bytes(batch_prefill(batch)) <= max_bytes);
}

static void each_gets_together_what_it_gets_alone_to_the_bit(void **state)
{
    (void)state;
    together(CALLERS, UINT64_MAX);
}

static void those_without_a_seat_wait_for_one(void **state)
{
    (void)state;
    together(2, UINT64_MAX);
}

/* What a batch takes that has held the longest sequence alone. */
static uint64_t bytes_of_one(void)
{
    Caller c = caller(CALLERS - 1);
    open_batch(1, UINT64_MAX);
    call(&c);
    uint64_t bytes = prefill_bytes(batch_prefill(batch));
    batch_close(batch);
    batch = NULL;
    return bytes;
}

static void those_without_memory_wait_for_it(void **state)
{
    (void)state;
    together(CALLERS, bytes_of_one());
}

static void refuses_what_would_not_fit_alone(void **state)
{
    Caller c = caller(CALLERS - 1), small = caller(0);
    (void)state;
    open_batch(3, bytes_of_one() - 1);
    call(&small);
    assert_int_equal(small.st, OK);
    call(&c);
    assert_int_equal(c.st, E_LIMIT);
    small = caller(0);
    call(&small);
    assert_int_equal(small.st, OK);
}

static void who_is_cancelled_in_the_middle_disturbs_nobody(void **state)
{
    Caller want[CALLERS], got[CALLERS];
    (void)state;
    alone(want);
    open_batch(3, UINT64_MAX);
    for (int after = 1; after < 12; after++) {
        for (size_t i = 0; i < CALLERS; i++) got[i] = caller(i);
        got[1].cancel_after = after;
        got[4].cancel_after = 2 * after;
        call_all(got, CALLERS);
        for (size_t i = 0; i < CALLERS; i++)
            if (got[i].st != E_CANCELLED) assert_as_alone(&want[i], &got[i]);
        assert_int_equal(got[0].st | got[2].st | got[3].st | got[5].st, OK);
    }
}

static void who_waits_for_a_seat_may_give_up(void **state)
{
    Caller first = caller(0), second = caller(1);
    int32_t token[WINDOW];
    size_t reused;
    Seat *s;
    (void)state;
    open_batch(1, UINT64_MAX);
    fill(&first, token);
    BatchPrompt p = { token, first.n, 1, NULL, 0 };
    assert_int_equal(batch_sit(&cx, batch, &p, &reused, &s), OK);
    second.cancel_after = 2;
    call(&second);
    assert_int_equal(second.st, E_CANCELLED);
    batch_leave(s);
    second = caller(1);
    call(&second);
    assert_int_equal(second.st, OK);
}

static void what_another_has_read_is_not_read_again(void **state)
{
    Caller want[CALLERS], c = caller(0), next = caller(1);
    int32_t token[WINDOW];
    size_t reused;
    Seat *s;
    (void)state;
    alone(want);
    open_batch(2, UINT64_MAX);
    fill(&c, token);
    BatchPrompt p = { token, c.n, 1, NULL, 0 };
    assert_int_equal(batch_sit(&cx, batch, &p, &reused, &s), OK);
    assert_int_equal(reused, 0);
    call(&next);                     // beside one that still sits
    assert_int_equal(next.reused, next.same);
    assert_as_alone(&want[1], &next);
    batch_leave(s);
    call(&c);
    assert_int_equal(c.reused, c.n - 1);
    assert_as_alone(&want[0], &c);
}

static void refuses_more_tokens_than_were_asked_for(void **state)
{
    Caller c = caller(0);
    int32_t token[WINDOW];
    size_t reused, n = 3;
    const float *logits;
    Seat *s;
    (void)state;
    open_batch(1, UINT64_MAX);
    fill(&c, token);
    BatchPrompt p = { token, c.n, 1, NULL, 0 };
    assert_int_equal(batch_sit(&cx, batch, &p, &reused, &s), OK);
    assert_int_equal(batch_step(&cx, s, token, &n, &logits), OK);
    assert_int_equal(n, 2);          // the prompt's last one, and one more
    batch_looked(s, 0);
    assert_int_equal(batch_step(&cx, s, token, &n, &logits), E_ARG);
    batch_leave(s);
}

/* ---- in a conversation ------------------------------------------------------------ */

typedef struct Talker {
    pthread_t thread;
    Ctx own;
    int number;
    Status st;
    Generated g;
} Talker;

static void *talk(void *arg)
{
    Talker *t = arg;
    char text[400];
    int n = 30 + 45 * t->number;
    for (int i = 0; i < n; i++) text[i] = (char)('a' + i * i % (19 + t->number % 3));
    Message m = { "user", { text, (size_t)n } };
    GenerateOptions opt = { .max_tokens = 60, .seed = (uint64_t)t->number,
                            .temperature = t->number % 3 == 2 ? .7f : 0 };
    t->st = model_generate(&t->own, model, &m, 1, &opt, &t->g);
    return NULL;
}

static void open_model(int answers)
{
    ModelOptions opt = { .threads = 2, .answers = answers };
    MatmulWay way;
    if (!prefill_way(&way) || llama_supports_gpu_offload()) {
        print_message("no fast products here, or a GPU\n");
        skip();
    }
    model_close(model);
    assert_int_equal(model_open(&cx, path, &opt, &model), OK);
}

static void assert_same_answers(void)
{
    static Talker one[CALLERS], all[CALLERS];
    open_model(4);
    for (int i = 0; i < CALLERS; i++) one[i] = (Talker){ .number = i }, talk(&one[i]);
    open_model(4);
    for (int i = 0; i < CALLERS; i++) {
        all[i] = (Talker){ .number = i };
        assert_int_equal(pthread_create(&all[i].thread, NULL, talk, &all[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) pthread_join(all[i].thread, NULL);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(one[i].st, OK);
        assert_int_equal(all[i].st, OK);
        assert_true(str_eq(one[i].g.text, all[i].g.text));
        assert_true(one[i].g.mean_logprob == all[i].g.mean_logprob);
        ctx_end(&one[i].own);
        ctx_end(&all[i].own);
    }
}

static void answers_are_the_same_whoever_else_is_answered(void **state)
{
    static const char *const arch[] = { "llama", "qwen2", "qwen3", "gemma3" };
    for (size_t i = 0; i < sizeof arch / sizeof *arch; i++) {
        write_model(arch[i]);
        assert_same_answers();
        close_all(state);
    }
}

static void libllama_answers_one_after_another(void **state)
{
    static Talker all[CALLERS];
    (void)state;
    write_model("llama");
    ModelOptions opt = { .threads = 1, .answers = 4, .plain = true };
    assert_int_equal(model_open(&cx, path, &opt, &model), OK);
    for (int i = 0; i < CALLERS; i++) {
        all[i] = (Talker){ .number = i };
        assert_int_equal(pthread_create(&all[i].thread, NULL, talk, &all[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) pthread_join(all[i].thread, NULL);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(all[i].st, OK);
        ctx_end(&all[i].own);
    }
}

/* ---- turns ------------------------------------------------------------------------ */

static void who_gives_its_turn_up_leaves_the_line(void **state)
{
    Caller c = { .cancel_after = 1 };
    Ctx own = { .cancelled = is_cancelled, .cancel_arg = &c };
    Turn t;
    (void)state;
    turn_open(&t);
    assert_int_equal(turn_take(&cx, &t), OK);
    assert_int_equal(turn_take(&own, &t), E_CANCELLED);
    assert_null(t.first);            // it does not stand in line any more
    turn_give(&t);
    assert_int_equal(turn_take(&cx, &t), OK);
    turn_give(&t);
    turn_close(&t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, close_all)
    const struct CMUnitTest tests[] = {
        TEST(each_gets_together_what_it_gets_alone_to_the_bit),
        TEST(those_without_a_seat_wait_for_one),
        TEST(those_without_memory_wait_for_it),
        TEST(refuses_what_would_not_fit_alone),
        TEST(who_is_cancelled_in_the_middle_disturbs_nobody),
        TEST(who_waits_for_a_seat_may_give_up),
        TEST(what_another_has_read_is_not_read_again),
        TEST(refuses_more_tokens_than_were_asked_for),
        TEST(answers_are_the_same_whoever_else_is_answered),
        TEST(libllama_answers_one_after_another),
        TEST(who_gives_its_turn_up_leaves_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
