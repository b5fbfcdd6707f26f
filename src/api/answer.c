/* answer.c -- pith_search and pith_ask: the request's memory becomes the result's. */
#include "api/handle.h"
#include "api/budget.h"
#include "api/calibration.h"
#include "api/glossary.h"
#include "api/private.h"
#include "api/query_map.h"
#include "api/remote.h"
#include "ask/abstain.h"
#include "ask/ask.h"
#include "ask/sample.h"

#include <math.h>
#include <stdlib.h>

enum { RERANK_DEPTH = 20, MOST_READ = 1000, CONTEXT_TOKENS = 1200, MAX_TOKENS = 256,
       DEFAULT_K = 10 };

typedef struct ResultsBox {
    pith_results pub;       // first: the caller's pointer is the box's
    Ctx cx;
} ResultsBox;

typedef struct AnswerBox {
    pith_answer pub;        // first
    Ctx cx;
} AnswerBox;

static Status passages_out(Ctx *cx, const Passages *from, pith_passage **out, size_t *n)
{
    *n = from->n;
    TRY_NEW(*out = ctx_new(cx, pith_passage, from->n));
    for (size_t i = 0; i < from->n; i++) {
        const Passage *p = &from->at[i];
        (*out)[i] = (pith_passage){
            .chunk = p->chunk.id, .rank = (int)i + 1, .score = p->score,
            .words = p->words, .vectors = p->vector, .rerank = p->rerank,
            .sentence = p->sentence, .start = p->chunk.start, .end = p->chunk.end,
            .page = p->chunk.page, .page_end = p->chunk.page_end,
            .document = public_string(cx, p->chunk.uri),
            .title = public_string(cx, p->chunk.title),
            .section = public_string(cx, p->chunk.section),
            .text = public_string(cx, p->chunk.text),
            .read = public_string(cx, passage_text(cx, p)),
        };
    }
    return cx->status;
}

static Status mode_of(Ctx *cx, int mode, RetrieveMode *out)
{
    if (mode < PITH_HYBRID || mode > PITH_VECTORS)
        return fail(cx, E_ARG, "search mode %d: hybrid, words and vectors are known",
                    mode);
    *out = (RetrieveMode)mode;
    return OK;
}

static Status private_to_ranker(Ctx *cx, Asker *a)
{
    if (!model_is_elsewhere(model_info(a->ranker)->path.p)) return OK;
    RouteRules *rules = ctx_new(cx, RouteRules, 1);
    TRY_NEW(rules);
    TRY(private_read(cx, rules));
    a->private_to = rules;
    return rules->forbidden ? fail(cx, E_ARG, "%s", rules->forbidden) : OK;
}

/* The models that a search needs. No reranker that can be had is not an error: the
 * ranking does without. */
static Status search_models(Ctx *cx, pith *p, RetrieveMode mode, bool ranker, Asker *a)
{
    TRY(handle_store(cx, p, p->store_writes, &a->store));
    if (mode != RETRIEVE_WORDS) TRY(handle_model(cx, p, ROLE_EMBEDDER, &a->embedder));
    if (!a->embedder && mode != RETRIEVE_WORDS)
        return fail(cx, E_ARG,
                    "this search needs an embedder: name one, or search by words");
    if (ranker && handle_model(cx, p, ROLE_RERANKER, &a->ranker) == E_NOTFOUND)
        ctx_forgive(cx);
    TRY(cx->status);
    return a->ranker ? private_to_ranker(cx, a) : OK;
}

static Status writer_of(Ctx *cx, pith *p, Asker *a)
{
    TRY(handle_model(cx, p, ROLE_GENERATOR, &a->writer));
    return a->writer ? OK : fail(cx, E_ARG, "this needs a generator: name one");
}

/* ---- search ----------------------------------------------------------------------- */

static Status search(Ctx *cx, pith *p, Str query, const pith_search_options *o,
                     Passages *found)
{
    Asker a = { 0 };
    Glossary glossary;
    size_t terms;
    RetrieveOptions retrieve_opt = { 0 };
    RerankOptions rerank_opt = { .depth = o->rerank > 0 ? (size_t)o->rerank : 0,
                                 .budget_ms = o->rerank_ms };
    size_t k = o->k > 0 ? (size_t)o->k : DEFAULT_K;
    if (o->k < 0 || o->k > 10000) return fail(cx, E_ARG, "%d results: 1 to 10000", o->k);
    if (query.n == 0) return fail(cx, E_ARG, "the query is empty: say what to look for");
    retrieve_opt.k = k > rerank_opt.depth ? k : rerank_opt.depth;
    TRY(mode_of(cx, o->mode, &retrieve_opt.mode));
    TRY(search_models(cx, p, retrieve_opt.mode, o->rerank > 0, &a));
    TRY(query_map_of(cx, p, a.embedder, &retrieve_opt.map));
    AugmentOptions augment = { o->rewrite != 0, o->decompose != 0, o->hyde != 0,
                               &p->memo };
    if (augment_wanted(&augment)) TRY(writer_of(cx, p, &a));
    TRY(glossary_read(cx, p, &glossary));
    TRY(glossary_expand(cx, &glossary, query, &query, &terms));
    TRY(ask_retrieve(cx, &a, &augment, &retrieve_opt, query, found));
    if (a.ranker) TRY(ask_may_rank(cx, &a, found));
    if (a.ranker) TRY(rerank(cx, a.ranker, &rerank_opt, query, found));
    if (found->n > k) found->n = k;
    return OK;
}

static Status results_out(Ctx *cx, const Passages *found, double begun, ResultsBox **out)
{
    ResultsBox *box = calloc(1, sizeof *box);
    if (!box) return fail(cx, E_MEMORY, "out of memory for results");
    Status st = passages_out(cx, found, &box->pub.at, &box->pub.n);
    if (st == OK) st = public_stages(cx, &box->pub.stages, &box->pub.n_stages);
    if (st != OK) {
        free(box);
        return st;
    }
    box->pub.ms = now_ms() - begun;
    box->cx = *cx;
    *out = box;
    return OK;
}

int pith_search(pith *p, const char *query, const pith_search_options *opt,
                pith_results **out, pith_error *why)
{
    static const pith_search_options defaults = { 0 };
    double begun = now_ms();
    ResultsBox *box = NULL;
    Passages found;
    Ctx cx;
    call_begin(p, &cx);
    Status st = search(&cx, p, str_trim(str_z(query)), opt ? opt : &defaults, &found);
    if (st == OK) st = results_out(&cx, &found, begun, &box);
    *out = box ? &box->pub : NULL;
    return call_end(p, &cx, st, true, why);
}

int pith_sample(pith *p, size_t n, uint64_t seed, pith_results **out, pith_error *why)
{
    double begun = now_ms();
    ResultsBox *box = NULL;
    Passages found;
    Store *s;
    Ctx cx;
    call_begin(p, &cx);
    Status st = handle_store(&cx, p, p->store_writes, &s);
    if (st == OK) st = sample(&cx, s, n, seed, &found);
    if (st == OK) st = results_out(&cx, &found, begun, &box);
    *out = box ? &box->pub : NULL;
    return call_end(p, &cx, st, true, why);
}

void pith_results_free(pith_results *r)
{
    if (!r) return;
    ctx_end(&((ResultsBox *)r)->cx);
    free(r);
}

/* ---- ask -------------------------------------------------------------------------- */

typedef struct Listener {
    const pith_ask_options *opt;
} Listener;

static bool relay_text(void *arg, Str piece)
{
    const pith_ask_options *o = ((Listener *)arg)->opt;
    return !o->on_text || o->on_text(o->arg, piece.p, piece.n) == 0;
}

static Status history_in(Ctx *cx, const pith_ask_options *o, AskOptions *opt)
{
    Message *m = ctx_new(cx, Message, o->n_history);
    TRY_NEW(m);
    for (size_t i = 0; i < o->n_history; i++)
        m[i] = (Message){ o->history[i].role, str_z(o->history[i].content) };
    opt->history = m;
    opt->n_history = o->n_history;
    return OK;
}

static Status given_in(Ctx *cx, const pith_ask_options *o, AskOptions *opt)
{
    TRY_NEW(opt->given = ctx_new(cx, Passages, 1));
    TRY_NEW(opt->given->at = ctx_new(cx, Passage, o->n_passages));
    opt->given->n = o->n_passages;
    for (size_t i = 0; i < o->n_passages; i++) {
        Str text = str_z(o->passages[i]);
        opt->given->at[i] = (Passage){ .chunk = { .text = text, .end = text.n },
                                       .rerank = NAN, .sentence = NAN };
    }
    return OK;
}

static Status without_in(Ctx *cx, const pith_ask_options *o, RetrieveOptions *to)
{
    Str *name = ctx_new(cx, Str, o->n_without);
    TRY_NEW(name);
    for (size_t i = 0; i < o->n_without; i++) name[i] = str_z(o->without[i]);
    to->without = name;
    to->n_without = o->n_without;
    return OK;
}

static Status ask_options(Ctx *cx, const pith_ask_options *o, Listener *l,
                          AskOptions *opt)
{
    if (o->max_tokens < 0 || o->context_tokens < 0 || o->remote_context_tokens < 0)
        return fail(cx, E_ARG, "a negative number of tokens was asked for");
    if (!(o->temperature >= 0 && o->temperature <= 10))
        return fail(cx, E_ARG, "temperature %g: 0 to 10 is possible",
                    (double)o->temperature);
    if (o->rerank < 0 || o->rerank > MOST_READ || !(o->rerank_ms >= 0))
        return fail(cx, E_ARG, "the reranker reads 1 to %d passages within 0 or more ms",
                    MOST_READ);
    size_t depth = o->rerank ? (size_t)o->rerank : RERANK_DEPTH;
    *opt = (AskOptions){
        .retrieve = { .k = depth },
        .rerank = { .depth = depth, .budget_ms = o->rerank_ms },
        .prompt = { .context_tokens =
                        o->context_tokens ? o->context_tokens : CONTEXT_TOKENS },
        .generate = { .max_tokens = o->max_tokens ? o->max_tokens : MAX_TOKENS,
                      .temperature = o->temperature, .seed = o->seed,
                      .on_text = relay_text, .arg = l },
        .remote_tokens = o->remote_context_tokens,
        .abstain_below = o->no_abstain ? 0 : ABSTAIN_THRESHOLD,
        .filter = { .margin = o->filter_margin, .whole = o->whole != 0 },
        .withhold = !o->no_abstain && o->ground == PITH_GROUNDED,
        .unfiltered = o->no_filter != 0,
        .context_only = o->context_only != 0,
        .closed_book = o->ground == PITH_CLOSED_BOOK,
        .quote = o->quote != 0 && o->ground != PITH_CLOSED_BOOK,
    };
    TRY(mode_of(cx, o->mode, &opt->retrieve.mode));
    TRY(history_in(cx, o, opt));
    TRY(without_in(cx, o, &opt->retrieve));
    return o->ground == PITH_GIVEN ? given_in(cx, o, opt) : OK;
}

/* a->passages are there. */
static Status citations_out(Ctx *cx, const Cited *from, pith_answer *a)
{
    a->n_citations = from->n;
    TRY_NEW(a->citations = ctx_new(cx, pith_citation, from->n));
    for (size_t i = 0; i < from->n; i++) {
        const Citation *c = &from->at[i];
        const pith_passage *p = &a->passages[c->passage];
        a->citations[i] = (pith_citation){ c->n, c->passage, c->start, c->end,
                                           public_string(cx, c->text), c->support,
                                           p->page, p->page_end };
    }
    return cx->status;
}

static Status quotes_out(Ctx *cx, const Quotes *from, pith_answer *a)
{
    a->n_quotes = from->n;
    a->misquoted = from->unfounded;
    TRY_NEW(a->quotes = ctx_new(cx, pith_quote, from->n));
    for (size_t i = 0; i < from->n; i++) {
        const Quote *q = &from->at[i];
        a->quotes[i] = (pith_quote){ q->passage, q->start, q->end,
                                     public_string(cx, q->text) };
    }
    return cx->status;
}

static Status features_out(Ctx *cx, const Decision *d, pith_answer *a)
{
    if (!d->model) return OK;
    pith_feature *all = ctx_new(cx, pith_feature, ROUTE_FEATURES);
    TRY_NEW(all);
    for (int f = 0; f < ROUTE_FEATURES; f++)
        all[f] = (pith_feature){ route_feature_name((RouteFeature)f), d->feature[f],
                                 d->model->usual[f], d->model->weight[f] };
    a->route_features = all;
    a->n_route_features = ROUTE_FEATURES;
    return OK;
}

static Status route_out(Ctx *cx, const pith *p, const Answer *from, pith_answer *a)
{
    const Decision *d = &from->decision;
    const char **reasons = ctx_new(cx, const char *, (size_t)d->n_reasons);
    TRY_NEW(reasons);
    for (int i = 0; i < d->n_reasons; i++) reasons[i] = d->reason[i].p;
    a->route_reasons = reasons;
    a->n_route_reasons = (size_t)d->n_reasons;
    a->route_score = d->score;
    a->draft_score = d->model ? d->draft_score : NAN;
    a->fallback = from->fallback.n ? from->fallback.p : NULL;
    a->remote_tokens = from->sent_tokens;
    a->remote_cost = remote_cost(p, from);
    a->remote_ms = from->sent_ms;
    return features_out(cx, d, a);
}

static Status answer_out(Ctx *cx, const Answer *from, const Model *writer, pith_answer *a)
{
    *a = (pith_answer){
        .text = public_string(cx, from->cited.text), .abstained = from->abstained,
        .confidence = from->confidence, .left_out = from->passages.left_out,
        .unsupported = from->cited.unsupported,
        .question = public_string(cx, from->question),
        .model = public_string(cx, model_info(writer)->name),
        .route = from->decision.route == ROUTE_LLM ? "llm" : "slm",
        .prompt_tokens = from->generated.prompt_tokens,
        .generated_tokens = from->generated.tokens,
        .finish_length = from->generated.finish == FINISH_LENGTH || from->late,
        .first_token_ms = from->first_text_ms,
        .mean_logprob = from->generated.mean_logprob,
        .min_logprob = from->generated.min_logprob,
    };
    for (size_t i = 0; i < from->cited.n; i++)
        a->support += from->cited.at[i].support / (double)from->cited.n;
    TRY(passages_out(cx, &from->passages, &a->passages, &a->n_passages));
    TRY(citations_out(cx, &from->cited, a));
    TRY(quotes_out(cx, &from->quotes, a));
    TRY(public_stages(cx, &a->stages, &a->n_stages));
    return cx->status;
}

/* A question that says what questions take: searched for, with nothing written before. */
static bool plain(const pith_ask_options *o)
{
    return o->ground == PITH_GROUNDED && o->n_history == 0 && !o->rewrite && !o->decompose
        && !o->hyde;
}

static Status answer(Ctx *cx, pith *p, Str question, const pith_ask_options *o,
                     pith_answer *out)
{
    double begun = now_ms();
    Budget budget = { .begun = begun, .ms = o->budget_ms };
    Listener listener = { o };
    Asker a = { 0 };
    AskOptions opt;
    Answer got;
    Str caution = { 0 };
    TRY(ask_options(cx, o, &listener, &opt));
    opt.filter.whole |= p->kv_mib > 0;
    if (o->ground == PITH_GROUNDED)
        TRY(search_models(cx, p, opt.retrieve.mode, !o->no_rerank, &a));
    TRY(query_map_of(cx, p, a.embedder, &opt.retrieve.map));
    if (o->ground == PITH_GROUNDED) TRY(glossary_read(cx, p, &opt.glossary));
    if (o->ground == PITH_GROUNDED && !o->no_calibration)
        TRY(calibration_use(cx, p, &a, &opt, &caution));
    TRY(writer_of(cx, p, &a));
    opt.augment = (AugmentOptions){ o->rewrite != 0, o->decompose != 0, o->hyde != 0,
                                    &p->memo };
    TRY(remote_prepare(cx, p, o, &a, &opt));
    TRY(budget_use(cx, p, &budget, &a, &opt));
    double loaded = now_ms() - begun;
    TRY(ask(cx, &a, &opt, question, &got));
    bool large = got.decision.route == ROUTE_LLM && got.was_sent;
    TRY(answer_out(cx, &got, large ? a.remote : a.writer, out));
    TRY(route_out(cx, p, &got, out));
    out->caution = caution.n ? caution.p : NULL;
    budget.begun += loaded;     // what a model took to load is no measure of an answer
    if (!got.was_sent && plain(o)) budget_learn(cx, p, &budget, &got);
    out->budget = budget.told.n ? budget.told.p : NULL;
    bool routed = a.remote && !o->context_only && !opt.closed_book;
    if (routed) TRY(remote_account(cx, p, &got));
    if (routed && !o->no_log) TRY(remote_log(cx, p, &got, now_ms() - begun));
    out->first_token_ms += out->first_token_ms > 0 ? loaded : 0;
    out->total_ms = now_ms() - begun;
    return OK;
}

int pith_ask(pith *p, const char *question, const pith_ask_options *opt,
             pith_answer **out, pith_error *why)
{
    static const pith_ask_options defaults = { 0 };
    AnswerBox *box = calloc(1, sizeof *box);
    Ctx cx;
    call_begin(p, &cx);
    Status st = box ? OK : fail(&cx, E_MEMORY, "out of memory for an answer");
    if (st == OK) st = answer(&cx, p, str_z(question), opt ? opt : &defaults, &box->pub);
    if (st == OK) box->cx = cx;
    else free(box);
    *out = st == OK ? &box->pub : NULL;
    return call_end(p, &cx, st, true, why);
}

const char *pith_route_feature(int i)
{
    return i >= 0 && i < ROUTE_FEATURES ? route_feature_name((RouteFeature)i) : NULL;
}

void pith_answer_free(pith_answer *a)
{
    if (!a) return;
    ctx_end(&((AnswerBox *)a)->cx);
    free(a);
}
