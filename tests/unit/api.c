/* The public API end to end, with the fake model: add, search, ask, refuse, forget. */
#include "pith.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the first four */
#include <cmocka.h>

static const pith_text documents[] = {
    { "lighthouse.md", "Halvorsen lighthouse",
      "# History\n\nThe Halvorsen lighthouse was built in 1871 by the engineer Ingrid "
      "Halvorsen.\n\n# Lamp\n\nThe lamp was automated in 1986. The fog horn uses "
      "compressed air.\n", "markdown", 0 },
    { "museum.md", "Museum",
      "# Opening\n\nThe coast museum opens at ten. Tickets cost four kroner.\n",
      "markdown", 0 },
    { "birds.txt", "Birds",
      "Scientists count sea birds in spring. Records go back to 1952.\n", "text", 0 },
};
enum { N_DOCUMENTS = sizeof documents / sizeof *documents };

typedef struct Fixture {
    char folder[64], store[96];
    pith *p;
} Fixture;

static pith *open_store(const char *store)
{
    pith_options opt = { .store = store, .generator = "fake:", .embedder = "fake:",
                         .reranker = "fake:" };
    pith_error why;
    pith *p = NULL;
    assert_int_equal(pith_open(&opt, &p, &why), 0);
    return p;
}

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    pith_report report;
    pith_error why = { 0 };
    strcpy(f->folder, "/tmp/pith-api-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    snprintf(f->store, sizeof f->store, "%s/store.db", f->folder);
    f->p = open_store(f->store);
    int code = pith_add_texts(f->p, documents, N_DOCUMENTS, NULL, &report, &why);
    if (code) print_error("%s\n", why.message);
    *state = f;
    return code || report.added != N_DOCUMENTS ? -1 : 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    char command[128];
    pith_close(f->p);
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    int code = system(command);
    free(f);
    return code;
}

static pith_answer *asked(Fixture *f, const char *question, const pith_ask_options *opt)
{
    pith_answer *a = NULL;
    pith_error why = { 0 };
    int code = pith_ask(f->p, question, opt, &a, &why);
    if (code) print_error("%s\n", why.message);
    assert_int_equal(code, 0);
    return a;
}

static void answers_with_the_exact_bytes_of_its_source(void **state)
{
    pith_answer *a = asked(*state, "Who built the Halvorsen lighthouse?", NULL);
    assert_false(a->abstained);
    assert_non_null(strstr(a->text, "1871"));
    assert_int_equal(a->n_citations, 1);
    const pith_citation *c = &a->citations[0];
    assert_string_equal(a->passages[c->passage].document, "lighthouse.md");
    assert_memory_equal(documents[0].text + c->start, c->text, c->end - c->start);
    assert_int_equal(c->end - c->start, strlen(c->text));
    pith_answer_free(a);
}

/* A page: its quotation leads to the bytes of the words between tags. */
static void quotes_with_the_exact_bytes_of_a_page(void **state)
{
    Fixture *f = *state;
    static const char page[] = "<html><body><p>The <b>ferry</b> to Brekke "
                               "leaves at seven &amp; at noon.</p></body></html>";
    const pith_text doc = { "ferry.html", NULL, page, "html", 0 };
    pith_ask_options opt = { .quote = 1, .no_abstain = 1 };
    pith_error why;
    assert_int_equal(pith_add_texts(f->p, &doc, 1, NULL, NULL, &why), 0);
    pith_answer *a = asked(f, "When leaves the ferry to Brekke?", &opt);
    assert_int_equal(a->n_quotes, 1);
    assert_int_equal(a->misquoted, 0);
    const pith_quote *q = &a->quotes[0];
    assert_string_equal(q->text, "The ferry to Brekke leaves at seven & at noon.");
    assert_string_equal(a->passages[q->passage].document, "ferry.html");
    assert_memory_equal(page + q->start, "The <b>ferry</b>", 16);
    assert_memory_equal(page + q->end - 8, "at noon.", 8);
    char *json = pith_answer_json(a);
    assert_non_null(strstr(json, "\"quotes\":[{\"document\":\"ferry.html\""));
    pith_string_free(json);
    pith_answer_free(a);
}

static void says_that_the_documents_do_not_say(void **state)
{
    pith_answer *a = asked(*state, "Zanzibar quantum pineapple?", NULL);
    assert_true(a->abstained);
    assert_string_equal(a->text, "The documents do not say.");
    assert_int_equal(a->n_citations, 0);
    pith_answer_free(a);
}

static void gives_the_same_answer_twice(void **state)
{
    pith_answer *a = asked(*state, "When was the lamp automated?", NULL);
    pith_answer *b = asked(*state, "When was the lamp automated?", NULL);
    assert_string_equal(a->text, b->text);
    pith_answer_free(a);
    pith_answer_free(b);
}

static int collect(void *arg, const char *piece, size_t n)
{
    char *all = arg;
    size_t at = strlen(all);
    memcpy(all + at, piece, n);
    all[at + n] = '\0';
    return 0;
}

static void streams_what_it_returns(void **state)
{
    char heard[4096] = "";
    pith_ask_options opt = { .on_text = collect, .arg = heard };
    pith_answer *a = asked(*state, "What do tickets cost?", &opt);
    assert_string_equal(heard, a->text);
    pith_answer_free(a);
}

static void answers_from_given_passages_alone(void **state)
{
    const char *const passages[] = { "The harbour bridge is 310 metres long." };
    pith_ask_options opt = { .ground = PITH_GIVEN, .passages = passages,
                             .n_passages = 1 };
    pith_answer *a = asked(*state, "How long is the harbour bridge?", &opt);
    assert_non_null(strstr(a->text, "310"));
    assert_int_equal(a->n_passages, 1);
    pith_answer_free(a);
}

static void stops_before_the_model_writes_when_only_the_context_is_wanted(void **state)
{
    pith_ask_options opt = { .context_only = 1 };
    pith_answer *a = asked(*state, "When does the coast museum open?", &opt);
    assert_string_equal(a->text, "");
    assert_true(a->n_passages > 0);
    assert_string_equal(a->passages[0].document, "museum.md");
    pith_answer_free(a);
}

static void finds_in_every_mode(void **state)
{
    Fixture *f = *state;
    for (int mode = PITH_HYBRID; mode <= PITH_VECTORS; mode++) {
        pith_search_options opt = { .k = 3, .mode = mode };
        pith_results *r;
        pith_error why;
        assert_int_equal(pith_search(f->p, "count sea birds", &opt, &r, &why), 0);
        assert_true(r->n > 0);
        assert_string_equal(r->at[0].document, "birds.txt");
        pith_results_free(r);
    }
}

static void forgets_what_was_removed(void **state)
{
    Fixture *f = *state;
    size_t removed;
    pith_error why;
    assert_int_equal(pith_remove(f->p, "museum.md", &removed, &why), 0);
    assert_int_equal(removed, 1);
    pith_results *r;
    pith_search_options opt = { .mode = PITH_WORDS };
    assert_int_equal(pith_search(f->p, "tickets kroner", &opt, &r, &why), 0);
    assert_int_equal(r->n, 0);
    pith_results_free(r);
    assert_int_equal(pith_remove(f->p, "museum.md", &removed, &why), PITH_E_NOTFOUND);
}

static void reads_while_another_handle_writes(void **state)
{
    Fixture *f = *state;
    pith *reader = open_store(f->store);
    pith_results *r;
    pith_error why;
    assert_int_equal(pith_search(reader, "lighthouse", NULL, &r, &why), 0);
    assert_true(r->n > 0);
    pith_results_free(r);
    assert_int_equal(pith_add_texts(reader, documents, 1, NULL, NULL, &why), PITH_E_BUSY);
    pith_close(reader);
}

static void reembeds_and_still_finds(void **state)
{
    Fixture *f = *state;
    pith_options opt = { .store = f->store, .embedder = "fake:dim=32", .reranker = "none",
                         .generator = "fake:" };
    pith_error why;
    pith_report report;
    pith_results *r;
    pith_close(f->p);
    f->p = NULL;
    assert_int_equal(pith_open(&opt, &f->p, &why), 0);
    assert_int_equal(pith_search(f->p, "sea birds", NULL, &r, &why), PITH_E_MODEL);
    assert_int_equal(pith_reembed(f->p, NULL, &report, &why), 0);
    assert_int_equal(report.changed, N_DOCUMENTS);
    assert_int_equal(pith_search(f->p, "count sea birds", NULL, &r, &why), 0);
    assert_string_equal(r->at[0].document, "birds.txt");
    pith_results_free(r);
}

static void refuses_empty_questions_and_impossible_options(void **state)
{
    Fixture *f = *state;
    pith_answer *a;
    pith_results *r;
    pith_error why;
    pith_ask_options hot = { .temperature = -1 };
    pith_search_options many = { .k = 1 << 20 };
    assert_int_equal(pith_ask(f->p, " \n", NULL, &a, &why), PITH_E_ARG);
    assert_null(a);
    assert_int_equal(pith_ask(f->p, "Who?", &hot, &a, &why), PITH_E_ARG);
    assert_int_equal(pith_search(f->p, "", NULL, &r, &why), PITH_E_ARG);
    assert_int_equal(pith_search(f->p, "x", &many, &r, &why), PITH_E_ARG);
    assert_null(r);
    assert_true(why.message[0] != '\0');
}

static void reading_ahead_wants_room_and_a_model_that_can_be_kept(void **state)
{
    Fixture *f = *state;
    pith_options opt = { .store = f->store, .generator = "fake:", .kv_mib = -1 };
    pith_warmed done;
    pith_error why;
    pith *p;
    assert_int_equal(pith_open(&opt, &p, &why), PITH_E_ARG);
    assert_int_equal(pith_warm(f->p, NULL, NULL, &done, &why), PITH_E_ARG);
    opt.kv_mib = 1;
    assert_int_equal(pith_open(&opt, &p, &why), 0);
    assert_int_equal(pith_warm(p, NULL, NULL, &done, &why), PITH_E_MODEL);
    assert_true(done.passages >= N_DOCUMENTS);
    assert_int_equal(done.read + done.before, 0);
    pith_close(p);
}

static void tells_that_there_is_no_store_yet(void **state)
{
    Fixture *f = *state;
    char path[128];
    pith_results *r;
    pith_error why;
    snprintf(path, sizeof path, "%s/absent.db", f->folder);
    pith *p = open_store(path);
    assert_int_equal(pith_search(p, "x", NULL, &r, &why), PITH_E_NOTFOUND);
    assert_non_null(strstr(why.message, "pith add"));
    pith_close(p);
}

static int always(void *arg)
{
    (void)arg;
    return 1;
}

static void stops_when_cancelled(void **state)
{
    Fixture *f = *state;
    pith_options opt = { .store = f->store, .generator = "fake:", .embedder = "fake:",
                         .reranker = "fake:", .cancelled = always };
    pith *p;
    pith_answer *a;
    pith_error why;
    assert_int_equal(pith_open(&opt, &p, &why), 0);
    assert_int_equal(pith_ask(p, "Who built the lighthouse?", NULL, &a, &why),
                     PITH_E_CANCELLED);
    pith_close(p);
}

enum { SHARERS = 6 };

typedef struct Sharer {
    pthread_t thread;
    pith *p;
    pith_answer *a;
    int code;
} Sharer;

static void *ask_alone(void *arg)
{
    Sharer *s = arg;
    s->code = pith_ask(s->p, "Who built the Halvorsen lighthouse?", NULL, &s->a, NULL);
    return NULL;
}

static void handles_that_share_models_answer_at_the_same_time(void **state)
{
    Fixture *f = *state;
    pith_answer *want = asked(f, "Who built the Halvorsen lighthouse?", NULL);
    pith_options opt = { .store = f->store, .generator = "fake:slow_ms=5",
                         .embedder = "fake:", .reranker = "fake:", .read_only = 1,
                         .answers = SHARERS };
    Sharer s[SHARERS] = { 0 };
    for (int i = 0; i < SHARERS; i++) {
        assert_int_equal(pith_open(&opt, &s[i].p, NULL), 0);
        opt.share = s[0].p;
    }
    for (int i = 0; i < SHARERS; i++)
        assert_int_equal(pthread_create(&s[i].thread, NULL, ask_alone, &s[i]), 0);
    for (int i = 0; i < SHARERS; i++) {
        pthread_join(s[i].thread, NULL);
        assert_int_equal(s[i].code, 0);
        assert_string_equal(s[i].a->text, want->text);
        pith_answer_free(s[i].a);
        pith_close(s[i].p);          // the first of them is closed first
    }
    pith_answer_free(want);
}

static void a_model_that_is_shared_is_loaded_once(void **state)
{
    Fixture *f = *state;
    pith_options opt = { .store = f->store, .generator = "fake:", .embedder = "fake:",
                         .reranker = "fake:" };
    pith *first, *second;
    float *v = NULL;
    int dim = 0;
    const char *text = "otter";
    assert_int_equal(pith_open(&opt, &first, NULL), 0);
    assert_int_equal(pith_embed(first, 1, &text, 1, &v, &dim, NULL), 0);
    pith_vectors_free(v);
    opt.share = first;
    opt.embedder = "fake:dim=7";     // not opened: the other one is there
    assert_int_equal(pith_open(&opt, &second, NULL), 0);
    pith_close(first);
    assert_int_equal(pith_embed(second, 1, &text, 1, &v, &dim, NULL), 0);
    assert_int_equal(dim, 64);
    pith_vectors_free(v);
    pith_close(second);
    opt = (pith_options){ .answers = 25 };
    assert_int_equal(pith_open(&opt, &second, NULL), PITH_E_ARG);
}

static void gives_json_that_holds_the_contract(void **state)
{
    static const char *const keys[] = { "\"answer\":", "\"abstained\":",
        "\"citations\":[{\"n\":", "\"passages\":[", "\"model\":", "\"route\":",
        "\"tokens\":{\"prompt\":", "\"timings_ms\":{", "\"start\":", "\"end\":",
        "\"section\":" };
    pith_answer *a = asked(*state, "Who built the Halvorsen lighthouse?", NULL);
    char *json = pith_answer_json(a);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(strstr(json, keys[i]));
    pith_string_free(json);
    pith_answer_free(a);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(answers_with_the_exact_bytes_of_its_source),
        CASE(quotes_with_the_exact_bytes_of_a_page),
        CASE(says_that_the_documents_do_not_say),
        CASE(gives_the_same_answer_twice),
        CASE(streams_what_it_returns),
        CASE(answers_from_given_passages_alone),
        CASE(stops_before_the_model_writes_when_only_the_context_is_wanted),
        CASE(finds_in_every_mode),
        CASE(forgets_what_was_removed),
        CASE(reads_while_another_handle_writes),
        CASE(reembeds_and_still_finds),
        CASE(refuses_empty_questions_and_impossible_options),
        CASE(reading_ahead_wants_room_and_a_model_that_can_be_kept),
        CASE(tells_that_there_is_no_store_yet),
        CASE(stops_when_cancelled),
        CASE(handles_that_share_models_answer_at_the_same_time),
        CASE(a_model_that_is_shared_is_loaded_once),
        CASE(gives_json_that_holds_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
