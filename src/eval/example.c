/* example.c -- see example.h. */
#include "eval/example.h"

#include "eval/squad.h"
#include "eval/stats.h"
#include "eval/wordset.h"
#include "eval/writer.h"

#include <string.h>

const char *const check_name[N_CHECKS] = {
    "passed", "no_question", "repeated", "no_answer", "not_in_passage", "disagrees",
    "nothing_new", "not_found", "answered_elsewhere",
};

enum { ANSWER_TOKENS = 96 };
static const double words_there = 0.8;  // of an answer's stems that its passage must have

typedef struct Draft {
    Str question, answer, words;
    bool unanswerable;
    json_t *messages;                   // NULL until all checks are passed
} Draft;

Str example_key(Ctx *cx, const pith_passage *from)
{
    return ctx_printf(cx, "%s#%zu", from->document, from->start);
}

bool example_is_new(const Maker *m, Str question)
{
    WordSet stems;
    if (wordset_of(m->job->cx, m->words, question, &stems) != OK) return false;
    Str key = wordset_key(m->job->cx, &stems);
    if (!key.p || json_object_get(m->asked, key.p)) return false;
    json_object_set_new(m->asked, key.p, json_true());
    return true;
}

/* ---- the answer -------------------------------------------------------------------- */

/* In one short sentence, as pith answers from the passage alone; n = 0: it did not. */
static Status write_answer(const Maker *m, const pith_passage *from, Draft *d)
{
    const pith_ask_options o = { .ground = PITH_GIVEN, .passages = &from->text,
                                 .n_passages = 1, .max_tokens = ANSWER_TOKENS,
                                 .route = PITH_ROUTE_SLM };
    pith_answer *a = NULL;
    pith_error why;
    if (pith_ask(m->p, d->question.p, &o, &a, &why) != PITH_OK)
        return job_why(m->job, &why);
    Str text = squad_without_marks(m->job->cx, str_trim(str_z(a->text)));
    bool usable = text.n && !a->abstained && !a->finish_length
                  && text.p[text.n - 1] != '?' && !pith_is_refusal(text.p);
    d->answer = usable ? text : (Str){ "", 0 };
    pith_answer_free(a);
    return text.p ? OK : E_MEMORY;
}

/* The share of the stems of `said` that the text has. */
static Status share_of(const Maker *m, Str said, Str text, double *out)
{
    WordSet part, whole;
    TRY(wordset_of(m->job->cx, m->words, said, &part));
    TRY(wordset_of(m->job->cx, m->words, text, &whole));
    *out = wordset_share(&part, &whole);
    return OK;
}

/* Do the words pointed at stand in the answer in one row, or make up most of it? */
static Status agrees(const Maker *m, const pith_passage *from, Draft *d, bool *yes)
{
    Answered got;
    Ctx *cx = m->job->cx;
    TRY(writer_words(m->job, m->p, from, d->question, &d->words));
    TRY(squad_score(cx, d->answer, &d->words, 1, &got));
    Str bare = squad_normal(cx, d->words);
    *yes = bare.n > 0 && (got.contains > 0 || got.f1 >= m->agree);
    return bare.p ? OK : E_MEMORY;
}

/* ---- the conversation -------------------------------------------------------------- */

/* What pith would read for the question; without this document, where it is not NULL. */
static Status search(const Maker *m, const Draft *d, const char *without,
                     pith_answer **out)
{
    pith_ask_options o = { .context_only = 1, .no_abstain = 1, .without = &without,
                           .n_without = without ? 1 : 0, .route = PITH_ROUTE_SLM };
    pith_error why;
    o.context_tokens = m->job->opt->context_tokens;
    return pith_ask(m->p, d->question.p, &o, out, &why) == PITH_OK
        ? OK : job_why(m->job, &why);
}

/* The passage and the best others, in the order of the search. False: it is not there. */
static bool choose(const Maker *m, const pith_answer *a, int64_t chunk, pith_passage *to,
                   size_t *n)
{
    bool there = false;
    *n = 0;
    for (size_t i = 0; i < a->n_passages; i++) {
        bool it = a->passages[i].chunk == chunk;
        if (it || *n + !there < m->passages) to[(*n)++] = a->passages[i];
        there |= it;
        if (*n == m->passages) break;
    }
    return there;
}

static Status talk(const Maker *m, const pith_passage *at, size_t n, Draft *d)
{
    char *json = NULL;
    pith_error why;
    Str answer = d->unanswerable ? str_z(pith_refusal()) : d->answer;
    if (pith_prompt(d->question.p, at, n, &json, &why) != PITH_OK)
        return job_why(m->job, &why);
    d->messages = json_loads(json, 0, NULL);
    pith_string_free(json);
    json_t *said = json_pack("{ss ss#}", "role", "assistant", "content", answer.p,
                             (int)answer.n);
    return json_array_append_new(d->messages, said) == 0
        ? OK : fail(m->job->cx, E_FORMAT, "an answer that is no UTF-8");
}

/* The question where its document is: the round trip. */
static Status with_passage(const Maker *m, const pith_passage *from, Draft *d,
                           Check *check)
{
    size_t n;
    pith_answer *a = NULL;
    pith_passage *at = ctx_new(m->job->cx, pith_passage, m->passages);
    TRY_NEW(at);
    TRY(search(m, d, NULL, &a));
    bool there = choose(m, a, from->chunk, at, &n);
    if (!there) *check = CHECK_NOT_FOUND;
    Status st = there && !d->unanswerable ? talk(m, at, n, d) : OK;
    pith_answer_free(a);
    return st;
}

/* The same question where its document is not. */
static Status without_passage(const Maker *m, const pith_passage *from, Draft *d,
                              Check *check)
{
    pith_answer *a = NULL;
    TRY(search(m, d, from->document, &a));
    size_t n = a->n_passages < m->passages ? a->n_passages : m->passages;
    Status st = OK;
    if (n == 0) *check = CHECK_ELSEWHERE;
    for (size_t i = 0; i < n && st == OK; i++) {
        double there = 0;
        st = share_of(m, d->words, str_z(a->passages[i].text), &there);
        if (there == 1) *check = CHECK_ELSEWHERE;
    }
    if (st == OK && *check == CHECK_PASSED) st = talk(m, a->passages, n, d);
    pith_answer_free(a);
    return st;
}

/* ---- the checks, in order ---------------------------------------------------------- */

static bool draw(const Maker *m, Str key)
{
    uint64_t state = str_hash(key) ^ m->seed;
    return (double)stats_random(&state, 1000000) < m->unanswerable * 1e6;
}

static Status check_answer(const Maker *m, const pith_passage *from, Draft *d,
                           Check *check)
{
    bool yes;
    double there, known;
    TRY(write_answer(m, from, d));
    if (d->answer.n == 0) return *check = CHECK_NO_ANSWER, OK;
    TRY(share_of(m, d->answer, str_z(from->text), &there));
    if (there < words_there) return *check = CHECK_NOT_IN_PASSAGE, OK;
    TRY(agrees(m, from, d, &yes));
    if (!yes) return *check = CHECK_DISAGREES, OK;
    TRY(share_of(m, d->words, d->question, &known));
    if (known == 1) *check = CHECK_NOTHING_NEW;
    return OK;
}

static Status run(const Maker *m, const pith_passage *from, Draft *d, Check *check)
{
    Ctx *cx = m->job->cx;
    Str key = example_key(cx, from);
    TRY_NEW(key.p);
    TRY(writer_question(m->job, m->p, from, &d->question));
    if (d->question.n == 0) return *check = CHECK_NO_QUESTION, OK;
    bool new = example_is_new(m, d->question);
    TRY(cx->status);
    if (!new) return *check = CHECK_REPEATED, OK;
    TRY(check_answer(m, from, d, check));
    if (*check != CHECK_PASSED) return OK;
    d->unanswerable = draw(m, key);
    TRY(with_passage(m, from, d, check));
    if (*check != CHECK_PASSED || !d->unanswerable) return OK;
    return without_passage(m, from, d, check);
}

static void set_text(json_t *line, const char *name, Str text)
{
    if (text.n) json_object_set_new(line, name, json_stringn(text.p, text.n));
}

static json_t *line_of(const pith_passage *from, const Draft *d, Check check)
{
    json_t *line = json_object();
    const char *kind = check != CHECK_PASSED ? check_name[check]
                     : d->unanswerable ? "unanswerable" : "answerable";
    set_text(line, "kind", str_z(kind));
    set_text(line, "document", str_z(from->document));
    set_text(line, "question", d->question);
    if (check != CHECK_PASSED) set_text(line, "answer", d->answer);
    set_text(line, "words", d->words);
    if (d->messages) json_object_set(line, "messages", d->messages);
    return line;
}

Status example_make(const Maker *m, const pith_passage *from, Check *check, json_t **line)
{
    Draft d = { 0 };
    *check = CHECK_PASSED;
    *line = NULL;
    Status st = run(m, from, &d, check);
    if (st == OK && !(*line = line_of(from, &d, *check)))
        st = fail(m->job->cx, E_MEMORY, "no memory for an example");
    json_decref(d.messages);
    return st;
}
