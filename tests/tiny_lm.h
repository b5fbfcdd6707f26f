/* tiny_lm.h -- writes a small random decoder as GGUF, so that training can be tested
 * without a download: 32 values, four heads over two of keys, a window of 128, two blocks
 * or as many as show what its family does in some blocks alone.
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

#define TLM_TEMPLATE \
    "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + " \
    "'<|im_end|>' + '\n'}}{% endfor %}"

typedef struct TinyLm {
    const char *arch;        // of tlm_families; any other name is a llama's file
    uint32_t seed;
    const char *leave_out;   // a tensor's name; NULL: none
    const char *name;        // general.name; NULL: "tiny"
    uint32_t window;         // 0: TLM_WINDOW
    bool rope_freqs;         // with a table of frequencies, as Llama 3 has
    float stretch;           // of all positions; 0: none is told
    bool still;              // granite: positions turn nothing
    const char *scaling;     // how positions are stretched; NULL: it is not told
    const char *template;    // of its conversations; NULL: TLM_TEMPLATE
} TinyLm;

enum { TLM_DIM = 32, TLM_HEADS = 4, TLM_KV = 2, TLM_HEAD = 8, TLM_FFN = 48, TLM_LAYERS = 2,
       TLM_WINDOW = 128, TLM_VOCAB = 100 };

/* What a family's file has that a llama's, with a tied head, has not. A head of 16 values
 * is wider than the model divided by its heads. */
typedef struct TlmFamily {
    const char *arch;
    int head, layers, slide, every;
    bool own_head, biases, head_norms, post_norms, scales;
} TlmFamily;

static const TlmFamily tlm_families[] = {
    { .arch = "llama", .head = TLM_HEAD, .layers = TLM_LAYERS },
    { .arch = "qwen2", .head = TLM_HEAD, .layers = TLM_LAYERS, .own_head = true,
      .biases = true },
    { .arch = "qwen3", .head = 2 * TLM_HEAD, .layers = TLM_LAYERS, .head_norms = true },
    { .arch = "gemma3", .head = 2 * TLM_HEAD, .layers = 3, .slide = 5, .every = 2,
      .head_norms = true, .post_norms = true },
    { .arch = "smollm3", .head = TLM_HEAD, .layers = 4 },
    { .arch = "granite", .head = TLM_HEAD, .layers = TLM_LAYERS, .scales = true },
};
enum { TLM_FAMILIES = sizeof tlm_families / sizeof *tlm_families };

static inline const TlmFamily *tlm_family(const TinyLm *t)
{
    for (int i = 0; i < TLM_FAMILIES; i++)
        if (strcmp(t->arch, tlm_families[i].arch) == 0) return &tlm_families[i];
    return &tlm_families[0];
}

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
    const TlmFamily *of = tlm_family(t);
    const int q = TLM_HEADS * of->head, kv = TLM_KV * of->head;
    const struct { const char *name; int in, out; bool has; } part[] = {
        { "attn_q", TLM_DIM, q, true }, { "attn_k", TLM_DIM, kv, true },
        { "attn_v", TLM_DIM, kv, true }, { "attn_output", q, TLM_DIM, true },
        { "ffn_gate", TLM_DIM, TLM_FFN, true }, { "ffn_up", TLM_DIM, TLM_FFN, true },
        { "ffn_down", TLM_FFN, TLM_DIM, true },
        { "attn_norm", TLM_DIM, 1, true }, { "ffn_norm", TLM_DIM, 1, true },
        { "attn_q_norm", of->head, 1, of->head_norms },
        { "attn_k_norm", of->head, 1, of->head_norms },
        { "post_attention_norm", TLM_DIM, 1, of->post_norms },
        { "post_ffw_norm", TLM_DIM, 1, of->post_norms },
    };
    char name[64];
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        if (!part[i].has) continue;
        snprintf(name, sizeof name, "blk.%d.%s.weight", block, part[i].name);
        tlm_tensor(g, f, t, name, part[i].in, part[i].out, state);
        if (i > 2 || !of->biases) continue;
        snprintf(name, sizeof name, "blk.%d.%s.bias", block, part[i].name);
        tlm_tensor(g, f, t, name, part[i].out, 1, state);
    }
}

/* GPT-2's letters for bytes: printable ones are themselves. */
static inline void tlm_vocabulary(struct gguf_context *f, const TinyLm *t)
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
                     t->template ? t->template : TLM_TEMPLATE);
}

static inline void tlm_number(struct gguf_context *f, const TinyLm *t, const char *key,
                              uint32_t value)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", t->arch, key);
    gguf_set_val_u32(f, full, value);
}

static inline void tlm_real(struct gguf_context *f, const TinyLm *t, const char *key,
                            float value)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", t->arch, key);
    gguf_set_val_f32(f, full, value);
}

static inline void tlm_shape(struct gguf_context *f, const TinyLm *t)
{
    const TlmFamily *of = tlm_family(t);
    char key[96];
    gguf_set_val_str(f, "general.architecture", t->arch);
    gguf_set_val_str(f, "general.name", t->name ? t->name : "tiny");
    tlm_number(f, t, "block_count", (uint32_t)of->layers);
    tlm_number(f, t, "context_length", t->window ? t->window : TLM_WINDOW);
    tlm_number(f, t, "embedding_length", TLM_DIM);
    tlm_number(f, t, "feed_forward_length", TLM_FFN);
    tlm_number(f, t, "attention.head_count", TLM_HEADS);
    tlm_number(f, t, "attention.head_count_kv", TLM_KV);
    tlm_number(f, t, "vocab_size", TLM_VOCAB);
    tlm_real(f, t, "rope.freq_base", 5000);
    tlm_real(f, t, "attention.layer_norm_rms_epsilon", 1e-5f);
    if (t->stretch) tlm_real(f, t, "rope.scaling.factor", t->stretch);
    if (t->scaling) {
        snprintf(key, sizeof key, "%s.rope.scaling.type", t->arch);
        gguf_set_val_str(f, key, t->scaling);
    }
    if (of->head != TLM_HEAD) {
        tlm_number(f, t, "attention.key_length", (uint32_t)of->head);
        tlm_number(f, t, "attention.value_length", (uint32_t)of->head);
    }
    if (of->slide) {
        tlm_number(f, t, "attention.sliding_window", (uint32_t)of->slide);
        tlm_number(f, t, "attention.sliding_window_pattern", (uint32_t)of->every);
        tlm_real(f, t, "rope.freq_base_swa", 700);
    }
    if (!of->scales) return;
    if (t->still) gguf_set_val_bool(f, "granite.rope.scaling.finetuned", false);
    tlm_real(f, t, "embedding_scale", 3);
    tlm_real(f, t, "attention.scale", 0.25f);
    tlm_real(f, t, "residual_scale", 0.6f);
    tlm_real(f, t, "logit_scale", 2);
}

/* Every frequency is divided by another number. */
static inline void tlm_rope_freqs(struct ggml_context *g, struct gguf_context *f, int head)
{
    struct ggml_tensor *x = ggml_new_tensor_1d(g, GGML_TYPE_F32, head / 2);
    ggml_set_name(x, "rope_freqs.weight");
    for (int i = 0; i < head / 2; i++) ((float *)x->data)[i] = 1 + 2 * (float)i;
    gguf_add_tensor(f, x);
}

/* false: the file could not be written. */
static inline bool tiny_lm_write(const char *path, const TinyLm *t)
{
    struct ggml_init_params p = { .mem_size = 8 << 20 };
    struct ggml_context *g = ggml_init(p);
    struct gguf_context *f = gguf_init_empty();
    uint32_t state = t->seed + 7;
    tlm_shape(f, t);
    tlm_vocabulary(f, t);
    tlm_tensor(g, f, t, "token_embd.weight", TLM_DIM, TLM_VOCAB, &state);
    tlm_tensor(g, f, t, "output_norm.weight", TLM_DIM, 1, &state);
    const TlmFamily *of = tlm_family(t);
    if (of->own_head) tlm_tensor(g, f, t, "output.weight", TLM_DIM, TLM_VOCAB, &state);
    if (t->rope_freqs) tlm_rope_freqs(g, f, of->head);
    for (int i = 0; i < of->layers; i++) tlm_block(g, f, t, i, &state);
    bool ok = gguf_write_to_file(f, path, false);
    gguf_free(f);
    ggml_free(g);
    return ok;
}

#endif
