/* onnx.c -- see onnx.h.
 *
 * A reader of the protobuf wire format (protobuf.dev/programming-guides/encoding) that
 * knows the few fields of onnx.proto it wants and steps over the others. Invariant: a
 * Wire's p never passes its end, and every length is compared with what is left before
 * it is used. */
#include "model/onnx.h"

#include <string.h>

enum { TENSORS_MAX = 10000, PRODUCTS_MAX = 10000 };
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };   // wire types in use

typedef struct Wire {
    const unsigned char *p, *end;
    bool broken;
} Wire;

typedef struct Field {
    uint64_t number;
    int type;
    uint64_t value;   // of VARINT
    Str bytes;        // of BYTES
} Field;

static Wire wire(Str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    return (Wire){ p, p + s.n, false };
}

static uint64_t varint(Wire *w)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64 && w->p < w->end; shift += 7) {
        unsigned char byte = *w->p++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return v;
    }
    w->broken = true;
    return 0;
}

static Str span(Wire *w, uint64_t n)
{
    if (w->broken || n > (uint64_t)(w->end - w->p)) {
        w->broken = true;
        return (Str){ "", 0 };
    }
    Str s = { (const char *)w->p, (size_t)n };
    w->p += n;
    return s;
}

/* The next field; false at the end and where the bytes make no sense (broken). */
static bool next(Wire *w, Field *f)
{
    if (w->broken || w->p == w->end) return false;
    uint64_t tag = varint(w);
    *f = (Field){ .number = tag >> 3, .type = (int)(tag & 7), .bytes = { "", 0 } };
    switch (f->type) {
    case VARINT:  f->value = varint(w); break;
    case FIXED64: f->bytes = span(w, 8); break;
    case BYTES:   f->bytes = span(w, varint(w)); break;
    case FIXED32: f->bytes = span(w, 4); break;
    default:      w->broken = true;   // groups are not used by ONNX
    }
    return !w->broken && f->number > 0;
}

static bool is(const Field *f, uint64_t number, int type)
{
    return f->number == number && f->type == type;
}

/* ---- onnx.proto ------------------------------------------------------------------- */

enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_NAME = 3, NODE_OP_TYPE = 4 };
enum {
    TENSOR_DIMS = 1, TENSOR_DATA_TYPE = 2, TENSOR_FLOAT_DATA = 4, TENSOR_INT32_DATA = 5,
    TENSOR_NAME = 8, TENSOR_RAW_DATA = 9, TENSOR_DATA_LOCATION = 14
};

/* True when the stored bytes hold all n values: n is then no larger than the file. */
static bool is_whole(const OnnxTensor *t)
{
    uint64_t width = t->type == ONNX_FLOAT ? sizeof(float) : 1;
    if (t->raw.n > 0) return t->raw.n % width == 0 && t->raw.n / width == t->n;
    if (t->type == ONNX_FLOAT)
        return t->floats.n % width == 0 && t->floats.n / width == t->n;
    return t->ints.n >= t->n;   // at least a byte each
}

/* False: of a shape or a type that is of no use here, or with its values elsewhere. */
static bool read_tensor(Str bytes, OnnxTensor *t, bool *broken)
{
    Wire w = wire(bytes);
    bool usable = true;
    *t = (OnnxTensor){ .n = 1 };
    for (Field f; next(&w, &f);) {
        if (is(&f, TENSOR_DIMS, VARINT)) {
            if (t->n_dims == ONNX_DIMS_MAX) { usable = false; continue; }
            t->dim[t->n_dims++] = f.value;
            if (__builtin_mul_overflow(t->n, f.value, &t->n)) usable = false;
        }
        if (is(&f, TENSOR_DATA_TYPE, VARINT)) t->type = f.value < 256 ? (int)f.value : 0;
        if (is(&f, TENSOR_NAME, BYTES)) t->name = f.bytes;
        if (is(&f, TENSOR_RAW_DATA, BYTES)) t->raw = f.bytes;
        if (is(&f, TENSOR_FLOAT_DATA, BYTES)) t->floats = f.bytes;
        if (is(&f, TENSOR_INT32_DATA, BYTES)) t->ints = f.bytes;
        if (is(&f, TENSOR_DATA_LOCATION, VARINT) && f.value != 0) usable = false;
    }
    bool numbers = t->type == ONNX_FLOAT || t->type == ONNX_UINT8 || t->type == ONNX_INT8;
    usable = usable && numbers && t->n > 0 && t->name.n > 0;
    *broken = *broken || w.broken || (usable && !is_whole(t));
    return usable;
}

static bool read_product(Str bytes, OnnxProduct *out, bool *broken)
{
    enum { WEIGHT = 1 };   // MatMulInteger(A, B, zero of A, zero of B)
    Wire w = wire(bytes);
    Str op = { "", 0 };
    size_t input = 0;
    *out = (OnnxProduct){ .name = { "", 0 } };
    for (Field f; next(&w, &f);) {
        if (is(&f, NODE_NAME, BYTES)) out->name = f.bytes;
        if (is(&f, NODE_OP_TYPE, BYTES)) op = f.bytes;
        if (is(&f, NODE_INPUT, BYTES) && input++ == WEIGHT) out->weight = f.bytes;
    }
    *broken = *broken || w.broken;
    return out->weight.n > 0 && str_eq(op, STR("MatMulInteger"));
}

/* Walks the graph; with out's arrays NULL it only counts. */
static bool read_graph(Str graph, Onnx *out)
{
    Wire w = wire(graph);
    bool broken = false;
    out->n_tensors = out->n_products = 0;
    for (Field f; next(&w, &f);) {
        OnnxTensor t;
        OnnxProduct p;
        if (is(&f, GRAPH_INITIALIZER, BYTES) && read_tensor(f.bytes, &t, &broken)) {
            if (out->tensors) out->tensors[out->n_tensors] = t;
            out->n_tensors++;
        }
        if (is(&f, GRAPH_NODE, BYTES) && read_product(f.bytes, &p, &broken)) {
            if (out->products) out->products[out->n_products] = p;
            out->n_products++;
        }
    }
    return !w.broken && !broken;
}

Status onnx_read(Ctx *cx, Str bytes, Onnx *out)
{
    Wire w = wire(bytes);
    Str graph = { "", 0 };
    for (Field f; next(&w, &f);)
        if (is(&f, MODEL_GRAPH, BYTES)) graph = f.bytes;
    if (w.broken || graph.n == 0)
        return fail(cx, E_FORMAT, "not an ONNX model, or cut short at byte %zu of %zu",
                    (size_t)(w.p - (const unsigned char *)bytes.p), bytes.n);
    *out = (Onnx){ 0 };
    if (!read_graph(graph, out)) return fail(cx, E_FORMAT, "the ONNX graph is damaged");
    if (out->n_tensors > TENSORS_MAX || out->n_products > PRODUCTS_MAX)
        return fail(cx, E_LIMIT,
                    "the ONNX graph has %zu tensors and %zu products, at most "
                    "%d and %d are read", out->n_tensors, out->n_products, TENSORS_MAX,
                    PRODUCTS_MAX);
    TRY_NEW(out->tensors = ctx_new(cx, OnnxTensor, out->n_tensors));
    TRY_NEW(out->products = ctx_new(cx, OnnxProduct, out->n_products));
    read_graph(graph, out);
    return OK;
}

/* ---- weights ---------------------------------------------------------------------- */

const OnnxTensor *onnx_tensor(const Onnx *o, Str name)
{
    for (size_t i = 0; i < o->n_tensors; i++)
        if (str_eq(o->tensors[i].name, name)) return &o->tensors[i];
    return NULL;
}

static const OnnxTensor *suffixed(Ctx *cx, const Onnx *o, Str name, const char *suffix)
{
    Str full = ctx_printf(cx, "%.*s%s", (int)name.n, name.p, suffix);
    return full.p ? onnx_tensor(o, full) : NULL;
}

static uint64_t columns(const OnnxTensor *t)
{
    return t->n_dims > 0 ? t->dim[t->n_dims - 1] : 1;
}

Status onnx_weight(Ctx *cx, const Onnx *o, Str name, OnnxWeight *out)
{
    *out = (OnnxWeight){ .values = onnx_tensor(o, name) };
    if (out->values && out->values->type == ONNX_FLOAT) return OK;
    out->values = suffixed(cx, o, name, "_quantized");
    out->scale = suffixed(cx, o, name, "_scale");
    out->zero = suffixed(cx, o, name, "_zero_point");
    const OnnxTensor *q = out->values, *s = out->scale, *z = out->zero;
    if (!q || !s || !z || q->type == ONNX_FLOAT || s->type != ONNX_FLOAT ||
        z->type != q->type)
        return fail(cx, E_FORMAT,
                    "the ONNX model has no weight %.*s, plain or as 8 bits with "
                    "scale and zero point", (int)name.n, name.p);
    if (z->n != s->n || (s->n != 1 && s->n != columns(q)))
        return fail(cx, E_FORMAT, "%.*s: %llu scales for %llu columns", (int)name.n,
                    name.p, (unsigned long long)s->n, (unsigned long long)columns(q));
    return OK;
}

static float little_float(const unsigned char *p)
{
    uint32_t low = p[0] | (uint32_t)p[1] << 8, high = p[2] | (uint32_t)p[3] << 8;
    uint32_t bits = low | high << 16;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static bool packed_ints(const OnnxTensor *t, float *out)
{
    Wire w = wire(t->ints);
    for (uint64_t i = 0; i < t->n; i++) {
        uint64_t v = varint(&w);   // a negative int32 is sent as ten bytes
        out[i] = t->type == ONNX_INT8 ? (float)(int8_t)v : (float)(uint8_t)v;
    }
    return !w.broken && w.p == w.end;
}

/* The stored numbers as floats, unscaled. */
static Status stored(Ctx *cx, const OnnxTensor *t, float *out)
{
    const unsigned char *p = (const unsigned char *)(t->raw.n ? t->raw.p : t->floats.p);
    if (t->type == ONNX_FLOAT) {
        for (uint64_t i = 0; i < t->n; i++) out[i] = little_float(p + 4 * i);
    } else if (t->raw.n > 0) {
        for (uint64_t i = 0; i < t->n; i++)
            out[i] = t->type == ONNX_INT8 ? (float)(int8_t)p[i] : (float)p[i];
    } else if (!packed_ints(t, out)) {
        return fail(cx, E_FORMAT, "%.*s: %zu bytes do not hold its %llu values",
                    (int)t->name.n, t->name.p, t->ints.n, (unsigned long long)t->n);
    }
    return OK;
}

Status onnx_floats(Ctx *cx, const OnnxWeight *w, float *out)
{
    TRY(stored(cx, w->values, out));
    if (!w->scale) return OK;
    float *scale = ctx_new(cx, float, w->scale->n);
    float *zero = ctx_new(cx, float, w->scale->n);
    if (!scale || !zero) return E_MEMORY;
    TRY(stored(cx, w->scale, scale));
    TRY(stored(cx, w->zero, zero));
    bool each = w->scale->n > 1;
    uint64_t n_columns = columns(w->values);
    for (uint64_t i = 0; i < w->values->n; i++) {
        uint64_t c = each ? i % n_columns : 0;
        out[i] = (out[i] - zero[c]) * scale[c];
    }
    return OK;
}
