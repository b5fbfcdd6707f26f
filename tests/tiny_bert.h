/* tiny_bert.h -- writes a small random BERT as GGUF, so that the encoder can be tested
 * without a download. Two layers, 64 values, two heads, a window of 64; its vocabulary is
 * single letters, a few words and the markers. The same seed gives the same file. */
#ifndef TESTS_TINY_BERT_H
#define TESTS_TINY_BERT_H

#include <ggml.h>
#include <gguf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct TinyBert {
    int pooling;             // llama.h's number: 1 mean, 2 CLS, 4 rank
    enum ggml_type type;     // of the matrices: F32, F16, Q8_0
    const char *leave_out;   // a tensor's name; NULL: none
} TinyBert;

enum { TINY_HIDDEN = 64, TINY_HEADS = 2, TINY_FFN = 160, TINY_LAYERS = 2,
       TINY_WINDOW = 64, TINY_WORDS = 5 + 26 + 26 + 7 };

static inline float tiny_random(uint32_t *state)   // in [-1, 1]
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1;
}

static inline void tiny_tensor(struct ggml_context *g, struct gguf_context *f,
                               const TinyBert *t, const char *name, int64_t width,
                               int64_t rows, uint32_t *state)
{
    if (t->leave_out && strcmp(t->leave_out, name) == 0) return;
    bool matrix = rows > 2;
    enum ggml_type type = matrix ? t->type : GGML_TYPE_F32;
    struct ggml_tensor *x = rows > 1 ? ggml_new_tensor_2d(g, type, width, rows)
                                     : ggml_new_tensor_1d(g, type, width);
    ggml_set_name(x, name);
    float offset = strstr(name, "norm.weight") ? 1 : 0, size = matrix ? 0.25f : 0.1f;
    float row[TINY_FFN];
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < width; i++) row[i] = offset + size * tiny_random(state);
        ggml_quantize_chunk(type, row, (char *)x->data + r * x->nb[1], 0, 1, width, NULL);
    }
    gguf_add_tensor(f, x);
}

static inline void tiny_layer(struct ggml_context *g, struct gguf_context *f,
                              const TinyBert *t, int layer, uint32_t *state)
{
    static const struct { const char *name; int in, out; } part[] = {
        { "attn_q", TINY_HIDDEN, TINY_HIDDEN }, { "attn_k", TINY_HIDDEN, TINY_HIDDEN },
        { "attn_v", TINY_HIDDEN, TINY_HIDDEN },
        { "attn_output", TINY_HIDDEN, TINY_HIDDEN },
        { "attn_output_norm", 1, TINY_HIDDEN },
        { "ffn_up", TINY_HIDDEN, TINY_FFN }, { "ffn_down", TINY_FFN, TINY_HIDDEN },
        { "layer_output_norm", 1, TINY_HIDDEN },
    };
    char name[64];
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        bool norm = part[i].in == 1;
        snprintf(name, sizeof name, "blk.%d.%s.weight", layer, part[i].name);
        tiny_tensor(g, f, t, name, norm ? part[i].out : part[i].in,
                    norm ? 1 : part[i].out, state);
        snprintf(name, sizeof name, "blk.%d.%s.bias", layer, part[i].name);
        tiny_tensor(g, f, t, name, part[i].out, 1, state);
    }
}

static inline void tiny_vocabulary(struct gguf_context *f)
{
    static const char *const marker[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" };
    static const char *const word[] = { "\u2581battery", "\u2581warranty", "\u2581the",
                                        "\u2581lasts", "\u2581years", "\u2581two",
                                        "\u2581query" };
    static char letter[52][8];
    const char *token[TINY_WORDS];
    int32_t type[TINY_WORDS];
    int n = 0;
    for (int i = 0; i < 5; i++) type[n] = 3, token[n++] = marker[i];
    for (int i = 0; i < 52; i++) {
        snprintf(letter[i], sizeof letter[i], i < 26 ? "\u2581%c" : "%c", 'a' + i % 26);
        type[n] = 1, token[n++] = letter[i];
    }
    for (int i = 0; i < 7; i++) type[n] = 1, token[n++] = word[i];
    gguf_set_val_str(f, "tokenizer.ggml.model", "bert");
    gguf_set_val_str(f, "tokenizer.ggml.pre", "default");
    gguf_set_arr_str(f, "tokenizer.ggml.tokens", token, TINY_WORDS);
    gguf_set_arr_data(f, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, type, TINY_WORDS);
    gguf_set_val_u32(f, "tokenizer.ggml.token_type_count", 2);
    gguf_set_val_u32(f, "tokenizer.ggml.padding_token_id", 0);
    gguf_set_val_u32(f, "tokenizer.ggml.unknown_token_id", 1);
    gguf_set_val_u32(f, "tokenizer.ggml.bos_token_id", 2);
    gguf_set_val_u32(f, "tokenizer.ggml.cls_token_id", 2);
    gguf_set_val_u32(f, "tokenizer.ggml.eos_token_id", 3);
    gguf_set_val_u32(f, "tokenizer.ggml.seperator_token_id", 3);
    gguf_set_val_u32(f, "tokenizer.ggml.mask_token_id", 4);
}

static inline void tiny_shape(struct gguf_context *f, const TinyBert *t)
{
    gguf_set_val_str(f, "general.architecture", "bert");
    gguf_set_val_str(f, "general.name", "tiny");
    gguf_set_val_u32(f, "bert.block_count", TINY_LAYERS);
    gguf_set_val_u32(f, "bert.context_length", TINY_WINDOW);
    gguf_set_val_u32(f, "bert.embedding_length", TINY_HIDDEN);
    gguf_set_val_u32(f, "bert.feed_forward_length", TINY_FFN);
    gguf_set_val_u32(f, "bert.attention.head_count", TINY_HEADS);
    gguf_set_val_f32(f, "bert.attention.layer_norm_epsilon", 1e-12f);
    gguf_set_val_bool(f, "bert.attention.causal", false);
    gguf_set_val_u32(f, "bert.pooling_type", (uint32_t)t->pooling);
    gguf_set_val_str(f, "pith.query_prefix", "query ");
}

/* false: the file could not be written. */
static inline bool tiny_bert_write(const char *path, const TinyBert *t)
{
    struct ggml_init_params p = { .mem_size = 8 << 20 };
    struct ggml_context *g = ggml_init(p);
    struct gguf_context *f = gguf_init_empty();
    uint32_t state = 7;
    tiny_shape(f, t);
    tiny_vocabulary(f);
    tiny_tensor(g, f, t, "token_embd.weight", TINY_HIDDEN, TINY_WORDS, &state);
    tiny_tensor(g, f, t, "position_embd.weight", TINY_HIDDEN, TINY_WINDOW, &state);
    tiny_tensor(g, f, t, "token_types.weight", TINY_HIDDEN, 2, &state);
    tiny_tensor(g, f, t, "token_embd_norm.weight", TINY_HIDDEN, 1, &state);
    tiny_tensor(g, f, t, "token_embd_norm.bias", TINY_HIDDEN, 1, &state);
    for (int i = 0; i < TINY_LAYERS; i++) tiny_layer(g, f, t, i, &state);
    if (t->pooling == 4) {
        tiny_tensor(g, f, t, "cls.weight", TINY_HIDDEN, TINY_HIDDEN, &state);
        tiny_tensor(g, f, t, "cls.bias", TINY_HIDDEN, 1, &state);
        tiny_tensor(g, f, t, "cls.output.weight", TINY_HIDDEN, 1, &state);
        tiny_tensor(g, f, t, "cls.output.bias", 1, 1, &state);
    }
    bool ok = gguf_write_to_file(f, path, false);
    gguf_free(f);
    ggml_free(g);
    return ok;
}

#endif
