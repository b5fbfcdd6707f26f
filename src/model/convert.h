/* convert.h -- a BERT model from ONNX to GGUF.
 *
 * The same input gives the same bytes on any machine, so that the result has a hash that
 * can be published. Matrices become F16, which keeps an 8-bit weight times its scale to
 * 11 bits; norms, biases, the position and token-type embeddings stay F32. */
#ifndef PITH_MODEL_CONVERT_H
#define PITH_MODEL_CONVERT_H

#include "base/ctx.h"

typedef enum BertPooling { BERT_MEAN = 1, BERT_CLS = 2, BERT_RANK = 4 } BertPooling;

typedef struct BertFacts {      // what an ONNX file does not say
    const char *name;           // general.name
    const char *licence;        // SPDX
    const char *query_prefix;   // NULL for none
    BertPooling pooling;        // BERT_RANK: a cross-encoder, with pooler and classifier
    uint32_t heads;
    uint32_t window;            // tokens
    float norm_epsilon;
} BertFacts;

/* Reads the model at onnx and the WordPiece vocabulary at vocabulary (one piece a line),
 * and writes the GGUF to path.
 *
 * A cross-encoder gets its vocabulary twice: token id + pith.segment_b_offset is the same
 * piece with the second segment's embedding in place of the first one's, since libllama
 * adds the first one's to every token. Who adds segment embeddings itself uses
 * token_types.weight and the ids below the offset.
 *
 * E_FORMAT: not of the shape of BERT, or vocabulary and embeddings differ in number.
 * E_IO: path may hold a part then. */
MUST_USE Status bert_convert(Ctx *cx, const char *onnx, const char *vocabulary,
                             const BertFacts *facts, const char *path);

#endif
