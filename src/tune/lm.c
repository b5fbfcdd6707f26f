/* lm.c -- see lm.h. Tensors are read one row at a time by ggml's own dequantizers, so
 * that nothing but the result is ever held in memory. */
#include "tune/lm.h"

#include <stdlib.h>
#include <string.h>

static void *take(Ctx *cx, Lm *m, size_t n, size_t size)
{
    size_t bytes = n * size + 64;    // a vector read past the end stays inside
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p) return fail(cx, E_MEMORY, "no memory for %zu bytes of weights", bytes), NULL;
    m->own[m->n_own++] = p;
    m->bytes += bytes;
    return p;
}

static Status matrix(Ctx *cx, Lm *m, const LmFile *f, const char *name, size_t rows,
                     size_t width, const void **out)
{
    LmTensor t;
    bool bf16 = gemm_type(m->way) == GEMM_BF16;
    TRY(lm_tensor(cx, f, name, width, rows, &t));
    void *p = take(cx, m, rows * width, bf16 ? sizeof(uint16_t) : sizeof(float));
    float *row = bf16 ? malloc(width * sizeof *row) : NULL;
    if (!p || (bf16 && !row)) {
        free(row);
        return fail(cx, E_MEMORY, "%s: no memory for %s", f->path, name);
    }
    for (size_t r = 0; r < rows; r++) {
        float *to = bf16 ? row : (float *)p + r * width;
        lm_rows(&t, r, 1, to);
        if (bf16) gemm_to_bf16(width, row, (uint16_t *)p + r * width);
    }
    free(row);
    *out = p;
    return OK;
}

static Status vector(Ctx *cx, Lm *m, const LmFile *f, const char *name, size_t n,
                     const float **out)
{
    LmTensor t;
    TRY(lm_tensor(cx, f, name, n, 1, &t));
    float *p = take(cx, m, n, sizeof *p);
    TRY_NEW(p);
    lm_rows(&t, 0, 1, p);
    *out = p;
    return OK;
}

static Status block(Ctx *cx, Lm *m, const LmFile *f, size_t i)
{
    LmBlock *b = &m->block[i];
    char name[64];
    for (Linear l = 0; l < LINEARS; l++) {
        size_t in = lm_in(&m->shape, l), out = lm_out(&m->shape, l);
        snprintf(name, sizeof name, "blk.%zu.%s.weight", i, lm_linear_name(l));
        TRY(matrix(cx, m, f, name, out, in, &b->w[l]));
        snprintf(name, sizeof name, "blk.%zu.%s.bias", i, lm_linear_name(l));
        if (lm_file_has(f, name))
            TRY(vector(cx, m, f, name, out, &b->bias[l]));
    }
    snprintf(name, sizeof name, "blk.%zu.attn_norm.weight", i);
    TRY(vector(cx, m, f, name, m->shape.dim, &b->attn_norm));
    snprintf(name, sizeof name, "blk.%zu.ffn_norm.weight", i);
    return vector(cx, m, f, name, m->shape.dim, &b->ffn_norm);
}

/* Llama 3 stretches some frequencies by a table in the file. */
static Status frequencies(Ctx *cx, Lm *m, const LmFile *f)
{
    const float *given = NULL;
    size_t n = m->shape.rope_dims / 2;
    if (lm_file_has(f, "rope_freqs.weight"))
        TRY(vector(cx, m, f, "rope_freqs.weight", n, &given));
    TRY_NEW(m->rope_scale = take(cx, m, n, sizeof *m->rope_scale));
    for (size_t i = 0; i < n; i++) m->rope_scale[i] = given ? given[i] : 1;
    return OK;
}

static Status weights(Ctx *cx, Lm *m, const LmFile *f)
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

Status lm_shape(Ctx *cx, const char *path, LmShape *out)
{
    LmFile f;
    Status st = lm_file_open(cx, path, &f);
    *out = f.shape;          // zeros where it was not opened
    lm_file_close(&f);
    return st;
}

Status lm_open(Ctx *cx, const char *path, GemmWay way, Lm **out)
{
    LmFile f = { 0 };
    Lm *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m) return fail(cx, E_MEMORY, "no memory for a model");
    m->way = way;
    Status st = lm_file_open(cx, path, &f);
    if (st == OK) {
        m->shape = f.shape;
        snprintf(m->arch, sizeof m->arch, "%s", f.arch);
        snprintf(m->name, sizeof m->name, "%s", lm_file_text(&f, "general.name"));
        st = weights(cx, m, &f);
    }
    lm_file_close(&f);
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
