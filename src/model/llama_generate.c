/* llama_generate.c -- a conversation continued, token by token or draft by draft.
 *
 * Invariant: a token is said only after the logits behind all before it were computed,
 * and is the one that they choose. A draft changes when they are computed, and no bit
 * of them: what is said is the same with and without. Others wait for the logits to be
 * looked at, so all tokens of a step are chosen before one is said; where the caller is
 * asked what may be said, which hangs on what was, they are copied instead. */
#include "model/draft.h"
#include "model/llama_impl.h"
#include "model/thoughts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 64 << 20 };   // bytes

/* ---- choosing a token ------------------------------------------------------------- */

typedef struct Choice {
    llama_token token;
    float logprob;          // natural logarithm, before temperature
} Choice;

static llama_token best(const float *logit, int n)
{
    int at = 0;
    for (int i = 1; i < n; i++)
        if (logit[i] > logit[at]) at = i;
    return at;
}

static float logprob(const float *logit, int n, llama_token of, llama_token top)
{
    float most = logit[top], others = 0;    // parts of the sum: top's own is 1, and what
    for (int i = 0; i < n; i++)             // is 20 below it is under 2e-9
        if (i != top && logit[i] > most - 20) others += expf(logit[i] - most);
    return logit[of] - most - log1pf(others);
}

static struct llama_sampler *sampler_new(const GenerateOptions *opt)
{
    struct llama_sampler *chain =
        llama_sampler_chain_init(llama_sampler_chain_default_params());
    uint32_t seed = (uint32_t)(opt->seed ^ opt->seed >> 32);
    if (seed == LLAMA_DEFAULT_SEED) seed--;    // libllama reads that one as "any"
    llama_sampler_chain_add(chain, llama_sampler_init_temp(opt->temperature));
    llama_sampler_chain_add(chain, llama_sampler_init_dist(seed));
    return chain;
}

/* ---- writing text ----------------------------------------------------------------- */

/* raw holds what the model said behind its thoughts. text is the answer: the whole, valid
 * characters of that, of which the caller has seen the first `shown` bytes. */
typedef struct Writer {
    const GenerateOptions *opt;
    Thoughts thoughts;
    Buf raw, text;
    size_t read;            // bytes of raw that are done with
    size_t shown;
} Writer;

/* Bytes of the character at p (Unicode 15, table 3-7); 0: it goes on behind n; -1: it is
 * none. */
static int character(const unsigned char *p, size_t n)
{
    unsigned lead = p[0], low = 0x80, high = 0xBF;
    int size = lead < 0x80 ? 1 : lead < 0xC2 ? -1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3
             : lead < 0xF5 ? 4 : -1;
    if (lead == 0xE0) low = 0xA0;      // no overlong forms
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xED) high = 0x9F;     // no surrogates
    if (lead == 0xF4) high = 0x8F;     // not past U+10FFFF
    for (int i = 1; i < size; i++, low = 0x80, high = 0xBF) {
        if ((size_t)i == n) return 0;
        if (p[i] < low || p[i] > high) return -1;
    }
    return size;
}

/* Takes a piece of a character or of several. False: the caller wants no more. */
static bool write_piece(Writer *w, Str piece)
{
    buf_add(&w->raw, piece);
    while (w->read < w->raw.n) {
        const char *p = w->raw.p + w->read;
        int n = character((const unsigned char *)p, w->raw.n - w->read);
        if (n == 0) break;
        buf_add(&w->text, n > 0 ? (Str){ p, (size_t)n } : STR("\xEF\xBF\xBD"));
        w->read += n > 0 ? (size_t)n : 1;
    }
    if (w->text.n == w->shown || !w->opt->on_text) return true;
    Str fresh = { w->text.p + w->shown, w->text.n - w->shown };
    w->shown = w->text.n;
    return w->opt->on_text(w->opt->arg, fresh);
}

static bool write_token(Writer *w, LlamaModel *m, llama_token token)
{
    char piece[512];
    int n = llama_token_to_piece(m->vocab, token, piece, sizeof piece, 0, false);
    if (n <= 0) return true;
    return write_piece(w, thoughts_pass(&w->thoughts, (Str){ piece, (size_t)n }));
}

/* Whether the caller lets text go on with token. Thoughts are the model's own. */
static bool may_say(const Writer *w, const LlamaModel *m, llama_token token)
{
    enum { HELD = 64 };
    char piece[HELD + 512];
    Str held;
    if (thoughts_go_on(&w->thoughts, &held)) return true;
    /* of a character that is not whole */
    if (w->thoughts.past) held = (Str){ w->raw.p + w->read, w->raw.n - w->read };
    size_t begun = held.n;
    if (begun > HELD) return true;
    if (begun) memcpy(piece, held.p, begun);
    int n = llama_token_to_piece(m->vocab, token, piece + begun, 512, 0, false);
    bool end = n <= 0 || llama_vocab_is_eog(m->vocab, token);
    return w->opt->allows(w->opt->arg, (Str){ piece, end ? 0 : begun + (size_t)n });
}

/* ---- generation ------------------------------------------------------------------- */

static void account(Generated *out, float logprob_)
{
    out->tokens++;
    out->mean_logprob += (logprob_ - out->mean_logprob) / (float)out->tokens;
    if (logprob_ < out->min_logprob) out->min_logprob = logprob_;
}

/* An answer in work. The tokens of the last step are the last one said and a draft behind
 * it, which is right as far as the rows before it choose it. */
typedef struct Speech {
    Talk talk;
    struct llama_sampler *sampler;    // NULL: greedy
    llama_token_data *candidate;      // (vocab), for the sampler
    Draft *draft;                     // NULL: none is made
    Writer w;
    llama_token token[1 + DRAFT_MOST];
    size_t n, row;                    // tokens of the step; rows that have chosen
    float *logits;                    // (n, vocab), where the caller is asked: a copy
    Choice chosen[1 + DRAFT_MOST];
    size_t n_chosen;                  // and not said yet
} Speech;

static bool is_held(const Speech *s)
{
    return s->w.opt->allows != NULL;
}

/* ---- by one row of logits */

static llama_token draw(Speech *s, const float *logit, int n)
{
    for (int i = 0; i < n; i++) s->candidate[i] = (llama_token_data){ i, logit[i], 0 };
    llama_token_data_array all = { s->candidate, (size_t)n, -1, false };
    llama_sampler_apply(s->sampler, &all);
    llama_token token = all.data[all.selected].id;
    llama_sampler_accept(s->sampler, token);
    return token;
}

/* The likeliest token that may be said; -1: there is none. */
static llama_token best_allowed(const Speech *s, const float *logit, int n)
{
    llama_token at = -1;
    for (llama_token i = 0; i < n; i++)
        if ((at < 0 || logit[i] > logit[at]) && may_say(&s->w, s->talk.model, i)) at = i;
    return at;
}

/* Draws among those that may be said: what may not be is made impossible. A first draw
 * that may be said is as good. */
static llama_token draw_allowed(Speech *s, float *logit, int n)
{
    llama_token first = draw(s, logit, n);
    bool any = false;
    if (may_say(&s->w, s->talk.model, first)) return first;
    for (llama_token i = 0; i < n; i++) {
        bool may = may_say(&s->w, s->talk.model, i);
        if (!may) logit[i] = -INFINITY;
        any |= may;
    }
    return any ? draw(s, logit, n) : -1;
}

/* By the next row; token -1: nothing may be said. */
static Status choose(Ctx *cx, Speech *s, Choice *out)
{
    LlamaModel *m = s->talk.model;
    int n = llama_vocab_n_tokens(m->vocab);
    size_t at = s->row++ * (size_t)n;
    const float *logit = is_held(s) ? s->logits + at : s->talk.logits + at;
    llama_token top = best(logit, n);
    if (!isfinite(logit[top]))
        return fail(cx, E_MODEL, "%s: a logit is not finite: the file or this build is "
                    "damaged", m->base.info.path.p);
    if (s->sampler && is_held(s))
        out->token = draw_allowed(s, s->logits + at, n), top = best(logit, n);
    else if (s->sampler) out->token = draw(s, logit, n);
    else if (!is_held(s) || may_say(&s->w, m, top)) out->token = top;
    else out->token = best_allowed(s, logit, n);
    if (out->token >= 0) out->logprob = logprob(logit, n, out->token, top);
    return OK;
}

/* ---- step by step */

static bool is_end(const Speech *s, llama_token token)
{
    return token < 0 || llama_vocab_is_eog(s->talk.model->vocab, token);
}

/* Whether the next row is of a token that was chosen. */
static bool draft_goes_on(const Speech *s)
{
    llama_token last = s->chosen[s->n_chosen - 1].token;
    return s->row < s->n && s->token[s->row] == last && !is_end(s, last);
}

/* The rows of the step that are of use have chosen. */
static void settle(Speech *s, Generated *out)
{
    talk_looked(&s->talk, s->n - s->row);
    if (s->n > 1) draft_judge(s->draft, s->n - 1, s->row - 1);
    out->drafted += (int)s->n - 1;
    out->accepted += (int)s->row - 1;
}

/* Chooses by all rows of use, or by the next one where the caller is asked. */
static Status judge(Ctx *cx, Speech *s, Generated *out)
{
    Status st;
    s->n_chosen = 0;
    do st = choose(cx, s, &s->chosen[s->n_chosen++]);
    while (st == OK && !is_held(s) && draft_goes_on(s));
    if (!is_held(s) || st != OK || !draft_goes_on(s)) settle(s, out);
    return st;
}

/* Lets go of logits that will be looked at for long. */
static Status begin_step(Ctx *cx, Speech *s)
{
    size_t floats = s->n * (size_t)llama_vocab_n_tokens(s->talk.model->vocab);
    s->row = 0;
    if (!is_held(s)) return OK;
    float *copy = realloc(s->logits, floats * sizeof *copy);
    if (!copy) return fail(cx, E_MEMORY, "no memory for the logits of %zu tokens", s->n);
    s->logits = copy;
    memcpy(copy, s->talk.logits, floats * sizeof *copy);
    talk_looked(&s->talk, 0);
    return OK;
}

/* The next step: the token that was said last, and a draft. */
static Status go_on(Ctx *cx, Speech *s, llama_token token, const Generated *out)
{
    size_t left = (size_t)(s->w.opt->max_tokens - out->tokens);
    s->token[0] = token;
    s->n = 1 + (s->draft ? draft_propose(s->draft, left - 1, s->token + 1) : 0);
    TRY(talk_step(cx, &s->talk, s->token, &s->n));
    return begin_step(cx, s);
}

/* Says what was chosen. False: the answer is at its end. */
static bool say(Speech *s, Generated *out)
{
    LlamaModel *m = s->talk.model;
    for (size_t i = 0; i < s->n_chosen; i++) {
        Choice c = s->chosen[i];
        if (is_end(s, c.token)) return out->finish = FINISH_STOP, false;
        account(out, c.logprob);
        if (!write_token(&s->w, m, c.token)) return out->finish = FINISH_CALLER, false;
        if (out->tokens == s->w.opt->max_tokens)
            return out->finish = FINISH_LENGTH, false;
        if (s->draft) draft_add(s->draft, &c.token, 1);
    }
    return true;
}

/* Until the model, the limit or the caller ends it. */
static Status speak(Ctx *cx, Speech *s, Generated *out)
{
    TRY(begin_step(cx, s));
    for (;;) {
        TRY(judge(cx, s, out));
        bool rows_left = is_held(s) && draft_goes_on(s);
        if (!say(s, out)) return OK;
        if (!rows_left) TRY(go_on(cx, s, s->chosen[s->n_chosen - 1].token, out));
    }
}

/* What chooses, and a draft over the prompt where many tokens cost what one costs. */
static Status prepare(Ctx *cx, Speech *s, Tokens prompt)
{
    const GenerateOptions *opt = s->w.opt;
    int vocab = llama_vocab_n_tokens(s->talk.model->vocab);
    if (opt->temperature > 0) {
        TRY_NEW(s->candidate = ctx_new(cx, llama_token_data, (size_t)vocab));
        s->sampler = sampler_new(opt);
    }
    if (!s->talk.seat || opt->no_drafts) return OK;
    TRY(draft_open(cx, prompt.n + (size_t)opt->max_tokens, &s->draft));
    draft_add(s->draft, prompt.at, prompt.n);
    return OK;
}

/* Goes on behind the prompt, which was read. */
static Status answer(Ctx *cx, Talk talk, Tokens prompt, const GenerateOptions *opt,
                     Generated *out)
{
    Speech s = { .talk = talk, .n = 1,
                 .w = { .opt = opt, .thoughts = thoughts_open(),
                        .raw = BUF(ANSWER_MAX), .text = BUF(ANSWER_MAX) } };
    Writer *w = &s.w;
    Status st = prepare(cx, &s, prompt);
    if (st == OK) st = speak(cx, &s, out);
    if (st == OK && out->finish != FINISH_CALLER)
        write_piece(w, thoughts_rest(&w->thoughts));

    out->text = ctx_dup(cx, buf_str(&w->text));
    if (!out->text.p) st = E_MEMORY;
    if (w->thoughts.head.failed || w->raw.failed || w->text.failed)
        st = fail(cx, E_MEMORY, "no memory for an answer");
    if (s.sampler) llama_sampler_free(s.sampler);
    draft_close(s.draft);
    free(s.logits);
    thoughts_close(&w->thoughts);
    buf_free(&w->raw);
    buf_free(&w->text);
    return st;
}

Status llama_generate(Ctx *cx, Model *base, const Message *msg, size_t n,
                      const GenerateOptions *opt, Generated *out)
{
    LlamaModel *m = (LlamaModel *)base;
    Reading r;
    Talk talk;
    Excerpts excerpts = m->kv ? opt->excerpts : (Excerpts){ 0 };
    *out = (Generated){ 0 };
    if (opt->max_tokens <= 0)
        return fail(cx, E_ARG, "max_tokens is %d: at least 1 is wanted", opt->max_tokens);
    double start = now_ms();
    TRY(chat_reading(cx, m, msg, n, &excerpts, &r));
    TRY(talk_begin(cx, m, &r, opt->max_tokens, &talk));
    double ready = now_ms();
    Status st = answer(cx, talk, r.t, opt, out);
    out->prompt_tokens = (int)r.t.n;
    out->reused_tokens = (int)talk.reused;
    out->restored_tokens = (int)talk.restored;
    talk_end(&talk);
    out->prefill_ms = ready - start;
    out->decode_ms = now_ms() - ready;
    return st;
}
