/* route_report.c -- the router's accounts, from its log: who answered, what it took, and,
 * where both models answered a question, what the escalations were worth. */
#include "base/file.h"
#include "eval/curve.h"
#include "eval/lines.h"
#include "eval/route_figures.h"
#include "eval/route_rows.h"
#include "eval/verbs.h"

#include <math.h>
#include <time.h>

typedef struct Account {
    size_t n, abstained;
    double tokens, cost;
    double *ms;             // (n)
} Account;

enum { SMALL, LARGE, AFTER_DRAFT, FALLBACK, ROUTES };
static const char *const route_name[ROUTES] = {
    "slm", "llm", "llm_after_draft", "slm_fallback",
};

typedef struct Report {
    Account route[ROUTES];
    double first, last;     // seconds since 1970
    double *small, *large, *draft;      // (labelled) of the questions that both answered
    size_t labelled;
    bool failed;
    Ctx *cx;
    size_t room;            // of each array
} Report;

static int route_of(const LogLine *l)
{
    if (l->large) return l->drafted ? AFTER_DRAFT : LARGE;
    return l->fallback ? FALLBACK : SMALL;
}

static void count(void *arg, const LogLine *l)
{
    Report *r = arg;
    Account *a = &r->route[route_of(l)];
    if (!a->ms && !(a->ms = ctx_new(r->cx, double, r->room))) r->failed = true;
    if (r->failed) return;
    a->ms[a->n++] = l->ms;
    a->abstained += l->abstained;
    a->tokens += l->tokens;
    a->cost += l->cost;
    r->first = fmin(r->first, l->time);
    r->last = fmax(r->last, l->time);
    if (!(l->agreement >= 0 && l->agreement <= 1) || !l->drafted) return;
    r->small[r->labelled] = l->agreement;
    r->large[r->labelled] = 1;
    r->draft[r->labelled++] = l->draft;
}

static void tell_day(const Job *j, const char *name, double at)
{
    char day[16];
    time_t seconds = (time_t)at;
    struct tm t;
    if (!localtime_r(&seconds, &t) || !strftime(day, sizeof day, "%Y-%m-%d", &t)) return;
    json_object_set_new(j->result, name, json_string(day));
}

static void tell_routes(const Job *j, Report *r)
{
    json_t *routes = json_object();
    for (int i = 0; i < ROUTES; i++) {
        Account *a = &r->route[i];
        json_object_set_new(routes, route_name[i], json_pack("{sI sI sf sf sf sf}",
            "questions", (json_int_t)a->n, "abstained", (json_int_t)a->abstained,
            "tokens", a->tokens, "cost", a->cost,
            "ms_p50", stats_percentile(a->ms, a->n, .5),
            "ms_p95", stats_percentile(a->ms, a->n, .95)));
    }
    json_object_set_new(j->result, "routes", routes);
}

/* Agreement stands for quality: what the draft had of the large model's answer. */
static Status tell_curve(const Job *j, const Report *r)
{
    Curve mine, chance;
    const Outcomes of = { r->labelled, r->small, r->large };
    if (r->labelled == 0) return OK;
    TRY(curve_make(j->cx, &of, r->draft, &mine));
    TRY(curve_make(j->cx, &of, NULL, &chance));
    job_figure(j, "agreement", curve_quality(&mine, 0));
    job_figure(j, "auc", curve_auc(&mine));
    job_figure(j, "auc_random", curve_auc(&chance));
    return routed_curve(j->cx, &mine, j->result);
}

static Status log_path(Ctx *cx, const EvalOptions *o, Str *out)
{
    Str folder;
    if (o->n_operands) return *out = str_z(o->operand[0]), OK;
    TRY(folder_state(cx, &folder));
    return path_join(cx, folder, STR("route.jsonl"), out);
}

static Status tell(const Job *j, Report *r, size_t others)
{
    size_t n = 0;
    double tokens = 0, cost = 0;
    for (int i = 0; i < ROUTES; i++) {
        n += r->route[i].n;
        tokens += r->route[i].tokens;
        cost += r->route[i].cost;
    }
    job_count(j, "questions", n);
    job_count(j, "lines_of_others", others);
    job_count(j, "answered_by_both", r->labelled);
    job_figure(j, "tokens", tokens);
    job_figure(j, "cost", cost);
    if (n) tell_day(j, "from", r->first);
    if (n) tell_day(j, "to", r->last);
    tell_routes(j, r);
    return tell_curve(j, r);
}

Status eval_route_report(const Job *j)
{
    Ctx *cx = j->cx;
    Str path, text;
    size_t others;
    TRY(log_path(cx, j->opt, &path));
    Status st = lines_read(cx, path.p, &text);
    if (st == E_NOTFOUND) {
        ctx_forgive(cx);
        return fail(cx, E_NOTFOUND, "%s: no question was routed yet: pith ask --remote "
                    "URL --remote-policy auto", path.p);
    }
    TRY(st);
    Report r = { .cx = cx, .first = INFINITY, .last = -INFINITY,
                 .room = lines_count(text) };
    TRY_NEW(r.small = ctx_new(cx, double, r.room));
    TRY_NEW(r.large = ctx_new(cx, double, r.room));
    TRY_NEW(r.draft = ctx_new(cx, double, r.room));
    TRY(log_read(cx, path.p, count, &r, &others));
    if (r.failed) return E_MEMORY;
    return tell(j, &r, others);
}
