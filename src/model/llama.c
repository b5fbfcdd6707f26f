/* llama.c -- any GGUF that libllama reads: loaded, described, its tokens counted.
 *
 * What the model can do follows from its metadata alone: a score head ranks, a pooling
 * type embeds, a causal model without either generates (and scores, asked yes or no).
 * Contexts are made where they are first needed: to load a model costs no more than to
 * map its file. */
#include "model/llama_impl.h"

#include "base/file.h"
#include "model/engine.h"
#include "model/gguf_file.h"
#include "model/lineage.h"
#include "model/machine.h"

#include <stdlib.h>
#include <string.h>

/* ---- tokens ----------------------------------------------------------------------- */

static Status reserve(Ctx *cx, Tokens *t, size_t more)
{
    if (t->at && more <= t->cap - t->n) return OK;
    size_t cap = t->n + more > 2 * t->cap ? t->n + more : 2 * t->cap;
    llama_token *at = ctx_new(cx, llama_token, cap);
    TRY_NEW(at);
    if (t->at) memcpy(at, t->at, t->n * sizeof *at);
    t->at = at;
    t->cap = cap;
    return OK;
}

Status tokens_push(Ctx *cx, Tokens *t, llama_token token)
{
    TRY(reserve(cx, t, 1));
    t->at[t->n++] = token;
    return OK;
}

Status tokens_add(Ctx *cx, LlamaModel *m, Tokens *t, Str text, int how)
{
    if (text.n > INT32_MAX / 2)
        return fail(cx, E_LIMIT, "a text of %zu bytes is too long for a model", text.n);
    size_t guess = text.n / 3 + 16;
    for (int try = 0; try < 2; try++) {
        TRY(reserve(cx, t, guess));
        int n = llama_tokenize(m->vocab, text.p, (int)text.n, t->at + t->n, (int)guess,
                               how & TOKENS_SPECIALS, how & TOKENS_MARKERS);
        if (n >= 0) return t->n += (size_t)n, OK;
        if (n == INT32_MIN) break;
        guess = (size_t)-(int64_t)n;
    }
    return fail(cx, E_INTERNAL, "libllama could not split %zu bytes into tokens", text.n);
}

Status tokens_cut(Ctx *cx, LlamaModel *m, Str text, size_t n, Str *out)
{
    Tokens t = { 0 };
    TRY(tokens_add(cx, m, &t, text, TOKENS_PLAIN));
    *out = text;
    if (t.n <= n) return OK;
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)    // a negative length: that many bytes are wanted
        bytes += (size_t)abs(llama_token_to_piece(m->vocab, t.at[i], NULL, 0, 0, true));
    if (bytes > text.n) bytes = text.n;
    while (bytes > 0 && bytes < text.n && (text.p[bytes] & 0xC0) == 0x80) bytes--;
    out->n = bytes;
    return OK;
}

static Status count(Ctx *cx, Model *base, Str text, int *n)
{
    LlamaModel *m = (LlamaModel *)base;
    if (text.n > INT32_MAX / 2)
        return fail(cx, E_LIMIT, "a text of %zu bytes is too long to count", text.n);
    int got = llama_tokenize(m->vocab, text.p, (int)text.n, NULL, 0, false, false);
    *n = got < 0 ? -got : got;    // with no room for tokens: minus their number
    return OK;
}

static Status unknown(Ctx *cx, Model *base, Str text, int *n)
{
    (void)cx;
    *n = engine_unknown(((LlamaModel *)base)->vocab, text.p, text.n);
    return OK;
}

static uint64_t step_bytes(const Model *base)
{
    const Batch *b = atomic_load(&((const LlamaModel *)base)->batch);
    return b ? prefill_step_weights(batch_prefill(b)) : 0;
}

/* ---- open and close --------------------------------------------------------------- */

static void llama_close(Model *base)
{
    LlamaModel *m = (LlamaModel *)base;
    batch_close(atomic_load(&m->batch));
    kv_store_close(m->kv);
    turn_close(&m->turn);
    if (m->talk) llama_free(m->talk);
    if (m->pool) llama_free(m->pool);
    if (m->adapter) llama_adapter_lora_free(m->adapter);
    if (m->weights) llama_model_free(m->weights);
    ctx_end(&m->own);
    free(m);
}

static const ModelImpl generator = { .close = llama_close, .count = count,
    .score = llama_score_yes, .count_chat = llama_count_chat,
    .chat_tokens = llama_chat_tokens, .generate = llama_generate,
    .unknown = unknown, .step_bytes = step_bytes, .read_ahead = llama_read_ahead };
static const ModelImpl words = { .close = llama_close, .count = count,
    .count_chat = llama_count_chat, .chat_tokens = llama_chat_tokens,
    .unknown = unknown };
static const ModelImpl embedder = { .close = llama_close, .count = count,
    .embed = llama_embed, .unknown = unknown };
static const ModelImpl ranker = { .close = llama_close, .count = count,
    .score = llama_score_head };
static const ModelImpl yes_ranker = { .close = llama_close, .count = count,
    .score = llama_score_yes };

Status llama_context_open(Ctx *cx, LlamaModel *m, struct llama_context_params p,
                          struct llama_context **out)
{
    p.n_threads = p.n_threads_batch = m->threads;
    p.no_perf = true;
    float whole = 1;
    engine_reason_clear();
    *out = llama_init_from_model(m->weights, p);
    if (*out && m->adapter &&
        llama_set_adapters_lora(*out, &m->adapter, 1, &whole) != 0) {
        llama_free(*out);
        *out = NULL;
    }
    if (*out) return OK;
    return fail(cx, E_MEMORY, "%s: no room for a context of %u tokens: %s",
                m->base.info.path.p, p.n_ctx, engine_reason());
}

/* The value of a key as text in the model's arena; .p is NULL where it has none. */
static Str meta(LlamaModel *m, const char *key)
{
    int n = llama_model_meta_val_str(m->weights, key, NULL, 0);
    if (n < 0) return (Str){ NULL, 0 };
    char *p = ctx_alloc(&m->own, (size_t)n + 1, 1);
    if (!p) return (Str){ NULL, 0 };
    llama_model_meta_val_str(m->weights, key, p, (size_t)n + 1);
    return (Str){ p, (size_t)n };
}

/* The same for a key of its architecture, as "bert.pooling_type". */
static Str arch_meta(LlamaModel *m, const char *key)
{
    Str full = ctx_printf(&m->own, "%s.%s", m->base.info.arch.p, key);
    return full.p ? meta(m, full.p) : full;
}

static bool contains_word(Str s, const char *word)
{
    return s.p && strcasestr(s.p, word);
}

/* The prefix that an embedder was trained with: the file's own word first, then what its
 * family's paper or model card prescribes. */
static void find_prefixes(LlamaModel *m)
{
    Str arch = m->base.info.arch;
    Str query = meta(m, "pith.query_prefix"), passage = meta(m, "pith.passage_prefix");
    if (!query.p && str_eq(arch, STR("qwen3")))          // arXiv 2506.05176, section 2
        query = STR("Instruct: Given a web search query, retrieve relevant passages that "
                    "answer the query\nQuery:");
    if (!query.p && str_eq(arch, STR("gemma-embedding"))) {
        query = STR("task: search result | query: ");    // arXiv 2509.20354
        passage = STR("title: none | text: ");
    }
    m->prefix[EMBED_QUERY] = query;
    m->prefix[EMBED_PASSAGE] = passage;
}

static void find_template(LlamaModel *m)
{
    const char *t = llama_model_chat_template(m->weights, NULL);
    llama_chat_message probe = { "user", "x" };
    if (!t || llama_chat_apply_template(t, &probe, 1, true, NULL, 0) < 0) return;
    m->template = t;
    m->thinks = strstr(t, "<think>") != NULL;
}

static void find_space_prefix(LlamaModel *m)
{
    llama_token first;
    char piece[16] = { 0 };
    int n = llama_tokenize(m->vocab, "a", 1, &first, 1, false, false);
    if (n == 1) n = llama_token_to_piece(m->vocab, first, piece, sizeof piece, 0, false);
    m->space_prefix = n > 1 && piece[0] == ' ';
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Sets what the model is for. */
static Status find_use(Ctx *cx, LlamaModel *m, const ModelOptions *opt)
{
    ModelInfo *info = &m->base.info;
    int trained = llama_model_n_ctx_train(m->weights);
    Str pooling = arch_meta(m, "pooling_type");
    bool causal = !str_eq(arch_meta(m, "attention.causal"), STR("false"));
    bool both = llama_model_has_encoder(m->weights);
    if (both || llama_model_is_diffusion(m->weights))
        return fail(cx, E_MODEL, "%s: \"%s\" is neither a decoder nor an encoder alone; "
                    "pith has no use for it", info->path.p, info->arch.p);

    m->pooling = pooling.p ? (enum llama_pooling_type)strtol(pooling.p, NULL, 10)
                           : LLAMA_POOLING_TYPE_NONE;
    info->window = smaller(8192, trained);
    if (m->pooling == LLAMA_POOLING_TYPE_RANK) {
        m->base.impl = &ranker;
        info->can = CAN_SCORE;
    } else if (!causal || m->pooling != LLAMA_POOLING_TYPE_NONE) {
        if (m->pooling == LLAMA_POOLING_TYPE_NONE) m->pooling = LLAMA_POOLING_TYPE_MEAN;
        m->base.impl = &embedder;
        info->can = CAN_EMBED;
        info->dim = llama_model_n_embd_out(m->weights);
        find_prefixes(m);
    } else {
        m->reranker = contains_word(info->name, "reranker");
        m->base.impl = m->reranker ? &yes_ranker : &generator;
        info->can = m->reranker ? CAN_SCORE : CAN_GENERATE | CAN_SCORE;
        info->window = smaller(opt->context_tokens > 0 ? opt->context_tokens : 4096,
                               trained);
        find_template(m);
    }
    return OK;
}

static Status describe(Ctx *cx, LlamaModel *m, const char *path, const ModelOptions *opt)
{
    ModelInfo *info = &m->base.info;
    const char *slash = strrchr(path, '/');
    info->path = ctx_dup(&m->own, str_z(path));
    info->name = meta(m, "general.name");
    if (info->name.n == 0) info->name = ctx_dup(&m->own, str_z(slash ? slash + 1 : path));
    info->arch = meta(m, "general.architecture");
    info->engine = STR("libllama");
    if (opt->words_only) {
        m->base.impl = &words;
        find_template(m);
        find_space_prefix(m);
        return m->own.status == OK ? OK : fail(cx, E_MEMORY, "%s", m->own.reason);
    }
    TRY(find_use(cx, m, opt));

    Str offset = meta(m, "pith.segment_b_offset");
    if (offset.p) m->segment_b = (llama_token)strtol(offset.p, NULL, 10);
    if (m->segment_b < 0 || m->segment_b > llama_vocab_n_tokens(m->vocab) / 2)
        return fail(cx, E_FORMAT, "%s: pith.segment_b_offset is %d, the vocabulary has "
                    "%d tokens", path, m->segment_b, llama_vocab_n_tokens(m->vocab));
    find_space_prefix(m);
    m->past = ctx_new(&m->own, llama_token, (size_t)info->window);
    return m->own.status == OK ? OK : fail(cx, E_MEMORY, "%s", m->own.reason);
}

static Status load(Ctx *cx, LlamaModel *m, const char *path, bool words_only)
{
    struct llama_model_params p = llama_model_default_params();
    p.load_mode = LLAMA_LOAD_MODE_MMAP;
    p.vocab_only = words_only;
    engine_reason_clear();
    m->weights = llama_model_load_from_file(path, p);
    if (m->weights) {
        m->vocab = llama_model_get_vocab(m->weights);
        if (llama_vocab_type(m->vocab) != LLAMA_VOCAB_TYPE_NONE) return OK;
        return fail(cx, E_MODEL, "%s: it has no vocabulary", path);
    }
    bool unknown = strstr(engine_reason(), "unknown model architecture") != NULL;
    return fail(cx, unknown ? E_MODEL : E_FORMAT, "%s: %s%s", path, engine_reason(),
                unknown ? "; this libllama does not know it"
                        : "; fetch the file again");
}

/* Reads a LoRA adapter, after a look at which model it was made for. */
static Status adapt(Ctx *cx, LlamaModel *m, const char *path, const char *adapter)
{
    if (!(m->base.info.can & CAN_GENERATE))
        return fail(cx, E_MODEL, "%s: an adapter changes what a model writes, and %s "
                    "does not write", adapter, path);
    TRY(lineage_check(cx, path, adapter));
    engine_reason_clear();
    m->adapter = llama_adapter_lora_init(m->weights, adapter);
    if (m->adapter) return OK;
    return fail(cx, E_MODEL, "%s: not an adapter of %s: %s", adapter, path,
                engine_reason());
}

/* What our own reading of prompts may take: a quarter of what is free, unless told. Not
 * with an adapter, which it does not apply, nor where a GPU reads. */
static uint64_t prefill_room(const LlamaModel *m, const ModelOptions *opt)
{
    if (opt->plain || m->adapter || llama_supports_gpu_offload()) return 0;
    return opt->prefill_bytes ? opt->prefill_bytes : machine_free_bytes() / 4;
}

/* Where nothing can be kept nothing is, and all is read. */
static Status kv_open(Ctx *cx, LlamaModel *m, uint64_t bytes)
{
    Str cache, folder;
    if (bytes == 0 || m->prefill_bytes == 0) return OK;
    Status st = folder_cache(cx, &cache);
    if (st == OK) st = path_join(cx, cache, STR("kv"), &folder);
    if (st == OK) st = kv_store_open(cx, folder.p, bytes, &m->kv);
    if (st != OK && st != E_MEMORY) return ctx_forgive(cx), OK;
    return st;
}

static double gib(uint64_t bytes)
{
    return (double)bytes / (1 << 30);
}

Status llama_model_open(Ctx *cx, const char *path, const ModelOptions *opt, Model **out)
{
    static const ModelOptions none = { 0 };
    *out = NULL;
    if (!opt) opt = &none;
    GgufFile file;
    TRY(gguf_file_check(cx, path, &file));
    uint64_t room = machine_free_bytes();
    if (file.bytes > room)
        return fail(cx, E_MEMORY, "%s has %.1f GiB, %.1f GiB of memory are free: take a "
                    "smaller model", path, gib(file.bytes), gib(room));
    engine_start();

    LlamaModel *m = calloc(1, sizeof *m);
    if (!m) return fail(cx, E_MEMORY, "no memory for a model");
    m->threads = opt->threads > 0 ? opt->threads : machine_cores();
    m->answers = opt->answers > 0 ? opt->answers : 1;
    m->flash = opt->flash;
    turn_open(&m->turn);
    Status st = load(cx, m, path, opt->words_only);
    if (st == OK) st = describe(cx, m, path, opt);
    if (st == OK && opt->adapter && *opt->adapter) st = adapt(cx, m, path, opt->adapter);
    if (st == OK) {
        m->prefill_bytes = prefill_room(m, opt);
        st = kv_open(cx, m, opt->kv_bytes);
    }
    if (st == OK) {
        atomic_store(&m->ours, m->prefill_bytes > 0);
        m->base.info.file_bytes = file.bytes;
        m->base.info.fingerprint = ctx_dup(&m->own, str_z(file.fingerprint));
        *out = &m->base;
    } else {
        llama_close(&m->base);
    }
    return st;
}
