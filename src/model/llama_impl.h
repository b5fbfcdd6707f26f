/* llama_impl.h -- the parts of the libllama model that its files share.
 *
 * llama.c loads and describes, llama_chat.c turns conversations into tokens,
 * llama_feed.c reads those, llama_generate.c continues them, llama_embed.c makes vectors
 * and scores. */
#ifndef PITH_MODEL_LLAMA_IMPL_H
#define PITH_MODEL_LLAMA_IMPL_H

#include "model/impl.h"

#include <llama.h>

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

    /* Conversations: one sequence, whose first n_past tokens have their keys and values
     * in `talk`, or in `prefill`: llama_feed.c. Both are made at the first use; `talk` is
     * remade when a longer prompt comes. */
    struct llama_context *talk;
    llama_token *past;      // (window)
    size_t n_past;
    struct Prefill *prefill;    // our own reader of prompts; NULL: not yet, or not at all
    uint64_t prefill_bytes;     // what it may take; 0: libllama reads all prompts
    bool ours, handed;          // past is the prefill's; and `talk` has it too
    bool writes;                // we go on writing too: `talk` is not asked
    const float *logits;        // (tokens of the last step, vocab); libllama: (1, vocab)
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
/* How a prompt will be gone on from. */
typedef struct Feed {
    int more;               // tokens to make room for
    bool greedy;            // logits are all that is wanted: we may write ourselves
} Feed;

/* Reads t: then m->logits are those behind its last token, m->writes says who goes on,
 * and where it is libllama, `talk` holds exactly t. *reused of t's tokens were there. */
MUST_USE Status talk_feed(Ctx *cx, LlamaModel *m, Tokens t, Feed feed, size_t *reused);
/* Goes on with n tokens, one where libllama writes; m->logits has a row for each.
 * E_CANCELLED: only where talk_watch was told whom to ask. */
MUST_USE Status talk_step(Ctx *cx, LlamaModel *m, llama_token *at, size_t n);
/* Takes back the last n tokens of the last step. */
MUST_USE Status talk_drop(Ctx *cx, LlamaModel *m, size_t n);
/* From now on cx is asked whether to stop in the midst of computing; NULL: nobody is. */
void talk_watch(LlamaModel *m, Ctx *cx);

Status llama_chat_tokens(Ctx *cx, Model *base, const Message *msg, size_t n,
                         ChatTokens *out);
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
