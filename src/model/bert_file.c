/* bert_file.c -- see bert_file.h. */
#include "model/bert_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ggml.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SIDE = 65536, MAX_LAYERS = 256, MAX_WORDS = 1 << 24 };

/* ---- metadata --------------------------------------------------------------------- */

static Status number(Ctx *cx, const BertFile *f, const char *key, size_t max, size_t *out)
{
    int64_t id = gguf_find_key(f->meta, key);
    if (id < 0 || gguf_get_kv_type(f->meta, id) != GGUF_TYPE_UINT32)
        return fail(cx, E_MODEL, "%s: no number %s", f->path, key);
    *out = gguf_get_val_u32(f->meta, id);
    if (*out == 0 || *out > max)
        return fail(cx, E_MODEL, "%s: %s is %zu, 1 to %zu was wanted", f->path, key, *out,
                    max);
    return OK;
}

Str bert_file_text(const BertFile *f, const char *key)
{
    int64_t id = gguf_find_key(f->meta, key);
    bool text = id >= 0 && gguf_get_kv_type(f->meta, id) == GGUF_TYPE_STRING;
    return text ? str_z(gguf_get_val_str(f->meta, id)) : STR("");
}

static Status pooling(Ctx *cx, BertFile *f)
{
    enum { MEAN = 1, CLS = 2, RANK = 4 };    // llama.h's numbers
    size_t n = 0;
    TRY(number(cx, f, "bert.pooling_type", RANK, &n));
    if (n != MEAN && n != CLS && n != RANK)
        return fail(cx, E_MODEL, "%s: pooling %zu is none of CLS, mean and rank", f->path,
                    n);
    f->shape.pooling = n == MEAN ? POOL_MEAN : n == CLS ? POOL_CLS : POOL_RANK;
    return OK;
}

static Status epsilon(Ctx *cx, BertFile *f)
{
    int64_t id = gguf_find_key(f->meta, "bert.attention.layer_norm_epsilon");
    if (id < 0 || gguf_get_kv_type(f->meta, id) != GGUF_TYPE_FLOAT32)
        return fail(cx, E_MODEL, "%s: no layer_norm_epsilon", f->path);
    f->shape.eps = gguf_get_val_f32(f->meta, id);
    if (!(f->shape.eps >= 0 && f->shape.eps < 1))
        return fail(cx, E_MODEL, "%s: layer_norm_epsilon is %g", f->path,
                    (double)f->shape.eps);
    return OK;
}

static size_t rows_of(const BertFile *f, const char *name)
{
    int64_t id = gguf_find_tensor(f->meta, name);
    return id < 0 ? 0 : (size_t)gguf_get_tensor_ne(f->meta, id)[1];
}

/* The position table bounds the window; a doubled vocabulary counts its first half. */
static Status tables(Ctx *cx, BertFile *f)
{
    BertShape *s = &f->shape;
    size_t positions = rows_of(f, "position_embd.weight"), half;
    s->words = rows_of(f, "token_embd.weight");
    s->types = rows_of(f, "token_types.weight");
    if (positions < s->window) s->window = positions;
    if (gguf_find_key(f->meta, "pith.segment_b_offset") >= 0) {
        TRY(number(cx, f, "pith.segment_b_offset", MAX_WORDS, &half));
        if (half < s->words) s->words = half;
    }
    if (s->window < 4 || s->words == 0 || s->types == 0)
        return fail(cx, E_MODEL, "%s: a table of embeddings is absent", f->path);
    return OK;
}

static Status read_shape(Ctx *cx, BertFile *f)
{
    BertShape *s = &f->shape;
    Str arch = bert_file_text(f, "general.architecture");
    if (!str_eq(arch, STR("bert")))
        return fail(cx, E_MODEL, "%s: architecture \"%.*s\" is not bert", f->path,
                    (int)arch.n, arch.p);
    if (!str_eq(bert_file_text(f, "tokenizer.ggml.model"), STR("bert")))
        return fail(cx, E_MODEL, "%s: its tokenizer is not WordPiece", f->path);
    TRY(number(cx, f, "bert.embedding_length", MAX_SIDE / 2, &s->hidden));
    TRY(number(cx, f, "bert.attention.head_count", s->hidden, &s->heads));
    TRY(number(cx, f, "bert.feed_forward_length", MAX_SIDE, &s->ffn));
    TRY(number(cx, f, "bert.block_count", MAX_LAYERS, &s->layers));
    TRY(number(cx, f, "bert.context_length", MAX_SIDE, &s->window));
    if (s->hidden % s->heads)
        return fail(cx, E_MODEL, "%s: %zu values do not divide into %zu heads", f->path,
                    s->hidden, s->heads);
    TRY(epsilon(cx, f));
    TRY(pooling(cx, f));
    return tables(cx, f);
}

/* ---- tensors ---------------------------------------------------------------------- */

bool bert_file_has(const BertFile *f, const char *name)
{
    return gguf_find_tensor(f->meta, name) >= 0;
}

Status bert_tensor(Ctx *cx, const BertFile *f, const char *name, size_t width,
                   size_t rows, BertTensor *out)
{
    int64_t id = gguf_find_tensor(f->meta, name);
    if (id < 0) return fail(cx, E_MODEL, "%s: no tensor %s", f->path, name);
    const int64_t *ne = gguf_get_tensor_ne(f->meta, id);
    if (ne[0] != (int64_t)width || ne[1] < (int64_t)rows || ne[2] != 1)
        return fail(cx, E_MODEL, "%s: %s is %lld x %lld, %zu x %zu was wanted", f->path,
                    name, (long long)ne[0], (long long)ne[1], width, rows);
    enum ggml_type type = gguf_get_tensor_type(f->meta, id);
    if (type != GGML_TYPE_F32 && !ggml_get_type_traits(type)->to_float)
        return fail(cx, E_MODEL, "%s: %s has a type that does not become f32", f->path,
                    name);
    size_t row_bytes = ggml_row_size(type, ne[0]), at, end;
    if (__builtin_add_overflow(gguf_get_data_offset(f->meta),
                               gguf_get_tensor_offset(f->meta, id), &at)
        || __builtin_mul_overflow(row_bytes, (size_t)ne[1], &end)
        || __builtin_add_overflow(end, at, &end) || end > f->bytes)
        return fail(cx, E_FORMAT, "%s: cut short: %s lies beyond its %zu bytes", f->path,
                    name, f->bytes);
    *out = (BertTensor){ f->map + at, width, rows, row_bytes, (int)type };
    return OK;
}

void bert_row(const BertTensor *t, size_t row, float *out)
{
    const uint8_t *from = t->data + row * t->row_bytes;
    if (t->type == GGML_TYPE_F32) memcpy(out, from, t->row_bytes);
    else ggml_get_type_traits((enum ggml_type)t->type)->to_float(from, out,
                                                                 (int64_t)t->width);
}

Status bert_floats(Ctx *cx, const BertFile *f, const char *name, size_t width,
                   size_t rows, float **out)
{
    BertTensor t;
    TRY(bert_tensor(cx, f, name, width, rows, &t));
    float *p = calloc(rows, width * sizeof *p);
    if (!p) return fail(cx, E_MEMORY, "%s: no memory for %s", f->path, name);
    for (size_t r = 0; r < rows; r++) bert_row(&t, r, p + r * width);
    *out = p;
    return OK;
}

/* ---- open and close --------------------------------------------------------------- */

static Status map_file(Ctx *cx, BertFile *f)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(cx, E_IO, "%s: %s", f->path, strerror(errno));
    struct stat info = { 0 };
    void *map = MAP_FAILED;
    bool known = fstat(fd, &info) == 0;
    if (known && info.st_size > 0)
        map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    int error = errno;
    close(fd);
    if (known && info.st_size == 0)
        return fail(cx, E_FORMAT, "%s: empty; fetch the file again", f->path);
    if (map == MAP_FAILED) return fail(cx, E_IO, "%s: %s", f->path, strerror(error));
    f->map = map;
    f->bytes = (size_t)info.st_size;
    return OK;
}

Status bert_file_open(Ctx *cx, const char *path, BertFile *out)
{
    BertFile f = { .path = path };
    struct gguf_init_params p = { .no_alloc = true };
    Status st = map_file(cx, &f);
    if (st == OK && !(f.meta = gguf_init_from_file(path, p)))
        st = fail(cx, E_FORMAT, "%s: not a whole GGUF file; fetch it again", path);
    if (st == OK) st = read_shape(cx, &f);
    if (st != OK) {
        bert_file_close(&f);
        return st;
    }
    *out = f;
    return OK;
}

void bert_file_close(BertFile *f)
{
    if (f->meta) gguf_free(f->meta);
    if (f->map) munmap((void *)(uintptr_t)f->map, f->bytes);
    *f = (BertFile){ 0 };
}
