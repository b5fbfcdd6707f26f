/* Who answers: the rules of the owner, the score, and what crosses the wire. */
#include "ask/route.h"
#include "pith.h"
#include "support/llm_server.h"
#include "support/folder.h"

#include <math.h>

#define SECRET "xylophone-4711"

static const pith_text documents[] = {
    { "open/lighthouse.md", "Lighthouse",
      "The Halvorsen lighthouse was built in 1871 by Ingrid Halvorsen.", "markdown", 0 },
    { "secret/plan.md", "Plan " SECRET,
      "The merger of Halvorsen is planned under the word " SECRET ".", "markdown", 0 },
};

typedef struct Owner {
    const char *url;
    int policy;
    long day_tokens;
    int (*may_send)(void *arg, const char *why);
    double day_seconds;
    const char *model;      // NULL: one that waits 0.3 s
    int (*cancelled)(void *arg);
} Owner;

static const Owner nobody_there = { .url = "http://127.0.0.1:1",
                                    .policy = PITH_REMOTE_AUTO };

static pith *open_as(Desk *d, const Owner *o)
{
    pith_options opt = { .store = at(d, "store.db"), .generator = "fake:",
                         .embedder = "fake:", .reranker = "fake:", .remote = o->url,
                         .remote_model = o->model ? o->model : "big,timeout=0.3",
                         .remote_policy = o->policy, .cancelled = o->cancelled,
                         .remote_day_seconds = o->day_seconds,
                         .remote_day_tokens = o->day_tokens, .may_send = o->may_send,
                         .remote_price_in = 1, .remote_price_out = 2 };
    pith_error why;
    pith *p = NULL;
    setenv("XDG_CONFIG_HOME", d->folder, 1);
    setenv("XDG_STATE_HOME", d->folder, 1);
    unsetenv("PITH_REMOTE_KEY");
    assert_int_equal(folder_make(&d->cx, at(d, "pith")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "pith/private"),
                                STR("# never sent\nsecret/\n")), OK);
    assert_int_equal(pith_open(&opt, &p, &why), 0);
    if (!file_is_here(opt.store, NULL))
        assert_int_equal(pith_add_texts(p, documents, 2, NULL, NULL, &why), 0);
    return p;
}

static pith_answer *asked(pith *p, const char *question, const pith_ask_options *opt)
{
    pith_answer *a = NULL;
    pith_error why = { 0 };
    if (pith_ask(p, question, opt, &a, &why)) fail_msg("%s", why.message);
    return a;
}

#define OPEN_QUESTION "Who built the Halvorsen lighthouse?"
#define SECRET_QUESTION "Under which word is the merger planned?"
static const pith_ask_options large = { .route = PITH_ROUTE_LLM, .no_abstain = 1,
                                        .filter_margin = 1 };

/* What a failing server may see of an open question and must not see of a private one. */
static void private_text_never_crosses_the_wire_in_any_mood(void **state)
{
    Desk *d = *state;
    const pith_message history[] = { { "user", SECRET_QUESTION },
                                     { "assistant", "It is " SECRET "." } };
    for (int mood = 0; mood < LLM_MOODS; mood++) {
        if (mood == LLM_429) continue;   // waits a second for each try; same path as 500
        LlmServer s = { .mood = (LlmMood)mood };
        if (!llm_server_start(&s)) skip();
        pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO });
        pith_ask_options talking = large;
        talking.history = history;
        talking.n_history = 2;
        pith_answer *a = asked(p, SECRET_QUESTION, &large);
        pith_answer *b = asked(p, "And the lighthouse?", &talking);
        assert_string_equal(a->route, "slm");
        assert_string_equal(b->route, "slm");
        assert_non_null(strstr(a->route_reasons[0], "private"));
        assert_int_equal(a->remote_tokens + b->remote_tokens, 0);
        pith_answer_free(a);
        pith_answer_free(b);
        a = asked(p, OPEN_QUESTION, &large);
        assert_string_equal(a->route, a->fallback ? "slm" : "llm");
        assert_true(strlen(a->text) > 0);
        pith_answer_free(a);
        pith_close(p);
        assert_true(s.requests > 0);
        assert_null(memmem(s.seen, s.n_seen, SECRET, strlen(SECRET)));
        assert_null(memmem(s.seen, s.n_seen, "merger", 6));
        assert_non_null(memmem(s.seen, s.n_seen, "1871", 4));
        llm_server_stop(&s);
    }
}

/* ---- an embedder and a reranker elsewhere ------------------------------------------ */

#define VECTOR "{\"data\":[{\"index\":0,\"embedding\":[3,4]}],\"results\":" \
    "[{\"index\":0,\"relevance_score\":1}]}"

static pith *open_with(Desk *d, const char *store, const char *embedder,
                       const char *reranker)
{
    pith_options opt = { .store = at(d, store), .generator = "fake:",
                         .embedder = embedder, .reranker = reranker };
    pith_error why;
    pith *p = NULL;
    setenv("XDG_CONFIG_HOME", d->folder, 1);
    assert_int_equal(folder_make(&d->cx, at(d, "pith")), OK);
    assert_int_equal(pith_open(&opt, &p, &why), 0);
    return p;
}

static void list_private(Desk *d, const char *lines)
{
    assert_int_equal(file_write(&d->cx, at(d, "pith/private"), str_z(lines)), OK);
}

static int searched(pith *p, pith_error *why)
{
    const pith_search_options opt = { .rerank = 5 };
    pith_results *found = NULL;
    int code = pith_search(p, "lighthouse", &opt, &found, why);
    if (code == 0) assert_int_equal(found->n, 1);
    pith_results_free(found);
    return code;
}

/* Each document and question is sent for its vector but what is private; once something
 * in the store is, nothing more is. */
static void an_embedder_elsewhere_is_given_nothing_private(void **state)
{
    Desk *d = *state;
    LlmServer s = { .json = VECTOR };
    pith_report report;
    pith_error why;
    if (!llm_server_start(&s)) skip();
    Str spec = ctx_printf(&d->cx, "%s#e,dim=2", s.url);
    pith *p = open_with(d, "e.db", spec.p, "none");
    list_private(d, "secret/\n");
    assert_int_equal(pith_add_texts(p, documents, 2, NULL, &report, &why), 0);
    assert_true(report.added == 1 && report.failed == 1);
    assert_int_equal(searched(p, &why), 0);
    assert_int_equal(s.requests, 2);
    list_private(d, "open/\n");
    assert_int_equal(searched(p, &why), PITH_E_ARG);
    assert_non_null(strstr(why.message, "private"));
    assert_int_equal(pith_reembed(p, NULL, NULL, &why), PITH_E_ARG);
    pith_close(p);
    assert_int_equal(s.requests, 2);
    assert_non_null(memmem(s.seen, s.n_seen, "1871", 4));
    assert_null(memmem(s.seen, s.n_seen, SECRET, strlen(SECRET)));
    assert_null(memmem(s.seen, s.n_seen, "merger", 6));
    llm_server_stop(&s);
}

static void a_reranker_elsewhere_reads_no_store_with_something_private(void **state)
{
    Desk *d = *state;
    LlmServer s = { .json = VECTOR };
    pith_error why;
    if (!llm_server_start(&s)) skip();
    Str spec = ctx_printf(&d->cx, "%s#r", s.url);
    pith *p = open_with(d, "r.db", "fake:", spec.p);
    assert_int_equal(pith_add_texts(p, documents, 1, NULL, NULL, &why), 0);
    assert_int_equal(searched(p, &why), 0);
    assert_int_equal(s.requests, 1);
    list_private(d, "# mine\nsecret/\n");
    assert_int_equal(searched(p, &why), 0);
    assert_int_equal(s.requests, 2);
    assert_int_equal(pith_add_texts(p, documents + 1, 1, NULL, NULL, &why), 0);
    assert_int_equal(searched(p, &why), PITH_E_ARG);
    pith_close(p);
    assert_int_equal(s.requests, 2);
    assert_null(memmem(s.seen, s.n_seen, SECRET, strlen(SECRET)));
    llm_server_stop(&s);
}

/* A link in an open folder leads to a private file: to the large model, an embedder and
 * a reranker it is private. */
static void a_link_to_what_is_private_is_private(void **state)
{
    Desk *d = *state;
    LlmServer s = { .json = VECTOR };
    pith_report report;
    pith_error why;
    const char *folder[] = { at(d, "open") };
    if (!llm_server_start(&s)) skip();
    assert_int_equal(folder_make(&d->cx, at(d, "secret")), OK);
    assert_int_equal(folder_make(&d->cx, at(d, "open")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "secret/plan.md"),
                                STR("The lighthouse is sold under " SECRET ".")), OK);
    assert_int_equal(symlink(at(d, "secret/plan.md"), at(d, "open/link.md")), 0);
    pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO });
    list_private(d, at(d, "secret/"));
    assert_int_equal(pith_add(p, folder, 1, NULL, &report, &why), 0);
    assert_int_equal(report.added, 1);
    pith_answer *a = asked(p, "Under which word is the lighthouse sold?", &large);
    assert_string_equal(a->route, "slm");
    assert_non_null(strstr(a->route_reasons[0], "private"));
    pith_answer_free(a);
    pith_close(p);
    p = open_with(d, "store.db", "fake:", ctx_printf(&d->cx, "%s#r", s.url).p);
    assert_int_equal(searched(p, &why), PITH_E_ARG);
    pith_close(p);
    p = open_with(d, "e.db", ctx_printf(&d->cx, "%s#e,dim=2", s.url).p, "none");
    assert_int_equal(pith_add(p, folder, 1, NULL, &report, &why), 0);
    assert_int_equal(report.failed, 1);
    pith_close(p);
    assert_int_equal(s.requests, 0);
    llm_server_stop(&s);
}

static void a_generator_is_never_elsewhere(void **state)
{
    Desk *d = *state;
    LlmServer s = { 0 };
    pith_error why;
    pith_answer *a = NULL;
    if (!llm_server_start(&s)) skip();
    pith_options opt = { .store = at(d, "g.db"), .generator = s.url, .embedder = "fake:",
                         .reranker = "fake:" };
    pith *p = NULL;
    assert_int_equal(pith_open(&opt, &p, &why), 0);
    assert_int_equal(pith_add_texts(p, documents, 1, NULL, NULL, &why), 0);
    assert_int_equal(pith_ask(p, OPEN_QUESTION, &large, &a, &why), PITH_E_ARG);
    assert_non_null(strstr(why.message, "--remote"));
    pith_close(p);
    llm_server_stop(&s);
    assert_int_equal(s.requests, 0);
}

/* ---- leave and budgets ------------------------------------------------------------- */

static void sends_nothing_unless_the_owner_says_so(void **state)
{
    Desk *d = *state;
    LlmServer s = { 0 };
    if (!llm_server_start(&s)) skip();
    const Owner owners[] = { { .url = s.url },
                             { .url = s.url, .policy = PITH_REMOTE_ASK },
                             { .url = s.url, .policy = PITH_REMOTE_AUTO,
                               .day_tokens = 10 } };
    for (int i = 0; i < 3; i++) {
        pith *p = open_as(d, &owners[i]);
        pith_answer *a = asked(p, OPEN_QUESTION, &large);
        assert_string_equal(a->route, "slm");
        pith_answer_free(a);
        pith_close(p);
    }
    llm_server_stop(&s);
    assert_int_equal(s.requests, 0);
}

static int yes(void *arg, const char *why)
{
    (void)arg;
    return *why != '\0';
}

static void asks_the_owner_and_counts_what_was_used(void **state)
{
    Desk *d = *state;
    LlmServer s = { .answer = "Ingrid Halvorsen built it in 1871." };
    Str usage;
    if (!llm_server_start(&s)) skip();
    pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_ASK,
                                   .may_send = yes });
    pith_answer *a = asked(p, OPEN_QUESTION, &large);
    char *json = pith_answer_json(a);
    assert_string_equal(a->route, "llm");
    assert_string_equal(a->model, "big");
    assert_non_null(strstr(s.seen, "\r\nPith-Ground: no\r\n"));
    assert_int_equal(a->n_citations, 1);
    assert_int_equal(a->remote_tokens, 14);
    assert_true(fabs(a->remote_cost - (11 * 1 + 3 * 2) / 1e6) < 1e-12);
    assert_non_null(strstr(json, "\"remote\":{\"tokens\":14,\"cost\":1.7"));
    pith_string_free(json);
    pith_answer_free(a);
    pith_close(p);
    llm_server_stop(&s);
    assert_int_equal(file_read(&d->cx, at(d, "pith/remote-usage.json"), 999, &usage), OK);
    assert_non_null(strstr(usage.p, "\"tokens\":14,"));
    assert_int_equal(file_read(&d->cx, at(d, "pith/route.jsonl"), 9999, &usage), OK);
    assert_non_null(strstr(usage.p, "\"route\":\"llm\""));
    assert_null(strstr(usage.p, "Halvorsen"));
}

/* A pith that stands in as the large model must read what it is sent, and only that. */
static void a_talk_without_documents_goes_to_the_model_as_it_stands(void **state)
{
    Desk *d = *state;
    const pith_message history[] = { { "system", "Use the passages." } };
    const pith_ask_options plain = { .ground = PITH_CLOSED_BOOK }, talk = {
        .ground = PITH_CLOSED_BOOK, .history = history, .n_history = 1 };
    pith *p = open_as(d, &(Owner){ .policy = PITH_REMOTE_NEVER });
    pith_answer *a = asked(p, OPEN_QUESTION, &plain), *b = asked(p, OPEN_QUESTION, &talk);
    for (size_t i = 0; i < b->n_stages; i++)
        assert_string_not_equal(b->stages[i].name, "rewrite");
    assert_string_equal(b->question, OPEN_QUESTION);
    assert_true(b->prompt_tokens < a->prompt_tokens);   // its instruction, not ours too
    pith_answer_free(a);
    pith_answer_free(b);
    pith_close(p);
}

/* The budget is what is left of it, whoever spends it: the first answer is on its way. */
typedef struct Spender {
    pith *p;
    _Atomic bool stop;
} Spender;
static Spender spender;

static int is_to_stop(void *arg)
{
    (void)arg;
    return spender.stop;
}

static void *spend(void *arg)
{
    pith_answer *a = NULL;
    pith_error why;
    (void)arg;
    assert_int_equal(pith_ask(spender.p, OPEN_QUESTION, &large, &a, &why),
                     PITH_E_CANCELLED);
    return NULL;
}

static void two_at_a_time_do_not_pass_the_budget_together(void **state)
{
    Desk *d = *state;
    LlmServer s = { .mood = LLM_SILENT };
    pthread_t thread;
    if (!llm_server_start(&s)) skip();
    spender.stop = false;
    spender.p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO,
                                     .day_tokens = 600, .model = "big,timeout=60",
                                     .cancelled = is_to_stop });
    assert_int_equal(pthread_create(&thread, NULL, spend, NULL), 0);
    while (s.requests == 0) usleep(1000);
    pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO,
                                   .day_tokens = 600 });
    pith_answer *a = asked(p, OPEN_QUESTION, &large);
    assert_string_equal(a->route, "slm");
    assert_non_null(strstr(a->route_reasons[0], "budget"));
    pith_answer_free(a);
    pith_close(p);
    spender.stop = true;
    pthread_join(thread, NULL);
    pith_close(spender.p);
    assert_int_equal(s.requests, 1);
    llm_server_stop(&s);
}

/* A server that never answers may take the second that the day has, and no more. */
static void a_budget_of_seconds_ends_a_call_and_then_forbids(void **state)
{
    Desk *d = *state;
    LlmServer s = { .mood = LLM_SILENT };
    if (!llm_server_start(&s)) skip();
    pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO,
                                   .day_seconds = 1.2, .model = "big,timeout=60" });
    pith_answer *a = asked(p, OPEN_QUESTION, &large);
    assert_string_equal(a->route, "slm");
    assert_non_null(a->fallback);
    assert_true(a->remote_ms > 1000 && a->remote_ms < 30000);
    pith_answer_free(a);
    a = asked(p, OPEN_QUESTION, &large);
    assert_null(a->fallback);
    assert_non_null(strstr(a->route_reasons[0], "budget of seconds"));
    assert_true(a->remote_ms == 0);
    pith_answer_free(a);
    pith_close(p);
    assert_int_equal(s.requests, 1);
    llm_server_stop(&s);
}

static void an_account_that_cannot_be_read_forbids(void **state)
{
    Desk *d = *state;
    LlmServer s = { 0 };
    if (!llm_server_start(&s)) skip();
    pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO,
                                   .day_tokens = 100000 });
    assert_int_equal(file_write(&d->cx, at(d, "pith/remote-usage.json"), STR("{")), OK);
    pith_answer *a = asked(p, OPEN_QUESTION, &large);
    assert_string_equal(a->route, "slm");
    assert_non_null(strstr(a->route_reasons[0], "account"));
    pith_answer_free(a);
    pith_close(p);
    llm_server_stop(&s);
    assert_int_equal(s.requests, 0);
}

static void an_offline_server_leaves_the_answer_to_the_small_model(void **state)
{
    Desk *d = *state;
    pith *p = open_as(d, &nobody_there);
    pith_answer *a = asked(p, OPEN_QUESTION, &large);
    assert_string_equal(a->route, "slm");
    assert_non_null(a->fallback);
    assert_non_null(strstr(a->text, "Ingrid"));
    pith_answer_free(a);
    pith_close(p);
}

/* ---- drafts and the owner's weights ------------------------------------------------ */

/* Weights under which a question goes to the large model once there is a draft. */
#define AFTER_DRAFT "{\"bias\":-9,\"threshold\":0.5,\"features\":{\"draft_wordy\":" \
    "{\"weight\":9000,\"usual\":0}}}"

static void weights(Desk *d, const char *json)
{
    assert_int_equal(folder_make(&d->cx, at(d, "pith")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "pith/route.json"), str_z(json)), OK);
}

static int collect(void *arg, const char *piece, size_t n)
{
    buf_add(arg, (Str){ piece, n });
    return 0;
}

static void a_poor_draft_is_never_shown_and_the_large_model_writes(void **state)
{
    Desk *d = *state;
    LlmServer s = { .answer = "It was Ingrid Halvorsen." };
    Buf shown = BUF(9999);
    const pith_ask_options opt = { .no_abstain = 1, .filter_margin = 1,
                                   .on_text = collect, .arg = &shown };
    if (!llm_server_start(&s)) skip();
    weights(d, AFTER_DRAFT);
    pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO });
    pith_answer *a = asked(p, OPEN_QUESTION, &opt);
    assert_string_equal(a->route, "llm");
    assert_true(a->route_score < .01 && a->draft_score > .99);
    assert_string_equal(a->route_reasons[0], "the small model's answer is long");
    assert_non_null(memmem(shown.p, shown.n, "It was Ingrid", 13));
    assert_null(memmem(shown.p, shown.n, "1871", 4));   // the draft's words
    assert_int_equal(s.requests, 1);
    pith_answer_free(a);
    pith_close(p);
    buf_free(&shown);
    llm_server_stop(&s);
}

static void a_draft_stands_in_where_the_large_model_fails(void **state)
{
    Desk *d = *state;
    Buf shown = BUF(9999);
    const pith_ask_options opt = { .no_abstain = 1, .filter_margin = 1,
                                   .on_text = collect, .arg = &shown };
    weights(d, AFTER_DRAFT);
    pith *p = open_as(d, &nobody_there);
    pith_answer *a = asked(p, OPEN_QUESTION, &opt);
    assert_string_equal(a->route, "slm");
    assert_non_null(a->fallback);
    assert_non_null(strstr(a->text, "Ingrid"));
    assert_int_equal(shown.n, strlen(a->text));
    assert_true(a->n_citations > 0 && a->support > 0 && a->support <= 1);
    pith_answer_free(a);
    pith_close(p);
    buf_free(&shown);
}

static void a_server_that_failed_is_not_asked_again_for_the_draft(void **state)
{
    Desk *d = *state;
    const pith_ask_options opt = { .no_abstain = 1, .filter_margin = 1 };
    weights(d, "{\"bias\":9,\"threshold\":0.5,\"features\":{}}");
    pith *p = open_as(d, &nobody_there);
    pith_answer *a = asked(p, OPEN_QUESTION, &opt);
    assert_string_equal(a->route, "slm");
    assert_string_equal(a->model, "fake");
    assert_non_null(a->fallback);
    pith_answer_free(a);
    pith_close(p);
}

/* A passage of 400 words, where the small model is given 64 tokens. */
static void what_is_too_long_for_the_small_model_goes_to_the_large_one(void **state)
{
    Desk *d = *state;
    LlmServer s = { .answer = "It was Ingrid Halvorsen." };
    Buf b = BUF(9999);
    pith_error why;
    pith_answer *a;
    if (!llm_server_start(&s)) skip();
    for (int i = 0; i < 400; i++) buf_addf(&b, "word%d ", i);
    buf_addf(&b, "END");
    const char *given[] = { b.p };
    pith_ask_options opt = { .ground = PITH_GIVEN, .passages = given, .n_passages = 1,
                             .context_tokens = 64, .no_abstain = 1 };
    pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO });
    a = asked(p, OPEN_QUESTION, &opt);
    assert_string_equal(a->route, "llm");
    assert_string_equal(a->route_reasons[0],
                        "the passages are too long for the small model");
    assert_int_equal(a->n_passages, 1);
    assert_non_null(strstr(s.seen, "word399 END"));
    for (size_t i = 0; i < a->n_stages; i++) assert_true(a->stages[i].ms >= 0);
    pith_answer_free(a);
    opt.route = PITH_ROUTE_SLM;
    assert_int_equal(pith_ask(p, OPEN_QUESTION, &opt, &a, &why), PITH_E_LIMIT);
    assert_non_null(strstr(why.message, "the large model was not asked"));
    pith_close(p);
    buf_free(&b);
    llm_server_stop(&s);
}

/* Two passages, of which the small model's budget holds one. */
static void the_large_model_reads_more_where_it_may(void **state)
{
    Desk *d = *state;
    LlmServer s = { .answer = "It was Ingrid Halvorsen." };
    Buf b = BUF(9999);
    if (!llm_server_start(&s)) skip();
    for (int i = 0; i < 50; i++) buf_addf(&b, "word%d ", i);
    buf_addf(&b, "FIRST");
    const char *given[] = { b.p, "Ingrid Halvorsen built the lighthouse. SECOND" };
    pith_ask_options opt = { .ground = PITH_GIVEN, .passages = given, .n_passages = 2,
                             .context_tokens = 64, .no_abstain = 1,
                             .route = PITH_ROUTE_LLM };
    pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO });
    pith_answer *a = asked(p, OPEN_QUESTION, &opt);
    assert_int_equal(a->n_passages, 1);
    assert_int_equal(a->left_out, 1);
    assert_null(strstr(s.seen, "SECOND"));
    pith_answer_free(a);
    opt.remote_context_tokens = 640;
    a = asked(p, OPEN_QUESTION, &opt);
    assert_int_equal(a->n_passages, 2);
    assert_non_null(strstr(s.seen, "SECOND"));
    pith_answer_free(a);
    pith_close(p);
    buf_free(&b);
    llm_server_stop(&s);
}

static void names_what_it_measured(void **state)
{
    Desk *d = *state;
    pith *p = open_as(d, &nobody_there);
    const pith_ask_options small = { .route = PITH_ROUTE_SLM, .no_abstain = 1 };
    pith_answer *a = asked(p, OPEN_QUESTION, &small);
    char *json = pith_answer_json(a);
    double x = 0;
    for (size_t i = 0; i < a->n_route_features; i++) {
        const pith_feature *f = &a->route_features[i];
        assert_string_equal(f->name, pith_route_feature((int)i));
        x += f->weight * (f->value - f->usual);
    }
    assert_null(pith_route_feature((int)a->n_route_features));
    assert_null(pith_route_feature(-1));
    x -= log(a->draft_score / (1 - a->draft_score));    // leaves - bias
    assert_true(fabs(x + route_default.bias) < 1e-3);
    assert_non_null(strstr(json, "\"draft_doubt\":{\"value\":"));
    assert_non_null(strstr(json, "\"draft_score\":"));
    assert_non_null(strstr(json, "\"logprob\":{\"mean\":"));
    pith_string_free(json);
    pith_answer_free(a);
    pith_close(p);
}

static void weights_that_cannot_be_read_forbid(void **state)
{
    static const char *const bad[][2] = {
        { "{", "no JSON in line 1" },
        { "{\"bias\":0,\"features\":{}}", "\"threshold\" of the model" },
        { "{\"bias\":0,\"threshold\":1}", "\"features\" is no object" },
        { "{\"bias\":0,\"threshold\":1,\"features\":{\"speed\":{\"weight\":1}}}",
          "no feature \"speed\"" },
        { "{\"bias\":0,\"threshold\":1,\"features\":{\"far\":{\"weight\":1,"
          "\"scale\":0}}}", "above 0" },
        { "{\"bias\":0,\"threshold\":1,\"features\":{\"far\":{\"weight\":1e9}}}",
          "within 1e6" },
    };
    Desk *d = *state;
    LlmServer s = { 0 };
    if (!llm_server_start(&s)) skip();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        weights(d, bad[i][0]);
        pith *p = open_as(d, &(Owner){ .url = s.url, .policy = PITH_REMOTE_AUTO });
        pith_answer *a = asked(p, OPEN_QUESTION, &large);
        assert_string_equal(a->route, "slm");
        if (!strstr(a->route_reasons[0], bad[i][1])) fail_msg("%s", a->route_reasons[0]);
        pith_answer_free(a);
        pith_close(p);
    }
    llm_server_stop(&s);
    assert_int_equal(s.requests, 0);
}

/* ---- the score --------------------------------------------------------------------- */

static Passage passage(const char *uri, const char *text, float logit)
{
    return (Passage){ .chunk = { .uri = str_z(uri), .text = str_z(text) },
                      .rerank = logit, .sentence = NAN, .vector = .8f,
                      .prompt_tokens = 100 };
}

/* A reader of questions who is wary of comparisons and of words without a passage. */
static const RouteModel wary = {
    .bias = -2.2f, .threshold = .5f,
    .weight = { [ROUTE_COMPARE] = 1.4f, [ROUTE_APART] = 1.6f, [ROUTE_MISSING] = 1.2f },
};

static Decision decide(Desk *d, const char *question, Passage *p, size_t n)
{
    Decision out;
    Passages ps = { p, n, 0, 0 };
    RouteRules rules = { .tokens_left = INFINITY, .model = &wary };
    RouteInput in = { .question = str_z(question), .passages = &ps, .confidence = .9f,
                      .max_tokens = 100 };
    assert_int_equal(route_decide(&d->cx, &rules, &in, &out), OK);
    return out;
}

static void a_comparison_over_two_documents_goes_to_the_large_model(void **state)
{
    Passage p[] = { passage("a", "Nils Dahl was born in 1901 in Bergen.", 2),
                    passage("b", "Olga Brandt was born in 1899 in Oslo.", 1.9f) };
    Decision hard = decide(*state, "Who was older, Nils Dahl or Olga Brandt?", p, 2);
    Decision easy = decide(*state, "Where was Nils Dahl born?", p, 1);
    assert_int_equal(hard.route, ROUTE_LLM);
    assert_int_equal(easy.route, ROUTE_SLM);
    assert_string_equal(hard.reason[0].p,
                        "'Nils Dahl' and 'Olga Brandt' are found in different documents");
    assert_true(hard.feature[ROUTE_COMPARE] == 1 && easy.feature[ROUTE_COMPARE] == 0);
}

/* Doubt is usual, and would do; but the draft may turn out to be without. */
static void waits_for_the_draft_while_it_may_turn_out_well(void **state)
{
    Desk *d = *state;
    Passage p[] = { passage("a", "Nils Dahl was born in 1901 in Bergen.", 2) };
    Passages ps = { p, 1, 0, 0 };
    const RouteModel m = { .bias = .1f, .threshold = .5f,
                           .weight[ROUTE_DOUBT] = 1, .usual[ROUTE_DOUBT] = .4f };
    RouteRules rules = { .tokens_left = INFINITY, .model = &m };
    RouteInput in = { .question = STR("Where was Nils Dahl born?"), .passages = &ps };
    const RouteDraft sure = { .mean_logprob = -.1f }, unsure = { .mean_logprob = -.6f };
    Decision out;
    assert_int_equal(route_decide(&d->cx, &rules, &in, &out), OK);
    assert_true(out.score > .5f && out.route == ROUTE_SLM && out.may_escalate);
    route_weigh_draft(&d->cx, &rules, &sure, &out);
    assert_int_equal(out.route, ROUTE_SLM);
    route_weigh_draft(&d->cx, &rules, &unsure, &out);
    assert_int_equal(out.route, ROUTE_LLM);
    assert_string_equal(out.reason[0].p, "the small model was unsure of its answer");
}

static void says_which_word_no_passage_covers(void **state)
{
    Passage p[] = { passage("a", "Norway lies in the north.", -3) };
    Decision it = decide(*state, "What is the capital of Norway?", p, 1);
    assert_true(it.feature[ROUTE_MISSING] == .5f);
    Decision whole = decide(*state, "Where does Norway lie?", p, 1);
    assert_true(whole.feature[ROUTE_MISSING] == 0);
    assert_true(it.score > whole.score);
}

/* The small model reads one passage, the large one would read the private one too. */
static void looks_for_private_text_in_all_that_would_be_sent(void **state)
{
    Desk *d = *state;
    Passage p[] = { passage("open/a", "Nils Dahl was born in Bergen.", 2),
                    passage("secret/b", "Nils Dahl was born in 1901.", 1) };
    const Str below[] = { STR("secret/") };
    Passages small = { p, 1, 1, 0 }, wide = { p, 2, 0, 0 };
    RouteRules rules = { .tokens_left = INFINITY, .force = ROUTE_FORCE_LLM,
                         .private_below = below, .n_private = 1 };
    RouteInput in = { .question = STR("Where was Nils Dahl born?"), .passages = &small,
                      .confidence = .9f, .max_tokens = 100 };
    Decision out;
    assert_int_equal(route_decide(&d->cx, &rules, &in, &out), OK);
    assert_int_equal(out.route, ROUTE_LLM);
    in.sent = &wide;
    assert_int_equal(route_decide(&d->cx, &rules, &in, &out), OK);
    assert_int_equal(out.route, ROUTE_SLM);
    assert_false(out.may_escalate);
    in.too_long = true;
    assert_int_equal(route_decide(&d->cx, &rules, &in, &out), OK);
    assert_int_equal(out.route, ROUTE_SLM);
}

static void no_passage_is_no_question_for_anybody(void **state)
{
    assert_int_equal(decide(*state, "Where?", NULL, 0).route, ROUTE_ABSTAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(private_text_never_crosses_the_wire_in_any_mood),
        TEST(an_embedder_elsewhere_is_given_nothing_private),
        TEST(a_reranker_elsewhere_reads_no_store_with_something_private),
        TEST(a_link_to_what_is_private_is_private),
        TEST(a_generator_is_never_elsewhere),
        TEST(sends_nothing_unless_the_owner_says_so),
        TEST(asks_the_owner_and_counts_what_was_used),
        TEST(a_talk_without_documents_goes_to_the_model_as_it_stands),
        TEST(two_at_a_time_do_not_pass_the_budget_together),
        TEST(a_budget_of_seconds_ends_a_call_and_then_forbids),
        TEST(an_account_that_cannot_be_read_forbids),
        TEST(an_offline_server_leaves_the_answer_to_the_small_model),
        TEST(a_poor_draft_is_never_shown_and_the_large_model_writes),
        TEST(a_draft_stands_in_where_the_large_model_fails),
        TEST(a_server_that_failed_is_not_asked_again_for_the_draft),
        TEST(what_is_too_long_for_the_small_model_goes_to_the_large_one),
        TEST(the_large_model_reads_more_where_it_may),
        TEST(names_what_it_measured),
        TEST(weights_that_cannot_be_read_forbid),
        TEST(a_comparison_over_two_documents_goes_to_the_large_model),
        TEST(waits_for_the_draft_while_it_may_turn_out_well),
        TEST(says_which_word_no_passage_covers),
        TEST(looks_for_private_text_in_all_that_would_be_sent),
        TEST(no_passage_is_no_question_for_anybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
