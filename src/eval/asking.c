/* asking.c -- see asking.h. */
#include "eval/asking.h"

#include "eval/squad.h"

#include <string.h>

const char *const asked_name[N_ASKED] = {
    "em", "f1", "contains", "refused", "context_recall", "context_tokens", "confidence",
    "ttft_ms", "total_ms", "quotes", "misquoted", "in_time",
};

pith_ask_options asking_options(const Job *j)
{
    return (pith_ask_options){
        .context_tokens = j->opt->context_tokens, .max_tokens = j->opt->max_tokens,
        .mode = j->opt->mode, .no_rerank = j->opt->no_rerank,
        .no_filter = j->opt->no_filter, .no_abstain = j->opt->no_abstain,
        .whole = j->opt->whole,
        .filter_margin = (float)j->opt->filter_margin, .rewrite = j->opt->rewrite,
        .decompose = j->opt->decompose, .hyde = j->opt->hyde, .quote = j->opt->quote,
        .budget_ms = j->opt->budget * 1000,
    };
}

/* What a stage says under this name; `other` where it does not. */
static double figure(const pith_answer *a, const char *stage, const char *name,
                     double other)
{
    for (size_t i = 0; i < a->n_stages; i++) {
        const pith_stage *s = &a->stages[i];
        if (strcmp(s->name, stage) != 0) continue;
        for (int f = 0; f < s->n_figures; f++)
            if (strcmp(s->figure[f].name, name) == 0) return s->figure[f].value;
    }
    return other;
}

static Status context_recall(Ctx *cx, const pith_answer *a, const Question *q,
                             double *out)
{
    *out = 0;
    for (size_t i = 0; i < a->n_passages && *out == 0; i++) {
        Answered in;
        TRY(squad_score(cx, str_z(a->passages[i].read), q->answers, q->n_answers, &in));
        *out = in.contains;
    }
    return OK;
}

/* Quotations whose text is not what stands in their passage and in the answer. */
static size_t inexact(const pith_answer *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_quotes; i++) {
        const pith_quote *q = &a->quotes[i];
        n += !strstr(a->passages[q->passage].text, q->text) || !strstr(a->text, q->text);
    }
    return n;
}

static Status score(Ctx *cx, const pith_answer *a, const Question *q, double *row)
{
    Answered got = { 0 };
    Str text = squad_without_marks(cx, str_z(a->text));
    TRY_NEW(text.p);
    if (!a->abstained) TRY(squad_score(cx, text, q->answers, q->n_answers, &got));
    row[ASKED_EM] = got.em;
    row[ASKED_F1] = got.f1;
    row[ASKED_CONTAINS] = got.contains;
    row[ASKED_REFUSED] = a->abstained;
    row[ASKED_CONTEXT_TOKENS] = figure(a, "fit", "tokens", 0);
    row[ASKED_CONFIDENCE] = a->confidence;
    row[ASKED_FIRST_MS] = a->first_token_ms;
    row[ASKED_TOTAL_MS] = a->total_ms;
    row[ASKED_QUOTES] = (double)a->n_quotes;
    row[ASKED_MISQUOTED] = (double)(a->misquoted + inexact(a));
    return context_recall(cx, a, q, &row[ASKED_CONTEXT_RECALL]);
}

Status asking_one(const Job *j, pith *p, const Question *q, const pith_ask_options *o,
                  double *row, Asked *out)
{
    pith_answer *a = NULL;
    pith_error why;
    if (pith_ask(p, q->text.p, o, &a, &why) != PITH_OK) return job_why(j, &why);
    row[ASKED_IN_TIME] = a->total_ms <= o->budget_ms;
    *out = (Asked){ ctx_dup(j->cx, str_z(a->text)), a->generated_tokens > 0 };
    Ctx scratch = CTX_INIT;   // normal forms of long passages, gone after each question
    Status st = score(&scratch, a, q, row);
    if (st != OK) fail(j->cx, st, "%s", scratch.reason);
    ctx_end(&scratch);
    pith_answer_free(a);
    return st == OK && !out->text.p ? E_MEMORY : st;
}

/* How often a right answer was given where the passages held one; 0 where none did. */
static double utilisation(const Table *t)
{
    double held = 0, used = 0;
    for (size_t i = 0; i < t->n; i++) {
        const double *row = t->at + i * t->width;
        held += row[ASKED_CONTEXT_RECALL];
        used += row[ASKED_CONTEXT_RECALL] * row[ASKED_CONTAINS];
    }
    return held > 0 ? used / held : 0;
}

Status asking_tell(const Job *j, const Table *t)
{
    double first, total;
    TRY(table_percentile(j->cx, t, ASKED_FIRST_MS, .5, &first));
    TRY(table_percentile(j->cx, t, ASKED_TOTAL_MS, .5, &total));
    job_figure(j, "em", table_mean(t, ASKED_EM));
    job_figure(j, "f1", table_mean(t, ASKED_F1));
    job_figure(j, "contains", table_mean(t, ASKED_CONTAINS));
    job_figure(j, "refused", table_mean(t, ASKED_REFUSED));
    job_figure(j, "context_tokens", table_mean(t, ASKED_CONTEXT_TOKENS));
    job_figure(j, "ttft_ms_p50", first);
    job_figure(j, "total_ms_p50", total);
    job_figure(j, "context_recall", table_mean(t, ASKED_CONTEXT_RECALL));
    job_figure(j, "utilisation", utilisation(t));
    if (j->opt->budget > 0) job_figure(j, "in_time", table_mean(t, ASKED_IN_TIME));
    if (!j->opt->quote) return OK;
    job_figure(j, "quotes", table_mean(t, ASKED_QUOTES));
    job_figure(j, "misquoted", table_mean(t, ASKED_MISQUOTED));
    return OK;
}
