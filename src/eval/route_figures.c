/* route_figures.c -- see route_figures.h. */
#include "eval/route_figures.h"

#include "eval/pair.h"

#include <math.h>

enum { POINTS = 20 };

/* ---- columns ----------------------------------------------------------------------- */

static double *column(Ctx *cx, const Table *t, size_t n, size_t at)
{
    double *out = ctx_new(cx, double, n);
    size_t k = 0;
    for (size_t i = 0; out && i < t->n; i++)
        if (t->at[i * t->width + PAIR_ASKED] > 0) out[k++] = t->at[i * t->width + at];
    return out;
}

Status routed_of(Ctx *cx, const Table *t, Routed *out)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) n += t->at[i * t->width + PAIR_ASKED] > 0;
    *out = (Routed){ .features = t->width - PAIR_FEATURES,
                     .of = { n, column(cx, t, n, PAIR_SMALL),
                             column(cx, t, n, PAIR_LARGE) },
                     .score = column(cx, t, n, PAIR_SCORE),
                     .draft = column(cx, t, n, PAIR_DRAFT), .unasked = t->n - n };
    const double **f = ctx_new(cx, const double *, out->features);
    TRY_NEW(f);
    for (size_t i = 0; i < out->features; i++)
        f[i] = column(cx, t, n, PAIR_FEATURES + i);
    out->feature = f;
    return cx->status;
}

Status routed_best(Ctx *cx, const Routed *r, size_t *out)
{
    double best = -1;
    *out = 0;
    for (size_t i = 0; i < r->features; i++) {
        Curve c;
        TRY(curve_make(cx, &r->of, r->feature[i], &c));
        double auc = curve_auc(&c);
        if (auc > best) best = auc, *out = i;
    }
    return OK;
}

/* ---- a promise --------------------------------------------------------------------- */

Status routed_scored(Ctx *cx, const Outcomes *of, const double *score, Scored **out)
{
    Scored *s = *out = ctx_new(cx, Scored, of->n);
    TRY_NEW(s);
    for (size_t i = 0; i < of->n; i++)
        s[i] = (Scored){ -score[i], of->small[i] < ROUTE_WRONG };
    return OK;
}

Status route_promise(Ctx *cx, const Curve *c, const Promise *promise, double *threshold,
                     double *share)
{
    Scored *s;
    TRY(routed_scored(cx, &c->of, c->score, &s));
    Chosen chosen = risk_choose(s, c->of.n, promise);
    *threshold = 0;
    *share = 1;
    if (!chosen.held) return OK;
    *threshold = isfinite(chosen.above) ? -chosen.above : 1.01;     // above every score
    *share = 1 - (double)chosen.kept / (double)c->of.n;
    return OK;
}

/* ---- figures ----------------------------------------------------------------------- */

static void put(json_t *to, const char *name, double value)
{
    json_object_set_new(to, name, json_real(value));
}

Status routed_curve(Ctx *cx, const Curve *c, json_t *to)
{
    json_t *all = json_array();
    for (int i = 0; i <= POINTS; i++) {
        double share = (double)i / POINTS;
        json_array_append_new(all, json_pack("{sf sf}", "escalated", share, "quality",
                                             curve_quality(c, share)));
    }
    return json_object_set_new(to, "curve", all) == 0
               ? OK : fail(cx, E_MEMORY, "no memory for a curve");
}

Status routed_tell(Ctx *cx, const Routed *r, const double *score, size_t single,
                   json_t *to)
{
    Curve mine, chance, one;
    Paired by_chance, by_one;
    TRY(curve_make(cx, &r->of, score, &mine));
    TRY(curve_make(cx, &r->of, NULL, &chance));
    TRY(curve_make(cx, &r->of, r->feature[single], &one));
    TRY(curve_compare(cx, &chance, &mine, STATS_SEED, &by_chance));
    TRY(curve_compare(cx, &one, &mine, STATS_SEED, &by_one));
    double large = curve_quality(&mine, 1);
    put(to, "small", curve_quality(&mine, 0));
    put(to, "large", large);
    put(to, "auc", curve_auc(&mine));
    put(to, "auc_random", curve_auc(&chance));
    put(to, "auc_best_single", curve_auc(&one));
    put(to, "p_random", by_chance.p);
    put(to, "p_best_single", by_one.p);
    put(to, "kept_at_half", large > 0 ? curve_quality(&mine, .5) / large : 1);
    put(to, "share_for_95", curve_share(&mine, .95 * large));
    return OK;
}
