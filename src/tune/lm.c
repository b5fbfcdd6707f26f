/* lm.c -- see lm.h. Tensors are read one row at a time by ggml's own dequantizers, so
 * that nothing but the result is ever held in memory. */
#include "tune/lm.h"

#include "model/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <ggml.h>
#include <gguf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SIDE = 65536, MAX_LAYERS = 512, MAX_WORDS = 1 << 20, MAX_HEADS = 1024 };

typedef struct File {
    const char *path;
    struct gguf_context *meta;
    const uint8_t *map;
    size_t bytes;
    char arch[16];
} File;

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

static int64_t key_of(const File *f, const char *key, enum gguf_type type)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", f->arch, key);
    int64_t id = gguf_find_key(f->meta, full);
    return id >= 0 && gguf_get_kv_type(f->meta, id) == type ? id : -1;
}

/* otherwise: the value of a key that is not there; 0: it must be. */
static Status number(Ctx *cx, const File *f, const char *key, size_t max,
                     size_t otherwise,
                     size_t *out)
{
    int64_t id = key_of(f, key, GGUF_TYPE_UINT32);
    if (id < 0 && otherwise) return *out = otherwise, OK;
    if (id < 0) return fail(cx, E_MODEL, "%s: no number %s.%s", f->path, f->arch, key);
    *out = gguf_get_val_u32(f->meta, id);
    if (*out >= 1 && *out <= max) return OK;
    return fail(cx, E_MODEL, "%s: %s.%s is %zu, 1 to %zu was wanted", f->path, f->arch,
                key,
                *out, max);
}

static Status real(Ctx *cx, const File *f, const char *key, float otherwise, float *out)
{
    int64_t id = key_of(f, key, GGUF_TYPE_FLOAT32);
    *out = id < 0 ? otherwise : gguf_get_val_f32(f->meta, id);
    if (isfinite(*out) && *out > 0) return OK;
    return fail(cx, E_MODEL, "%s: %s.%s is %g", f->path, f->arch, key, (double)*out);
}

static const char *text(const File *f, const char *key)
{
    int64_t id = gguf_find_key(f->meta, key);
    bool is = id >= 0 && gguf_get_kv_type(f->meta, id) == GGUF_TYPE_STRING;
    return is ? gguf_get_val_str(f->meta, id) : "";
}

static Status check_family(Ctx *cx, File *f)
{
    const char *arch = text(f, "general.architecture");
    if (strcmp(arch, "llama") != 0 && strcmp(arch, "qwen2") != 0)
        return fail(cx, E_MODEL,
                    "%s: architecture \"%.40s\"; llama and qwen2 can be trained",
                    f->path, arch);
    snprintf(f->arch, sizeof f->arch, "%s", arch);
    int64_t scaling = key_of(f, "rope.scaling.type", GGUF_TYPE_STRING);
    if (scaling >= 0 && strcmp(gguf_get_val_str(f->meta, scaling), "none") != 0)
        return fail(cx, E_MODEL, "%s: rope scaling \"%.40s\" is not trained here",
                    f->path,
                    gguf_get_val_str(f->meta, scaling));
    if (key_of(f, "expert_count", GGUF_TYPE_UINT32) >= 0)
        return fail(cx, E_MODEL, "%s: a mixture of experts is not trained here", f->path);
    return OK;
}

static Status read_shape(Ctx *cx, File *f, LmShape *s)
{
    size_t values = 0;
    TRY(check_family(cx, f));
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

typedef struct Tensor {
    const uint8_t *data;
    enum ggml_type type;
    size_t row_bytes;
} Tensor;

static Status find(Ctx *cx, const File *f, const char *name, size_t rows, size_t width,
                   Tensor *out)
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
            || __builtin_add_overflow(end, at, &end)
        || end > f->bytes)
        return fail(cx, E_FORMAT, "%s: cut short: %s lies beyond its %zu bytes", f->path,
                    name, f->bytes);
    *out = (Tensor){ f->map + at, type, row };
    return OK;
}

static void *take(Ctx *cx, Lm *m, size_t n, size_t size)
{
    size_t bytes = n * size + 64;    // a vector read past the end stays inside
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p) return fail(cx, E_MEMORY, "no memory for %zu bytes of weights", bytes), NULL;
    m->own[m->n_own++] = p;
    m->bytes += bytes;
    return p;
}

static void row_floats(const Tensor *t, size_t row, size_t width, float *out)
{
    const uint8_t *from = t->data + row * t->row_bytes;
    if (t->type == GGML_TYPE_F32) memcpy(out, from, width * sizeof *out);
    else ggml_get_type_traits(t->type)->to_float(from, out, (int64_t)width);
}

static Status matrix(Ctx *cx, Lm *m, const File *f, const char *name, size_t rows,
                     size_t width, const void **out)
{
    Tensor t;
    bool bf16 = gemm_type(m->way) == GEMM_BF16;
    TRY(find(cx, f, name, rows, width, &t));
    void *p = take(cx, m, rows * width, bf16 ? sizeof(uint16_t) : sizeof(float));
    float *row = bf16 ? malloc(width * sizeof *row) : NULL;
    if (!p || (bf16 && !row)) {
        free(row);
        return fail(cx, E_MEMORY, "%s: no memory for %s", f->path, name);
    }
    for (size_t r = 0; r < rows; r++) {
        float *to = bf16 ? row : (float *)p + r * width;
        row_floats(&t, r, width, to);
        if (bf16) gemm_to_bf16(width, row, (uint16_t *)p + r * width);
    }
    free(row);
    *out = p;
    return OK;
}

static Status vector(Ctx *cx, Lm *m, const File *f, const char *name, size_t n,
                     const float **out)
{
    Tensor t;
    TRY(find(cx, f, name, 1, n, &t));
    float *p = take(cx, m, n, sizeof *p);
    TRY_NEW(p);
    row_floats(&t, 0, n, p);
    *out = p;
    return OK;
}

static Status block(Ctx *cx, Lm *m, const File *f, size_t i)
{
    LmBlock *b = &m->block[i];
    char name[64];
    for (Linear l = 0; l < LINEARS; l++) {
        size_t in = lm_in(&m->shape, l), out = lm_out(&m->shape, l);
        snprintf(name, sizeof name, "blk.%zu.%s.weight", i, lm_linear_name(l));
        TRY(matrix(cx, m, f, name, out, in, &b->w[l]));
        snprintf(name, sizeof name, "blk.%zu.%s.bias", i, lm_linear_name(l));
        if (gguf_find_tensor(f->meta, name) >= 0)
            TRY(vector(cx, m, f, name, out, &b->bias[l]));
    }
    snprintf(name, sizeof name, "blk.%zu.attn_norm.weight", i);
    TRY(vector(cx, m, f, name, m->shape.dim, &b->attn_norm));
    snprintf(name, sizeof name, "blk.%zu.ffn_norm.weight", i);
    return vector(cx, m, f, name, m->shape.dim, &b->ffn_norm);
}

/* Llama 3 stretches some frequencies by a table in the file. */
static Status frequencies(Ctx *cx, Lm *m, const File *f)
{
    const float *given = NULL;
    size_t n = m->shape.rope_dims / 2;
    if (gguf_find_tensor(f->meta, "rope_freqs.weight") >= 0)
        TRY(vector(cx, m, f, "rope_freqs.weight", n, &given));
    TRY_NEW(m->rope_scale = take(cx, m, n, sizeof *m->rope_scale));
    for (size_t i = 0; i < n; i++) m->rope_scale[i] = given ? given[i] : 1;
    return OK;
}

static Status weights(Ctx *cx, Lm *m, const File *f)
{
    LmShape *s = &m->shape;
    size_t most = s->layers * (2 * LINEARS + 2) + 8;
    m->block = calloc(s->layers, sizeof *m->block);
    m->own = calloc(most, sizeof *m->own);
    if (!m->block || !m->own) return fail(cx, E_MEMORY, "no memory for a model");
    TRY(matrix(cx, m, f, "token_embd.weight", s->vocab, s->dim, &m->embed));
    m->head = m->embed;
    if (!s->tied) TRY(matrix(cx, m, f, "output.weight", s->vocab, s->dim, &m->head));
    TRY(vector(cx, m, f, "output_norm.weight", s->dim, &m->final_norm));
    TRY(frequencies(cx, m, f));
    for (size_t i = 0; i < s->layers; i++) TRY(block(cx, m, f, i));
    return OK;
}

/* ---- open and close --------------------------------------------------------------- */

static Status map_file(Ctx *cx, File *f)
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

static void file_close(File *f)
{
    if (f->meta) gguf_free(f->meta);
    if (f->map) munmap((void *)(uintptr_t)f->map, f->bytes);
}

static Status file_open(Ctx *cx, const char *path, File *f, LmShape *shape)
{
    struct gguf_init_params p = { .no_alloc = true };
    *f = (File){ .path = path };
    engine_start();
    TRY(map_file(cx, f));
    if (!(f->meta = gguf_init_from_file(path, p)))
        return fail(cx, E_FORMAT, "%s: not a whole GGUF file", path);
    return read_shape(cx, f, shape);
}

Status lm_shape(Ctx *cx, const char *path, LmShape *out)
{
    File f;
    *out = (LmShape){ 0 };
    Status st = file_open(cx, path, &f, out);
    file_close(&f);
    return st;
}

Status lm_open(Ctx *cx, const char *path, GemmWay way, Lm **out)
{
    File f = { 0 };
    Lm *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m) return fail(cx, E_MEMORY, "no memory for a model");
    m->way = way;
    Status st = file_open(cx, path, &f, &m->shape);
    if (st == OK) {
        snprintf(m->arch, sizeof m->arch, "%s", f.arch);
        snprintf(m->name, sizeof m->name, "%s", text(&f, "general.name"));
        st = weights(cx, m, &f);
    }
    file_close(&f);
    if (st != OK) lm_close(m);
    else *out = m;
    return st;
}

void lm_close(Lm *m)
{
    if (!m) return;
    for (size_t i = 0; i < m->n_own; i++) free(m->own[i]);
    free(m->own);
    free(m->block);
    free(m);
}
