/* llama_feed.c -- a prompt becomes keys and values, in `talk` or in the prefill.
 *
 * Long prompts are read by our own forward pass (prefill.h), where it can, and greedy
 * answers to them are written by it too, where that costs about what it costs libllama:
 * it takes back or keeps a draft of many tokens at the price of one. Else libllama does
 * both. Who does it is a matter of the model, the prompt's length and the temperature
 * alone, and a prefix that the other one read is read again, so that the same
 * conversation gives the same answer whatever was asked before.
 *
 * Invariant of libllama's reading: the first n_past tokens of `past` have their keys and
 * values in `talk`, all from batches that end at a multiple of GRAIN, but for the tail
 * behind the last of these borders, which is a batch of its own. The rows left over at
 * the end of a batch go through other kernels and round otherwise (logits of Qwen2.5-0.5B
 * moved by up to 0.4); with borders, logits are the same to the bit wherever reuse
 * begins.
 * Invariant of ours: the first n_past tokens of `past` are those of m->prefill, and
 * `talk` has them too where m->handed. Our rows do not depend on what is computed beside
 * them, so any prefix is reused, what we wrote among it; where libllama writes, the last
 * token is its own, for its logits, and what it generated, a token a batch, is never
 * reused. */
#include "model/llama_impl.h"

#include "model/engine.h"
#include "model/prefill.h"

#include <assert.h>
#include <string.h>

enum {
    BATCH = 512,            // tokens computed between two looks at cancellation
    GRAIN = 32,             // batches end at multiples of it
    CONTEXT_STEP = 1024,    // contexts grow by this
    OURS_FROM = 192,        // tokens of a prompt: for fewer, packing weights does not pay
};

/* ---- the context ------------------------------------------------------------------ */

static bool wants_stop(void *cx)
{
    const Ctx *c = cx;
    return c->cancelled && c->cancelled(c->cancel_arg);
}

void talk_watch(LlamaModel *m, Ctx *cx)
{
    llama_set_abort_callback(m->talk, cx ? wants_stop : NULL, cx);
}

/* Makes room for n tokens. A context is sized to need, since its cost follows its size,
 * not its use. */
static Status talk_room(Ctx *cx, LlamaModel *m, size_t n)
{
    size_t window = (size_t)m->base.info.window;
    if (n > window)
        return fail(cx, E_LIMIT, "%zu tokens of prompt and answer, the model's window "
                    "has %zu: ask for less context", n, window);
    if (m->talk && llama_n_ctx(m->talk) >= n) return OK;
    if (m->talk) llama_free(m->talk);
    m->talk = NULL;
    m->handed = false;
    if (!m->ours) m->n_past = 0;
    struct llama_context_params p = llama_context_default_params();
    size_t room = (n + CONTEXT_STEP - 1) / CONTEXT_STEP * CONTEXT_STEP;
    p.n_ctx = (uint32_t)(room < window ? room : window);
    p.n_batch = p.n_ubatch = BATCH;
    /* On a CPU one query against a long cache is slower with it; a GPU wants it. */
    p.flash_attn_type = llama_supports_gpu_offload() ? LLAMA_FLASH_ATTN_TYPE_AUTO
                                                     : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    return llama_context_open(cx, m, p, &m->talk);
}

static Status talk_decode(Ctx *cx, LlamaModel *m, llama_token *at, size_t n)
{
    TRY(ctx_check(cx));
    engine_reason_clear();
    int rc = llama_decode(m->talk, llama_batch_get_one(at, (int)n));
    m->logits = rc == 0 ? llama_get_logits_ith(m->talk, -1) : NULL;
    if (m->logits) return OK;
    TRY(ctx_check(cx));      // it was stopped between two operations
    return fail(cx, E_MODEL, "%s: computing %zu tokens ended with %d: %s",
                m->base.info.path.p, n, rc, engine_reason());
}

/* Forgets what `talk` holds from token n on; false: it forgot all. */
static bool talk_cut(LlamaModel *m, size_t n)
{
    llama_memory_t memory = llama_get_memory(m->talk);
    if (llama_memory_seq_rm(memory, 0, (llama_pos)n, -1)) return true;
    llama_memory_clear(memory, true);    // recurrent models cannot forget a part
    return false;
}

/* How many of t's tokens `past` begins with; the last one is always computed. */
static size_t shared(const LlamaModel *m, Tokens t)
{
    size_t n = 0, most = m->n_past < t.n - 1 ? m->n_past : t.n - 1;
    while (n < most && m->past[n] == t.at[n]) n++;
    return n;
}

static void remember(LlamaModel *m, Tokens t, size_t n)
{
    memcpy(m->past + m->n_past, t.at + m->n_past, (n - m->n_past) * sizeof *t.at);
    m->n_past = n;
}

/* n tokens behind those of the prefill, whose logits are wanted. */
static Status step_ours(Ctx *cx, LlamaModel *m, const llama_token *at, size_t n)
{
    TRY(prefill_step(cx, m->prefill, at, n, &m->logits));
    memcpy(m->past + m->n_past, at, n * sizeof *at);
    m->n_past += n;
    return OK;
}

Status talk_step(Ctx *cx, LlamaModel *m, llama_token *at, size_t n)
{
    return m->writes ? step_ours(cx, m, at, n) : talk_decode(cx, m, at, n);
}

Status talk_drop(Ctx *cx, LlamaModel *m, size_t n)
{
    assert(m->writes && n <= m->n_past);
    m->n_past -= n;
    return prefill_run(cx, m->prefill, NULL, m->n_past, 0);
}

/* ---- read by libllama ------------------------------------------------------------- */

static Status read_theirs(Ctx *cx, LlamaModel *m, Tokens t, size_t *reused)
{
    size_t border = (t.n - 1) / GRAIN * GRAIN;
    if (m->ours) m->n_past = 0;
    m->ours = m->handed = m->writes = false;
    m->n_past = shared(m, t) / GRAIN * GRAIN;
    if (!talk_cut(m, m->n_past)) m->n_past = 0;
    *reused = m->n_past;
    while (m->n_past < t.n) {
        size_t n = (m->n_past < border ? border : t.n) - m->n_past;
        if (n > BATCH) n = BATCH;
        TRY(talk_decode(cx, m, t.at + m->n_past, n));
        remember(m, t, m->n_past + n);
    }
    return OK;
}

/* ---- read by our own forward pass ------------------------------------------------- */

/* Nothing that `talk` or the prefill holds is relied on any more. */
static void forget(LlamaModel *m)
{
    m->n_past = 0;
    m->ours = m->handed = m->writes = false;
    llama_memory_clear(llama_get_memory(m->talk), true);
}

/* Packs the weights, and lets both read the head of the prompt: do they agree? */
static Status prepare(Ctx *cx, LlamaModel *m, Tokens t)
{
    PrefillOptions opt = { .threads = m->threads, .max_bytes = m->prefill_bytes };
    if (!prefill_way(&opt.way)) return fail(cx, E_MODEL, "no fast products here");
    TRY(prefill_open(cx, m->base.info.path.p, &opt, &m->prefill));
    forget(m);
    TRY(talk_decode(cx, m, t.at, PREFILL_PROBE));
    TRY(prefill_run(cx, m->prefill, t.at, 0, PREFILL_PROBE));
    return prefill_agree(cx, m->prefill, m->talk);
}

static Status read_ours(Ctx *cx, LlamaModel *m, Tokens t, Feed feed, size_t *reused)
{
    if (!m->prefill) TRY(prepare(cx, m, t));
    if (!m->ours) m->n_past = 0;
    size_t keep = shared(m, t), last = t.n - 1;
    bool there = m->handed && keep == last;
    m->ours = true;
    m->handed = false;
    m->writes = feed.greedy && prefill_can_step(m->prefill);
    m->n_past = *reused = keep;
    TRY(prefill_run(cx, m->prefill, t.at + keep, keep, last - keep));
    remember(m, t, last);
    if (m->writes) return step_ours(cx, m, t.at + last, 1);
    if (!there || !talk_cut(m, last)) TRY(prefill_hand_over(cx, m->prefill, m->talk));
    m->handed = true;
    return talk_decode(cx, m, t.at + last, 1);
}

/* Whether to go on with libllama after our pass failed. What it cannot do at all is not
 * tried again; where memory or a limit was short, a shorter prompt may pass. */
static bool fall_back(Ctx *cx, LlamaModel *m)
{
    forget(m);
    if (cx->status == E_CANCELLED) return false;
    if (cx->status != E_LIMIT || !m->prefill || prefill_tokens(m->prefill) == 0) {
        prefill_close(m->prefill);
        m->prefill = NULL;
        m->prefill_bytes = 0;
    }
    ctx_forgive(cx);
    return true;
}

Status talk_feed(Ctx *cx, LlamaModel *m, Tokens t, Feed feed, size_t *reused)
{
    if (t.n == 0) return fail(cx, E_ARG, "the prompt is empty");
    TRY(talk_room(cx, m, t.n + (size_t)feed.more));
    talk_watch(m, cx);
    bool ours = m->prefill_bytes > 0 && t.n >= OURS_FROM;
    Status st = ours ? read_ours(cx, m, t, feed, reused) : OK;
    if (!ours || (st != OK && fall_back(cx, m))) st = read_theirs(cx, m, t, reused);
    talk_watch(m, NULL);
    return st;
}
