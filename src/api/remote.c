/* remote.c -- see remote.h. */
#include "api/remote.h"

#include "api/private.h"
#include "api/purse.h"
#include "api/route_file.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LEAST_SECONDS 1.0   // that are worth a call
#define MOST_SECONDS 60.0   // of a call, where seconds are counted

static Status state_path(Ctx *cx, Str name, Str *out)
{
    Str folder;
    TRY(folder_state(cx, &folder));
    TRY(folder_make(cx, folder.p));
    return path_join(cx, folder, name, out);
}

/* ---- weights ---------------------------------------------------------------------- */

/* The owner's weights, where `pith route fit` left some. */
static Status read_weights(Ctx *cx, RouteRules *r)
{
    Str folder, path;
    RouteModel *m = ctx_new(cx, RouteModel, 1);
    TRY_NEW(m);
    if (folder_config(cx, &folder) == E_NOTFOUND) return ctx_forgive(cx), OK;
    TRY(cx->status);
    TRY(path_join(cx, folder, STR("route.json"), &path));
    Status st = route_model_read(cx, path.p, m);
    if (st == OK) return r->model = m, OK;
    if (st == E_MEMORY) return st;
    if (st != E_NOTFOUND) r->forbidden = ctx_printf(cx, "%s", cx->reason).p;
    ctx_forgive(cx);
    return st == E_NOTFOUND || r->forbidden ? OK : E_MEMORY;
}

/* ---- budget ------------------------------------------------------------------------ */

static double dearest(const RemoteRules *r)
{
    return fmax(r->price_in, r->price_out) / 1e6;
}

static Status read_budget(Ctx *cx, const pith *p, RouteRules *r)
{
    Spent left;
    Status st = purse_left(cx, &p->remote, &left);
    if (st == E_MEMORY) return st;
    if (st != OK) {
        ctx_forgive(cx);
        r->forbidden = "today's account of use cannot be read";
        return OK;
    }
    r->tokens_left = left.tokens;
    if (dearest(&p->remote) > 0)
        r->tokens_left = fmin(r->tokens_left, left.cost / dearest(&p->remote));
    if (left.seconds < LEAST_SECONDS)
        r->forbidden = "today's budget of seconds is used up";
    return OK;
}

/* With a budget of seconds no answer may take more than a part of what is left. */
static double seconds_for(const RemoteRules *r, const Spent *left)
{
    return r->day_seconds > 0 ? fmin(left->seconds, MOST_SECONDS) : 0;
}

static Spent taken(const RemoteRules *r, const RouteTaken *t)
{
    return (Spent){ t->tokens, t->tokens * dearest(r), t->seconds };
}

static const char *take(void *arg, RouteTaken *t)
{
    const pith *p = arg;
    Ctx cx = CTX_INIT;
    Spent left;
    bool enough = false;
    Status st = purse_left(&cx, &p->remote, &left);
    t->seconds = seconds_for(&p->remote, &left);
    Spent much = taken(&p->remote, t);
    if (st == OK && left.seconds >= LEAST_SECONDS)
        st = purse_take(&cx, &p->remote, &much, &enough);
    ctx_end(&cx);
    if (st != OK) return "today's account of use cannot be kept";
    return enough ? NULL : "today's budget is used up";
}

/* ---- before the answer ------------------------------------------------------------- */

static bool owner_lets(void *arg, const char *why)
{
    const pith *p = arg;
    return p->remote.may_send(p->arg, why) != 0;
}

static Status open_model(Ctx *cx, pith *p)
{
    if (p->remote.model) return OK;
    const char *name = p->remote.name ? p->remote.name : "";
    Str spec = ctx_printf(cx, "%s%s%s", p->remote.url, *name ? "#" : "", name);
    TRY_NEW(spec.p);
    if (!str_starts(spec, STR("http://")) && !str_starts(spec, STR("https://")))
        return fail(cx, E_ARG, "%s: a remote model is at http:// or https://", spec.p);
    return model_open(cx, spec.p, NULL, &p->remote.model);
}

Status remote_prepare(Ctx *cx, pith *p, const pith_ask_options *o, Asker *a,
                      AskOptions *opt)
{
    RouteRules *r = &opt->route;
    if (o->route < PITH_ROUTE_AUTO || o->route > PITH_ROUTE_LLM)
        return fail(cx, E_ARG, "route %d: auto, slm and llm are known", o->route);
    if (!p->remote.url || p->remote.policy == PITH_REMOTE_NEVER) return OK;
    TRY(open_model(cx, p));
    a->remote = p->remote.model;
    r->force = (RouteForce)o->route;
    TRY(read_weights(cx, r));
    TRY(private_read(cx, r));
    TRY(read_budget(cx, p, r));
    r->take = take;
    r->arg = p;
    if (p->remote.policy != PITH_REMOTE_ASK) return OK;
    r->may_send = p->remote.may_send ? owner_lets : NULL;
    if (!r->may_send) r->forbidden = "the owner wants to be asked, and cannot be";
    return OK;
}

/* ---- after it ---------------------------------------------------------------------- */

double remote_cost(const pith *p, const Answer *got)
{
    if (!got->was_sent) return 0;
    double out = got->fallback.n ? 0 : got->generated.tokens, in = got->sent_tokens - out;
    return (in * p->remote.price_in + out * p->remote.price_out) / 1e6;
}

/* Where both models wrote: how much the draft had of the large one's answer. */
static Status add_agreement(Ctx *cx, const Answer *got, json_t *j)
{
    float same;
    if (!got->draft.p || got->fallback.n) return OK;
    TRY(route_agreement(cx, got->draft, got->generated.text, &same));
    json_object_set_new(j, "agreement", json_real(same));
    return OK;
}

static json_t *decision_json(const pith *p, const Answer *got, double ms)
{
    const Decision *d = &got->decision;
    json_t *features = json_object();
    for (int f = 0; f < ROUTE_FEATURES; f++)
        json_object_set_new(features, route_feature_name((RouteFeature)f),
                            json_real(d->feature[f]));
    json_t *j = json_pack("{sI ss sf sb sI sf sf sb so}", "time", (json_int_t)time(NULL),
                          "route", d->route == ROUTE_LLM ? "llm" : "slm", "score",
                          (double)d->score, "fallback", got->fallback.n > 0, "tokens",
                          (json_int_t)got->sent_tokens, "cost", remote_cost(p, got),
                          "ms", ms, "abstained", got->abstained, "features", features);
    if (j && d->model && !isnan(d->draft_score))
        json_object_set_new(j, "draft_score", json_real(d->draft_score));
    return j;
}

/* One write of one line, which O_APPEND keeps whole among processes. */
static Status add_line(Ctx *cx, Str text)
{
    Str path;
    TRY(state_path(cx, STR("route.jsonl"), &path));
    int fd = open(path.p, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n;
    int why = errno;
    if (fd >= 0) close(fd);
    return good ? OK : fail(cx, E_IO, "%s: %s", path.p, strerror(why));
}

Status remote_account(Ctx *cx, const pith *p, const Answer *got)
{
    const Spent before = taken(&p->remote, &got->taken);
    const Spent used = { got->sent_tokens, remote_cost(p, got), got->sent_ms / 1000 };
    return got->was_sent ? purse_settle(cx, &before, &used) : OK;
}

Status remote_log(Ctx *cx, const pith *p, const Answer *got, double ms)
{
    json_t *j = decision_json(p, got, ms);
    if (j && add_agreement(cx, got, j) != OK) return json_decref(j), cx->status;
    char *dump = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    Str line = dump ? ctx_printf(cx, "%s\n", dump) : (Str){ NULL, 0 };
    json_decref(j);
    free(dump);
    if (!line.p) return fail(cx, E_MEMORY, "no memory for a line of the log");
    return add_line(cx, line);
}
