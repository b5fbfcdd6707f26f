/* llama_feed.c -- a prompt becomes keys and values, and is gone on from: in `batch` or in
 * `talk`.
 *
 * Long prompts are read by our own forward pass (prefill.h), where it can, and answers
 * to them are written by it too, where that costs about what it costs libllama: it
 * takes many tokens at the price of one, of a draft or of several answers. Else
 * libllama does both, one conversation at a time. Where answers are to be written at a
 * time, our pass is worth more: it reads all prompts, and writes with weights that may
 * be larger. So who does it is a matter of the model, its options and the prompt's
 * length alone, and a prefix that the other one read is read again: the same
 * conversation gives the same answer whatever was asked before, and whoever else is
 * answered.
 *
 * Invariant of libllama's reading: the first n_past tokens of `past` have their keys and
 * values in `talk`, all from batches that end at a multiple of GRAIN, but for the tail
 * behind the last of these borders, which is a batch of its own. The rows left over at
 * the end of a batch go through other kernels and round otherwise (logits of Qwen2.5-0.5B
 * moved by up to 0.4); with borders, logits are the same to the bit wherever reuse
 * begins. What it generated, a token a batch, is never reused; nor what we handed over.
 * Our rows do not depend on what is computed beside them: any prefix of what is in the
 * batch is reused. Where libllama goes on, the last token is its own, for its logits. */
#include "model/llama_impl.h"

#include "model/engine.h"
#include "model/prefill_state.h"

#include <string.h>

enum {
    BATCH = 512,            // tokens computed between two looks at cancellation
    GRAIN = 32,             // batches end at multiples of it
    CONTEXT_STEP = 1024,    // contexts grow by this
    OURS_FROM = 192,        // tokens of a prompt: for fewer, packing weights does not pay
    ONE_PERCENT = 125,      // of the file's size that the weights of a step may have, for
    MANY_PERCENT = 150,     // one answer at a time, and for many
};

/* ---- the context of libllama; its turn is ours ------------------------------------ */

static bool wants_stop(void *cx)
{
    const Ctx *c = cx;
    return c->cancelled && c->cancelled(c->cancel_arg);
}

/* From now on cx is asked whether to stop in the midst of computing; NULL: nobody is. */
static void watch(LlamaModel *m, Ctx *cx)
{
    if (m->talk) llama_set_abort_callback(m->talk, cx ? wants_stop : NULL, cx);
}

/* Makes room for n tokens. A context is sized to need, since its cost follows its size,
 * not its use. */
static Status talk_room(Ctx *cx, LlamaModel *m, size_t n)
{
    size_t window = (size_t)m->base.info.window;
    if (m->talk && llama_n_ctx(m->talk) >= n) return watch(m, cx), OK;
    if (m->talk) llama_free(m->talk);
    m->talk = NULL;
    m->n_past = 0;
    struct llama_context_params p = llama_context_default_params();
    size_t room = (n + CONTEXT_STEP - 1) / CONTEXT_STEP * CONTEXT_STEP;
    p.n_ctx = (uint32_t)(room < window ? room : window);
    p.n_batch = p.n_ubatch = BATCH;
    /* On a CPU one query against a long cache is slower with it, unless measured
     * otherwise; what we hand over is laid out for attention without. A GPU wants it. */
    p.flash_attn_type = llama_supports_gpu_offload() ? LLAMA_FLASH_ATTN_TYPE_AUTO
                      : m->flash && !atomic_load(&m->ours)
                      ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    TRY(llama_context_open(cx, m, p, &m->talk));
    watch(m, cx);
    return OK;
}

static Status decode(Ctx *cx, LlamaModel *m, llama_token *at, size_t n,
                     const float **logits)
{
    TRY(ctx_check(cx));
    engine_reason_clear();
    int rc = llama_decode(m->talk, llama_batch_get_one(at, (int)n));
    *logits = rc == 0 ? llama_get_logits_ith(m->talk, -1) : NULL;
    if (*logits) return OK;
    TRY(ctx_check(cx));      // it was stopped between two operations
    return fail(cx, E_MODEL, "%s: computing %zu tokens ended with %d: %s",
                m->base.info.path.p, n, rc, engine_reason());
}

/* How many of t's tokens `past` begins with; the last one is always computed. */
static size_t shared(const LlamaModel *m, Tokens t)
{
    size_t n = 0, most = m->n_past < t.n - 1 ? m->n_past : t.n - 1;
    while (n < most && m->past[n] == t.at[n]) n++;
    return n;
}

/* Forgets what `talk` holds behind the tokens that it shares with t, up to a border. */
static void keep_shared(LlamaModel *m, Tokens t)
{
    llama_memory_t memory = llama_get_memory(m->talk);
    m->n_past = shared(m, t) / GRAIN * GRAIN;
    if (llama_memory_seq_rm(memory, 0, (llama_pos)m->n_past, -1)) return;
    llama_memory_clear(memory, true);    // recurrent models cannot forget a part
    m->n_past = 0;
}

static Status read_theirs(Ctx *cx, LlamaModel *m, Tokens t, Talk *out)
{
    size_t border = (t.n - 1) / GRAIN * GRAIN;
    keep_shared(m, t);
    out->reused = m->n_past;
    while (m->n_past < t.n) {
        size_t n = (m->n_past < border ? border : t.n) - m->n_past;
        if (n > BATCH) n = BATCH;
        TRY(decode(cx, m, t.at + m->n_past, n, &out->logits));
        memcpy(m->past + m->n_past, t.at + m->n_past, n * sizeof *t.at);
        m->n_past += n;
    }
    return OK;
}

/* ---- our own forward pass --------------------------------------------------------- */

/* Lets both read some tokens of the prompt: do they agree? */
static Status probe(Ctx *cx, LlamaModel *m, Prefill *p, Tokens t)
{
    llama_token token[PREFILL_PROBE];
    const float *unused;
    PrefillSeq *s = NULL;
    for (size_t i = 0; i < PREFILL_PROBE; i++) token[i] = t.at[i % t.n];
    TRY(talk_room(cx, m, PREFILL_PROBE));
    llama_memory_clear(llama_get_memory(m->talk), true);
    m->n_past = 0;
    TRY(decode(cx, m, token, PREFILL_PROBE, &unused));
    Status st = prefill_seq_open(cx, p, &s);
    if (st == OK) st = prefill_run(cx, s, token, 0, PREFILL_PROBE);
    if (st == OK) st = prefill_agree(cx, s, m->talk);
    prefill_seq_close(s);
    return st;
}

/* Packs the weights. Where we write, libllama's context is not needed any more. */
static Status batch_make(Ctx *cx, LlamaModel *m, Tokens t, Batch **out)
{
    size_t answers = (size_t)m->answers;
    PrefillOptions opt = { .threads = m->threads, .max_bytes = m->prefill_bytes,
                           .step_percent = answers > 1 ? MANY_PERCENT : ONE_PERCENT };
    BatchOptions seats = { answers, (size_t)m->base.info.window, (size_t)m->threads };
    Prefill *p = NULL;
    if (!prefill_way(&opt.way)) return fail(cx, E_MODEL, "no fast products here");
    TRY(prefill_open(cx, m->base.info.path.p, &opt, &p));
    Status st = probe(cx, m, p, t);
    if (st != OK) return prefill_close(p), st;
    if (prefill_can_step(p)) {
        llama_free(m->talk);
        m->talk = NULL;
        m->n_past = 0;
    }
    return batch_open(cx, p, &seats, out);
}

/* Whether to go on with libllama after our pass said no. */
static bool may_fall_back(Ctx *cx)
{
    if (cx->status == E_CANCELLED) return false;
    ctx_forgive(cx);
    return true;
}

/* The batch, made when it is first wanted. What our pass cannot do at all is not tried
 * again. */
Status talk_batch(Ctx *cx, LlamaModel *m, Tokens t, Batch **out)
{
    *out = atomic_load(&m->batch);
    if (*out || !atomic_load(&m->ours)) return OK;
    TRY(turn_take(cx, &m->turn));
    *out = atomic_load(&m->batch);
    Status st = *out || !atomic_load(&m->ours) ? OK : batch_make(cx, m, t, out);
    if (st == OK) atomic_store(&m->batch, *out);
    else if (may_fall_back(cx)) atomic_store(&m->ours, false), st = OK;
    watch(m, NULL);
    turn_give(&m->turn);
    return st;
}

/* *out is NULL with OK where libllama reads. */
static Status batch_for(Ctx *cx, LlamaModel *m, Tokens t, Batch **out)
{
    *out = NULL;
    return m->answers > 1 || t.n >= OURS_FROM ? talk_batch(cx, m, t, out) : OK;
}

/* We read the prompt, but for its last token, and libllama goes on. */
static Status read_ours(Ctx *cx, LlamaModel *m, Batch *b, const BatchPrompt *p, Talk *out)
{
    Seat *s;
    TRY(batch_sit(cx, b, p, &out->reused, &s));
    m->n_past = 0;
    Status st = prefill_hand_over(cx, batch_seq(s), m->talk);
    batch_leave(s);
    llama_token last = p->token[p->n - 1];
    return st == OK ? decode(cx, m, &last, 1, &out->logits) : st;
}

/* ---- a conversation --------------------------------------------------------------- */

static Status begin_ours(Ctx *cx, Batch *b, const BatchPrompt *p, Talk *out)
{
    size_t one = 1;
    TRY(batch_sit(cx, b, p, &out->reused, &out->seat));
    Status st = batch_step(cx, out->seat, p->token + p->n - 1, &one, &out->logits);
    if (st != OK) talk_end(out);
    return st;
}

/* b: NULL where libllama reads. */
static Status begin_theirs(Ctx *cx, LlamaModel *m, Batch *b, BatchPrompt p, Talk *out)
{
    Tokens t = { (int32_t *)p.token, p.n, p.n };
    TRY(turn_take(cx, &m->turn));
    out->has_turn = true;
    Status st = talk_room(cx, m, p.n + p.more);
    p.more = 0;
    bool read = st == OK && b && read_ours(cx, m, b, &p, out) == OK;
    if (st == OK && !read) st = cx->status == OK || may_fall_back(cx)
                              ? read_theirs(cx, m, t, out) : cx->status;
    if (st != OK) talk_end(out);
    return st;
}

/* By our pass, or by libllama where that cannot. */
static Status begin(Ctx *cx, LlamaModel *m, Batch *b, const BatchPrompt *p, Talk *out)
{
    if (b && prefill_can_step(batch_prefill(b))) {
        Status st = begin_ours(cx, b, p, out);
        if (st == OK || !may_fall_back(cx)) return st;
        b = NULL;
    }
    return begin_theirs(cx, m, b, *p, out);
}

Status talk_begin(Ctx *cx, LlamaModel *m, const Reading *r, int more, Talk *out)
{
    Tokens t = r->t;
    size_t n = t.n + (size_t)more, window = (size_t)m->base.info.window;
    Known known = { 0 };
    Batch *b;
    *out = (Talk){ .model = m };
    if (t.n == 0) return fail(cx, E_ARG, "the prompt is empty");
    if (n > window)
        return fail(cx, E_LIMIT, "%zu tokens of prompt and answer, the model's window "
                    "has %zu: ask for less context", n, window);
    TRY(batch_for(cx, m, t, &b));
    Status st = b ? known_find(cx, m, b, r, &known) : OK;
    BatchPrompt p = { t.at, t.n, (size_t)more, known.at, known.n };
    if (st == OK) st = begin(cx, m, b, &p, out);
    out->restored = known.restored;
    known_close(&known);
    return st;
}

Status talk_step(Ctx *cx, Talk *t, llama_token *at, size_t *n)
{
    if (t->seat) return batch_step(cx, t->seat, at, n, &t->logits);
    *n = 1;
    return decode(cx, t->model, at, 1, &t->logits);
}

void talk_looked(Talk *t, size_t drop)
{
    if (t->seat) batch_looked(t->seat, drop);
}

void talk_end(Talk *t)
{
    if (t->seat) batch_leave(t->seat);
    if (t->has_turn) {
        watch(t->model, NULL);
        turn_give(&t->model->turn);
    }
    *t = (Talk){ .model = t->model };
}
