/* tune_gate.c -- `pith tune gate`: an adapter is used if it wins, and put aside if not.
 *
 * Both models read the very conversations of the file, which were made of documents held
 * out, and the same questions of general knowledge; then the rule of verdict.h decides.
 * An adapter that lost lies in rejected/ with report.json, one that won has the report
 * beside it and is the store's from then on. */
#include "base/file.h"
#include "eval/gate_page.h"
#include "eval/general.h"
#include "eval/lines.h"
#include "eval/squad.h"
#include "eval/value.h"
#include "eval/verbs.h"
#include "eval/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MAX = 64, ACCEPTED_MAX = 2, ANSWER_TOKENS = 96, CURVE_MAX = 64 << 20 };

/* A question as it is put, its last message included. Texts live in Gate.lines. */
typedef struct Case {
    pith_message before[MESSAGES_MAX];
    size_t n_before;
    const char *put;            // the user's last words
    const char *context;        // a passage to answer from; NULL: none beside the words
    const char *question;       // as shown in the report
    Str accepted[ACCEPTED_MAX];
    size_t n_accepted;
    bool unanswerable;
} Case;

typedef struct Said {
    const char *text;
    Answered score;
    bool refused;
} Said;

typedef struct Gate {
    const Job *job;
    const char *adapter;
    json_t *lines;              // what the file holds
    Case *at;                   // its n lines, then N_GENERAL
    size_t n, all;
    Said *said[2];              // (all) of the base, of the tuned model
} Gate;

/* ---- reading ----------------------------------------------------------------------- */

static void accept(Case *c, const char *answer)
{
    if (answer && *answer) c->accepted[c->n_accepted++] = str_z(answer);
}

static Status from_messages(Ctx *cx, const json_t *list, Case *c)
{
    size_t n = json_array_size(list);
    if (n < 2 || n > MESSAGES_MAX)
        return fail(cx, E_FORMAT, "%zu messages: 2 to %d are wanted", n, MESSAGES_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *m = json_array_get(list, i);
        pith_message one = { text_at(m, "role"), text_at(m, "content") };
        if (!one.role || !one.content)
            return fail(cx, E_FORMAT, "message %zu lacks a role or a content", i + 1);
        const char *due = i + 1 == n ? "assistant" : i + 2 == n ? "user" : NULL;
        if (due && strcmp(one.role, due) != 0)
            return fail(cx, E_FORMAT, "the last two messages are to be the user's and "
                        "the assistant's");
        if (i + 2 < n) c->before[c->n_before++] = one;
        else if (i + 2 == n) c->put = one.content;
        else accept(c, one.content);
    }
    return OK;
}

static Status read_case(Ctx *cx, const json_t *line, Case *c)
{
    const json_t *list = json_object_get(line, "messages");
    c->question = text_at(line, "question");
    if (json_is_array(list)) {
        TRY(from_messages(cx, list, c));
    } else {
        c->put = c->question;
        c->context = text_at(line, "context");
        if (c->context && !*c->context) c->context = NULL;
        accept(c, text_at(line, "answer"));
    }
    if (!c->put || !c->n_accepted)
        return fail(cx, E_FORMAT, "neither \"messages\" nor \"question\" and "
                    "\"answer\"");
    if (!c->question) c->question = c->put;
    c->unanswerable = pith_is_refusal(c->accepted[0].p);
    if (!c->unanswerable) accept(c, text_at(line, "words"));
    return OK;
}

static void ask_in_general(Case *c)
{
    for (size_t i = 0; i < N_GENERAL; i++, c++) {
        c->put = c->question = general[i].question;
        accept(c, general[i].answer[0]);
        accept(c, general[i].answer[1]);
    }
}

static Status read_line(Gate *g, Str line, size_t number)
{
    json_error_t why = { .text = "" };
    Ctx *cx = g->job->cx, one = CTX_INIT;
    json_t *j = json_loadb(line.p, line.n, 0, &why);
    Status st = OK;
    if (!json_is_object(j)) st = fail(&one, E_FORMAT, "not a JSON object: %s", why.text);
    if (st == OK) st = read_case(&one, j, &g->at[g->n]);
    if (st == OK && json_array_append(g->lines, j) != 0)
        st = fail(&one, E_MEMORY, "no memory for it");
    if (st == OK) g->n++;
    else fail(cx, st, "%s, line %zu: %s", g->job->opt->data, number, one.reason);
    json_decref(j);
    ctx_end(&one);
    return st;
}

static Status read_cases(Gate *g)
{
    Ctx *cx = g->job->cx;
    Str text, line;
    TRY(lines_read(cx, g->job->opt->data, &text));
    size_t most = lines_count(text), number = 0, limit = (size_t)g->job->opt->limit;
    if (limit && limit < most) most = limit;
    g->at = ctx_new(cx, Case, most + N_GENERAL);
    for (int k = 0; k < 2; k++) g->said[k] = ctx_new(cx, Said, most + N_GENERAL);
    if (!g->at || !g->said[0] || !g->said[1]) return cx->status;
    while (g->n < most && lines_next(&text, &line)) {
        number++;
        if (str_trim(line).n) TRY(read_line(g, str_trim(line), number));
    }
    if (g->n == 0)
        return fail(cx, E_FORMAT, "%s holds no example to judge by", g->job->opt->data);
    ask_in_general(g->at + g->n);
    g->all = g->n + N_GENERAL;
    return OK;
}

/* ---- asking ------------------------------------------------------------------------ */

static Status ask_one(const Gate *g, pith *p, const Case *c, Said *out)
{
    pith_ask_options o = { .history = c->before, .n_history = c->n_before,
                           .passages = &c->context, .n_passages = c->context ? 1 : 0,
                           .ground = c->context ? PITH_GIVEN : PITH_CLOSED_BOOK,
                           .max_tokens = ANSWER_TOKENS, .route = PITH_ROUTE_SLM };
    pith_answer *a = NULL;
    pith_error why;
    Ctx scratch = CTX_INIT, *cx = g->job->cx;
    if (pith_ask(p, c->put, &o, &a, &why) != PITH_OK) return job_why(g->job, &why);
    Str text = squad_without_marks(cx, str_trim(str_z(a->text)));
    pith_answer_free(a);
    TRY_NEW(text.p);
    out->text = text.p;
    out->refused = pith_is_refusal(text.p) != 0;
    Status st = out->refused ? OK : squad_score(&scratch, text, c->accepted,
                                                c->n_accepted, &out->score);
    if (st != OK) fail(cx, st, "%s", scratch.reason);
    ctx_end(&scratch);
    return st;
}

/* All questions to the tuned model (k = 1), which comes first, or to the base. */
static Status ask_all(const Gate *g, int k)
{
    Job job = *g->job;
    EvalEnv env = *job.env;
    pith *p = NULL;
    Status st = OK;
    env.open.adapter = k ? g->adapter : "none";
    job.env = &env;
    TRY(job_open(&job, env.open.store, &p));
    for (size_t i = 0; i < g->all && st == OK; i++) {
        job_progress(&job, i + (k ? 0 : g->all), 2 * g->all, "questions");
        st = ask_one(g, p, &g->at[i], &g->said[k][i]);
    }
    pith_close(p);
    return st;
}

/* ---- judging ----------------------------------------------------------------------- */

static double value_of(const Said *s, int measure)
{
    switch (measure) {
    case GATE_F1:      return s->score.f1;
    case GATE_REFUSED: return s->refused;
    default:           return s->score.contains;
    }
}

static bool counts_for(const Gate *g, size_t i, int measure)
{
    if (i >= g->n) return measure == GATE_GENERAL;
    return measure != GATE_GENERAL
        && (measure == GATE_REFUSED) == g->at[i].unanswerable;
}

static Status measure(const Gate *g, Measured m[N_GATE])
{
    for (int k = 0; k < N_GATE; k++) {
        m[k] = (Measured){ ctx_new(g->job->cx, double, g->all),
                           ctx_new(g->job->cx, double, g->all), 0 };
        if (!m[k].base || !m[k].tuned) return E_MEMORY;
        for (size_t i = 0; i < g->all; i++) {
            if (!counts_for(g, i, k)) continue;
            m[k].base[m[k].n] = value_of(&g->said[0][i], k);
            m[k].tuned[m[k].n++] = value_of(&g->said[1][i], k);
        }
    }
    return OK;
}

static json_t *row_of(const Measured *m, const Paired *p)
{
    return json_pack("{sI sf sf sf sf sf sf}", "questions", (json_int_t)m->n, "base",
                     stats_mean(m->base, m->n), "tuned", stats_mean(m->tuned, m->n),
                     "difference", p->difference, "low", p->low, "high", p->high, "p",
                     p->p);
}

static void tell(const Gate *g, const Measured m[N_GATE], const Verdict *v)
{
    static const char *const name[N_GATE] = { "f1", "contains", "refused", "general" };
    json_t *rows = json_object(), *to = g->job->result;
    json_object_set_new(to, "verdict", json_string(v->wins ? "win" : "lose"));
    json_object_set_new(to, "better", json_string(v->better ? "yes" : "no"));
    json_object_set_new(to, "refuses", json_string(v->refuses ? "yes" : "no"));
    json_object_set_new(to, "remembers", json_string(v->remembers ? "yes" : "no"));
    for (int k = 0; k < N_GATE; k++)
        json_object_set_new(rows, name[k], row_of(&m[k], &v->of[k]));
    json_object_set_new(to, "figures", rows);
}

/* ---- what becomes of it ------------------------------------------------------------ */

static json_t *examples(const Gate *g)
{
    json_t *list = json_array();
    for (size_t i = 0; i < g->all; i++) {
        const Case *c = &g->at[i];
        const Said *b = &g->said[0][i], *t = &g->said[1][i];
        json_array_append_new(list, json_pack("{ss ss ss ss ss sf sf}",
            "kind", i >= g->n ? "general" : c->unanswerable ? "unanswerable"
                                                            : "answerable",
            "question", c->question, "expected", c->accepted[0].p, "base", b->text,
            "tuned", t->text, "f1_base", b->score.f1, "f1_tuned", t->score.f1));
    }
    return list;
}

/* folder/name, the folder being the adapter's or one in it. */
static const char *beside(const Gate *g, const char *inside, const char *name)
{
    const char *slash = strrchr(g->adapter, '/');
    int n = slash ? (int)(slash - g->adapter) + 1 : 0;
    return ctx_printf(g->job->cx, "%.*s%s%s", n, g->adapter, inside, name).p;
}

/* The page lies beside the report; the losses, where pith trained it, beside the adapter.
 */
static Status write_page(const Gate *g, const json_t *report, const char *path)
{
    Ctx *cx = g->job->cx;
    Str curve = { "", 0 }, page;
    const char *from = beside(g, "", "curve.jsonl");
    if (!from || !path) return E_MEMORY;
    if (file_is_here(from, NULL)) TRY(file_read(cx, from, CURVE_MAX, &curve));
    TRY(gate_page(cx, report, curve, &page));
    TRY(file_write(cx, path, page));
    json_object_set_new(g->job->result, "page", json_string(path));
    return OK;
}

static Status write_report(const Gate *g, const char *path, const char *page)
{
    Ctx *cx = g->job->cx;
    json_t *report = json_copy(g->job->result);
    json_object_set_new(report, "rule", json_string("wins where F1 is better with "
        "p < .05, refusals of the unanswerable are at most .02 fewer and right general "
        "answers at most .05 fewer"));
    json_object_set_new(report, "data", json_string(g->job->opt->data));
    json_object_set_new(report, "examples", examples(g));
    char *text = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    Status st = text ? file_write(cx, path, str_z(text))
                     : fail(cx, E_MEMORY, "no memory for the report");
    if (st == OK) st = write_page(g, report, page);
    json_decref(report);
    free(text);
    return st;
}

static Status put_aside(const Gate *g)
{
    Ctx *cx = g->job->cx;
    const char *slash = strrchr(g->adapter, '/');
    const char *folder = beside(g, "rejected", "");
    const char *to = beside(g, "rejected/", slash ? slash + 1 : g->adapter);
    const char *report = beside(g, "rejected/", "report.json");
    if (!folder || !to || !report) return E_MEMORY;
    TRY(folder_make(cx, folder));
    if (rename(g->adapter, to) != 0)
        return fail(cx, E_IO, "%s: %s", to, strerror(errno));
    json_object_set_new(g->job->result, "adapter", json_string(to));
    json_object_set_new(g->job->result, "report", json_string(report));
    job_warn(g->job, "the adapter did not win: it is not used, and lies in %s", folder);
    return write_report(g, report, beside(g, "rejected/", "report.html"));
}

static Status keep(const Gate *g)
{
    const char *report = beside(g, "", "report.json");
    pith *p = NULL;
    pith_error why;
    if (!report) return E_MEMORY;
    json_object_set_new(g->job->result, "adapter", json_string(g->adapter));
    json_object_set_new(g->job->result, "report", json_string(report));
    TRY(write_report(g, report, beside(g, "", "report.html")));
    char *figures = json_dumps(json_object_get(g->job->result, "figures"), JSON_COMPACT);
    Status st = figures ? job_open(g->job, g->job->env->open.store, &p)
                        : fail(g->job->cx, E_MEMORY, "no memory for the figures");
    if (st == OK && pith_adapter_set(p, g->adapter, figures, &why) != PITH_OK)
        st = job_why(g->job, &why);
    if (st == OK)
        job_warn(g->job, "the adapter won: ask and serve use it from now on; --adapter "
                 "none does without");
    free(figures);
    pith_close(p);
    return st;
}

static Status judge(Gate *g)
{
    Measured m[N_GATE];
    TRY(read_cases(g));
    for (int k = 1; k >= 0; k--) TRY(ask_all(g, k));   // a wrong adapter is told at once
    TRY(measure(g, m));
    Verdict v = verdict_of(m);
    tell(g, m, &v);
    return v.wins ? keep(g) : put_aside(g);
}

/* ---- the verb ---------------------------------------------------------------------- */

static Status show(const Job *j, pith *p)
{
    char *text = NULL;
    pith_error why;
    if (pith_adapter_json(p, &text, &why) != PITH_OK) return job_why(j, &why);
    if (!text) return job_warn(j, "the store has no adapter"), OK;
    json_t *file = json_loads(text, 0, NULL), *figures = json_object_get(file, "figures");
    json_object_update(j->result, file);
    if (json_object_size(figures) == 0) json_object_del(j->result, "figures");
    json_decref(file);
    pith_string_free(text);
    return OK;
}

static Status reset(const Job *j, pith *p)
{
    pith_error why;
    if (pith_adapter_set(p, NULL, NULL, &why) != PITH_OK) return job_why(j, &why);
    job_warn(j, "the store has no adapter from now on");
    return OK;
}

static Status look(const Job *j)
{
    pith *p = NULL;
    TRY(job_open(j, j->env->open.store, &p));
    Status st = j->opt->show ? show(j, p) : reset(j, p);
    pith_close(p);
    return st;
}

static Status gate(const Job *j)
{
    Gate g = { .job = j, .adapter = j->env->open.adapter, .lines = json_array() };
    if (!g.lines) return fail(j->cx, E_MEMORY, "no memory for the examples");
    Status st = file_is_here(g.adapter, NULL) ? judge(&g)
        : fail(j->cx, E_NOTFOUND, "%s: there is no such adapter", g.adapter);
    json_decref(g.lines);
    return st;
}

Status eval_tune_gate(const Job *j)
{
    const EvalOptions *o = j->opt;
    if (o->show && o->reset)
        return fail(j->cx, E_ARG, "--show and --reset exclude each other");
    if (o->show || o->reset) return look(j);
    if (!o->data || !j->env->open.adapter)
        return fail(j->cx, E_ARG, "--adapter and --data are wanted");
    return gate(j);
}
