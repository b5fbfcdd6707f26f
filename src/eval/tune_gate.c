/* tune_gate.c -- `pith tune gate`: an adapter is used if it wins, and put aside if not.
 *
 * Both models read the very conversations of the file, which were made of documents held
 * out, and the same questions of general knowledge; then the rule of verdict.h decides.
 * An adapter that forgets too much is tried at a smaller scale before, which is a point
 * between the base and what was trained (Wortsman et al., arXiv 2109.01903): the largest
 * of `scales` at which it does not, by questions that judge nothing afterwards. How much
 * better its answers are plays no part there, so that every question that has an answer
 * is unseen when the verdict is made.
 *
 * An adapter that lost lies in rejected/ with report.json; one that won has the report
 * beside it and, or rather its copy of the chosen scale, is the store's from then on. */
#include "base/file.h"
#include "eval/gate_cases.h"
#include "eval/gate_page.h"
#include "eval/squad.h"
#include "eval/verbs.h"
#include "eval/verdict.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_TOKENS = 96, GENERAL_TOKENS = 48, CURVE_MAX = 64 << 20, N_SCALES = 5 };

static const double scales[N_SCALES] = { 1, 0.7, 0.5, 0.35, 0.25 };

typedef struct Said {
    const char *text;
    Answered score;
    bool refused;
} Said;

typedef struct Gate {
    const Job *job;
    const char *adapter;        // as it came
    const char *used;           // the same, or a copy of another scale
    double scale;
    Cases cases;
    Said *said[2];              // (cases.all) of the base, of the tuned model
    json_t *tried;              // what each scale lost, in the order of trial
    double along, square;       // of those: sums of scale x loss, scale^2
    size_t choosing;            // how many questions choose
    size_t asked, to_ask;
} Gate;

/* ---- asking ------------------------------------------------------------------------ */

static Status ask_one(const Gate *g, pith *p, const Case *c, Said *out)
{
    pith_ask_options o = { .history = c->before, .n_history = c->n_before,
                           .passages = &c->context, .n_passages = c->context ? 1 : 0,
                           .ground = c->context ? PITH_GIVEN : PITH_CLOSED_BOOK,
                           .max_tokens = c->general ? GENERAL_TOKENS : ANSWER_TOKENS,
                           .route = PITH_ROUTE_SLM };
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

/* The questions that choose, or those that judge, to the base (k = 0) or to the adapter
 * that g->used is (k = 1). */
static Status ask_all(Gate *g, int k, bool chooses)
{
    Job job = *g->job;
    EvalEnv env = *job.env;
    pith *p = NULL;
    Status st = OK;
    env.open.adapter = k ? g->used : "none";
    job.env = &env;
    TRY(job_open(&job, env.open.store, &p));
    for (size_t i = 0; i < g->cases.all && st == OK; i++) {
        if (g->cases.at[i].chooses != chooses) continue;
        job_progress(&job, g->asked++, g->to_ask, "questions");
        st = ask_one(g, p, &g->cases.at[i], &g->said[k][i]);
    }
    pith_close(p);
    return st;
}

/* ---- measuring --------------------------------------------------------------------- */

static double value_of(const Said *s, int measure)
{
    switch (measure) {
    case GATE_F1:      return s->score.f1;
    case GATE_REFUSED: return s->refused;
    default:           return s->score.contains;
    }
}

static bool counts_for(const Case *c, int measure)
{
    if (c->general) return measure == GATE_GENERAL;
    return measure != GATE_GENERAL && (measure == GATE_REFUSED) == c->unanswerable;
}

static Status measure(const Gate *g, bool chooses, Measured m[N_GATE])
{
    Ctx *cx = g->job->cx;
    for (int k = 0; k < N_GATE; k++) {
        m[k] = (Measured){ ctx_new(cx, double, g->cases.all),
                           ctx_new(cx, double, g->cases.all), 0 };
        if (!m[k].base || !m[k].tuned) return E_MEMORY;
        for (size_t i = 0; i < g->cases.all; i++) {
            const Case *c = &g->cases.at[i];
            if (c->chooses != chooses || !counts_for(c, k)) continue;
            m[k].base[m[k].n] = value_of(&g->said[0][i], k);
            m[k].tuned[m[k].n++] = value_of(&g->said[1][i], k);
        }
    }
    return OK;
}

/* ---- choosing a scale -------------------------------------------------------------- */

/* adapter.gguf at scale .5 is adapter-0.50.gguf. */
static Status scaled(Gate *g, double scale)
{
    Ctx *cx = g->job->cx;
    pith_error why;
    const char *slash = strrchr(g->adapter, '/'), *dot = strrchr(g->adapter, '.');
    bool ends = dot && (!slash || dot > slash);
    size_t n = ends ? (size_t)(dot - g->adapter) : strlen(g->adapter);
    g->scale = scale;
    g->used = g->adapter;
    if (scale == 1) return OK;
    g->used = ctx_printf(cx, "%.*s-%.2f%s", (int)n, g->adapter, scale, g->adapter + n).p;
    if (!g->used) return E_MEMORY;
    return pith_adapter_scale(g->adapter, g->used, scale, &why) == PITH_OK
        ? OK : job_why(g->job, &why);
}

static void unscaled(const Gate *g)
{
    if (g->used != g->adapter) unlink(g->used);
}

/* General knowledge that this scale loses, by a line through nothing and what was lost at
 * all scales tried: a larger one loses more by as much chance, so it tells more. */
static double foreseen(const Gate *g, double scale)
{
    return scale * g->along / g->square;
}

/* Keeps the scale that g->used is of what the base knew, by the questions that choose?
 * At most half of what is allowed, for what is seen in so few is in part chance. */
static Status keeps(Gate *g, bool *out)
{
    Measured m[N_GATE];
    TRY(measure(g, true, m));
    Verdict v = verdict_of(m);
    double loss = -v.of[GATE_GENERAL].difference;
    g->along += g->scale * loss;
    g->square += g->scale * g->scale;
    *out = v.refuses && fmax(loss, foreseen(g, g->scale)) <= VERDICT_GENERAL / 2;
    json_array_append_new(g->tried, json_pack("{sf sI sf sI sf}", "scale", g->scale,
        "general", (json_int_t)m[GATE_GENERAL].n, "general_difference", -loss,
        "unanswerable", (json_int_t)m[GATE_REFUSED].n, "refused_difference",
        v.of[GATE_REFUSED].difference));
    return OK;
}

/* The largest that keeps, without those of which that is not to be expected; the smallest
 * where none does. */
static Status choose(Gate *g)
{
    bool enough = false;
    for (size_t i = 0; i < N_SCALES && !enough; i++) {
        bool first = i == 0, last = i + 1 == N_SCALES;
        if (!first && !last && foreseen(g, scales[i]) > VERDICT_GENERAL / 2) continue;
        if (!first) unscaled(g);
        TRY(scaled(g, scales[i]));
        if (!first) g->to_ask += g->choosing;
        TRY(ask_all(g, 1, true));          // a wrong adapter is told at once
        if (first) TRY(ask_all(g, 0, true));
        TRY(keeps(g, &enough));
    }
    return OK;
}

/* ---- judging ----------------------------------------------------------------------- */

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
    json_object_set_new(to, "scale", json_real(g->scale));
    json_object_set(to, "scales", g->tried);
}

/* ---- what becomes of it ------------------------------------------------------------ */

static json_t *examples(const Gate *g)
{
    json_t *list = json_array();
    for (size_t i = 0; i < g->cases.all; i++) {
        const Case *c = &g->cases.at[i];
        if (c->chooses) continue;
        const Said *b = &g->said[0][i], *t = &g->said[1][i];
        json_array_append_new(list, json_pack("{ss ss ss ss ss sf sf}",
            "kind", c->general ? "general" : c->unanswerable ? "unanswerable"
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
        "answers at most .05 fewer; its scale is the largest that loses at most half as "
        "much on other general questions"));
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
    json_object_set_new(g->job->result, "adapter", json_string(g->used));
    json_object_set_new(g->job->result, "report", json_string(report));
    TRY(write_report(g, report, beside(g, "", "report.html")));
    char *figures = json_dumps(json_object_get(g->job->result, "figures"), JSON_COMPACT);
    Status st = figures ? job_open(g->job, g->job->env->open.store, &p)
                        : fail(g->job->cx, E_MEMORY, "no memory for the figures");
    if (st == OK && pith_adapter_set(p, g->used, figures, &why) != PITH_OK)
        st = job_why(g->job, &why);
    if (st == OK)
        job_warn(g->job, "the adapter won at scale %g: ask and serve use %s from now on; "
                 "--adapter none does without", g->scale, g->used);
    free(figures);
    pith_close(p);
    return st;
}

static Status judge(Gate *g)
{
    Measured m[N_GATE];
    TRY(ask_all(g, 1, false));
    TRY(ask_all(g, 0, false));
    TRY(measure(g, false, m));
    Verdict v = verdict_of(m);
    tell(g, m, &v);
    if (v.wins) return keep(g);
    unscaled(g);
    return put_aside(g);
}

static Status begin(Gate *g)
{
    Ctx *cx = g->job->cx;
    TRY(cases_read(cx, g->job->opt->data, (size_t)g->job->opt->limit, &g->cases));
    for (int k = 0; k < 2; k++) TRY_NEW(g->said[k] = ctx_new(cx, Said, g->cases.all));
    for (size_t i = 0; i < g->cases.all; i++) g->choosing += g->cases.at[i].chooses;
    g->to_ask = 2 * g->cases.all;
    g->tried = json_array();
    return g->tried ? OK : fail(cx, E_MEMORY, "no memory for the scales");
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
    Gate g = { .job = j, .adapter = j->env->open.adapter };
    if (!file_is_here(g.adapter, NULL))
        return fail(j->cx, E_NOTFOUND, "%s: there is no such adapter", g.adapter);
    Status st = begin(&g);
    if (st == OK) st = choose(&g);
    if (st == OK) st = judge(&g);
    if (st != OK && g.used) unscaled(&g);
    json_decref(g.tried);
    cases_close(&g.cases);
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
