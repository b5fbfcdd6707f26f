/* tiny_lm.h -- writes a small random decoder as GGUF, so that training can be tested
 * without a download: two blocks, 32 values, four heads over two of keys, a window of 128.
 * Its vocabulary is single bytes and two markers of a chat. The same options give the same
 * file. */
#ifndef TESTS_TINY_LM_H
#define TESTS_TINY_LM_H

#include <ggml.h>
#include <gguf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct TinyLm {
    const char *arch;        // "llama" (tied head) or "qwen2" (own head, biases)
    uint32_t seed;
    const char *leave_out;   // a tensor's name; NULL: none
    const char *name;        // general.name; NULL: "tiny"
    uint32_t window;         // 0: TLM_WINDOW
} TinyLm;

enum { TLM_DIM = 32, TLM_HEADS = 4, TLM_KV = 2, TLM_HEAD = 8, TLM_FFN = 48, TLM_LAYERS = 2,
       TLM_WINDOW = 128, TLM_VOCAB = 100 };

static inline float tlm_random(uint32_t *state)   // in [-1, 1]
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1;
}

static inline void tlm_tensor(struct ggml_context *g, struct gguf_context *f,
                              const TinyLm *t, const char *name, int64_t width,
                              int64_t rows, uint32_t *state)
{
    if (t->leave_out && strcmp(t->leave_out, name) == 0) return;
    struct ggml_tensor *x = rows > 1 ? ggml_new_tensor_2d(g, GGML_TYPE_F32, width, rows)
                                     : ggml_new_tensor_1d(g, GGML_TYPE_F32, width);
    ggml_set_name(x, name);
    float offset = strstr(name, "norm.weight") ? 1 : 0, size = rows > 1 ? 0.4f : 0.2f;
    float *p = x->data;
    for (int64_t i = 0; i < width * rows; i++) p[i] = offset + size * tlm_random(state);
    gguf_add_tensor(f, x);
}

static inline void tlm_block(struct ggml_context *g, struct gguf_context *f, const TinyLm *t,
                             int block, uint32_t *state)
{
    static const struct { const char *name; int in, out; } part[] = {
        { "attn_q", TLM_DIM, TLM_HEADS * TLM_HEAD }, { "attn_k", TLM_DIM, TLM_KV * TLM_HEAD },
        { "attn_v", TLM_DIM, TLM_KV * TLM_HEAD },
        { "attn_output", TLM_HEADS * TLM_HEAD, TLM_DIM }, { "ffn_gate", TLM_DIM, TLM_FFN },
        { "ffn_up", TLM_DIM, TLM_FFN }, { "ffn_down", TLM_FFN, TLM_DIM },
        { "attn_norm", TLM_DIM, 1 }, { "ffn_norm", TLM_DIM, 1 },
    };
    char name[64];
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        snprintf(name, sizeof name, "blk.%d.%s.weight", block, part[i].name);
        tlm_tensor(g, f, t, name, part[i].in, part[i].out, state);
        if (i > 2 || strcmp(t->arch, "qwen2") != 0) continue;
        snprintf(name, sizeof name, "blk.%d.%s.bias", block, part[i].name);
        tlm_tensor(g, f, t, name, part[i].out, 1, state);
    }
}

/* GPT-2's letters for bytes: printable ones are themselves. */
static inline void tlm_vocabulary(struct gguf_context *f)
{
    static char own[TLM_VOCAB][8];
    const char *token[TLM_VOCAB], *merge[] = { "a b" };
    int32_t type[TLM_VOCAB];
    int n = 0;
    for (int c = '!'; c <= '~'; c++) own[n][0] = (char)c, own[n][1] = 0, n++;
    strcpy(own[n++], "\xC4\xA0");   // space
    strcpy(own[n++], "\xC4\x8A");   // line end
    strcpy(own[n++], "ab");
    for (int i = 0; i < n; i++) token[i] = own[i], type[i] = 1;
    token[n] = "<|endoftext|>", type[n++] = 3;
    token[n] = "<|im_start|>", type[n++] = 3;
    token[n] = "<|im_end|>", type[n++] = 3;
    gguf_set_val_str(f, "tokenizer.ggml.model", "gpt2");
    gguf_set_val_str(f, "tokenizer.ggml.pre", "smollm");
    gguf_set_arr_str(f, "tokenizer.ggml.tokens", token, (size_t)n);
    gguf_set_arr_data(f, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, type, (size_t)n);
    gguf_set_arr_str(f, "tokenizer.ggml.merges", merge, 1);
    gguf_set_val_u32(f, "tokenizer.ggml.bos_token_id", (uint32_t)n - 2);
    gguf_set_val_u32(f, "tokenizer.ggml.eos_token_id", (uint32_t)n - 1);
    gguf_set_val_bool(f, "tokenizer.ggml.add_bos_token", false);
    gguf_set_val_str(f, "tokenizer.chat_template",
        "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + "
        "'<|im_end|>' + '\n'}}{% endfor %}");
}

static inline void tlm_number(struct gguf_context *f, const TinyLm *t, const char *key,
                              uint32_t value)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", t->arch, key);
    gguf_set_val_u32(f, full, value);
}

static inline void tlm_shape(struct gguf_context *f, const TinyLm *t)
{
    char key[96];
    gguf_set_val_str(f, "general.architecture", t->arch);
    gguf_set_val_str(f, "general.name", t->name ? t->name : "tiny");
    tlm_number(f, t, "block_count", TLM_LAYERS);
    tlm_number(f, t, "context_length", t->window ? t->window : TLM_WINDOW);
    tlm_number(f, t, "embedding_length", TLM_DIM);
    tlm_number(f, t, "feed_forward_length", TLM_FFN);
    tlm_number(f, t, "attention.head_count", TLM_HEADS);
    tlm_number(f, t, "attention.head_count_kv", TLM_KV);
    tlm_number(f, t, "vocab_size", TLM_VOCAB);
    snprintf(key, sizeof key, "%s.rope.freq_base", t->arch);
    gguf_set_val_f32(f, key, 5000);
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", t->arch);
    gguf_set_val_f32(f, key, 1e-5f);
}

/* false: the file could not be written. */
static inline bool tiny_lm_write(const char *path, const TinyLm *t)
{
    struct ggml_init_params p = { .mem_size = 8 << 20 };
    struct ggml_context *g = ggml_init(p);
    struct gguf_context *f = gguf_init_empty();
    uint32_t state = t->seed + 7;
    tlm_shape(f, t);
    tlm_vocabulary(f);
    tlm_tensor(g, f, t, "token_embd.weight", TLM_DIM, TLM_VOCAB, &state);
    tlm_tensor(g, f, t, "output_norm.weight", TLM_DIM, 1, &state);
    if (strcmp(t->arch, "qwen2") == 0)
        tlm_tensor(g, f, t, "output.weight", TLM_DIM, TLM_VOCAB, &state);
    for (int i = 0; i < TLM_LAYERS; i++) tlm_block(g, f, t, i, &state);
    bool ok = gguf_write_to_file(f, path, false);
    gguf_free(f);
    ggml_free(g);
    return ok;
}

#endif
