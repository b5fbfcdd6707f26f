/* llama_impl.h -- the parts of the libllama model that its files share.
 *
 * llama.c loads and describes, llama_chat.c turns conversations into tokens,
 * llama_feed.c reads those, llama_known.c what need not be read again, llama_generate.c
 * continues them, llama_embed.c makes vectors and scores. */
#ifndef PITH_MODEL_LLAMA_IMPL_H
#define PITH_MODEL_LLAMA_IMPL_H

#include "model/batch.h"
#include "model/impl.h"
#include "model/kv_store.h"

#include <llama.h>
#include <stdatomic.h>

typedef struct Tokens {
    llama_token *at;        // in a request's arena
    size_t n, cap;
} Tokens;

typedef struct LlamaModel {
    Model base;
    Ctx own;                // its arena holds what lives as long as the model
    struct llama_model *weights;
    const struct llama_vocab *vocab;
    struct llama_adapter_lora *adapter;   // applied in every context; NULL: none
    int threads;
    bool flash;             // where libllama both reads and writes

    /* Conversations: in `batch`, several at a time, where our own pass can go on with
     * them, and one at a time in `talk` where not: llama_feed.c. Both are made at their
     * first use. */
    int answers;                // that may be written at a time
    _Atomic(struct Batch *) batch;  // NULL: not yet, or not at all
    atomic_bool ours;           // our own pass may read; until it proves that it cannot
    uint64_t prefill_bytes;     // what it may take
    KvStore *kv;                // of excerpts of prompts; NULL: none are kept
    Turn turn;                  // of who uses all that follows, or makes `batch`
    struct llama_context *talk; // remade when a longer prompt comes
    llama_token *past;          // (window): the first n_past tokens in `talk`, which
    size_t n_past;              // libllama read itself
    const char *template;   // NULL: it has none that libllama knows
    bool thinks;            // its template knows <think>
    bool space_prefix;      // its tokenizer puts a space before each text
    bool reranker;          // trained to say yes or no in the format of Qwen3-Reranker

    /* Vectors and scores: many sequences at once, each pooled to one row. */
    struct llama_context *pool;
    enum llama_pooling_type pooling;
    llama_token segment_b;  // added to tokens of the second text; 0: nothing to add
    Str prefix[2];          // by EmbedKind
} LlamaModel;

/* A context of libllama. E_MEMORY: it has no room. */
MUST_USE Status llama_context_open(Ctx *cx, LlamaModel *m, struct llama_context_params p,
                                   struct llama_context **out);

/* How tokens are added: SPECIALS puts what the vocabulary wants around a text (BOS, EOS,
 * [CLS], [SEP]); MARKERS reads "<|im_end|>" and the like as the one token it is. Text
 * from outside never gets MARKERS. */
enum { TOKENS_PLAIN = 0, TOKENS_SPECIALS = 1, TOKENS_MARKERS = 2 };
MUST_USE Status tokens_add(Ctx *cx, LlamaModel *m, Tokens *t, Str text, int how);
MUST_USE Status tokens_push(Ctx *cx, Tokens *t, llama_token token);
/* The longest head of text that has at most n tokens and ends with a whole character. */
MUST_USE Status tokens_cut(Ctx *cx, LlamaModel *m, Str text, size_t n, Str *out);

/* The conversation with the assistant's turn opened, as tokens. E_ARG: a role that is
 * none of three. */
MUST_USE Status chat_tokens(Ctx *cx, LlamaModel *m, const Message *msg, size_t n,
                            Tokens *out);
/* The same where excerpts of the last message are tokens whatever stands beside them. */
typedef struct Stretch {
    size_t begin, end;      // tokens
} Stretch;

typedef struct Reading {
    Tokens t;
    Stretch *stretch;       // (n): of the excerpts
    size_t n;
    Tokens before;          // what they are read behind: Excerpts
} Reading;
MUST_USE Status chat_reading(Ctx *cx, LlamaModel *m, const Message *msg, size_t n,
                             const Excerpts *excerpts, Reading *out);

/* What of a reading is known: from the model's store, or computed now and kept there. */
typedef struct Known {
    PrefillKnown *at;       // (n), in order
    KvEntry *entry;         // (n)
    void **own;             // (n): numbers that the store did not take; NULL elsewhere
    size_t n;
    size_t restored;        // tokens that the store had
} Known;

/* Nothing where the model keeps nothing, or there is no room to compute an excerpt by
 * itself: then all is read. known_close is owed in any case. */
MUST_USE Status known_find(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r,
                           Known *out);
void known_close(Known *k);

/* A conversation that is read and gone on with. */
typedef struct Talk {
    LlamaModel *model;
    Seat *seat;             // in the batch; NULL: libllama's context is in use
    bool has_turn;
    const float *logits;    // (tokens of the last step, vocab)
    size_t reused, restored;    // tokens of the prompt that were there; or kept
} Talk;

/* Our own pass, made ready; *out is NULL with OK where it cannot read this model. */
MUST_USE Status talk_batch(Ctx *cx, LlamaModel *m, Tokens t, Batch **out);
/* Reads r, to go on with at most `more` tokens; waits for others where it must. Then
 * out->logits are those behind its last token, and talk_looked is owed. E_LIMIT: the
 * window is passed. On failure nothing has to be ended. */
MUST_USE Status talk_begin(Ctx *cx, LlamaModel *m, const Reading *r, int more,
                           Talk *out);
/* Goes on with the first of n tokens, and with those behind it as far as *n says then;
 * libllama takes one. logits has a row for each; talk_looked is owed. */
MUST_USE Status talk_step(Ctx *cx, Talk *t, llama_token *at, size_t *n);
/* The logits are done with, which others wait for; the last `drop` of the step's tokens
 * are taken back. */
void talk_looked(Talk *t, size_t drop);
void talk_end(Talk *t);

Status llama_chat_tokens(Ctx *cx, Model *base, const Message *msg, size_t n,
                         ChatTokens *out);
Status llama_read_ahead(Ctx *cx, Model *base, const Message *msg, size_t n,
                        const Excerpts *excerpts, ReadAhead *out);
Status llama_count_chat(Ctx *cx, Model *base, const Message *msg, size_t n, int *tokens);
Status llama_generate(Ctx *cx, Model *base, const Message *msg, size_t n,
                      const GenerateOptions *opt, Generated *out);
Status llama_embed(Ctx *cx, Model *base, EmbedKind kind, const Str *texts, size_t n,
                   float *out);
/* By the score head, in the pooled context. */
Status llama_score_head(Ctx *cx, Model *base, Str query, const Str *texts, size_t n,
                        float *out);
/* By asking the generator: logit of yes less logit of no. */
Status llama_score_yes(Ctx *cx, Model *base, Str query, const Str *texts, size_t n,
                       float *out);

#endif
