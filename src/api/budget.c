/* budget.c -- see budget.h.
 *
 * {"KEY": {"pair_ms": [mean, deviation, n], ...}, ...}: a key for each set of models,
 * threads and machine, since on another machine the same figures mean nothing. */
#include "api/budget.h"

#include "base/file.h"
#include "model/machine.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20, KEYS_MAX = 64 };

/* ---- the file --------------------------------------------------------------------- */

static Status path_of(Ctx *cx, Str *out)
{
    Str folder;
    TRY(folder_cache(cx, &folder));
    TRY(folder_make(cx, folder.p));
    return path_join(cx, folder, STR("machine.json"), out);
}

/* What is kept of all machines; an empty object where that is unreadable. The caller lets
 * go of it; NULL: no memory. */
static json_t *read_all(Ctx *cx)
{
    Str path, text;
    json_t *all = NULL;
    if (path_of(cx, &path) == OK && file_read(cx, path.p, MAX_FILE, &text) == OK)
        all = json_loadb(text.p, text.n, 0, NULL);
    if (json_is_object(all) && json_object_size(all) <= KEYS_MAX) return all;
    json_decref(all);
    return json_object();
}

static void make_key(const pith *p, const Asker *a, char key[RATES_KEY])
{
    MachineKey machine = machine_key();
    Str writer = model_info(a->writer)->fingerprint;
    Str ranker = a->ranker ? model_info(a->ranker)->fingerprint : STR("none");
    snprintf(key, RATES_KEY, "%.16s %.*s %.*s %d", machine.z, (int)writer.n, writer.p,
             (int)ranker.n, ranker.p, p->threads > 0 ? p->threads : machine_cores());
}

static void read_rate(const json_t *j, Rate *out)
{
    Rate r = { json_number_value(json_array_get(j, 0)),
               json_number_value(json_array_get(j, 1)),
               (int)json_integer_value(json_array_get(j, 2)) };
    bool sound = isfinite(r.mean) && r.mean >= 0 && isfinite(r.deviation)
        && r.deviation >= 0 && r.n > 0;
    if (sound) *out = r;
}

/* Fills p->rates, once for each set of models. */
static void know_rates(pith *p, const Asker *a)
{
    char key[RATES_KEY];
    Ctx cx = CTX_INIT;
    make_key(p, a, key);
    if (strcmp(key, p->rates_key) == 0) return;
    budget_keep(p);
    memcpy(p->rates_key, key, sizeof key);
    p->rates = (Rates){ 0 };
    json_t *all = read_all(&cx), *mine = json_object_get(all, key);
    for (int k = 0; k < RATES; k++)
        read_rate(json_object_get(mine, rate_name((RateKind)k)), &p->rates.at[k]);
    json_decref(all);
    ctx_end(&cx);
}

void budget_keep(pith *p)
{
    Ctx cx = CTX_INIT;
    Str path;
    if (!p->rates_new) return;
    p->rates_new = false;
    json_t *all = read_all(&cx), *mine = json_object();
    for (int k = 0; k < RATES; k++) {
        const Rate *r = &p->rates.at[k];
        if (r->n) json_object_set_new(mine, rate_name((RateKind)k),
                                      json_pack("[ffi]", r->mean, r->deviation, r->n));
    }
    json_object_set_new(all, p->rates_key, mine);
    char *text = json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    ctx_forgive(&cx);
    /* A folder that nobody may write to is no reason to fail: it is measured again. */
    if (text && path_of(&cx, &path) == OK && file_write(&cx, path.p, str_z(text)) != OK)
        ctx_forgive(&cx);
    free(text);
    json_decref(all);
    ctx_end(&cx);
}

/* ---- the plan --------------------------------------------------------------------- */

static Status tell(Ctx *cx, const pith *p, Budget *b, double left,
                   const BudgetPlan *plan)
{
    const Rates *r = &p->rates;
    b->told = ctx_printf(cx, "%.0f ms, %.0f of them left once the models were there: "
        "%d passages for the reranker, %d tokens of context, %d of answer, %.0f ms "
        "expected%s (%.1f ms a passage, %.2f a token read, %.1f a token written, %.0f "
        "beside)",
        b->ms, left, plan->rerank, plan->context_tokens, plan->max_tokens,
        plan->expected_ms, plan->fits ? "" : ", which may be too long",
        rate_ms(r, RATE_PAIR), rate_ms(r, RATE_READ), rate_ms(r, RATE_WRITE),
        rate_ms(r, RATE_REST) + (b->cold ? rate_ms(r, RATE_COLD) : 0));
    return b->told.p ? OK : E_MEMORY;
}

Status budget_use(Ctx *cx, pith *p, Budget *b, Asker *a, AskOptions *opt)
{
    if (!(b->ms >= 0)) return fail(cx, E_ARG, "a budget of %g ms: 0 is none", b->ms);
    know_rates(p, a);
    b->cold = !p->has_answered;
    if (b->ms <= 0) return OK;
    BudgetPlan most = { .rerank = a->ranker ? (int)opt->rerank.depth : 0,
                        .context_tokens = opt->prompt.context_tokens,
                        .max_tokens = opt->generate.max_tokens };
    double left = b->begun + b->ms - now_ms();
    BudgetPlan plan = budget_plan(&p->rates, left, b->cold, &most);
    opt->alone_tokens = opt->prompt.context_tokens;
    opt->prompt.context_tokens = plan.context_tokens;
    opt->generate.max_tokens = plan.max_tokens;
    opt->rerank.depth = (size_t)plan.rerank;
    if (plan.rerank == 0) a->ranker = NULL;
    opt->deadline = (Deadline){ b->begun + b->ms, rate_ms(&p->rates, RATE_READ),
                                rate_ms(&p->rates, RATE_WRITE),
                                b->cold ? rate_ms(&p->rates, RATE_COLD) : 0 };
    double limit = budget_rerank_ms(&opt->deadline);
    if (opt->rerank.budget_ms <= 0 || opt->rerank.budget_ms > limit)
        opt->rerank.budget_ms = limit;
    return tell(cx, p, b, left, &plan);
}

/* ---- learning --------------------------------------------------------------------- */

/* ms of a stage, and one of its figures where read is not NULL; 0: it was left out. */
static double stage_ms(const Ctx *cx, const char *name, double *read)
{
    for (int i = 0; i < cx->n_stages; i++) {
        const Stage *s = &cx->stages[i];
        if (strcmp(s->name, name) != 0) continue;
        for (int f = 0; read && f < s->n_figures; f++)
            if (strcmp(s->figure[f].name, "read") == 0) *read = s->figure[f].value;
        return s->ms;
    }
    return 0;
}

void budget_learn(const Ctx *cx, pith *p, const Budget *b, const Answer *got)
{
    Rates *r = &p->rates;
    const Generated *g = &got->generated;
    double pairs = 0, ranked = stage_ms(cx, "rerank", &pairs);
    ranked += stage_ms(cx, "filter", NULL);
    if (pairs > 0) rate_learn(r, RATE_PAIR, ranked / pairs);
    if (g->tokens == 0) return;
    int read = g->prompt_tokens - g->reused_tokens;
    double rest = now_ms() - b->begun - ranked - g->prefill_ms - g->decode_ms;
    double each = r->at[RATE_READ].n ? r->at[RATE_READ].mean : rate_ms(r, RATE_READ);
    if (b->cold) rate_learn(r, RATE_COLD, fmax(g->prefill_ms - read * each, 0));
    else if (read >= 32) rate_learn(r, RATE_READ, g->prefill_ms / read);
    if (g->tokens >= 4) rate_learn(r, RATE_WRITE, g->decode_ms / g->tokens);
    if (!b->cold) rate_learn(r, RATE_REST, fmax(rest, 0));
    p->has_answered = true;
    const ModelInfo *writer = model_info(p->pool->model[ROLE_GENERATOR]);
    p->rates_new = writer->file_bytes > 0;      // no test's
}
