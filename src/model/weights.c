/* weights.c -- see weights.h. */
#include "model/weights.h"

#include "model/engine.h"

#include <ggml.h>
#include <gguf.h>
#include <string.h>

static bool is_looked_up(const struct gguf_context *g, const char *tensor)
{
    return strcmp(tensor, "token_embd.weight") == 0
        && gguf_find_tensor(g, "output.weight") >= 0;
}

Status weights_read(Ctx *cx, const char *path, Weights *out)
{
    uint64_t of[GGML_TYPE_COUNT] = { 0 };
    const struct gguf_init_params head_only = { .no_alloc = true };
    int most = 0;
    engine_start();     // keeps ggml from printing
    struct gguf_context *g = gguf_init_from_file(path, head_only);
    *out = (Weights){ 0 };
    if (!g) return fail(cx, E_FORMAT, "%s: not a sound GGUF file", path);
    for (int64_t i = 0; i < gguf_get_n_tensors(g); i++) {
        if (is_looked_up(g, gguf_get_tensor_name(g, i))) continue;
        of[gguf_get_tensor_type(g, i)] += gguf_get_tensor_size(g, i);
        out->bytes += gguf_get_tensor_size(g, i);
    }
    for (int t = 1; t < GGML_TYPE_COUNT; t++)
        if (of[t] > of[most]) most = t;
    out->quant = ggml_type_name((enum ggml_type)most);
    gguf_free(g);
    return OK;
}
