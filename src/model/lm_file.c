/* lm_file.c -- see lm_file.h. */
#include "model/lm_file.h"

#include "model/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <ggml.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SIDE = 65536, MAX_LAYERS = 512, MAX_WORDS = 1 << 20, MAX_HEADS = 1024 };

/* ---- the shape -------------------------------------------------------------------- */

size_t lm_in(const LmShape *s, Linear l)
{
    return l == LIN_O ? s->heads * s->head_dim : l == LIN_DOWN ? s->ffn : s->dim;
}

size_t lm_out(const LmShape *s, Linear l)
{
    switch (l) {
    case LIN_Q: return s->heads * s->head_dim;
    case LIN_K: case LIN_V: return s->kv_heads * s->head_dim;
    case LIN_GATE: case LIN_UP: return s->ffn;
    default: return s->dim;
    }
}

const char *lm_linear_name(Linear l)
{
    static const char *const name[LINEARS] = { "attn_q", "attn_k", "attn_v",
                                               "attn_output",
                                               "ffn_gate", "ffn_up", "ffn_down" };
    return name[l];
}

/* ---- metadata --------------------------------------------------------------------- */

static int64_t key_of(const LmFile *f, const char *key, enum gguf_type type)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", f->arch, key);
    int64_t id = gguf_find_key(f->meta, full);
    return id >= 0 && gguf_get_kv_type(f->meta, id) == type ? id : -1;
}

/* otherwise: the value of a key that is not there; 0: it must be. */
static Status number(Ctx *cx, const LmFile *f, const char *key, size_t max,
                     size_t otherwise, size_t *out)
{
    int64_t id = key_of(f, key, GGUF_TYPE_UINT32);
    if (id < 0 && otherwise) return *out = otherwise, OK;
    if (id < 0) return fail(cx, E_MODEL, "%s: no number %s.%s", f->path, f->arch, key);
    *out = gguf_get_val_u32(f->meta, id);
    if (*out >= 1 && *out <= max) return OK;
    return fail(cx, E_MODEL, "%s: %s.%s is %zu, 1 to %zu was wanted", f->path, f->arch,
                key, *out, max);
}

static Status real(Ctx *cx, const LmFile *f, const char *key, float otherwise, float *out)
{
    int64_t id = key_of(f, key, GGUF_TYPE_FLOAT32);
    *out = id < 0 ? otherwise : gguf_get_val_f32(f->meta, id);
    if (isfinite(*out) && *out > 0) return OK;
    return fail(cx, E_MODEL, "%s: %s.%s is %g", f->path, f->arch, key, (double)*out);
}

const char *lm_file_text(const LmFile *f, const char *key)
{
    int64_t id = gguf_find_key(f->meta, key);
    bool is = id >= 0 && gguf_get_kv_type(f->meta, id) == GGUF_TYPE_STRING;
    return is ? gguf_get_val_str(f->meta, id) : "";
}

static Status check_family(Ctx *cx, LmFile *f)
{
    const char *arch = lm_file_text(f, "general.architecture");
    if (strcmp(arch, "llama") != 0 && strcmp(arch, "qwen2") != 0)
        return fail(cx, E_MODEL, "%s: architecture \"%.40s\"; llama and qwen2 are "
                    "computed here", f->path, arch);
    snprintf(f->arch, sizeof f->arch, "%s", arch);
    int64_t scaling = key_of(f, "rope.scaling.type", GGUF_TYPE_STRING);
    if (scaling >= 0 && strcmp(gguf_get_val_str(f->meta, scaling), "none") != 0)
        return fail(cx, E_MODEL, "%s: rope scaling \"%.40s\" is not computed here",
                    f->path, gguf_get_val_str(f->meta, scaling));
    static const char *const other[] = { "expert_count", "attention.sliding_window" };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (key_of(f, other[i], GGUF_TYPE_UINT32) >= 0)
            return fail(cx, E_MODEL, "%s: %s.%s is not computed here", f->path, arch,
                        other[i]);
    return OK;
}

/* "blk.7.attn_q.weight" and its siblings, and what stands outside the blocks. */
static bool is_known(const char *name)
{
    static const char *const outer[] = { "token_embd.weight", "output.weight",
        "output_norm.weight", "rope_freqs.weight" };
    for (size_t i = 0; i < sizeof outer / sizeof *outer; i++)
        if (strcmp(name, outer[i]) == 0) return true;
    size_t digits = strncmp(name, "blk.", 4) == 0 ? strspn(name + 4, "0123456789") : 0;
    if (digits == 0 || name[4 + digits] != '.') return false;
    name += 4 + digits + 1;
    if (strcmp(name, "attn_norm.weight") == 0 || strcmp(name, "ffn_norm.weight") == 0)
        return true;
    for (Linear l = 0; l < LINEARS; l++) {
        size_t n = strlen(lm_linear_name(l));
        if (strncmp(name, lm_linear_name(l), n) != 0) continue;
        if (strcmp(name + n, ".weight") == 0 || strcmp(name + n, ".bias") == 0)
            return true;
    }
    return false;
}

/* A tensor that we would not use is a part of the model that we would not compute. */
static Status check_tensors(Ctx *cx, const LmFile *f)
{
    for (int64_t i = 0; i < gguf_get_n_tensors(f->meta); i++)
        if (!is_known(gguf_get_tensor_name(f->meta, i)))
            return fail(cx, E_MODEL, "%s: tensor %.60s is not computed here", f->path,
                        gguf_get_tensor_name(f->meta, i));
    return OK;
}

static Status read_shape(Ctx *cx, LmFile *f, LmShape *s)
{
    size_t values = 0;
    TRY(check_family(cx, f));
    TRY(check_tensors(cx, f));
    TRY(number(cx, f, "block_count", MAX_LAYERS, 0, &s->layers));
    TRY(number(cx, f, "embedding_length", MAX_SIDE, 0, &s->dim));
    TRY(number(cx, f, "feed_forward_length", MAX_SIDE, 0, &s->ffn));
    TRY(number(cx, f, "context_length", 1 << 24, 0, &s->window));
    TRY(number(cx, f, "attention.head_count", MAX_HEADS, 0, &s->heads));
    TRY(number(cx, f, "attention.head_count_kv", MAX_HEADS, s->heads, &s->kv_heads));
    TRY(number(cx, f, "attention.key_length", MAX_SIDE, s->dim / s->heads, &s->head_dim));
    TRY(number(cx, f, "attention.value_length", MAX_SIDE, s->head_dim, &values));
    TRY(number(cx, f, "rope.dimension_count", MAX_SIDE, s->head_dim, &s->rope_dims));
    TRY(real(cx, f, "rope.freq_base", 10000, &s->rope_base));
    TRY(real(cx, f, "attention.layer_norm_rms_epsilon", 0, &s->eps));
    if (s->heads % s->kv_heads || values != s->head_dim || s->rope_dims > s->head_dim
        || s->rope_dims % 2 || s->heads * s->head_dim > MAX_SIDE)
        return fail(cx, E_MODEL, "%s: %zu heads of %zu values over %zu of %zu do not fit "
                    "together", f->path, s->heads, s->head_dim, s->kv_heads, values);
    int64_t id = gguf_find_tensor(f->meta, "token_embd.weight");
    s->vocab = id < 0 ? 0 : (size_t)gguf_get_tensor_ne(f->meta, id)[1];
    if (s->vocab == 0 || s->vocab > MAX_WORDS)
        return fail(cx, E_MODEL, "%s: %zu words; 1 to %d were wanted", f->path, s->vocab,
                    MAX_WORDS);
    s->neox = strcmp(f->arch, "qwen2") == 0;
    s->tied = gguf_find_tensor(f->meta, "output.weight") < 0;
    return OK;
}

/* ---- tensors ---------------------------------------------------------------------- */

bool lm_file_has(const LmFile *f, const char *tensor)
{
    return gguf_find_tensor(f->meta, tensor) >= 0;
}

Status lm_tensor(Ctx *cx, const LmFile *f, const char *name, size_t width, size_t rows,
                 LmTensor *out)
{
    int64_t id = gguf_find_tensor(f->meta, name);
    if (id < 0) return fail(cx, E_MODEL, "%s: no tensor %s", f->path, name);
    const int64_t *ne = gguf_get_tensor_ne(f->meta, id);
    if (ne[0] != (int64_t)width || ne[1] != (int64_t)rows || ne[2] != 1 || ne[3] != 1)
        return fail(cx, E_MODEL, "%s: %s is %lld x %lld, %zu x %zu was wanted", f->path,
                    name, (long long)ne[0], (long long)ne[1], width, rows);
    enum ggml_type type = gguf_get_tensor_type(f->meta, id);
    if (type != GGML_TYPE_F32 && !ggml_get_type_traits(type)->to_float)
        return fail(cx, E_MODEL, "%s: %s has type %s, which does not become f32; take a "
                    "file quantized otherwise", f->path, name, ggml_type_name(type));
    size_t row = ggml_row_size(type, ne[0]), at, end;
    if (__builtin_add_overflow(gguf_get_data_offset(f->meta),
                               gguf_get_tensor_offset(f->meta, id), &at)
        || __builtin_mul_overflow(row, rows, &end)
        || __builtin_add_overflow(end, at, &end) || end > f->bytes)
        return fail(cx, E_FORMAT, "%s: cut short: %s lies beyond its %zu bytes", f->path,
                    name, f->bytes);
    *out = (LmTensor){ f->map + at, width, rows, row, type };
    return OK;
}

void lm_rows(const LmTensor *t, size_t first, size_t n, float *out)
{
    const uint8_t *from = t->data + first * t->row_bytes;
    if (t->type == GGML_TYPE_F32) memcpy(out, from, n * t->width * sizeof *out);
    else ggml_get_type_traits(t->type)->to_float(from, out, (int64_t)(n * t->width));
}

/* ---- open and close --------------------------------------------------------------- */

static Status map_file(Ctx *cx, LmFile *f)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(cx, E_IO, "%s: %s", f->path, strerror(errno));
    struct stat info;
    void *map = MAP_FAILED;
    if (fstat(fd, &info) == 0 && info.st_size > 0)
        map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    int error = errno;
    close(fd);
    if (map == MAP_FAILED) return fail(cx, E_IO, "%s: %s", f->path, strerror(error));
    f->map = map;
    f->bytes = (size_t)info.st_size;
    return OK;
}

void lm_file_close(LmFile *f)
{
    if (f->meta) gguf_free(f->meta);
    if (f->map) munmap((void *)(uintptr_t)f->map, f->bytes);
    *f = (LmFile){ 0 };
}

static Status read_file(Ctx *cx, LmFile *f)
{
    struct gguf_init_params p = { .no_alloc = true };
    TRY(map_file(cx, f));
    if (!(f->meta = gguf_init_from_file(f->path, p)))
        return fail(cx, E_FORMAT, "%s: not a whole GGUF file", f->path);
    return read_shape(cx, f, &f->shape);
}

Status lm_file_open(Ctx *cx, const char *path, LmFile *out)
{
    engine_start();
    *out = (LmFile){ .path = path };
    Status st = read_file(cx, out);
    if (st != OK) lm_file_close(out);
    return st;
}
