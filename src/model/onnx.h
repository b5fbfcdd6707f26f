/* onnx.h -- the weights of an ONNX file, and which matrix product each belongs to.
 *
 * Of a model only two things are read: its initializers, and its MatMulInteger nodes
 * (name and weight), since an exporter keeps the module's path in the node's name and
 * calls the weight onnx::MatMul_1525. Nothing is computed. All is borrowed from the
 * file's bytes. */
#ifndef PITH_MODEL_ONNX_H
#define PITH_MODEL_ONNX_H

#include "base/ctx.h"

enum { ONNX_FLOAT = 1, ONNX_UINT8 = 2, ONNX_INT8 = 3 };   // TensorProto.DataType
enum { ONNX_DIMS_MAX = 2 };

typedef struct OnnxTensor {
    Str name;
    int type;
    int n_dims;                 // 0 for a scalar
    uint64_t dim[ONNX_DIMS_MAX];
    uint64_t n;                 // values
    Str raw;                    // the values, little endian; or empty, and then
    Str floats;                 // packed floats, or
    Str ints;                   // packed varints
} OnnxTensor;

typedef struct OnnxProduct {
    Str name;                   // "/encoder/layer.0/attention/self/query/MatMul_quant"
    Str weight;                 // the initializer that it multiplies by
} OnnxProduct;

typedef struct Onnx {
    OnnxTensor *tensors;        // with at most two dimensions and a type named above
    size_t n_tensors;
    OnnxProduct *products;
    size_t n_products;
} Onnx;

/* A matrix or vector as stored, with what makes numbers of it. */
typedef struct OnnxWeight {
    const OnnxTensor *values;
    const OnnxTensor *scale;    // one, or one per column; NULL: values are the numbers
    const OnnxTensor *zero;     // as many as scales
} OnnxWeight;

/* bytes is a ModelProto and must outlive out. E_FORMAT: not one, or cut short.
 * E_LIMIT: more tensors or nodes than any model for pith has. */
MUST_USE Status onnx_read(Ctx *cx, Str bytes, Onnx *out);
/* The initializer of that name, or NULL. */
const OnnxTensor *onnx_tensor(const Onnx *o, Str name);
/* The weight called name, stored as it is or as name_quantized, name_scale and
 * name_zero_point. E_FORMAT: it is not there, or the three do not fit each other. */
MUST_USE Status onnx_weight(Ctx *cx, const Onnx *o, Str name, OnnxWeight *out);
/* (q - zero) * scale of all values into out, values->n floats, row by row. */
MUST_USE Status onnx_floats(Ctx *cx, const OnnxWeight *w, float *out);

#endif
