/* bert_file.h -- the GGUF of a BERT encoder: its shape and its tensors.
 *
 * The file is mapped; a tensor is checked to lie inside it before it is read. */
#ifndef PITH_MODEL_BERT_FILE_H
#define PITH_MODEL_BERT_FILE_H

#include "base/ctx.h"

#include <gguf.h>

typedef enum BertPooling { POOL_CLS, POOL_MEAN, POOL_RANK } BertPooling;

typedef struct BertShape {
    size_t hidden, heads, ffn, layers;
    size_t window;           // tokens of a sequence, the positions that there are
    size_t words, types;     // rows of the embeddings
    float eps;               // of all norms
    BertPooling pooling;
} BertShape;

typedef struct BertFile {
    const char *path;        // borrowed
    struct gguf_context *meta;
    const uint8_t *map;
    size_t bytes;
    BertShape shape;
} BertFile;

/* A tensor as it lies in the file: rows of `width` values. */
typedef struct BertTensor {
    const uint8_t *data;
    size_t width, rows, row_bytes;
    int type;                // enum ggml_type
} BertTensor;

/* E_FORMAT: not GGUF, or cut short. E_MODEL: sound, but not a BERT that we compute. */
MUST_USE Status bert_file_open(Ctx *cx, const char *path, BertFile *out);
void bert_file_close(BertFile *f);

/* A string of the metadata; the empty Str where it is absent. Lives as long as f. */
Str bert_file_text(const BertFile *f, const char *key);

/* E_MODEL: no such tensor, or not of that shape. E_FORMAT: it lies outside the file. */
MUST_USE Status bert_tensor(Ctx *cx, const BertFile *f, const char *name, size_t width,
                            size_t rows, BertTensor *out);
bool bert_file_has(const BertFile *f, const char *name);
/* One row as f32 into out (width). */
void bert_row(const BertTensor *t, size_t row, float *out);
/* The whole as f32: malloc'd, the caller frees it. */
MUST_USE Status bert_floats(Ctx *cx, const BertFile *f, const char *name, size_t width,
                            size_t rows, float **out);

#endif
