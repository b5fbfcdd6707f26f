/* lm.c -- see lm.h. Tensors are read one row at a time by ggml's own dequantizers, so
 * that nothing but the result is ever held in memory. */
#include "tune/lm.h"

#include "model/machine.h"

#include <stdlib.h>
#include <string.h>

static void *take(Ctx *cx, Lm *m, size_t n, size_t size)
{
    size_t bytes = n * size + 64;    // a vector read past the end stays inside
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p) return fail(cx, E_MEMORY, "no memory for %zu bytes of weights", bytes), NULL;
    machine_large_pages(p, bytes);
    m->own[m->n_own++] = p;
    m->bytes += bytes;
    return p;
}

/* ---- groups ----------------------------------------------------------------------- */

static const struct { Linear first; size_t n; } groups[GROUPS] = {
    { LIN_Q, 3 }, { LIN_O, 1 }, { LIN_GATE, 2 }, { LIN_DOWN, 1 },
};

Linear group_first(Group g)
{
    return groups[g].first;
}

size_t group_size(Group g)
{
    return groups[g].n;
}

Group group_of(Linear l)
{
    return l <= LIN_V ? GROUP_QKV : l == LIN_O ? GROUP_O
         : l == LIN_DOWN ? GROUP_DOWN : GROUP_GATE_UP;
}

size_t group_in(const LmShape *s, Group g)
{
    return lm_in(s, groups[g].first);
}

size_t group_out(const LmShape *s, Group g)
{
    size_t out = 0;
    for (size_t i = 0; i < groups[g].n; i++)
        out += lm_out(s, groups[g].first + (Linear)i);
    return out;
}

/* ---- tensors ---------------------------------------------------------------------- */

/* The rows of a matrix (rows, width), in the type of the way. row: (width) of scratch. */
static Status read_rows(Ctx *cx, const Lm *m, const LmFile *f, const char *name,
                        size_t rows, size_t width, float *row, void *to)
{
    LmTensor t;
    TRY(lm_tensor(cx, f, name, width, rows, &t));
    if (gemm_type(m->way) == GEMM_F32) {
        lm_rows(&t, 0, rows, to);
        return OK;
    }
    for (size_t r = 0; r < rows; r++) {
        lm_rows(&t, r, 1, row);
        gemm_to_bf16(width, row, (uint16_t *)to + r * width);
    }
    return OK;
}

/* Where a matrix (rows, width) is read to: what is kept, in f32; else what is packed and
 * then freed, and a row of scratch behind it. */
static void *room_for(Ctx *cx, Lm *m, size_t rows, size_t width)
{
    if (gemm_type(m->way) == GEMM_F32) return take(cx, m, rows * width, sizeof(float));
    void *p = malloc((rows * width + 64) * sizeof(uint16_t) + width * sizeof(float));
    if (!p) fail(cx, E_MEMORY, "no memory for a layer of %zu x %zu", rows, width);
    return p;
}

static float *scratch_of(void *room, size_t rows, size_t width)
{
    return (float *)(void *)((uint16_t *)room + rows * width / 2 * 2 + 2);
}

static void leave(const Lm *m, void *room)
{
    if (gemm_type(m->way) != GEMM_F32) free(room);
}

/* x (rows, width) as the b of a product. */
static Status packed(Ctx *cx, Lm *m, const void *x, size_t rows, size_t width, bool turn,
                     GemmMatrix *out)
{
    GemmMatrix b = { x, width, gemm_type(m->way), turn };
    size_t k = turn ? width : rows, n = turn ? rows : width;
    *out = b;
    if (b.type == GEMM_F32) return OK;
    void *p = take(cx, m, gemm_packed_bytes(k, n), 1);
    TRY_NEW(p);
    *out = gemm_pack(&b, k, n, p);
    return OK;
}

/* factor: of all values. */
static Status vector(Ctx *cx, Lm *m, const LmTensor *t, float factor, const float **out)
{
    float *p = take(cx, m, t->width, sizeof *p);
    TRY_NEW(p);
    lm_rows(t, 0, 1, p);
    for (size_t i = 0; i < t->width; i++) p[i] *= factor;
    *out = p;
    return OK;
}

/* The biases of a group, zeros where a layer has none. */
static Status biases(Ctx *cx, Lm *m, const LmFile *f, size_t i, Group g)
{
    char name[64];
    float *all = NULL;
    size_t at = 0;
    for (Linear l = group_first(g); l < group_first(g) + (Linear)group_size(g); l++) {
        size_t n = lm_out(&m->shape, l);
        LmTensor t;
        snprintf(name, sizeof name, "blk.%zu.%s.bias", i, lm_linear_name(l));
        if (lm_file_has(f, name)) {
            if (!all) all = take(cx, m, group_out(&m->shape, g), sizeof *all);
            TRY_NEW(all);
            TRY(lm_tensor(cx, f, name, n, 1, &t));
            lm_rows(&t, 0, 1, all + at);
        }
        at += n;
    }
    m->block[i].bias[g] = all;
    return OK;
}

static Status group_into(Ctx *cx, Lm *m, const LmFile *f, size_t i, Group g, void *room)
{
    LmBlock *b = &m->block[i];
    size_t in = group_in(&m->shape, g), outs = group_out(&m->shape, g), at = 0;
    size_t value = gemm_type(m->way) == GEMM_F32 ? sizeof(float) : sizeof(uint16_t);
    char name[64];
    for (Linear l = group_first(g); l < group_first(g) + (Linear)group_size(g); l++) {
        size_t out = lm_out(&m->shape, l);
        char *to = (char *)room + at * in * value;
        snprintf(name, sizeof name, "blk.%zu.%s.weight", i, lm_linear_name(l));
        TRY(read_rows(cx, m, f, name, out, in, scratch_of(room, outs, in), to));
        TRY(packed(cx, m, to, out, in, true, &b->forward[l]));
        at += out;
    }
    return packed(cx, m, room, outs, in, false, &b->back[g]);
}

/* The same in 8 bits. w: room for the group in f32. */
static Status group_narrow(Ctx *cx, Lm *m, const LmFile *f, size_t i, Group g, float *w)
{
    LmBlock *b = &m->block[i];
    size_t in = group_in(&m->shape, g), outs = group_out(&m->shape, g), at = 0;
    GemmMatrix all = { w, in, GEMM_F32, false };
    char name[64];
    for (Linear l = group_first(g); l < group_first(g) + (Linear)group_size(g); l++) {
        size_t out = lm_out(&m->shape, l);
        GemmMatrix one = { w + at * in, in, GEMM_F32, true };
        LmTensor t;
        snprintf(name, sizeof name, "blk.%zu.%s.weight", i, lm_linear_name(l));
        TRY(lm_tensor(cx, f, name, in, out, &t));
        lm_rows(&t, 0, out, w + at * in);
        TRY(gemm_narrow(cx, &one, in, out, &b->forward[l]));
        at += out;
    }
    m->bytes += 2 * in * outs;
    return gemm_narrow(cx, &all, outs, in, &b->back[g]);
}

static Status narrow(Ctx *cx, Lm *m, const LmFile *f, size_t i, Group g)
{
    float *w = malloc(group_in(&m->shape, g) * group_out(&m->shape, g) * sizeof *w);
    Status st = w ? group_narrow(cx, m, f, i, g, w)
                  : fail(cx, E_MEMORY, "no memory for a layer of block %zu", i);
    free(w);
    return st == OK ? biases(cx, m, f, i, g) : st;
}

static Status group(Ctx *cx, Lm *m, const LmFile *f, size_t i, Group g)
{
    if (m->way == GEMM_WAY_INT8) return narrow(cx, m, f, i, g);
    void *room = room_for(cx, m, group_out(&m->shape, g), group_in(&m->shape, g));
    TRY_NEW(room);
    Status st = group_into(cx, m, f, i, g, room);
    leave(m, room);
    return st == OK ? biases(cx, m, f, i, g) : st;
}

static Status block(Ctx *cx, Lm *m, const LmFile *f, size_t i)
{
    LmTensor t;
    for (Group g = 0; g < GROUPS; g++) TRY(group(cx, m, f, i, g));
    for (Norm n = 0; n < NORMS; n++) {
        if (!lm_has_norm(&m->shape, n)) continue;
        TRY(lm_norm(cx, f, i, n, &t));
        TRY(vector(cx, m, &t, 1, &m->block[i].norm[n]));
    }
    return OK;
}

/* A matrix over the vocabulary; forward: NULL where only its rows are wanted. */
static Status words(Ctx *cx, Lm *m, const LmFile *f, const char *name,
                    GemmMatrix *forward, GemmMatrix *back)
{
    size_t n = m->shape.vocab, dim = m->shape.dim;
    void *room = room_for(cx, m, n, dim);
    TRY_NEW(room);
    Status st = read_rows(cx, m, f, name, n, dim, scratch_of(room, n, dim), room);
    if (st == OK && forward) st = packed(cx, m, room, n, dim, true, forward);
    if (st == OK) st = packed(cx, m, room, n, dim, false, back);
    leave(m, room);
    return st;
}

static Status weights(Ctx *cx, Lm *m, const LmFile *f)
{
    LmShape *s = &m->shape;
    size_t most = s->layers * (LINEARS + 2 * GROUPS + NORMS) + 8;
    m->block = calloc(s->layers, sizeof *m->block);
    m->own = calloc(most, sizeof *m->own);
    if (!m->block || !m->own) return fail(cx, E_MEMORY, "no memory for a model");
    if (s->tied) {
        TRY(words(cx, m, f, "token_embd.weight", &m->head, &m->head_back));
        m->embed = m->head_back;
    } else {
        TRY(words(cx, m, f, "token_embd.weight", NULL, &m->embed));
        TRY(words(cx, m, f, "output.weight", &m->head, &m->head_back));
    }
    LmTensor t;
    TRY(lm_tensor(cx, f, "output_norm.weight", s->dim, 1, &t));
    TRY(vector(cx, m, &t, s->logit_scale, &m->final_norm));
    TRY_NEW(m->rope_scale = take(cx, m, s->rope_dims / 2, sizeof *m->rope_scale));
    TRY(lm_rope_scale(cx, f, m->rope_scale));
    for (size_t i = 0; i < s->layers; i++) TRY(block(cx, m, f, i));
    return OK;
}

void lm_look_up(const Lm *m, int32_t token, float *out)
{
    size_t dim = m->shape.dim, at = (size_t)token;
    if (m->embed.type == GEMM_PACKED) gemm_packed_row(&m->embed, at, dim, out);
    else memcpy(out, (const float *)m->embed.p + at * dim, dim * sizeof *out);
    for (size_t i = 0; m->shape.embed_scale != 1 && i < dim; i++)
        out[i] *= m->shape.embed_scale;
}

double lm_bytes(const LmShape *s, GemmWay way)
{
    double matrices = 0, words = (double)s->vocab * (double)s->dim;
    for (Linear l = 0; l < LINEARS; l++)
        matrices += (double)lm_in(s, l) * (double)lm_out(s, l);
    matrices *= (double)s->layers;
    if (gemm_type(way) == GEMM_F32)
        return sizeof(float) * (matrices + words * (s->tied ? 1 : 2));
    double value = way == GEMM_WAY_INT8 ? sizeof(uint8_t) : sizeof(uint16_t);
    return 2 * value * matrices + sizeof(uint16_t) * words * (s->tied ? 2 : 3);
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
    for (size_t i = 0; m->block && i < m->shape.layers; i++) {
        for (Linear l = 0; l < LINEARS; l++) gemm_narrow_free(&m->block[i].forward[l]);
        for (Group g = 0; g < GROUPS; g++) gemm_narrow_free(&m->block[i].back[g]);
    }
    for (size_t i = 0; i < m->n_own; i++) free(m->own[i]);
    free(m->own);
    free(m->block);
    free(m);
}
