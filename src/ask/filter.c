/* filter.c -- see filter.h.
 *
 * All sentences of all passages are scored in one batch: sequences of similar length are
 * packed by the encoder, so fifty short pairs cost little more than a few long ones. */
#include "ask/filter.h"

#include "ask/evidence.h"
#include "ask/stems.h"

#include <math.h>

enum { MAX_PASSAGES = 8, MAX_SENTENCES = 256 };
static const float MARGIN = 25;

/* ---- repeats ---------------------------------------------------------------------- */

/* Drops the passages of which nearly all words were said by a better one. Words alone
 * would drop a passage that says something else with the same words, so only passages
 * that come near to one other passage count as repeats. */
static Status drop_repeats(Ctx *cx, Words *w, float max_overlap, Passages *ps)
{
    Stems *said = ctx_new(cx, Stems, ps->n);
    size_t kept = 0;
    TRY_NEW(said);
    for (size_t i = 0; i < ps->n; i++) {
        bool repeats = false;
        TRY(stems_sorted(cx, w, ps->at[i].chunk.text, &said[kept]));
        const Stems *own = &said[kept];
        for (size_t k = 0; k < kept && !repeats; k++)
            repeats = own->n == 0 || stems_share(own, &said[k]) > max_overlap;
        if (!repeats) ps->at[kept++] = ps->at[i];
    }
    ps->n = kept;
    return OK;
}

/* ---- sentences -------------------------------------------------------------------- */

static Status split(Ctx *cx, Words *w, const Passages *ps, Sentences *out)
{
    TRY_NEW(out->at = ctx_new(cx, Sentence, MAX_SENTENCES));
    for (size_t p = 0; p < ps->n; p++) {
        Span *span;
        size_t n;
        TRY(passage_sentences(cx, w, ps->at[p].chunk.text, &span, &n));
        for (size_t i = 0; i < n && out->n < MAX_SENTENCES; i++)
            out->at[out->n++] = (Sentence){ .passage = p, .span = span[i] };
    }
    return OK;
}

/* What the ranker reads for sentence i: the sentence between its neighbours, under the
 * place where it stands. */
static Str window(Ctx *cx, const Passages *ps, const Sentences *s, size_t i)
{
    size_t p = s->at[i].passage;
    const Chunk *c = &ps->at[p].chunk;
    size_t from = i > 0 && s->at[i - 1].passage == p ? i - 1 : i;
    size_t to = i + 1 < s->n && s->at[i + 1].passage == p ? i + 1 : i;
    size_t start = s->at[from].span.start, end = s->at[to].span.end;
    Str place = passage_place(cx, c);
    if (!place.p) return place;
    return ctx_printf(cx, "%.*s\n%.*s", (int)place.n, place.p, (int)(end - start),
                      c->text.p + start);
}

static Status judge(Ctx *cx, Model *ranker, Str question, const Passages *ps,
                    Sentences *s)
{
    Str *text = ctx_new(cx, Str, s->n);
    float *logit = ctx_new(cx, float, s->n);
    if (!text || !logit) return cx->status;
    for (size_t i = 0; i < s->n; i++) {
        text[i] = window(cx, ps, s, i);
        TRY_NEW(text[i].p);
    }
    TRY(model_score(cx, ranker, question, text, s->n, logit));
    for (size_t i = 0; i < s->n; i++) {
        float *best = &ps->at[s->at[i].passage].sentence;
        s->at[i].logit = logit[i];
        *best = isnan(*best) ? logit[i] : fmaxf(*best, logit[i]);
    }
    return OK;
}

/* A row says little without the head of its table: the first two rows of the run (names
 * and border) go with it. */
static void keep_heads(const Passages *ps, const Sentences *s, bool *goes_on)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!goes_on[i] || !passage_is_row(sentence_text(ps, &s->at[i]))) continue;
        size_t head = i;
        while (head > 0 && s->at[head - 1].passage == s->at[i].passage &&
               passage_is_row(sentence_text(ps, &s->at[head - 1]))) head--;
        goes_on[head] = true;
        if (head + 1 < i) goes_on[head + 1] = true;
    }
}

/* Fills kept of each passage with its sentences that go on, unless it is to stay whole;
 * drops those without any. */
static Status keep(Ctx *cx, const Sentences *s, const bool *goes_on, bool whole,
                   Passages *ps)
{
    size_t passages = 0;
    for (size_t p = 0, i = 0; p < ps->n; p++) {
        size_t begin = i, n = 0;
        while (i < s->n && s->at[i].passage == p) i++;
        Span *kept = ctx_new(cx, Span, i - begin);
        TRY_NEW(kept);
        for (size_t k = begin; k < i; k++)
            if (goes_on[k]) kept[n++] = s->at[k].span;
        if (n == 0) continue;
        ps->at[passages] = ps->at[p];
        ps->at[passages].kept = whole ? NULL : kept;
        ps->at[passages++].n_kept = whole ? 0 : n;
    }
    ps->n = passages;
    return OK;
}

static float best_weight(const Sentences *s)
{
    float best = -INFINITY;
    for (size_t i = 0; i < s->n; i++) best = fmaxf(best, s->at[i].weight);
    return best;
}

/* Marks the sentences that weigh enough, the best one, and the heads of their tables. */
static Status choose(Ctx *cx, const Passages *ps, const Sentences *s, float margin,
                     bool **goes_on)
{
    float best = best_weight(s);
    TRY_NEW(*goes_on = ctx_new(cx, bool, s->n));
    for (size_t i = 0; i < s->n; i++)
        (*goes_on)[i] = s->at[i].weight >= -margin || s->at[i].weight >= best;
    keep_heads(ps, s, *goes_on);
    return OK;
}

static Status prune(Ctx *cx, Words *w, Model *ranker, const FilterOptions *opt,
                    Str question, Passages *ps)
{
    Stage *stage = stage_begin(cx, "filter");
    Sentences s = { 0 };
    size_t before = ps->n, kept = 0;
    bool *goes_on;
    TRY(drop_repeats(cx, w, opt->max_overlap > 0 ? opt->max_overlap : 0.8f, ps));
    TRY(split(cx, w, ps, &s));
    if (s.n == 0) return OK;
    TRY(judge(cx, ranker, question, ps, &s));
    TRY(evidence_weigh(cx, w, question, ps, &s));
    TRY(choose(cx, ps, &s, opt->margin > 0 ? opt->margin : MARGIN, &goes_on));
    for (size_t i = 0; i < s.n; i++) kept += goes_on[i];
    TRY(keep(cx, &s, goes_on, opt->whole, ps));
    stage_figure(stage, "passages_before", (double)before);
    stage_figure(stage, "passages", (double)ps->n);
    stage_figure(stage, "sentences_before", (double)s.n);
    stage_figure(stage, "sentences", (double)kept);
    stage_end(stage);
    return OK;
}

Status filter(Ctx *cx, Model *ranker, const FilterOptions *opt, Str question,
              Passages *ps)
{
    Words *w;
    size_t most = opt->max_passages ? opt->max_passages : MAX_PASSAGES;
    if (ps->n > most) ps->n = most;
    if (ps->n == 0) return OK;
    TRY(words_open(cx, &w));
    passages_speak(w, ps);
    Status st = prune(cx, w, ranker, opt, question, ps);
    words_close(w);
    return st;
}
