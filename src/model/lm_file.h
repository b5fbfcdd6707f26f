/* lm_file.h -- the GGUF of a decoder of a family that we compute (lm_family.c): its shape
 * and its tensors, for what computes such a model itself (prefill, training).
 *
 * The file is mapped; a tensor is checked to lie inside it before it is read. A file that
 * holds or asks for anything that would have to be computed otherwise is refused. */
#ifndef PITH_MODEL_LM_FILE_H
#define PITH_MODEL_LM_FILE_H

#include "base/ctx.h"
#include "model/lm_shape.h"

#include <gguf.h>

typedef struct LmFile {
    const char *path;        // borrowed
    struct gguf_context *meta;
    const uint8_t *map;
    size_t bytes;
    char arch[16];           // "llama", "qwen3", ...
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

/* A norm that the block has. As lm_tensor. */
MUST_USE Status lm_norm(Ctx *cx, const LmFile *f, size_t block, Norm n, LmTensor *out);
/* What divides the frequencies of positions (rope_dims / 2): ones, but where the file has
 * a table of them, as Llama 3's. As lm_tensor. */
MUST_USE Status lm_rope_scale(Ctx *cx, const LmFile *f, float *out);
/* A word as the first block reads it, from the tensor of embeddings. */
void lm_word(const LmShape *s, const LmTensor *words, int32_t token, float *out);

#endif
