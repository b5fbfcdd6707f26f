/* model.h -- a small model, loaded: it embeds, scores or generates.
 *
 * What a model can do is read from its file, never from its name. A Model may be used by
 * several threads: answers are written together (ModelOptions.answers), calls for vectors
 * and scores wait for each other. Its weights are mapped and shared between processes.
 *
 * Implementations: encoder.c (BERT family over oneDNN), llama.c (any GGUF that libllama
 * reads), remote.c (a server elsewhere), fake.c (deterministic, for tests). model.c
 * chooses. */
#ifndef PITH_MODEL_MODEL_H
#define PITH_MODEL_MODEL_H

#include "base/ctx.h"

typedef struct Model Model;

enum { CAN_EMBED = 1, CAN_SCORE = 2, CAN_GENERATE = 4 };

typedef struct ModelInfo {
    Str name;               // general.name of the file, or the file's name
    Str path;
    Str arch;               // "bert", "qwen2", ...
    Str engine;             // "oneDNN bf16", "libllama", "fake", ...
    Str fingerprint;        // 32 hex digits over size, head and tail of the file
    uint64_t file_bytes;
    int can;                // CAN_ bits
    int dim;                // of an embedding; 0 where it cannot embed
    int window;             // tokens that one sequence may have
} ModelInfo;

typedef struct ModelOptions {
    int threads;            // 0: one per core
    int context_tokens;     // generator: the window to make room for; 0: 4096 or what the
                            // model was trained for, whichever is less
    uint64_t prefill_bytes; // generator: what weights packed to read prompts may take,
                            // with keys and values; 0: a quarter of the free memory
    int answers;            // generator: how many are written at a time, at most 24; 0:
                            // 1. For several, our own pass reads all prompts, and
                            // writes with weights up to half larger than the file, for
                            // one with a quarter: several answers share a reading of them
    bool plain;             // neither our own encoder nor our own prefill: libllama
                            // computes all
    bool words_only;        // the vocabulary and the template alone: it counts and makes
                            // tokens, and cannot generate
    uint64_t kv_bytes;      // generator: what the keys and values of excerpts of prompts
                            // (GenerateOptions.excerpts) may have on disk; 0: none are
                            // kept, and excerpts are read as all else
    bool flash;             // generator: libllama's flash attention, where it both reads
                            // and writes; a GPU has it always
    const char *adapter;    // generator: a LoRA adapter (GGUF); NULL or "": none.
                            // E_MODEL: it was made for another model
} ModelOptions;

/* Is this the address of a server rather than a file? */
bool model_is_elsewhere(const char *path);
/* Opens the GGUF at path; "fake:" opens the test model, "http[s]://HOST#NAME" a server
 * that speaks OpenAI's dialect (remote.h): its counts of tokens are estimates, a token
 * being four bytes, and it tells no logprobs. opt may be NULL.
 * E_IO, E_FORMAT (cut short, not GGUF), E_MODEL (an architecture nobody reads, or no use
 * in pith), E_MEMORY (larger than the memory that is free). *out is NULL then. */
MUST_USE Status model_open(Ctx *cx, const char *path, const ModelOptions *opt,
                           Model **out);
void model_close(Model *m);
/* Borrowed; lives as long as m. */
const ModelInfo *model_info(const Model *m);

/* Bytes of weights that are read for a token written behind a long prompt, where they are
 * packed anew for that once such a prompt was read; 0: they are the file's. */
uint64_t model_step_bytes(const Model *m);

/* How many tokens text has, specials not added. */
MUST_USE Status model_count(Ctx *cx, Model *m, Str text, int *n);

/* How many of them stand for what the vocabulary does not know; -1 where the model does
 * not tell. At most the first 1024 bytes are looked at. */
MUST_USE Status model_unknown(Ctx *cx, Model *m, Str text, int *n);

typedef enum EmbedKind { EMBED_PASSAGE, EMBED_QUERY } EmbedKind;

/* n texts to n unit vectors: out is (n, dim), row by row. The prefix that the model
 * wants for this kind is added here. A text longer than the window is cut at its end.
 * E_MODEL: the model cannot embed, or gave a vector that is not finite. */
MUST_USE Status model_embed(Ctx *cx, Model *m, EmbedKind kind, const Str *texts, size_t n,
                            float *out);

/* How well each text answers the query: n logits, higher is better, comparable within
 * one model only. Pairs longer than the window lose the end of the text.
 * E_MODEL: no score head and no way to ask yes or no, or a score that is not finite. */
MUST_USE Status model_score(Ctx *cx, Model *m, Str query, const Str *texts, size_t n,
                            float *out);

typedef struct Message {
    const char *role;       // "system", "user", "assistant"
    Str content;
} Message;

/* Bytes of a message that are read by themselves. */
typedef struct Excerpt {
    size_t begin, end;
} Excerpt;

typedef struct Excerpts {
    const Excerpt *at;        // (n), in order
    size_t n;
    Str before;               // text that stands for the excerpts before one: see below
} Excerpts;

typedef struct GenerateOptions {
    int max_tokens;         // > 0
    float temperature;      // 0: greedy, the same answer each time
    uint64_t seed;          // for temperature > 0
    Excerpts excerpts;      // of the last message: passages that come again in other
                            // prompts behind the same beginning. With kv_bytes each is
                            // read behind that and `before` (the first one without it),
                            // once, and joined, but for its first tokens: faster, not
                            // quite the same
    bool no_drafts;         // greedy: a token at a time, the same ones; for comparison
    /* Called with each piece of text, whole UTF-8 characters only; false stops. */
    bool (*on_text)(void *arg, Str piece);
    /* Whether text may go on with these bytes, which may end within a character, behind
     * what on_text had; no bytes: may it end there? NULL: everything may. Where nothing
     * may be said, the answer ends. A server elsewhere is not held to it. */
    bool (*allows)(void *arg, Str bytes);
    void *arg;
    int timeout_ms;         // of a whole answer from a server; 0: the model's own
} GenerateOptions;

typedef enum Finish { FINISH_STOP, FINISH_LENGTH, FINISH_CALLER } Finish;

typedef struct Generated {
    Str text;               // in cx's arena
    int prompt_tokens;
    int reused_tokens;      // of the prompt, whose keys and values were still there
    int restored_tokens;    // of the prompt, that were read before and kept (excerpts)
    int tokens;             // generated
    int drafted, accepted;  // guessed from the context before they were computed (greedy
                            // answers to long prompts); those that were right
    Finish finish;
    float mean_logprob;     // of the chosen tokens, natural logarithm; 0 for none
    float min_logprob;
    double prefill_ms, decode_ms;
} Generated;

/* How many tokens the conversation has, in the model's own chat template with the
 * opening of the assistant's turn. */
MUST_USE Status model_count_chat(Ctx *cx, Model *m, const Message *msg, size_t n,
                                 int *tokens);
typedef enum ReadAhead {
    READ_KEPT,              // it is read and kept
    READ_BEFORE,            // it was there
    READ_SHORT,             // so short that it is not worth keeping
    READ_NO_ROOM,           // what may be kept is full, or the disk is
} ReadAhead;

/* Reads the first of the excerpts before anybody asks for it, as prompts want it where it
 * is not their first; what is kept is not displaced by it. E_ARG: no excerpt. E_MODEL:
 * the model was opened without kv_bytes, or is not read by our own pass, so that nothing
 * of it can be kept. E_CANCELLED. */
MUST_USE Status model_read_ahead(Ctx *cx, Model *m, const Message *msg, size_t n,
                                 const Excerpts *excerpts, ReadAhead *out);
typedef struct ChatTokens {
    int32_t *id;            // (n)
    uint8_t *answer;        // (n): 1 for the assistant's words and the end of its turn
    size_t n;
} ChatTokens;

/* A finished conversation as the tokens that a model is trained on; in cx's arena. */
MUST_USE Status model_chat_tokens(Ctx *cx, Model *m, const Message *msg, size_t n,
                                  ChatTokens *out);
/* Continues the conversation with an assistant's turn. The prefix shared with the last
 * call is not computed again. E_LIMIT: prompt and max_tokens pass the window.
 * E_CANCELLED: cx was cancelled between tokens; out->text holds what there was. */
MUST_USE Status model_generate(Ctx *cx, Model *m, const Message *msg, size_t n,
                               const GenerateOptions *opt, Generated *out);

#endif
