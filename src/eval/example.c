/* example.c -- see example.h. */
#include "eval/example.h"

#include "eval/squad.h"
#include "eval/stats.h"
#include "eval/wordset.h"
#include "eval/writer.h"

#include <string.h>

const char *const check_name[N_CHECKS] = {
    "passed", "no_question", "repeated", "not_found", "no_answer", "not_in_passage",
    "nothing_new", "disagrees", "answered_elsewhere",
};

static const double words_there = 0.8;  // of an answer's stems that its passage must have

typedef struct Draft {
    Str question, answer, words;
    bool unanswerable;
    pith_answer *found;                 // what is read for the question; NULL until then
    json_t *messages;                   // NULL until all checks are passed
} Draft;

Status question_set_open(Ctx *cx, QuestionSet *out)
{
    pthread_mutex_init(&out->lock, NULL);
    out->key = json_object();
    return out->key ? OK : fail(cx, E_MEMORY, "no memory for the questions asked");
}

void question_set_close(QuestionSet *s)
{
    json_decref(s->key);
    pthread_mutex_destroy(&s->lock);
}

Str example_key(Ctx *cx, const pith_passage *from)
{
    return ctx_printf(cx, "%s#%zu", from->document, from->start);
}

bool example_is_new(const Maker *m, Str question)
{
    WordSet stems;
    if (wordset_of(m->job->cx, m->words, question, &stems) != OK) return false;
    Str key = wordset_key(m->job->cx, &stems);
    if (!key.p) return false;
    pthread_mutex_lock(&m->asked->lock);
    bool new = !json_object_get(m->asked->key, key.p);
    if (new) json_object_set_new(m->asked->key, key.p, json_true());
    pthread_mutex_unlock(&m->asked->lock);
    return new;
}

/* ---- the answer -------------------------------------------------------------------- */

/* The share of the stems of `said` that the text has. */
static Status share_of(const Maker *m, Str said, Str text, double *out)
{
    WordSet part, whole;
    TRY(wordset_of(m->job->cx, m->words, said, &part));
    TRY(wordset_of(m->job->cx, m->words, text, &whole));
    *out = wordset_share(&part, &whole);
    return OK;
}

/* Does the answer hold the words pointed at, in a row or in any order, or do they share
 * most stems? */
static Status agrees(const Maker *m, const Draft *d, bool *yes)
{
    Answered got;
    double there, of;
    TRY(squad_score(m->job->cx, d->answer, &d->words, 1, &got));
    TRY(share_of(m, d->words, d->answer, &there));
    TRY(share_of(m, d->answer, d->words, &of));
    double f1 = there + of > 0 ? 2 * there * of / (there + of) : 0;
    *yes = got.contains > 0 || there == 1 || f1 >= m->agree;
    return OK;
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

/* The round trip: what pith reads for the question has the passage in it. */
static Status check_found(const Maker *m, const pith_passage *from, Draft *d,
                          Check *check)
{
    TRY(search(m, d, NULL, &d->found));
    *check = CHECK_NOT_FOUND;
    for (size_t i = 0; i < d->found->n_passages; i++)
        if (d->found->passages[i].chunk == from->chunk) *check = CHECK_PASSED;
    return OK;
}

/* The passage and the best others, in the order of the search. */
static Status with_passage(const Maker *m, const pith_passage *from, Draft *d)
{
    const pith_answer *a = d->found;
    pith_passage *at = ctx_new(m->job->cx, pith_passage, m->passages);
    bool there = false;
    size_t n = 0;
    TRY_NEW(at);
    for (size_t i = 0; i < a->n_passages && n < m->passages; i++) {
        bool it = a->passages[i].chunk == from->chunk;
        if (it || n + !there < m->passages) at[n++] = a->passages[i];
        there |= it;
    }
    return talk(m, at, n, d);
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

static Status put_together(const Maker *m, const pith_passage *from, Draft *d,
                           Check *check)
{
    return d->unanswerable ? without_passage(m, from, d, check)
                           : with_passage(m, from, d);
}

/* ---- the checks, in order ---------------------------------------------------------- */

static bool draw(const Maker *m, Str key)
{
    uint64_t state = str_hash(key) ^ m->seed;
    return (double)stats_random(&state, 1000000) < m->unanswerable * 1e6;
}

/* The words of the passage that answer. */
static Status check_words(const Maker *m, const pith_passage *from, Draft *d,
                          Check *check)
{
    double there;
    Answered known;
    TRY(writer_words(m->job, m->p, from, d->question, &d->words));
    Str bare = squad_normal(m->job->cx, d->words);
    TRY_NEW(bare.p);
    if (bare.n == 0 || pith_is_refusal(d->words.p)) return *check = CHECK_NO_ANSWER, OK;
    TRY(share_of(m, d->words, str_z(from->text), &there));
    if (there < words_there) return *check = CHECK_NOT_IN_PASSAGE, OK;
    TRY(squad_score(m->job->cx, d->question, &d->words, 1, &known));
    if (known.contains > 0) *check = CHECK_NOTHING_NEW;
    return OK;
}

/* The answer in a sentence, which is to say the same. */
static Status check_answer(const Maker *m, const pith_passage *from, Draft *d,
                           Check *check)
{
    bool yes;
    double there;
    TRY(writer_answer(m->job, m->p, from, d->question, &d->answer));
    Str a = d->answer;
    if (a.n == 0 || a.p[a.n - 1] == '?' || pith_is_refusal(a.p))
        return *check = CHECK_NO_ANSWER, OK;
    Str known = ctx_printf(m->job->cx, "%s\n%s\n%.*s", from->text, from->title,
                           (int)d->question.n, d->question.p);
    TRY_NEW(known.p);
    TRY(share_of(m, a, known, &there));
    if (there < words_there) return *check = CHECK_NOT_IN_PASSAGE, OK;
    TRY(agrees(m, d, &yes));
    if (!yes) *check = CHECK_DISAGREES;
    return OK;
}

static Status check_question(const Maker *m, const pith_passage *from, Draft *d,
                             Check *check)
{
    TRY(writer_question(m->job, m->p, from, &d->question));
    if (d->question.n == 0) return *check = CHECK_NO_QUESTION, OK;
    bool new = example_is_new(m, d->question);
    TRY(m->job->cx->status);
    if (!new) *check = CHECK_REPEATED;
    return OK;
}

/* What costs least comes first. */
static Status run(const Maker *m, const pith_passage *from, Draft *d, Check *check)
{
    static Status (*const step[])(const Maker *, const pith_passage *, Draft *,
                                  Check *) = {
        check_question, check_found, check_words, check_answer, put_together,
    };
    Str key = example_key(m->job->cx, from);
    TRY_NEW(key.p);
    d->unanswerable = draw(m, key);
    for (size_t i = 0; i < sizeof step / sizeof *step && *check == CHECK_PASSED; i++)
        TRY(step[i](m, from, d, check));
    return OK;
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
    pith_answer_free(d.found);
    json_decref(d.messages);
    return st;
}
