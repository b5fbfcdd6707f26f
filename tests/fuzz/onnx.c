/* ONNX: what is read must be readable to the last value of every weight. */
#include "model/onnx.h"

#include <stdlib.h>

static void read_weight(Ctx *cx, const Onnx *o, Str name)
{
    OnnxWeight w;
    if (onnx_weight(cx, o, name, &w) != OK) return;
    float *values = ctx_new(cx, float, w.values->n);
    if (!values || onnx_floats(cx, &w, values) != OK) return;
    volatile float last = values[w.values->n - 1];
    (void)last;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    enum { WEIGHTS = 32 };
    Ctx cx = CTX_INIT;
    Onnx o;
    if (onnx_read(&cx, (Str){ (const char *)data, n }, &o) == OK)
        for (size_t i = 0; i < o.n_tensors && i < WEIGHTS; i++) {
            Str name = o.tensors[i].name;
            read_weight(&cx, &o, name);
            ctx_forgive(&cx);
            if (str_ends(name, STR("_quantized"))) name.n -= sizeof "_quantized" - 1;
            read_weight(&cx, &o, name);
            ctx_forgive(&cx);
        }
    ctx_end(&cx);
    return 0;
}
