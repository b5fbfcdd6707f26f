/* route.c -- see route.h: the rules, then the score, then the reasons in words. */
#include "ask/route_impl.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fitted by `pith route fit` on 148 questions of four collections, answered by Qwen2.5 of
 * 0.5B and of 1.5B (coder, Q4_K_M) from the same passages; the target is (1 + what the
 * large one gains) / 2, the threshold keeps .95 of its quality. Each collection by the
 * weights of the others, area under the curve against chance: NQ .640 to .639, HotpotQA
 * .464 to .420 (p .06), PubMedQA .500 to .475, single topic .509 to .440 (10 questions,
 * p .002). All 21 features, fitted likewise, lost to chance on two: of so few questions
 * only a few weights can be learnt. These four were chosen with the results in sight, so
 * the figures flatter: on 28 further questions of HotpotQA (.435 to .392) and single
 * topic (.387 to .433) nothing but chance is left (p .8). Fit your own. */
const RouteModel route_default = {
    .bias = 0.233f, .threshold = 0.539f,
    .weight = {
        [ROUTE_LENGTH] = 0.249f, [ROUTE_COMPARE] = 0.101f,
        [ROUTE_DOUBT] = 0.403f, [ROUTE_REFUSED] = 0.523f,
    },
    .usual = {
        [ROUTE_LENGTH] = 0.608f, [ROUTE_COMPARE] = 0.120f,
        [ROUTE_DOUBT] = 0.238f, [ROUTE_REFUSED] = 0.107f,
    },
};

static const struct { const char *name, *because; } about[ROUTE_FEATURES] = {
    [ROUTE_LENGTH] = { "length", "the question is long" },
    [ROUTE_EXPLAIN] = { "explain", "it asks for an explanation" },
    [ROUTE_COMPARE] = { "compare", "it asks for a comparison" },
    [ROUTE_GATHER] = { "gather", "it asks to gather or count" },
    [ROUTE_RELATIVE] = { "relative", "it asks about something by way of another" },
    [ROUTE_ENTITIES] = { "entities", "it names several things" },
    [ROUTE_APART] = { "apart", "two names are found in different documents" },
    [ROUTE_MISSING] = { "missing", "a word of the question is in no passage" },
    [ROUTE_LOGIT] = { "logit", "the reranker doubts the best passage" },
    [ROUTE_CLOSE] = { "close", "two passages fit equally well" },
    [ROUTE_UNSURE] = { "unsure", "it is not certain that the passages answer" },
    [ROUTE_DOCUMENTS] = { "documents", "several documents are involved" },
    [ROUTE_TOKENS] = { "tokens", "there is much to read" },
    [ROUTE_LEFT_OUT] = { "left_out", "passages did not fit the context" },
    [ROUTE_FAR] = { "far", "the question is far from what the documents are about" },
    [ROUTE_DOUBT] = { "draft_doubt", "the small model was unsure of its answer" },
    [ROUTE_WORST] = { "draft_worst", "the small model was unsure of one of its words" },
    [ROUTE_UNCITED] = { "draft_uncited", "the passages hardly support the small answer" },
    [ROUTE_LOOSE] = { "draft_loose", "a claim of the small answer has no source" },
    [ROUTE_REFUSED] = { "draft_refused", "the small model found no answer" },
    [ROUTE_WORDY] = { "draft_wordy", "the small model's answer is long" },
};

const char *route_feature_name(RouteFeature f)
{
    return about[f].name;
}

static bool is_below(const RouteRules *rules, Str uri)
{
    for (size_t i = 0; i < rules->n_private; i++)
        if (str_starts(uri, rules->private_below[i])) return true;
    return false;
}

/* Where a uri that is a path really lies: as much of it as is there, for a member of an
 * archive has no path of its own. */
static bool leads_below(const RouteRules *rules, Str uri)
{
    char path[PATH_MAX], real[2 * PATH_MAX];
    if (uri.n == 0 || uri.p[0] != '/' || uri.n >= sizeof path) return false;
    snprintf(path, sizeof path, "%.*s", (int)uri.n, uri.p);
    for (size_t n = uri.n; n > 1;) {
        path[n] = '\0';
        if (realpath(path, real)) {
            size_t known = strlen(real);
            snprintf(real + known, sizeof real - known, "%.*s", (int)(uri.n - n),
                     uri.p + n);
            return is_below(rules, str_z(real));
        }
        while (n > 1 && path[--n] != '/') continue;
    }
    return false;
}

bool route_is_private(const RouteRules *rules, Str uri)
{
    return rules->n_private && (is_below(rules, uri) || leads_below(rules, uri));
}

void route_because(Decision *d, Str reason)
{
    if (d->n_reasons < ROUTE_REASONS && reason.p) d->reason[d->n_reasons++] = reason;
}

void route_keep_here(Decision *d, Str reason)
{
    d->route = ROUTE_SLM;
    d->may_escalate = false;
    d->n_reasons = 0;
    route_because(d, reason);
}

double route_tokens(Str question, const Passages *sent, int max_tokens)
{
    double tokens = max_tokens + (double)question.n / 4 + 64;
    for (size_t i = 0; i < sent->n; i++) tokens += sent->at[i].prompt_tokens;
    return tokens;
}

/* ---- score and reasons ------------------------------------------------------------- */

static float part(const RouteModel *m, const Decision *d, int f)
{
    return m->weight[f] * (d->feature[f] - m->usual[f]);
}

static float weigh(const RouteModel *m, const Decision *d)
{
    float x = m->bias;
    for (int f = 0; f < ROUTE_FEATURES; f++) x += part(m, d, f);
    return 1 / (1 + expf(-x));
}

/* The score if the draft turned out as well as a draft can. Only what would be escalated
 * even then is, without one. */
static float weigh_hopefully(const RouteModel *m, const Decision *d)
{
    Decision best = *d;
    for (int f = ROUTE_DRAFT; f < ROUTE_FEATURES; f++)
        best.feature[f] = m->weight[f] > 0 ? 0 : m->usual[f];
    return weigh(m, &best);
}

static Str words_for(Ctx *cx, RouteFeature f, const RouteSeen *seen)
{
    if (f == ROUTE_APART && seen->apart[0].n)
        return ctx_printf(cx, "'%.*s' and '%.*s' are found in different documents",
                          (int)seen->apart[0].n, seen->apart[0].p, (int)seen->apart[1].n,
                          seen->apart[1].p);
    if (f == ROUTE_MISSING && seen->missing.n)
        return ctx_printf(cx, "no passage covers '%.*s'", (int)seen->missing.n,
                          seen->missing.p);
    return str_z(about[f].because);
}

enum { TOLD = 3 };
#define WORTH_TELLING .05f  // of the logit

/* What is true of a question rather than less true than usual: a reason says that
 * something is there. */
static bool is_there(const Decision *d, int f)
{
    return d->feature[f] > 0 || f == ROUTE_LOGIT;
}

/* The features that spoke most for the large model, up to TOLD of them. */
static void explain(Ctx *cx, const RouteModel *m, Decision *d)
{
    bool told[ROUTE_FEATURES] = { false };
    for (int i = 0; i < TOLD; i++) {
        int best = -1;
        float most = WORTH_TELLING;
        for (int f = 0; f < ROUTE_FEATURES; f++) {
            if (told[f] || !is_there(d, f) || m->weight[f] < 0) continue;
            if (part(m, d, f) > most) best = f, most = part(m, d, f);
        }
        if (best < 0) break;
        told[best] = true;
        route_because(d, words_for(cx, (RouteFeature)best, &d->seen));
    }
    if (!d->n_reasons) route_because(d, STR("all in all the large model should gain"));
}

/* ---- rules ------------------------------------------------------------------------- */

/* Why the prompt must stay here, or NULL. */
static const char *kept_here(Ctx *cx, const RouteRules *r, const RouteInput *in)
{
    const Passages *ps = in->sent ? in->sent : in->passages;
    if (r->forbidden) return r->forbidden;
    for (size_t i = 0; i < ps->n; i++)
        if (route_is_private(r, ps->at[i].chunk.uri))
            return "a passage is private, and private text stays here";
    if (in->has_history && r->n_private)
        return "an earlier turn may quote private text, which stays here";
    double tokens = route_tokens(in->question, ps, in->max_tokens);
    if (tokens <= r->tokens_left) return NULL;
    double left = fmax(0, r->tokens_left);
    Str why = ctx_printf(cx, "about %.0f tokens are needed, today's budget has %.0f left",
                         tokens, left);
    return why.p ? why.p : "today's budget cannot be reckoned";
}

/* The large model is wanted; the owner may still say no. */
static void escalate(Ctx *cx, const RouteRules *r, bool too_long, Decision *d)
{
    d->n_reasons = 0;
    if (too_long) route_because(d, STR("the passages are too long for the small model"));
    else if (r->force == ROUTE_FORCE_LLM) route_because(d, STR("so it was asked for"));
    else explain(cx, d->model, d);
    d->route = ROUTE_LLM;
    if (!r->may_send || r->may_send(r->arg, d->reason[0].p)) return;
    route_keep_here(d, STR("the owner did not allow it to be sent"));
}

static void choose(Ctx *cx, const RouteRules *r, const RouteInput *in, Decision *d)
{
    const char *here = kept_here(cx, r, in);
    d->may_escalate = !here && r->force != ROUTE_FORCE_SLM;
    if (here) route_because(d, str_z(here));
    else if (r->force == ROUTE_FORCE_SLM) route_because(d, STR("so it was asked for"));
    else if (in->too_long || r->force == ROUTE_FORCE_LLM ||
             weigh_hopefully(d->model, d) >= d->model->threshold)
        escalate(cx, r, in->too_long, d);
    else route_because(d, STR("the small model may try"));
}

Status route_decide(Ctx *cx, const RouteRules *rules, const RouteInput *in, Decision *out)
{
    *out = (Decision){ .draft_score = NAN };
    if (in->passages->n == 0) {
        out->route = ROUTE_ABSTAIN;
        return route_because(out, STR("no passage was found")), OK;
    }
    Stage *s = stage_begin(cx, "route");
    out->model = rules->model ? rules->model : &route_default;
    TRY(route_features(cx, in, out->feature, &out->seen));
    for (int f = ROUTE_DRAFT; f < ROUTE_FEATURES; f++)
        out->feature[f] = out->model->usual[f];
    out->score = weigh(out->model, out);
    choose(cx, rules, in, out);
    stage_figure(s, "score", out->score);
    stage_figure(s, "llm", out->route == ROUTE_LLM);
    stage_end(s);
    return cx->status;
}

void route_weigh_draft(Ctx *cx, const RouteRules *rules, const RouteDraft *draft,
                       Decision *d)
{
    if (!d->model) return;
    d->feature[ROUTE_DOUBT] = -draft->mean_logprob;
    d->feature[ROUTE_WORST] = -draft->min_logprob / 5;
    d->feature[ROUTE_UNCITED] = 1 - draft->support;
    d->feature[ROUTE_LOOSE] = draft->loose;
    d->feature[ROUTE_REFUSED] = draft->refused;
    d->feature[ROUTE_WORDY] = (float)draft->tokens / 50;
    d->draft_score = weigh(d->model, d);
    if (d->route == ROUTE_SLM && d->may_escalate && d->draft_score >= d->model->threshold)
        escalate(cx, rules, false, d);
}
