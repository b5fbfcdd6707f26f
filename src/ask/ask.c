/* ask.c -- see ask.h. */
#include "ask/ask.h"

#include "ask/abstain.h"
#include "ask/standalone.h"

#include <string.h>

enum { SHOWN_WHEN_ABSTAINING = 3 };

Status ask_retrieve(Ctx *cx, const Asker *a, const AugmentOptions *augment,
                    const RetrieveOptions *opt, Str question, Passages *out)
{
    Augmented more;
    Passages list[1 + AUGMENT_QUERIES];
    RetrieveOptions with = *opt;
    TRY(augment_write(cx, a->writer, augment, question, &more));
    with.passage = more.passage;
    if (more.n_queries == 0)
        return retrieve(cx, a->store, a->embedder, &with, question, out);
    TRY(retrieve(cx, a->store, a->embedder, &with, question, &list[0]));
    for (size_t i = 0; i < more.n_queries; i++)
        TRY(retrieve(cx, a->store, a->embedder, opt, more.query[i], &list[i + 1]));
    return augment_join(cx, list, 1 + more.n_queries, opt->k, out);
}

Status ask_may_rank(Ctx *cx, const Asker *a, const Passages *ps)
{
    for (size_t i = 0; a->private_to && i < ps->n; i++)
        if (route_is_private(a->private_to, ps->at[i].chunk.uri))
            return fail(cx, E_ARG, "a passage is private, and the reranker is elsewhere: "
                        "choose another");
    return OK;
}

/* The passages to answer from: those given, none, or what a search finds and the reranker
 * leaves. */
static Status find(Ctx *cx, const Asker *a, const AskOptions *opt, Answer *out)
{
    if (opt->closed_book) return OK;
    if (opt->given) {
        out->passages = *opt->given;
        return OK;
    }
    Str asked;
    size_t terms, unknown;
    TRY(glossary_expand(cx, &opt->glossary, out->question, &asked, &terms));
    TRY(ask_retrieve(cx, a, &opt->augment, &opt->retrieve, asked, &out->passages));
    unknown = out->passages.unknown;        // a term that is explained is not unknown
    out->passages.unknown = unknown > terms ? unknown - terms : 0;
    if (!a->ranker) return OK;
    TRY(ask_may_rank(cx, a, &out->passages));
    TRY(rerank(cx, a->ranker, &opt->rerank, asked, &out->passages));
    if (opt->unfiltered) return OK;
    return filter(cx, a->ranker, &opt->filter, asked, &out->passages);
}

static bool should_abstain(Ctx *cx, const AskOptions *opt, Answer *out)
{
    if (opt->closed_book || opt->given) return false;
    Stage *s = stage_begin(cx, "abstain");
    out->confidence = calibrate(&opt->calibration, abstain_confidence(&out->passages));
    stage_figure(s, "confidence", out->confidence);
    stage_end(s);
    return out->passages.n == 0 || out->confidence < opt->abstain_below;
}

/* Says that the documents do not say, with the nearest passages for the reader. */
static Status refuse(const AskOptions *opt, Answer *out)
{
    out->abstained = true;
    out->quotes = (Quotes){ 0 };
    out->cited.text = STR(PROMPT_REFUSAL);
    if (out->passages.n > SHOWN_WHEN_ABSTAINING) out->passages.n = SHOWN_WHEN_ABSTAINING;
    if (opt->generate.on_text) opt->generate.on_text(opt->generate.arg, out->cited.text);
    return OK;
}

typedef struct Stream {
    Citer *citer;
    Quoter *quoter;         // NULL: quotations are not looked after
    const GenerateOptions *to;
    Answer *out;
    const Deadline *deadline;
    Buf said;               // kept where there is a deadline
    DeadlineWatch watch;
    double begun;
    Status status;
} Stream;

static bool from_model(void *arg, Str piece)
{
    Stream *s = arg;
    bool more = true;
    s->watch.written = true;
    if (s->quoter) piece = quoter_feed(s->quoter, piece);
    s->status = citer_feed(s->citer, piece, &more);
    if (s->status == OK && more && s->deadline->at > 0) {
        buf_add(&s->said, piece);
        s->out->late = budget_over(s->deadline, buf_str(&s->said));
        more = !s->out->late;
    }
    return s->status == OK && more;
}

static bool may_say(void *arg, Str bytes)
{
    return quoter_allows(((Stream *)arg)->quoter, bytes);
}

static bool to_reader(void *arg, Str piece)
{
    Stream *s = arg;
    if (s->out->first_text_ms == 0) s->out->first_text_ms = now_ms() - s->begun;
    return s->to->on_text ? s->to->on_text(s->to->arg, piece) : true;
}

/* What the writer reads. Without documents it is the conversation as it stands, behind
 * our instruction where the conversation brings none. */
typedef struct Reading {
    const Message *at;
    size_t n;
} Reading;

static Status reading(Ctx *cx, const AskOptions *opt, const Prompt *prompt, Reading *out)
{
    *out = (Reading){ prompt->message, 2 };
    if (!opt->closed_book || opt->n_history == 0) return OK;
    bool instructed = strcmp(opt->history[0].role, "system") == 0;
    Message *all = ctx_new(cx, Message, opt->n_history + 2);
    TRY_NEW(all);
    out->at = all;
    out->n = 0;
    if (!instructed) all[out->n++] = prompt->message[0];
    for (size_t i = 0; i < opt->n_history; i++) all[out->n++] = opt->history[i];
    all[out->n++] = prompt->message[1];
    return OK;
}

/* An answer that was not to quote: what it repeats of the passages. */
static Status find_copied(Ctx *cx, Answer *out)
{
    Quoter *q;
    if (out->passages.n == 0) return OK;
    TRY(quoter_open(cx, &out->passages, false, &q));
    Status st = quoter_copied(cx, q, out->cited.text, &out->quotes);
    quoter_close(q);
    return st;
}

static Status finish(Ctx *cx, Stream *s, Answer *out)
{
    bool more;
    if (s->quoter) TRY(citer_feed(s->citer, quoter_finish(s->quoter), &more));
    TRY(citer_finish(s->citer, &out->cited));
    if (s->quoter) return quoter_find(cx, s->quoter, out->cited.text, &out->quotes);
    return find_copied(cx, out);
}

/* Where the deadline left no time to write: what weighs most in the best passage. */
static Status say_passage(Ctx *cx, Stream *s, const Passages *ps)
{
    bool more;
    Span *sentence;
    size_t n;
    if (ps->n == 0) return OK;
    Str text = passage_text(cx, &ps->at[0]);
    TRY_NEW(text.p);
    Words *w = NULL;
    TRY(words_open(cx, &w));
    Status st = passage_sentences(cx, w, text, &sentence, &n);
    words_close(w);
    TRY(st);
    if (n == 0) return OK;
    text = (Str){ text.p + sentence[0].start, sentence[0].end - sentence[0].start };
    return citer_feed(s->citer, str_trim(text), &more);
}

/* What the model says, until the deadline. */
static Status write_by_then(Ctx *cx, Model *writer, Stream *s, const Reading *r,
                            const GenerateOptions *generate, Answer *out)
{
    watch_begin(cx, s->deadline, &s->watch);
    Status st = model_generate(cx, writer, r->at, r->n, generate, &out->generated);
    st = watch_end(cx, &s->watch, st);
    if (st == OK) st = s->status;
    if (st != OK || !s->watch.over) return st;
    out->late = true;
    return s->watch.written ? OK : say_passage(cx, s, &out->passages);
}

static Status stream(Ctx *cx, Model *writer, const AskOptions *opt, const Prompt *prompt,
                     double begun, Answer *out)
{
    Reading r;
    Stream s = { .to = &opt->generate, .out = out, .begun = begun,
                 .deadline = &opt->deadline, .said = BUF(1 << 20) };
    CiteOptions cite = { .on_text = to_reader, .arg = &s, .hold = opt->withhold,
                         .quotes = opt->quote };
    GenerateOptions generate = opt->generate;
    generate.on_text = from_model;
    generate.arg = &s;
    TRY(reading(cx, opt, prompt, &r));
    if (opt->quote) TRY(quoter_open(cx, &out->passages, true, &s.quoter));
    if (opt->quote) generate.allows = may_say;
    generate.excerpts = prompt->excerpts;
    Status st = citer_open(cx, &out->passages, out->question, &cite, &s.citer);
    if (st == OK) st = write_by_then(cx, writer, &s, &r, &generate, out);
    if (st == OK) st = finish(cx, &s, out);
    citer_close(s.citer);
    quoter_close(s.quoter);
    buf_free(&s.said);
    return st;
}

/* The generator's figures, as one stage. */
static void account(Stage *s, const Generated *g, const Cited *cited)
{
    stage_figure(s, "prompt_tokens", g->prompt_tokens);
    stage_figure(s, "reused_tokens", g->reused_tokens);
    stage_figure(s, "tokens", g->tokens);
    stage_figure(s, "prefill_ms", g->prefill_ms);
    stage_figure(s, "decode_ms", g->decode_ms);
    stage_figure(s, "mean_logprob", g->mean_logprob);
    stage_figure(s, "citations", (double)cited->n);
    stage_figure(s, "unsupported", (double)cited->unsupported);
    stage_end(s);
}

/* Of what was read before, and of what was guessed from the context; stages without time
 * of their own. */
static void account_kept(Ctx *cx, const Generated *g)
{
    if (g->restored_tokens == 0) return;
    Stage *s = stage_begin(cx, "kv");
    stage_figure(s, "restored_tokens", g->restored_tokens);
    stage_end(s);
}

static void account_drafts(Ctx *cx, const Generated *g)
{
    if (g->drafted == 0) return;
    Stage *s = stage_begin(cx, "drafts");
    stage_figure(s, "drafted", g->drafted);
    stage_figure(s, "accepted", g->accepted);
    stage_end(s);
}

/* What each of the two writers would read: what fits its budget. */
typedef struct Contexts {
    Passages here, there;
    bool too_long;          // not one passage fits the small model's
} Contexts;

enum { AROUND_PASSAGES = 512 };     // tokens of instruction, question, template

static PromptOptions wide(const Asker *a, const AskOptions *opt, bool too_long)
{
    PromptOptions out = opt->prompt;
    if (opt->remote_tokens > out.context_tokens) out.context_tokens = opt->remote_tokens;
    else if (too_long)
        out.context_tokens = model_info(a->remote)->window - opt->generate.max_tokens
                             - AROUND_PASSAGES;
    return out;
}

static Status fit_wide(Ctx *cx, const Asker *a, const AskOptions *opt, Contexts *c)
{
    PromptOptions there = wide(a, opt, c->too_long);
    bool more = c->here.left_out && there.context_tokens > opt->prompt.context_tokens;
    if (!more && !c->too_long) return c->there = c->here, OK;
    return prompt_fit(cx, a->writer, &there, &c->there);
}

/* What fits the small model's budget; where there is a deadline, what can be read by
 * then, and one passage in any case. */
static Status fit_here(Ctx *cx, Model *writer, const AskOptions *opt, Passages *ps)
{
    PromptOptions o = opt->prompt;
    if (opt->deadline.at <= 0) return prompt_fit(cx, writer, &o, ps);
    o.context_tokens = budget_context(&opt->deadline, o.context_tokens);
    Passages all = *ps;
    int stages = cx->n_stages;
    Status st = prompt_fit(cx, writer, &o, ps);
    int most = opt->alone_tokens ? opt->alone_tokens : opt->prompt.context_tokens;
    if (st != E_LIMIT || o.context_tokens >= most) return st;
    ctx_forgive(cx);
    cx->n_stages = stages;
    *ps = all;
    o.context_tokens = most;
    o.max_passages = 1;
    return prompt_fit(cx, writer, &o, ps);
}

static Status fit(Ctx *cx, const Asker *a, const AskOptions *opt, const Passages *found,
                  Contexts *out)
{
    Passage *copy = ctx_new(cx, Passage, found->n);
    TRY_NEW(copy);
    *out = (Contexts){ .here = *found, .there = *found };
    if (found->n == 0) return OK;
    memcpy(copy, found->at, found->n * sizeof *copy);
    out->there.at = copy;
    int stages = cx->n_stages;
    Status st = fit_here(cx, a->writer, opt, &out->here);
    out->too_long = st == E_LIMIT && a->remote;
    if (!out->too_long) TRY(st);
    if (out->too_long) {
        ctx_forgive(cx);
        if (cx->n_stages > stages) stage_end(&cx->stages[stages]);  // it broke off
        out->here = *found;
    }
    return a->remote ? fit_wide(cx, a, opt, out) : OK;
}

static Status unreadable_here(Ctx *cx, const AskOptions *opt, const Answer *out)
{
    return fail(cx, E_LIMIT, "no passage fits a context of %d tokens: raise --context; "
                "the large model was not asked: %s", opt->prompt.context_tokens,
                out->decision.reason[0].p);
}

/* Who writes: the remote model, where there is one and the owner's rules let it. */
static Status decide(Ctx *cx, const Asker *a, const AskOptions *opt, const Contexts *c,
                     Answer *out)
{
    RouteInput in = { .question = out->question, .passages = &c->here, .sent = &c->there,
                      .too_long = c->too_long, .confidence = out->confidence,
                      .max_tokens = opt->generate.max_tokens,
                      .has_history = opt->n_history > 0 };
    if (!a->remote || opt->closed_book) return OK;
    RouteRules rules = opt->route;
    if (opt->context_only) rules.may_send = NULL;   // nothing will be
    TRY(route_decide(cx, &rules, &in, &out->decision));
    if (!c->too_long || out->decision.route == ROUTE_LLM) return OK;
    return unreadable_here(cx, opt, out);
}

static PromptWay way(const AskOptions *opt)
{
    return opt->quote ? PROMPT_QUOTE : PROMPT_PLAIN;
}

/* Asks the remote model; what it took stands in out, whatever came of it. */
static Status send(Ctx *cx, const Asker *a, const AskOptions *opt, const Contexts *c,
                   double begun, Answer *out)
{
    Prompt prompt;
    AskOptions there = *opt;
    TRY(prompt_build(cx, &c->there, out->question, way(opt), &prompt));
    out->was_sent = true;
    out->passages = c->there;
    there.generate.timeout_ms = (int)(out->taken.seconds * 1000);
    double sent = now_ms();
    Status st = stream(cx, a->remote, &there, &prompt, begun, out);
    out->sent_ms = now_ms() - sent;
    int estimate = (int)(prompt.message[1].content.n / 4);
    int counted = out->generated.prompt_tokens;
    out->sent_tokens = (counted ? counted : estimate) + out->generated.tokens;
    return st;
}

static bool takes_budget(const AskOptions *opt, const Contexts *c, Answer *out)
{
    const RouteRules *r = &opt->route;
    if (!r->take) return true;
    out->taken.tokens = route_tokens(out->question, &c->there, opt->generate.max_tokens);
    const char *why_not = r->take(r->arg, &out->taken);
    if (why_not) route_keep_here(&out->decision, str_z(why_not));
    return !why_not;
}

/* The remote model's answer. What goes wrong there is no error: fallback says what it
 * was, and the small model is to write. A reader who has seen text already is told. */
static Status write_there(Ctx *cx, const Asker *a, const AskOptions *opt,
                          const Contexts *c, double begun, Answer *out)
{
    const Str again = STR("\n\n(The remote model broke off. The small one answers:)\n");
    if (!takes_budget(opt, c, out))
        return c->too_long ? unreadable_here(cx, opt, out) : OK;
    Status st = send(cx, a, opt, c, begun, out);
    if (st == OK || st == E_CANCELLED || st == E_MEMORY || c->too_long) return st;
    out->passages = c->here;
    out->fallback = ctx_printf(cx, "%s", cx->reason);
    TRY_NEW(out->fallback.p);
    ctx_forgive(cx);
    if (out->first_text_ms > 0 && opt->generate.on_text)
        opt->generate.on_text(opt->generate.arg, again);
    out->decision.route = ROUTE_SLM;
    out->decision.may_escalate = false;     // it has failed once
    out->cited = (Cited){ 0 };
    out->quotes = (Quotes){ 0 };
    return OK;
}

static RouteDraft look_at_draft(const Answer *out)
{
    RouteDraft d = { out->generated.mean_logprob, out->generated.min_logprob, 0,
                     out->generated.tokens, out->cited.unsupported > 0,
                     out->cited.withheld || prompt_is_refusal(out->cited.text) };
    for (size_t i = 0; i < out->cited.n; i++)
        d.support += out->cited.at[i].support / (float)out->cited.n;
    return d;
}

static void show_at_once(const AskOptions *opt, double begun, Answer *out)
{
    out->first_text_ms = now_ms() - begun;
    if (!out->cited.withheld && opt->generate.on_text)
        opt->generate.on_text(opt->generate.arg, out->cited.text);
}

/* The small model's answer. Where the large one may still be asked it is a draft, which
 * the reader sees when it is found good enough, or when the large one fails. */
static Status write_here(Ctx *cx, const Asker *a, const AskOptions *opt,
                         const Contexts *c, double begun, Answer *out)
{
    Prompt prompt;
    bool draft = out->decision.may_escalate && !out->was_sent;
    AskOptions quiet = *opt;
    if (draft) quiet.generate.on_text = NULL;
    TRY(prompt_build(cx, &c->here, out->question, way(opt), &prompt));
    TRY(stream(cx, a->writer, &quiet, &prompt, begun, out));
    RouteDraft seen = look_at_draft(out);
    if (a->remote && !opt->closed_book)
        route_weigh_draft(cx, &opt->route, &seen, &out->decision);
    TRY(cx->status);
    if (!draft) return OK;
    if (out->decision.route != ROUTE_LLM) return show_at_once(opt, begun, out), OK;
    Cited cited = out->cited;
    Quotes quotes = out->quotes;
    Generated drafted = out->generated;
    out->draft = drafted.text;
    out->first_text_ms = 0;
    TRY(write_there(cx, a, opt, c, begun, out));
    if (out->decision.route == ROUTE_LLM) return OK;
    out->cited = cited;
    out->quotes = quotes;
    out->generated = drafted;
    return show_at_once(opt, begun, out), OK;
}

static void show_late(const AskOptions *opt, const Answer *out)
{
    if (opt->generate.on_text) opt->generate.on_text(opt->generate.arg, out->cited.text);
}

static Status write_answer(Ctx *cx, const Asker *a, const AskOptions *opt, double begun,
                           Answer *out)
{
    Contexts c;
    TRY(fit(cx, a, opt, &out->passages, &c));
    out->passages = c.here;
    TRY(decide(cx, a, opt, &c, out));
    if (opt->context_only) return OK;
    Stage *s = stage_begin(cx, "generate");
    if (out->decision.route == ROUTE_LLM)
        TRY(write_there(cx, a, opt, &c, begun, out));
    if (out->decision.route != ROUTE_LLM)
        TRY(write_here(cx, a, opt, &c, begun, out));
    account(s, &out->generated, &out->cited);
    account_kept(cx, &out->generated);
    account_drafts(cx, &out->generated);
    /* An answer that time cut short says nothing of the documents. */
    if (out->cited.withheld && out->late) return show_late(opt, out), OK;
    if (out->cited.withheld) return refuse(opt, out);
    if (opt->closed_book || !prompt_is_refusal(out->cited.text)) return OK;
    out->abstained = true;
    out->cited.n = out->cited.unsupported = out->quotes.n = 0;
    return OK;
}

Status ask(Ctx *cx, const Asker *a, const AskOptions *opt, Str question, Answer *out)
{
    double begun = now_ms();
    *out = (Answer){ 0 };
    question = str_trim(question);
    if (question.n == 0)
        return fail(cx, E_ARG, "the question is empty: say what you want to know");
    /* A search needs a question that stands alone; a talk without documents does not. */
    TRY(standalone(cx, a->writer, opt->history, opt->closed_book ? 0 : opt->n_history,
                   question, &out->question));
    TRY(find(cx, a, opt, out));
    if (should_abstain(cx, opt, out)) return refuse(opt, out);
    return write_answer(cx, a, opt, begun, out);
}
