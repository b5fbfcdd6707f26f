/* json.c -- results and answers as JSON: for the command line, HTTP, other languages. */
#include "pith.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Six significant digits say all that a score or a time means. */
enum { FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(6) };

/* Of a source that has pages. */
static void add_pages(json_t *j, int page, int page_end)
{
    if (!j || page <= 0) return;
    json_object_set_new(j, "page", json_integer(page));
    json_object_set_new(j, "page_end", json_integer(page_end));
}

static json_t *passage_json(const pith_passage *p)
{
    json_t *j = json_pack("{si sf ss ss ss sI sI ss sf sf}", "rank", p->rank,
        "score", p->score, "document", p->document, "title", p->title,
        "section", p->section, "start", (json_int_t)p->start, "end", (json_int_t)p->end,
        "text", p->text, "words", p->words, "vectors", p->vectors);
    add_pages(j, p->page, p->page_end);
    if (j && strcmp(p->read, p->text) != 0)
        json_object_set_new(j, "read", json_string(p->read));
    if (j && !isnan(p->rerank)) json_object_set_new(j, "rerank", json_real(p->rerank));
    if (j && !isnan(p->sentence))
        json_object_set_new(j, "sentence", json_real(p->sentence));
    return j;
}

static json_t *passages_json(const pith_passage *p, size_t n)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(all, passage_json(&p[i]));
    return all;
}

static json_t *stages_json(const pith_stage *s, size_t n)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *j = json_pack("{ss sf}", "stage", s[i].name, "ms", s[i].ms);
        for (int f = 0; j && f < s[i].n_figures; f++)
            json_object_set_new(j, s[i].figure[f].name, json_real(s[i].figure[f].value));
        json_array_append_new(all, j);
    }
    return all;
}

static json_t *citations_json(const pith_answer *a)
{
    json_t *all = json_array();
    for (size_t i = 0; i < a->n_citations; i++) {
        const pith_citation *c = &a->citations[i];
        const pith_passage *p = &a->passages[c->passage];
        json_t *j = json_pack("{si ss ss ss sI sI ss sf si}", "n", c->n,
            "document", p->document, "title", p->title, "section", p->section,
            "start", (json_int_t)c->start, "end", (json_int_t)c->end, "text", c->text,
            "support", c->support, "passage", p->rank);
        add_pages(j, c->page, c->page_end);
        json_array_append_new(all, j);
    }
    return all;
}

static json_t *quotes_json(const pith_answer *a)
{
    json_t *all = json_array();
    for (size_t i = 0; i < a->n_quotes; i++) {
        const pith_quote *q = &a->quotes[i];
        const pith_passage *p = &a->passages[q->passage];
        json_array_append_new(all, json_pack("{ss sI sI ss si}", "document", p->document,
            "start", (json_int_t)q->start, "end", (json_int_t)q->end, "text", q->text,
            "passage", p->rank));
    }
    return all;
}

static json_t *timings_json(const pith_answer *a)
{
    json_t *j = json_pack("{sf sf}", "first_token", a->first_token_ms,
                          "total", a->total_ms);
    for (size_t i = 0; j && i < a->n_stages; i++)
        json_object_set_new(j, a->stages[i].name, json_real(a->stages[i].ms));
    return j;
}

static json_t *reasons_json(const pith_answer *a)
{
    json_t *all = json_array();
    for (size_t i = 0; i < a->n_route_reasons; i++)
        json_array_append_new(all, json_string(a->route_reasons[i]));
    return all;
}

static json_t *features_json(const pith_answer *a)
{
    json_t *all = json_object();
    for (size_t i = 0; i < a->n_route_features; i++) {
        const pith_feature *f = &a->route_features[i];
        json_object_set_new(all, f->name, json_pack("{sf sf sf}", "value", f->value,
                            "usual", f->usual, "weight", f->weight));
    }
    return all;
}

static char *print(json_t *j)
{
    char *s = j ? json_dumps(j, FLAGS) : NULL;
    json_decref(j);
    return s;
}

char *pith_answer_json(const pith_answer *a)
{
    json_t *j = json_pack("{ss sb sf ss so so sI sI ss ss sf so so ss* s{si sf sf}"
        " s{sf sf} sf s{si si sb} so so}",
        "answer", a->text, "abstained", a->abstained, "confidence", a->confidence,
        "question", a->question, "citations", citations_json(a),
        "passages", passages_json(a->passages, a->n_passages),
        "left_out", (json_int_t)a->left_out, "unsupported", (json_int_t)a->unsupported,
        "model", a->model, "route", a->route,
        "route_score", a->route_score, "route_features", features_json(a),
        "route_reasons", reasons_json(a), "fallback", a->fallback,
        "remote", "tokens", a->remote_tokens, "cost", a->remote_cost, "ms",
        a->remote_ms, "logprob", "mean", a->mean_logprob, "min", a->min_logprob,
        "support", a->support,
        "tokens", "prompt", a->prompt_tokens,
        "generated", a->generated_tokens, "cut", a->finish_length,
        "timings_ms", timings_json(a), "stages", stages_json(a->stages, a->n_stages));
    if (j && a->n_quotes + a->misquoted > 0) {
        json_object_set_new(j, "quotes", quotes_json(a));
        json_object_set_new(j, "misquoted", json_integer((json_int_t)a->misquoted));
    }
    if (j && a->budget) json_object_set_new(j, "budget", json_string(a->budget));
    if (j && a->caution) json_object_set_new(j, "caution", json_string(a->caution));
    if (j && !isnan(a->draft_score))
        json_object_set_new(j, "draft_score", json_real(a->draft_score));
    return print(j);
}

char *pith_results_json(const pith_results *r)
{
    return print(json_pack("{so sf so}", "results", passages_json(r->at, r->n),
                           "ms", r->ms, "stages", stages_json(r->stages, r->n_stages)));
}
