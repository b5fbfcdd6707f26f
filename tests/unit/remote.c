/* A remote model against a server that behaves, and one that does not. */
#include "model/model.h"
#include "model/sse.h"
#include "support/llm_server.h"
#include "support/folder.h"

#include <math.h>

typedef struct Talk {
    Generated got;
    char streamed[256];
    Status status;
} Talk;

static bool add_piece(void *arg, Str piece)
{
    char *to = arg;
    size_t n = strlen(to);
    if (n + piece.n < 255) memcpy(to + n, piece.p, piece.n), to[n + piece.n] = '\0';
    return true;
}

static Model *open_at(Desk *d, const LlmServer *s, const char *fragment)
{
    Model *m = NULL;
    Str spec = ctx_printf(&d->cx, "%s#%s", s->url, fragment);
    setenv("XDG_CONFIG_HOME", d->folder, 1);
    unsetenv("PITH_REMOTE_KEY");
    assert_int_equal(model_open(&d->cx, spec.p, NULL, &m), OK);
    return m;
}

static Talk talk(Desk *d, Model *m)
{
    Talk t = { 0 };
    Message msg[] = { { "user", STR("What is six times seven?") } };
    GenerateOptions o = { .max_tokens = 16, .on_text = add_piece, .arg = t.streamed };
    t.status = model_generate(&d->cx, m, msg, 1, &o, &t.got);
    return t;
}

/* One question to a server in a mood; the reason is left in d->cx. */
static Talk ask_in(Desk *d, LlmMood mood, int good_after, int *requests)
{
    LlmServer s = { .mood = mood, .good_after = good_after };
    if (!llm_server_start(&s)) skip();
    Model *m = open_at(d, &s, "big,timeout=0.4");
    Talk t = talk(d, m);
    model_close(m);
    llm_server_stop(&s);
    if (requests) *requests = s.requests;
    return t;
}

static void streams_an_answer_and_its_account(void **state)
{
    Talk t = ask_in(*state, LLM_GOOD, 0, NULL);
    assert_int_equal(t.status, OK);
    assert_string_equal(t.streamed, "Forty-two.");
    assert_string_equal(t.got.text.p, "Forty-two.");
    assert_int_equal(t.got.prompt_tokens, 11);
    assert_int_equal(t.got.tokens, 3);
}

static void shows_no_thoughts(void **state)
{
    static const char *const said[] = { "<think> six times seven </think> Forty-two.",
                                        "<thi Forty-two.", "<think> what" };
    static const char *const shown[] = { "Forty-two.", "<thi Forty-two.", "" };
    Desk *d = *state;
    for (int i = 0; i < 3; i++) {
        LlmServer s = { .mood = LLM_GOOD, .answer = said[i] };
        if (!llm_server_start(&s)) skip();
        Model *m = open_at(d, &s, "big,timeout=0.4");
        Talk t = talk(d, m);
        model_close(m);
        llm_server_stop(&s);
        assert_int_equal(t.status, OK);
        assert_string_equal(t.streamed, shown[i]);
        assert_string_equal(t.got.text.p, shown[i]);
    }
}

static void understands_a_server_that_does_not_stream(void **state)
{
    Talk t = ask_in(*state, LLM_ONE_OBJECT, 0, NULL);
    assert_int_equal(t.status, OK);
    assert_string_equal(t.streamed, "Forty-two.");
}

static void survives_every_misbehaviour_and_says_which(void **state)
{
    static const struct { LlmMood mood; Status status; const char *says; } cases[] = {
        { LLM_SILENT, E_NET, "400 ms" }, { LLM_STALLS, E_NET, "ms" },
        { LLM_CUT, E_NET, "broke off" }, { LLM_NO_END, E_NET, "broke off" },
        { LLM_500, E_NET, "500: it   broke" }, { LLM_401, E_NET, "key" },
        { LLM_REDIRECT, E_NET, "redirect" }, { LLM_BAD_JSON, E_FORMAT, "JSON" },
        { LLM_ENDLESS, E_LIMIT, "16 tokens" }, { LLM_HUGE_LINE, E_LIMIT, "bytes" },
        { LLM_HTML, E_FORMAT, "text/html" }, { LLM_ERROR_EVENT, E_NET, "out of cards" },
        { LLM_EMPTY, E_NET, "127.0.0.1" }, { LLM_429, E_NET, "429" },
    };
    Desk *d = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Talk t = ask_in(d, cases[i].mood, 0, NULL);
        if (t.status != cases[i].status || !strstr(d->cx.reason, cases[i].says))
            fail_msg("mood %d: status %d, %s", (int)cases[i].mood, (int)t.status,
                     d->cx.reason);
        ctx_forgive(&d->cx);
    }
}

static void tries_again_after_429_and_500(void **state)
{
    int requests;
    Talk t = ask_in(*state, LLM_500, 2, &requests);
    assert_int_equal(t.status, OK);
    assert_int_equal(requests, 3);
    t = ask_in(*state, LLM_429, 1, &requests);
    assert_int_equal(t.status, OK);
    assert_int_equal(requests, 2);
}

static void does_not_try_again_once_text_has_come(void **state)
{
    int requests;
    Talk t = ask_in(*state, LLM_CUT, 1, &requests);
    assert_int_equal(t.status, E_NET);
    assert_int_equal(requests, 1);
    assert_string_equal(t.got.text.p, "For");
}

static void leaves_a_failing_server_alone(void **state)
{
    Desk *d = *state;
    LlmServer s = { .mood = LLM_NO_END };
    if (!llm_server_start(&s)) skip();
    Model *m = open_at(d, &s, "big");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(talk(d, m).status, E_NET);
        if (i == 4) assert_non_null(strstr(d->cx.reason, "left alone"));
        ctx_forgive(&d->cx);
    }
    model_close(m);
    llm_server_stop(&s);
    assert_int_equal(s.requests, 3);
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static bool refuse(void *arg, Str piece)
{
    (void)arg, (void)piece;
    return false;
}

static void stops_when_the_reader_or_the_owner_wants(void **state)
{
    Desk *d = *state;
    LlmServer s = { .mood = LLM_STALLS };
    Message msg[] = { { "user", STR("?") } };
    GenerateOptions o = { .max_tokens = 16, .on_text = refuse };
    Generated got;
    if (!llm_server_start(&s)) skip();
    Model *m = open_at(d, &s, "big");
    assert_int_equal(model_generate(&d->cx, m, msg, 1, &o, &got), OK);
    assert_int_equal(got.finish, FINISH_CALLER);
    d->cx.cancelled = always;
    assert_int_equal(talk(d, m).status, E_CANCELLED);
    model_close(m);
    llm_server_stop(&s);
}

static void embeds_and_scores(void **state)
{
    Desk *d = *state;
    LlmServer s = { .json = "{\"data\":[{\"index\":1,\"embedding\":[0,2]},"
                            "{\"index\":0,\"embedding\":[3,4]}],"
                            "\"results\":[{\"index\":1,\"relevance_score\":2.5},"
                            "{\"index\":0,\"relevance_score\":-1}]}" };
    Str texts[] = { STR("a"), STR("b") };
    float v[4], score[2];
    if (!llm_server_start(&s)) skip();
    Model *m = open_at(d, &s, "e,dim=2");
    assert_int_equal(model_embed(&d->cx, m, EMBED_PASSAGE, texts, 2, v), OK);
    assert_int_equal(model_score(&d->cx, m, STR("q"), texts, 2, score), OK);
    s.json = "{\"data\":[{\"index\":0,\"embedding\":[3,4]},"
             "{\"index\":0,\"embedding\":[1,1]}]}";
    assert_int_equal(model_embed(&d->cx, m, EMBED_PASSAGE, texts, 2, v), E_FORMAT);
    model_close(m);
    llm_server_stop(&s);
    assert_true(fabsf(v[0] - .6f) < 1e-6f && fabsf(v[1] - .8f) < 1e-6f && v[3] == 1);
    assert_true(score[0] == -1 && score[1] == 2.5f);
}

static void refuses_addresses_that_would_leak(void **state)
{
    Desk *d = *state;
    static const char *const bad[] = { "http://", "https://#x", "http://u:p@host/v1",
                                       "http://host#m,dim=x", "http://ho st" };
    Model *m;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++, ctx_forgive(&d->cx))
        assert_int_equal(model_open(&d->cx, bad[i], NULL, &m), E_ARG);
    setenv("PITH_REMOTE_KEY", "secret", 1);
    assert_int_equal(model_open(&d->cx, "http://example.org", NULL, &m), E_ARG);
    unsetenv("PITH_REMOTE_KEY");
}

static void reads_a_key_that_nobody_else_can(void **state)
{
    Desk *d = *state;
    LlmServer s = { 0 };
    Model *m = NULL;
    assert_int_equal(folder_make(&d->cx, at(d, "pith")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "pith/remote.key"), STR("s3cret\n")), OK);
    assert_int_equal(chmod(at(d, "pith/remote.key"), 0644), 0);
    setenv("XDG_CONFIG_HOME", d->folder, 1);
    assert_int_equal(model_open(&d->cx, "http://127.0.0.1:9#m", NULL, &m), E_IO);
    ctx_forgive(&d->cx);
    assert_int_equal(chmod(at(d, "pith/remote.key"), 0600), 0);
    if (!llm_server_start(&s)) skip();
    m = open_at(d, &s, "m");
    assert_int_equal(talk(d, m).status, OK);
    assert_non_null(strstr(s.seen, "Authorization: Bearer s3cret\r\n"));
    model_close(m);
    llm_server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(streams_an_answer_and_its_account),
        TEST(shows_no_thoughts),
        TEST(understands_a_server_that_does_not_stream),
        TEST(survives_every_misbehaviour_and_says_which),
        TEST(tries_again_after_429_and_500),
        TEST(does_not_try_again_once_text_has_come),
        TEST(leaves_a_failing_server_alone),
        TEST(stops_when_the_reader_or_the_owner_wants),
        TEST(embeds_and_scores),
        TEST(refuses_addresses_that_would_leak),
        TEST(reads_a_key_that_nobody_else_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
