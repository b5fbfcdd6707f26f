/* lm_file.h -- the GGUF of a decoder of the llama or qwen2 family: its shape and its
 * tensors, for what computes such a model itself (prefill, training).
 *
 * The file is mapped; a tensor is checked to lie inside it before it is read. A file that
 * holds or asks for anything that would have to be computed otherwise is refused. */
#ifndef PITH_MODEL_LM_FILE_H
#define PITH_MODEL_LM_FILE_H

#include "base/ctx.h"

#include <gguf.h>

/* The linear layers of a block, in this order; those that share an input lie together. */
typedef enum Linear { LIN_Q, LIN_K, LIN_V, LIN_O, LIN_GATE, LIN_UP, LIN_DOWN, LINEARS }
    Linear;

typedef struct LmShape {
    size_t layers, dim, ffn, vocab, window;
    size_t heads, kv_heads, head_dim;
    size_t rope_dims;        // of a head; even
    float rope_base, eps;
    bool neox;               // rotates (i, i + n/2), qwen2; else (2i, 2i + 1), llama
    bool tied;               // the head is the embedding
} LmShape;

typedef struct LmFile {
    const char *path;        // borrowed
    struct gguf_context *meta;
    const uint8_t *map;
    size_t bytes;
    char arch[16];           // "llama", "qwen2"
    LmShape shape;
} LmFile;

/* A tensor as it lies in the file: rows of `width` values. */
typedef struct LmTensor {
    const uint8_t *data;
    size_t width, rows, row_bytes;
    enum ggml_type type;
} LmTensor;

/* E_IO; E_FORMAT: not GGUF, or cut short; E_MODEL: sound, but of another family or with
 * something in it that we do not compute. *out is closed then. */
MUST_USE Status lm_file_open(Ctx *cx, const char *path, LmFile *out);
void lm_file_close(LmFile *f);

/* A string of the metadata; "" where it is absent. Lives as long as f. */
const char *lm_file_text(const LmFile *f, const char *key);
bool lm_file_has(const LmFile *f, const char *tensor);
/* E_MODEL: no such tensor, or not of that shape. E_FORMAT: it lies outside the file. */
MUST_USE Status lm_tensor(Ctx *cx, const LmFile *f, const char *name, size_t width,
                          size_t rows, LmTensor *out);
/* n rows from `first` on as f32 into out (n, width). */
void lm_rows(const LmTensor *t, size_t first, size_t n, float *out);

/* Inputs and outputs of a layer, and its name in GGUF: "attn_q", ... */
size_t lm_in(const LmShape *s, Linear l);
size_t lm_out(const LmShape *s, Linear l);
const char *lm_linear_name(Linear l);

#endif
