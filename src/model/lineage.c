/* lineage.c -- see lineage.h. */
#include "model/lineage.h"

#include "model/engine.h"

#include <errno.h>
#include <ggml.h>
#include <gguf.h>
#include <stdio.h>
#include <string.h>

enum { NORM_MAX = 1 << 18 };   // bytes

static Status open_meta(Ctx *cx, const char *path, struct gguf_context **out)
{
    struct gguf_init_params p = { .no_alloc = true };
    engine_start();
    *out = gguf_init_from_file(path, p);
    return *out ? OK : fail(cx, E_FORMAT, "%s: not a whole GGUF file", path);
}

static Status add_norm(Ctx *cx, const char *path, FILE *f, const struct gguf_context *g,
                       const char *name, Buf *b)
{
    char *bytes = ctx_alloc(cx, NORM_MAX, 1);
    TRY_NEW(bytes);
    int64_t id = gguf_find_tensor(g, name);
    size_t n = id < 0 ? 0 : gguf_get_tensor_size(g, id);
    if (id < 0 || gguf_get_tensor_type(g, id) != GGML_TYPE_F32 || n > NORM_MAX)
        return fail(cx, E_MODEL, "%s: no f32 tensor %s, by which a model is known", path,
                    name);
    long at = (long)(gguf_get_data_offset(g) + gguf_get_tensor_offset(g, id));
    if (fseek(f, at, SEEK_SET) != 0 || fread(bytes, 1, n, f) != n)
        return fail(cx, E_FORMAT, "%s: cut short: %s lies beyond its end", path, name);
    buf_add(b, (Str){ bytes, n });
    return OK;
}

Status lineage_of(Ctx *cx, const char *path, Blake2bHex *out)
{
    struct gguf_context *g = NULL;
    Buf b = BUF(2 * NORM_MAX);
    FILE *f = fopen(path, "rbe");
    Status st = f ? open_meta(cx, path, &g)
                  : fail(cx, E_IO, "%s: %s", path, strerror(errno));
    if (st == OK) st = add_norm(cx, path, f, g, "blk.0.attn_norm.weight", &b);
    if (st == OK) st = add_norm(cx, path, f, g, "output_norm.weight", &b);
    if (st == OK && b.failed) st = fail(cx, E_MEMORY, "no memory for a hash");
    if (st == OK) *out = blake2b_bytes(buf_str(&b));
    buf_free(&b);
    if (g) gguf_free(g);
    if (f) fclose(f);
    return st;
}

static const char *text(const struct gguf_context *g, const char *key)
{
    int64_t id = gguf_find_key(g, key);
    bool is = id >= 0 && gguf_get_kv_type(g, id) == GGUF_TYPE_STRING;
    return is ? gguf_get_val_str(g, id) : "";
}

Status lineage_check(Ctx *cx, const char *path, const char *adapter)
{
    struct gguf_context *g = NULL;
    Blake2bHex base;
    TRY(open_meta(cx, adapter, &g));
    const char *made_for = text(g, LINEAGE_KEY);
    Status st = OK;
    if (strcmp(text(g, "general.type"), "adapter") != 0)
        st = fail(cx, E_FORMAT, "%s: a GGUF file, but not an adapter", adapter);
    else if (*made_for && (st = lineage_of(cx, path, &base)) == OK
             && strcmp(made_for, base.z) != 0)
        st = fail(cx, E_MODEL,
                  "%s was trained on \"%s\", which %s is not: train it again on "
                  "this model, or name that one", adapter,
                  text(g, "general.base_model.0.name"), path);
    gguf_free(g);
    return st;
}
