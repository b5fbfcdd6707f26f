/* lm_file.c -- see lm_file.h. */
#include "model/lm_file.h"

#include "model/engine.h"
#include "model/lm_family.h"

#include <errno.h>
#include <fcntl.h>
#include <ggml.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const char *lm_file_text(const LmFile *f, const char *key)
{
    int64_t id = gguf_find_key(f->meta, key);
    bool is = id >= 0 && gguf_get_kv_type(f->meta, id) == GGUF_TYPE_STRING;
    return is ? gguf_get_val_str(f->meta, id) : "";
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

Status lm_rope_scale(Ctx *cx, const LmFile *f, float *out)
{
    const char *name = "rope_freqs.weight";
    size_t n = f->shape.rope_dims / 2;
    LmTensor t;
    for (size_t i = 0; i < n; i++) out[i] = 1;
    if (!lm_file_has(f, name)) return OK;
    TRY(lm_tensor(cx, f, name, n, 1, &t));
    lm_rows(&t, 0, 1, out);
    return OK;
}

Status lm_norm(Ctx *cx, const LmFile *f, size_t block, Norm n, LmTensor *out)
{
    char name[64];
    snprintf(name, sizeof name, "blk.%zu.%s.weight", block, lm_norm_name(n));
    return lm_tensor(cx, f, name, lm_norm_width(&f->shape, n), 1, out);
}

void lm_word(const LmShape *s, const LmTensor *words, int32_t token, float *out)
{
    lm_rows(words, (size_t)token, 1, out);
    for (size_t i = 0; s->embed_scale != 1 && i < s->dim; i++) out[i] *= s->embed_scale;
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
    return lm_family_read(cx, f);
}

Status lm_file_open(Ctx *cx, const char *path, LmFile *out)
{
    engine_start();
    *out = (LmFile){ .path = path };
    Status st = read_file(cx, out);
    if (st != OK) lm_file_close(out);
    return st;
}
