/* rerank.c -- see rerank.h. Passages are read in batches, so that a time budget can stop
 * between them; what was read by then is used. */
#include "ask/rerank.h"

#include "ask/query.h"

#include <math.h>

enum { BATCH = 16 };

/* What the reranker reads: where the passage stands, then its words. */
static Str reading(Ctx *cx, const Chunk *c)
{
    Str place = passage_place(cx, c);
    if (!place.p || place.n == 0) return place.p ? c->text : place;
    return ctx_printf(cx, "%.*s\n%.*s", (int)place.n, place.p, (int)c->text.n, c->text.p);
}

/* Fills rerank of the first n passages; *read tells how many the budget allowed. */
static Status read_passages(Ctx *cx, Model *ranker, double budget_ms, Str question,
                            Passage *p, size_t n, size_t *read)
{
    double until = budget_ms > 0 ? now_ms() + budget_ms : INFINITY;
    float logit[BATCH];
    Str text[BATCH];
    for (*read = 0; *read < n && now_ms() < until; ) {
        size_t batch = n - *read < BATCH ? n - *read : BATCH;
        TRY(ctx_check(cx));
        for (size_t i = 0; i < batch; i++) {
            text[i] = reading(cx, &p[*read + i].chunk);
            TRY_NEW(text[i].p);
        }
        TRY(model_score(cx, ranker, question, text, batch, logit));
        for (size_t i = 0; i < batch; i++) p[*read + i].rerank = logit[i];
        *read += batch;
    }
    return OK;
}

static void blend(Passage *p, size_t n, float weight)
{
    float best = -INFINITY;
    for (size_t i = 0; i < n; i++) best = fmaxf(best, p[i].rerank);
    for (size_t i = 0; i < n; i++) {
        float read = fmaxf(1 - (best - p[i].rerank) / RERANK_SPAN, 0);
        p[i].score = weight * read + (1 - weight) * p[i].fused;
    }
}

Status rerank(Ctx *cx, Model *ranker, const RerankOptions *opt, Str question,
              Passages *ps)
{
    size_t n = ps->n < opt->depth ? ps->n : opt->depth, read = 0;
    if (n == 0) return OK;
    Stage *s = stage_begin(cx, "rerank");
    TRY(read_passages(cx, ranker, opt->budget_ms, question, ps->at, n, &read));
    float usual = query_is_statement(question) ? RERANK_STATEMENT : RERANK_WEIGHT;
    blend(ps->at, read, opt->weight > 0 ? opt->weight : usual);
    passages_sort(ps->at, read);
    stage_figure(s, "read", (double)read);
    if (read) stage_figure(s, "best", ps->at[0].rerank);
    stage_end(s);
    return OK;
}
