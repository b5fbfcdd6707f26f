/* llama_embed.c -- vectors and scores: many sequences in a batch, each pooled to a row.
 *
 * Sequences are sorted by length and packed up to a budget of tokens: attention runs over
 * the whole batch, so that a large budget costs more than it saves. A sequence longer
 * than the budget goes alone. The order of the results is that of the texts. */
#include "model/llama_impl.h"

#include "model/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET = 512, SEQUENCES_MAX = 64 };   // tokens, sequences of a batch

/* ---- batches ---------------------------------------------------------------------- */

static Status pool_room(Ctx *cx, LlamaModel *m, size_t tokens)
{
    if (m->pool && llama_n_ubatch(m->pool) >= tokens) return OK;
    if (m->pool) llama_free(m->pool);
    m->pool = NULL;
    size_t room = BUDGET;
    while (room < tokens) room *= 2;
    struct llama_context_params p = llama_context_default_params();
    p.n_ctx = p.n_batch = p.n_ubatch = (uint32_t)room;   // a sequence is pooled in one go
    p.n_seq_max = SEQUENCES_MAX;
    p.kv_unified = true;
    p.embeddings = true;
    p.pooling_type = m->pooling;
    p.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    return llama_context_open(cx, m, p, &m->pool);
}

/* Computes the n sequences that at points to; `total` tokens. */
static Status compute(Ctx *cx, LlamaModel *m, Tokens *const *at, size_t n, size_t total)
{
    TRY(ctx_check(cx));
    TRY(pool_room(cx, m, total));
    struct llama_batch b = llama_batch_init((int)total, 0, 1);
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < at[s]->n; i++, b.n_tokens++) {
            b.token[b.n_tokens] = at[s]->at[i];
            b.pos[b.n_tokens] = (llama_pos)i;
            b.n_seq_id[b.n_tokens] = 1;
            b.seq_id[b.n_tokens][0] = (llama_seq_id)s;
            b.logits[b.n_tokens] = 1;
        }
    llama_memory_t memory = llama_get_memory(m->pool);
    if (memory) llama_memory_clear(memory, false);
    engine_reason_clear();
    int rc = memory ? llama_decode(m->pool, b) : llama_encode(m->pool, b);
    llama_batch_free(b);
    if (rc == 0) return OK;
    return fail(cx, E_MODEL, "%s: computing %zu tokens ended with %d: %s",
                m->base.info.path.p, total, rc, engine_reason());
}

static int by_length(const void *a, const void *b)
{
    const Tokens *x = *(Tokens *const *)a, *y = *(Tokens *const *)b;
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    return (x > y) - (x < y);    // the same order each time
}

/* Pools each of n sequences to a row of `width` floats: out is (n, width). */
static Status pool_all(Ctx *cx, LlamaModel *m, Tokens *seq, size_t n, size_t width,
                       float *out)
{
    Tokens **order = ctx_new(cx, Tokens *, n);
    TRY_NEW(order);
    for (size_t i = 0; i < n; i++) order[i] = &seq[i];
    qsort(order, n, sizeof *order, by_length);
    for (size_t i = 0, k; i < n; i += k) {
        size_t total = order[i]->n;
        for (k = 1; i + k < n && k < SEQUENCES_MAX; k++) {
            if (total + order[i + k]->n > BUDGET) break;
            total += order[i + k]->n;
        }
        TRY(compute(cx, m, order + i, k, total));
        for (size_t s = 0; s < k; s++) {
            const float *row = llama_get_embeddings_seq(m->pool, (llama_seq_id)s);
            if (!row) return fail(cx, E_INTERNAL, "libllama pooled no row %zu", s);
            memcpy(out + (size_t)(order[i + s] - seq) * width, row, width * sizeof *out);
        }
    }
    return OK;
}

/* ---- vectors ---------------------------------------------------------------------- */

/* Cuts t to n tokens but keeps its last one, which may be [SEP] or EOS. */
static void cut(Tokens *t, size_t n)
{
    if (t->n <= n) return;
    t->at[n - 1] = t->at[t->n - 1];
    t->n = n;
}

static Status read_text(Ctx *cx, LlamaModel *m, Str prefix, Str text, Tokens *out)
{
    char *p = ctx_alloc(cx, prefix.n + text.n, 1);
    TRY_NEW(p);
    if (prefix.n) memcpy(p, prefix.p, prefix.n);
    if (text.n) memcpy(p + prefix.n, text.p, text.n);
    TRY(tokens_add(cx, m, out, (Str){ p, prefix.n + text.n }, TOKENS_SPECIALS));
    cut(out, (size_t)m->base.info.window);
    if (out->n > 0) return OK;
    llama_token eos = llama_vocab_eos(m->vocab);   // an empty text, no specials
    return tokens_push(cx, out, eos == LLAMA_TOKEN_NULL ? 0 : eos);
}

static bool normalise(float *v, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) sum += (double)v[i] * v[i];
    if (!isfinite(sum) || sum == 0) return false;
    float scale = (float)(1 / sqrt(sum));
    for (size_t i = 0; i < dim; i++) v[i] *= scale;
    return true;
}

Status llama_embed(Ctx *cx, Model *base, EmbedKind kind, const Str *texts, size_t n,
                   float *out)
{
    LlamaModel *m = (LlamaModel *)base;
    size_t dim = (size_t)base->info.dim;
    Tokens *seq = ctx_new(cx, Tokens, n);
    TRY_NEW(seq);
    for (size_t i = 0; i < n; i++)
        TRY(read_text(cx, m, m->prefix[kind], texts[i], &seq[i]));
    TRY(pool_all(cx, m, seq, n, dim, out));
    for (size_t i = 0; i < n; i++)
        if (!normalise(out + i * dim, dim))
            return fail(cx, E_MODEL, "%s: the vector of text %zu has no finite length",
                        base->info.path.p, i);
    return OK;
}

/* ---- scores by a head ------------------------------------------------------------- */

/* [CLS] query [SEP] text [SEP], or <s> query </s></s> text </s> where the vocabulary
 * says so. The graph of libllama knows token type 0 alone: files made for it hold the
 * tokens of type 1 as a second half of the vocabulary, segment_b further on. */
static Status read_pair(Ctx *cx, LlamaModel *m, Str query, Str text, Tokens *out)
{
    Tokens second = { 0 };
    size_t window = (size_t)m->base.info.window;
    TRY(tokens_add(cx, m, out, query, TOKENS_SPECIALS));
    cut(out, window - window / 4);          // the text keeps a quarter at least
    if (llama_vocab_get_add_sep(m->vocab)
        && llama_vocab_type(m->vocab) != LLAMA_VOCAB_TYPE_WPM)
        TRY(tokens_push(cx, out, llama_vocab_sep(m->vocab)));
    TRY(tokens_add(cx, m, &second, text, TOKENS_SPECIALS));
    cut(&second, window - out->n + 1);
    size_t first = second.n && second.at[0] == llama_vocab_bos(m->vocab);
    for (size_t i = first; i < second.n; i++)
        TRY(tokens_push(cx, out, second.at[i] + m->segment_b));
    return OK;
}

Status llama_score_head(Ctx *cx, Model *base, Str query, const Str *texts, size_t n,
                        float *out)
{
    LlamaModel *m = (LlamaModel *)base;
    size_t width = llama_model_n_cls_out(m->weights);
    if (width == 0) width = 1;
    Tokens *seq = ctx_new(cx, Tokens, n);
    float *row = ctx_new(cx, float, n * width);   // (n, width), the first is the score
    if (!seq || !row) return E_MEMORY;
    for (size_t i = 0; i < n; i++) TRY(read_pair(cx, m, query, texts[i], &seq[i]));
    TRY(pool_all(cx, m, seq, n, width, row));
    for (size_t i = 0; i < n; i++) {
        out[i] = row[i * width];
        if (!isfinite(out[i]))
            return fail(cx, E_MODEL, "%s: the score of text %zu is not finite",
                        base->info.path.p, i);
    }
    return OK;
}

/* ---- scores by asking ------------------------------------------------------------- */

typedef struct Judge {
    const char *system;
    const char *before_query, *before_text, *after_text;   // of the user's message
} Judge;

static const Judge any_model = {
    "You judge passages. Answer only yes or no.", "Query: ", "\n\nPassage: ",
    "\n\nDoes the passage answer the query? Answer yes or no.",
};

/* As its model card prescribes. */
static const Judge qwen3_reranker = {
    "Judge whether the Document meets the requirements based on the Query and the "
    "Instruct provided. Note that the answer can only be \"yes\" or \"no\".",
    "<Instruct>: Given a web search query, retrieve relevant passages that answer the "
    "query\n<Query>: ", "\n<Document>: ", "",
};

static Status judge_tokens(Ctx *cx, LlamaModel *m, const Judge *j, Str query, Str text,
                           Tokens *out)
{
    Buf b = BUF((size_t)1 << 30);
    buf_add(&b, str_z(j->before_query));
    buf_add(&b, query);
    buf_add(&b, str_z(j->before_text));
    buf_add(&b, text);
    buf_add(&b, str_z(j->after_text));
    Str user = ctx_dup(cx, buf_str(&b));
    bool failed = b.failed || !user.p;
    buf_free(&b);
    if (failed) return fail(cx, E_MEMORY, "no memory for a prompt");
    Message msg[] = { { "system", str_z(j->system) }, { "user", user } };
    return chat_tokens(cx, m, msg, 2, out);
}

/* The prompt for one text, its end cut off where the window is too small. */
static Status judge_prompt(Ctx *cx, LlamaModel *m, Str query, Str text, Tokens *out)
{
    const Judge *j = m->reranker ? &qwen3_reranker : &any_model;
    size_t window = (size_t)m->base.info.window;
    TRY(judge_tokens(cx, m, j, query, text, out));
    if (out->n <= window) return OK;
    Tokens bare;
    TRY(judge_tokens(cx, m, j, query, STR(""), &bare));
    size_t margin = 8;       // tokens may fall apart at a cut
    if (bare.n + margin > window)
        return fail(cx, E_LIMIT, "the query has no room in the model's window of %zu "
                    "tokens", window);
    TRY(tokens_cut(cx, m, text, window - bare.n - margin, &text));
    return judge_tokens(cx, m, j, query, text, out);
}

/* The highest logit among the spellings of a word that are one token. */
static float word_logit(LlamaModel *m, const float *logit, const char *const spelling[6])
{
    float top = -INFINITY;
    for (int i = 0; i < 6; i++) {
        llama_token t;
        int len = (int)strlen(spelling[i]);
        if (llama_tokenize(m->vocab, spelling[i], len, &t, 1, false, false) == 1
            && logit[t] > top) top = logit[t];
    }
    return top;
}

Status llama_score_yes(Ctx *cx, Model *base, Str query, const Str *texts, size_t n,
                       float *out)
{
    static const char *const yes[6] = { "yes", "Yes", "YES", " yes", " Yes", " YES" };
    static const char *const no[6] = { "no", "No", "NO", " no", " No", " NO" };
    LlamaModel *m = (LlamaModel *)base;
    for (size_t i = 0; i < n; i++) {
        Tokens t;
        Talk talk;
        TRY(judge_prompt(cx, m, query, texts[i], &t));
        TRY(talk_begin(cx, m, &(Reading){ .t = t }, 0, &talk));
        out[i] = word_logit(m, talk.logits, yes) - word_logit(m, talk.logits, no);
        talk_end(&talk);
        if (!isfinite(out[i]))
            return fail(cx, E_MODEL, "%s: it has no token for yes or no, or its logits "
                        "are not finite", base->info.path.p);
    }
    return OK;
}
