/* pair.c -- see pair.h. */
#include "eval/pair.h"

#include "base/file.h"
#include "base/hash.h"
#include "eval/asking.h"
#include "eval/squad.h"
#include "eval/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const fixed[PAIR_FEATURES] = {
    "small", "large", "score", "draft_score", "asked", "tokens", "cost",
};

/* ---- the table --------------------------------------------------------------------- */

static size_t features(void)
{
    size_t n = 0;
    while (pith_route_feature((int)n)) n++;
    return n;
}

static const char *column(size_t i)
{
    return i < PAIR_FEATURES ? fixed[i] : pith_route_feature((int)(i - PAIR_FEATURES));
}

Status pairs_new(Ctx *cx, size_t max, Table *out)
{
    size_t width = PAIR_FEATURES + features();
    const char **name = ctx_new(cx, const char *, width);
    TRY_NEW(name);
    for (size_t i = 0; i < width; i++) name[i] = column(i);
    return table_new(cx, name, width, max, out);
}

Status pairs_check(Ctx *cx, const char *name, const Table *t)
{
    size_t width = PAIR_FEATURES + features();
    for (size_t i = 0; i < width; i++)
        if (i >= t->width || strcmp(t->column[i], column(i)) != 0)
            return fail(cx, E_FORMAT, "%s: column %zu is %s, %s was wanted: is this what "
                        "pith eval route --per-query wrote?", name, i + 2,
                        i < t->width ? t->column[i] : "absent", column(i));
    return OK;
}

Status pairs_kept(Ctx *cx, Kept **out)
{
    Str cache, folder, path;
    TRY(folder_cache(cx, &cache));
    TRY(path_join(cx, cache, STR("eval"), &folder));
    TRY(folder_make(cx, folder.p));
    TRY(path_join(cx, folder, STR("answers.jsonl"), &path));
    return kept_open(cx, path.p, out);
}

/* ---- quality ----------------------------------------------------------------------- */

/* 'y', 'n' or 'm' for yes, no and maybe; 0 for any other word. */
static char verdict(Str word)
{
    if (str_eq(word, STR("yes"))) return 'y';
    if (str_eq(word, STR("no"))) return 'n';
    return str_eq(word, STR("maybe")) ? 'm' : 0;
}

/* The first verdict in a text of SQuAD's normal form; 0: none. */
static char first_verdict(Str text)
{
    while (text.n) {
        const char *space = memchr(text.p, ' ', text.n);
        size_t n = space ? (size_t)(space - text.p) : text.n;
        char is = verdict((Str){ text.p, n });
        if (is) return is;
        n += space != NULL;
        text = (Str){ text.p + n, text.n - n };
    }
    return 0;
}

static Status verdict_quality(Ctx *cx, Str text, const Str *answers, size_t n,
                              bool *decides, double *out)
{
    Str said = squad_normal(cx, text);
    TRY_NEW(said.p);
    *decides = n > 0;
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        Str answer = squad_normal(cx, answers[i]);
        TRY_NEW(answer.p);
        char wanted = verdict(answer);
        *decides &= wanted != 0;
        if (wanted && first_verdict(said) == wanted) *out = 1;
    }
    return OK;
}

Status pair_quality(Ctx *cx, Str text, const Str *answers, size_t n, double *out)
{
    bool decided;
    Answered got;
    text = squad_without_marks(cx, text);
    TRY_NEW(text.p);
    TRY(verdict_quality(cx, text, answers, n, &decided, out));
    if (decided) return OK;
    TRY(squad_score(cx, text, answers, n, &got));
    *out = fmax(got.contains, got.f1);
    return OK;
}

/* ---- asking ------------------------------------------------------------------------ */

/* One question on its way. */
typedef struct Pair {
    const Job *job;
    pith *pith;
    Kept *kept;
    const Question *question;
    pith_ask_options opt;
    pith_answer *found;     // its passages and features, nothing written
} Pair;

static const char *remote_name(const Pair *a)
{
    const char *url = a->job->opt->remote, *name = a->job->opt->remote_model;
    if (!url) url = a->job->env->open.remote;
    if (!url) url = getenv("PITH_REMOTE");
    if (!name) name = a->job->env->open.remote_model;
    if (!name) name = getenv("PITH_REMOTE_MODEL");
    return ctx_printf(a->job->cx, "%s#%s", url ? url : "", name ? name : "").p;
}

/* All that the answer of this writer depends on, as one hash. */
static Status key_of(const Pair *a, const char *writer, Blake2bHex *out)
{
    Buf b = BUF((size_t)64 << 20);
    const pith_answer *f = a->found;
    if (!writer) return E_MEMORY;
    buf_addf(&b, "%s\n%d %d\n%s\n", writer, a->opt.max_tokens, a->opt.no_abstain,
             f->question);
    for (size_t i = 0; i < f->n_passages; i++)
        buf_addf(&b, "%s\n%s\n%s\n\n", f->passages[i].title, f->passages[i].section,
                 f->passages[i].read);
    bool failed = b.failed;
    if (!failed) *out = blake2b_bytes(buf_str(&b));
    buf_free(&b);
    return failed ? fail(a->job->cx, E_MEMORY, "no memory for a question") : OK;
}

static json_t *answer_json(const pith_answer *a)
{
    json_t *drafted = json_object();
    for (size_t i = 0; i < a->n_route_features; i++)
        if (strncmp(a->route_features[i].name, "draft_", 6) == 0)
            json_object_set_new(drafted, a->route_features[i].name,
                                json_real(a->route_features[i].value));
    return json_pack("{ss sb si sf sf so}", "text", a->text, "abstained", a->abstained,
                     "tokens", a->remote_tokens, "cost", a->remote_cost, "ms",
                     a->total_ms, "features", drafted);
}

/* The answer of one of the two, kept or new; borrowed from `kept`. */
static Status answer_of(const Pair *a, int route, const char *writer, json_t **out)
{
    pith_answer *got = NULL;
    pith_error why;
    Blake2bHex key;
    pith_ask_options o = a->opt;
    TRY(key_of(a, writer, &key));
    if ((*out = kept_find(a->kept, key.z))) return OK;
    o.route = route;
    o.no_log = 1;
    if (pith_ask(a->pith, a->question->text.p, &o, &got, &why) != PITH_OK)
        return job_why(a->job, &why);
    bool large = strcmp(got->route, "llm") == 0;
    Status st = OK;
    if (route == PITH_ROUTE_LLM && !large)
        st = fail(a->job->cx, E_NET, "the large model did not answer question %.*s: %s",
                  (int)a->question->id.n, a->question->id.p,
                  got->fallback ? got->fallback
                  : got->n_route_reasons ? got->route_reasons[0]
                  : "no server is named: --remote URL");
    if (st == OK) st = kept_add(a->job->cx, a->kept, key.z, answer_json(got));
    pith_answer_free(got);
    *out = kept_find(a->kept, key.z);
    return st;
}

static Status quality_of(const Pair *a, const json_t *answer, const Str *right, size_t n,
                         double *out)
{
    *out = 0;
    if (json_is_true(json_object_get(answer, "abstained"))) return OK;
    const char *text = text_at(answer, "text");
    Ctx scratch = CTX_INIT;
    Status st = pair_quality(&scratch, str_z(text), right, n, out);
    if (st != OK) fail(a->job->cx, st, "%s", scratch.reason);
    ctx_end(&scratch);
    return st;
}

static Status judge(const Pair *a, const json_t *small, const json_t *large, double *row)
{
    const Question *q = a->question;
    if (q->n_answers || q->unanswerable) {
        TRY(quality_of(a, small, q->answers, q->n_answers, &row[PAIR_SMALL]));
        return quality_of(a, large, q->answers, q->n_answers, &row[PAIR_LARGE]);
    }
    const char *said = text_at(large, "text");
    Str text = squad_without_marks(a->job->cx, str_z(said));
    TRY_NEW(text.p);
    row[PAIR_LARGE] = 1;
    return quality_of(a, small, &text, 1, &row[PAIR_SMALL]);
}

/* Features and both scores: the draft's share of the second is added to the first. */
static void weigh(const Pair *a, const json_t *small, double *row)
{
    const json_t *drafted = json_object_get(small, "features");
    double first = a->found->route_score, x = log(first / (1 - first));
    for (size_t i = 0; i < a->found->n_route_features; i++) {
        const pith_feature *f = &a->found->route_features[i];
        const json_t *known = json_object_get(drafted, f->name);
        double value = known ? json_number_value(known) : f->value;
        row[PAIR_FEATURES + i] = value;
        x += f->weight * (value - f->value);
    }
    row[PAIR_SCORE] = first;
    row[PAIR_DRAFT] = 1 / (1 + exp(-x));
}

static Status ask_both(const Pair *a, double *row)
{
    json_t *small, *large;
    if (a->found->abstained) return OK;
    if (a->found->n_route_features == 0)
        return fail(a->job->cx, E_ARG, "no large model's server is named: --remote URL");
    row[PAIR_ASKED] = 1;
    TRY(answer_of(a, PITH_ROUTE_SLM, a->found->model, &small));
    TRY(answer_of(a, PITH_ROUTE_LLM, remote_name(a), &large));
    weigh(a, small, row);
    row[PAIR_TOKENS] = json_number_value(json_object_get(large, "tokens"));
    row[PAIR_COST] = json_number_value(json_object_get(large, "cost"));
    return judge(a, small, large, row);
}

static double stage_ms(const pith_answer *a, const char *name)
{
    for (size_t i = 0; i < a->n_stages; i++)
        if (strcmp(a->stages[i].name, name) == 0) return a->stages[i].ms;
    return NAN;
}

Status pair_ask(const Job *j, pith *p, Kept *k, const Question *q, double *row,
                double *decision_ms)
{
    Pair a = { j, p, k, q, asking_options(j), NULL };
    pith_ask_options look = a.opt;
    pith_error why;
    look.context_only = 1;
    if (pith_ask(p, q->text.p, &look, &a.found, &why) != PITH_OK) return job_why(j, &why);
    *decision_ms = stage_ms(a.found, "route");
    Status st = ask_both(&a, row);
    pith_answer_free(a.found);
    return st;
}
