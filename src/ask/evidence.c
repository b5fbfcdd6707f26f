/* evidence.c -- see evidence.h. */
#include "ask/evidence.h"

#include "ask/stems.h"

#include <math.h>
#include <string.h>

static const float beside = -2, in_best = 8, named = 12, of_question = 15, of_best = 4;

static bool says(const Stems *text, const Stems *name)
{
    for (size_t i = 0; i + name->n <= text->n; i++)
        if (memcmp(text->at + i, name->at, name->n * sizeof *name->at) == 0) return true;
    return false;
}

/* Whether text names the title, without what it says in brackets to tell namesakes
 * apart. A title of function words or of one short word names nothing. */
static Status names(Ctx *cx, Words *w, const Stems *text, Str title, bool *yes)
{
    const char *bracket = title.n ? memchr(title.p, '(', title.n) : NULL;
    Stems all, content;
    if (bracket && bracket > title.p) title.n = (size_t)(bracket - title.p);
    title = str_trim(title);
    TRY(stems_in_order(cx, w, title, &all));
    TRY(stems_content(cx, w, title, &content));
    *yes = content.n > 0 && title.n > 3 && says(text, &all);
    return OK;
}

/* What a passage gets for its place: the best one, or one that the best one names. */
static Status favour(Ctx *cx, Words *w, const Passages *ps, size_t best, float **out)
{
    const Chunk *top = &ps->at[best].chunk;
    Stems text;
    TRY_NEW(*out = ctx_new(cx, float, ps->n));
    TRY(stems_in_order(cx, w, top->text, &text));
    for (size_t p = 0; p < ps->n; p++) {
        bool linked = false;
        if (p != best && !str_eq(ps->at[p].chunk.uri, top->uri))
            TRY(names(cx, w, &text, ps->at[p].chunk.title, &linked));
        (*out)[p] = p == best ? in_best : linked ? named : 0;
    }
    return OK;
}

/* The better of a sentence's logit and its neighbours' a little lowered: an answer often
 * runs on into the next sentence, which alone says nothing of the question. */
static float with_neighbours(const Sentences *s, size_t i)
{
    float best = s->at[i].logit;
    if (i > 0 && s->at[i - 1].passage == s->at[i].passage)
        best = fmaxf(best, s->at[i - 1].logit + beside);
    if (i + 1 < s->n && s->at[i + 1].passage == s->at[i].passage)
        best = fmaxf(best, s->at[i + 1].logit + beside);
    return best;
}

static size_t best_of(const Sentences *s)
{
    size_t best = 0;
    for (size_t i = 1; i < s->n; i++)
        if (s->at[i].logit > s->at[best].logit) best = i;
    return best;
}

Str sentence_text(const Passages *ps, const Sentence *s)
{
    return (Str){ ps->at[s->passage].chunk.text.p + s->span.start,
                  s->span.end - s->span.start };
}

Status evidence_weigh(Ctx *cx, Words *w, Str question, const Passages *ps, Sentences *s)
{
    if (s->n == 0) return OK;
    const Sentence *top = &s->at[best_of(s)];
    float *place;
    Stems asked, best;
    TRY(stems_content(cx, w, question, &asked));
    TRY(stems_content(cx, w, sentence_text(ps, top), &best));
    TRY(favour(cx, w, ps, top->passage, &place));
    for (size_t i = 0; i < s->n; i++) {
        Stems own;
        TRY(stems_content(cx, w, sentence_text(ps, &s->at[i]), &own));
        s->at[i].weight = with_neighbours(s, i) - top->logit
                        + place[s->at[i].passage] - in_best
                        + of_question * (stems_share(&asked, &own) - 1)
                        + of_best * (stems_share(&best, &own) - 1);
    }
    return OK;
}
