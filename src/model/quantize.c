/* quantize.c -- see quantize.h. Slab by slab: some rows are read, all threads make f32
 * and the new form of a row each, what comes of it is written. So memory is bounded
 * whatever the model's size, and a cancellation waits for a slab. */
#include "model/quantize.h"

#include "base/file.h"
#include "model/crew.h"
#include "model/engine.h"

#include <errno.h>
#include <ggml.h>
#include <gguf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SLAB = 16 << 20, WIDTH_MAX = 1 << 20 };   // bytes read at a time; values of a row

typedef struct Quantize {
    const char *source, *path;
    const QuantizeOptions *opt;
    enum ggml_type blocks, head;    // GGML_TYPE_COUNT: as it is
    struct gguf_context *from, *to;
    struct ggml_context *shapes;    // of the source's tensors
    bool plain;                     // all of its blocks' tensors are f32
    FILE *in, *out;
    uint64_t bytes, done;           // of the source's tensors
} Quantize;

/* ---- what becomes of a tensor ----------------------------------------------------- */

static Status type_named(Ctx *cx, const char *name, enum ggml_type *out)
{
    *out = GGML_TYPE_COUNT;
    for (int t = 0; name && t < GGML_TYPE_COUNT; t++) {
        const struct ggml_type_traits *x = ggml_get_type_traits((enum ggml_type)t);
        if (x->type_name && strcmp(x->type_name, name) == 0) *out = (enum ggml_type)t;
    }
    if (!name) return OK;
    if (*out != GGML_TYPE_COUNT && ggml_is_quantized(*out)
        && !ggml_quantize_requires_imatrix(*out)) return OK;
    return fail(cx, E_ARG, "%s is no form that weights alone can take", name);
}

static bool is_plain(const Quantize *q)
{
    for (int64_t i = 0; i < gguf_get_n_tensors(q->from); i++)
        if (strncmp(gguf_get_tensor_name(q->from, i), "blk.", 4) == 0
            && gguf_get_tensor_type(q->from, i) != GGML_TYPE_F32) return false;
    return true;
}

/* What a quantized file has in f32 is kept so for a reason: gates of experts, say. */
static enum ggml_type type_for(const Quantize *q, const struct ggml_tensor *t)
{
    bool block = strncmp(t->name, "blk.", 4) == 0;
    bool head = strcmp(t->name, "output.weight") == 0;
    enum ggml_type to = block ? q->blocks : head ? q->head : GGML_TYPE_COUNT;
    bool kept = block && t->type == GGML_TYPE_F32
             && (!q->plain || strstr(t->name, "gate_inp"));
    bool matrix = !kept && t->ne[1] > 1 && t->ne[2] == 1;
    if (to == GGML_TYPE_COUNT || !matrix || t->ne[0] % ggml_blck_size(to) != 0)
        return t->type;
    return to;
}

/* ---- rows ------------------------------------------------------------------------- */

typedef struct Slab {
    enum ggml_type from, to;
    size_t width, row_in, row_out;      // values; bytes
    const uint8_t *in;
    uint8_t *out;
    float *row[CREW_MAX];               // (width), a thread's own
} Slab;

static bool convert_row(void *arg, size_t worker, size_t i)
{
    const Slab *s = arg;
    const uint8_t *in = s->in + i * s->row_in;
    float *row = s->row[worker];
    if (s->from == GGML_TYPE_F32) memcpy(row, in, s->row_in);
    else ggml_get_type_traits(s->from)->to_float(in, row, (int64_t)s->width);
    ggml_quantize_chunk(s->to, row, s->out + i * s->row_out, 0, 1,
                        (int64_t)s->width, NULL);
    return true;
}

static Status read_in(Ctx *cx, const Quantize *q, void *to, size_t n)
{
    if (fread(to, 1, n, q->in) == n) return OK;
    if (ferror(q->in)) return fail(cx, E_IO, "%s: %s", q->source, strerror(errno));
    return fail(cx, E_FORMAT, "%s: cut short: fetch it again", q->source);
}

static Status write_out(Ctx *cx, const Quantize *q, const void *from, size_t n)
{
    if (fwrite(from, 1, n, q->out) == n) return OK;
    return fail(cx, E_IO, "%s: %s", q->path, strerror(errno));
}

static Status slab_open(Ctx *cx, const Quantize *q, Slab *s, size_t rows)
{
    size_t threads = (size_t)q->opt->threads;
    TRY_NEW(s->in = ctx_alloc(cx, rows, s->row_in));
    if (s->from == s->to) return s->out = (uint8_t *)(uintptr_t)s->in, OK;
    TRY_NEW(s->out = ctx_alloc(cx, rows, s->row_out));
    for (size_t i = 0; i < CREW_MAX && i < threads; i++)
        TRY_NEW(s->row[i] = ctx_new(cx, float, s->width));
    return OK;
}

static Status convert_rows(Ctx *cx, Quantize *q, Slab *s, size_t rows)
{
    size_t most = SLAB / s->row_in ? SLAB / s->row_in : 1;
    TRY(slab_open(cx, q, s, rows < most ? rows : most));
    for (size_t n; rows > 0; rows -= n) {
        n = rows < most ? rows : most;
        TRY(ctx_check(cx));
        TRY(read_in(cx, q, (void *)(uintptr_t)s->in, n * s->row_in));
        if (s->from != s->to)
            crew_run((size_t)q->opt->threads, n, convert_row, s);
        TRY(write_out(cx, q, s->out, n * s->row_out));
        q->done += n * s->row_in;
        if (q->opt->on_progress)
            q->opt->on_progress(q->opt->arg, (double)q->done / (double)q->bytes);
    }
    return OK;
}

static Status pad(Ctx *cx, const Quantize *q, size_t written)
{
    static const uint8_t zero[4096];
    size_t grain = gguf_get_alignment(q->to), over = written % grain;
    return over ? write_out(cx, q, zero, grain - over) : OK;
}

static Status convert_tensor(Ctx *cx, Quantize *q, int64_t id)
{
    const char *name = gguf_get_tensor_name(q->from, id);
    const struct ggml_tensor *t = ggml_get_tensor(q->shapes, name);
    Ctx memory = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    Slab s = { .from = t->type, .to = type_for(q, t), .width = (size_t)t->ne[0] };
    size_t rows = (size_t)ggml_nrows(t);
    s.row_in = ggml_row_size(s.from, t->ne[0]);
    s.row_out = ggml_row_size(s.to, t->ne[0]);
    if (s.from != s.to && s.from != GGML_TYPE_F32
        && !ggml_get_type_traits(s.from)->to_float)
        return fail(cx, E_MODEL, "%s: %s has type %s, which does not become f32",
                    q->source, name, ggml_type_name(s.from));
    long at = (long)(gguf_get_data_offset(q->from) + gguf_get_tensor_offset(q->from, id));
    if (fseek(q->in, at, SEEK_SET) != 0)
        return fail(cx, E_IO, "%s: %s", q->source, strerror(errno));
    Status st = convert_rows(&memory, q, &s, rows);
    if (st == OK) st = pad(&memory, q, rows * s.row_out);
    if (st != OK) fail(cx, st, "%s", memory.reason);
    ctx_end(&memory);
    return st;
}

/* ---- the file --------------------------------------------------------------------- */

static Status plan(Ctx *cx, Quantize *q)
{
    uint32_t grain = (uint32_t)gguf_get_alignment(q->from);
    q->plain = is_plain(q);
    gguf_set_kv(q->to, q->from);
    gguf_set_val_str(q->to, "pith.requantized", q->opt->blocks);
    if (grain > 4096) return fail(cx, E_MODEL, "%s: aligned to %u", q->source, grain);
    for (int64_t i = 0; i < gguf_get_n_tensors(q->from); i++) {
        const char *name = gguf_get_tensor_name(q->from, i);
        struct ggml_tensor *t = ggml_get_tensor(q->shapes, name);
        if (t->ne[0] > WIDTH_MAX)
            return fail(cx, E_MODEL, "%s: %s has rows of %lld", q->source, name,
                        (long long)t->ne[0]);
        q->bytes += ggml_nbytes(t);
        enum ggml_type to = type_for(q, t);
        gguf_add_tensor(q->to, t);
        if (to != t->type) gguf_set_tensor_type(q->to, name, to);
    }
    return OK;
}

static Status check_room(Ctx *cx, const Quantize *q)
{
    struct statvfs fs;
    int64_t last = gguf_get_n_tensors(q->to) - 1;
    uint64_t need = gguf_get_meta_size(q->to);
    if (last >= 0)
        need += gguf_get_tensor_offset(q->to, last) + gguf_get_tensor_size(q->to, last);
    if (fstatvfs(fileno(q->out), &fs) != 0)
        return fail(cx, E_IO, "%s: %s", q->path, strerror(errno));
    uint64_t have = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (have >= need) return OK;
    return fail(cx, E_IO, "%s: %.1f GB are wanted there, %.1f are free", q->path,
                (double)need / 1e9, (double)have / 1e9);
}

static Status write_file(Ctx *cx, Quantize *q)
{
    TRY(plan(cx, q));
    if (!(q->in = fopen(q->source, "rbe")))
        return fail(cx, E_IO, "%s: %s", q->source, strerror(errno));
    if (!(q->out = fopen(q->path, "wbe")))
        return fail(cx, E_IO, "%s: %s", q->path, strerror(errno));
    TRY(check_room(cx, q));
    size_t n = gguf_get_meta_size(q->to);
    void *meta = ctx_alloc(cx, n, 1);
    TRY_NEW(meta);
    gguf_get_meta_data(q->to, meta);
    TRY(write_out(cx, q, meta, n));
    for (int64_t i = 0; i < gguf_get_n_tensors(q->from); i++)
        TRY(convert_tensor(cx, q, i));
    if (fflush(q->out) == 0 && fsync(fileno(q->out)) == 0) return OK;
    return fail(cx, E_IO, "%s: %s", q->path, strerror(errno));
}

Status quantize_file(Ctx *cx, const char *source, const char *path,
                     const QuantizeOptions *opt)
{
    Quantize q = { .source = source, .path = path, .opt = opt };
    struct gguf_init_params p = { .no_alloc = true, .ctx = &q.shapes };
    engine_start();
    TRY(type_named(cx, opt->blocks, &q.blocks));
    TRY(type_named(cx, opt->head, &q.head));
    q.from = gguf_init_from_file(source, p);
    q.to = gguf_init_empty();
    Status st = q.from && q.to ? write_file(cx, &q)
              : fail(cx, E_FORMAT, "%s: not a whole GGUF file", source);
    if (q.out && fclose(q.out) != 0 && st == OK)
        st = fail(cx, E_IO, "%s: %s", path, strerror(errno));
    if (q.out && st != OK) unlink(path);
    if (q.in) fclose(q.in);
    if (q.to) gguf_free(q.to);
    if (q.from) gguf_free(q.from);
    if (q.shapes) ggml_free(q.shapes);
    return st;
}
