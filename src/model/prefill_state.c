/* prefill_state.c -- a sequence in libllama's own words.
 *
 * llama_state_seq_set_data takes what llama_state_seq_get_data gave. Nobody promises what
 * lies inside, so the format below is a guess until libllama itself confirms it: it reads
 * the first tokens of a prompt, and what it writes of them must be, byte by byte, what we
 * would have written, the keys and values alone excepted, and those must be close.
 *
 *   magic, sequence, and a cache, or two: of the blocks that see all tokens, and of those
 *   that slide, with the tokens that the last one sees
 *
 *   streams = 1, cells, cells x (position, sequences = 1, sequence)
 *   values turned around?, layers
 *   layers x (type = f16, bytes of a row, cells x row)                       keys
 *   layers x (type = f16, bytes of a row, cells x row)                       values, or
 *   layers x (type = f16, bytes of a value, values of a row, row x cells)    turned */
#include "model/prefill_state.h"

#include "model/engine.h"
#include "model/prefill_impl.h"

#include <ggml.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 16, CELL = 12, F16 = 2 };   // bytes

/* The cosine between what is left of both when the mean over the tokens is taken off:
 * biases, the same for each token, would hide any error. Quantization alone leaves .989
 * and more, positions turned the wrong way .55 and less (three models, worst block). */
static const double close_enough = 0.95;

/* Where one block's keys or values stand in a state: n tokens, `next` values apart, each
 * with kv_dim values, `apart` apart. */
typedef struct Part {
    size_t block;
    bool values;
    size_t at, n, next, apart;
} Part;

/* A cursor that writes, or only counts where `at` is NULL; and where numbers stand. */
typedef struct Out {
    uint8_t *at;
    size_t n;
    Part *part;              // (2 layers); NULL: nobody wants to know
    size_t parts;
} Out;

static void note(Out *o, Part p)
{
    p.at = o->n;
    if (o->part) o->part[o->parts++] = p;
}

static void put(Out *o, const void *p, size_t n)
{
    if (o->at) memcpy(o->at + o->n, p, n);
    o->n += n;
}

static void put_u32(Out *o, uint32_t v)
{
    put(o, &v, sizeof v);
}

static void put_u64(Out *o, uint64_t v)
{
    put(o, &v, sizeof v);
}

/* Rows (tokens from `first` on, kv_dim) of what is kept by heads. */
static void put_rows(Out *o, const PrefillSeq *s, size_t first, const uint16_t *x)
{
    const LmShape *shape = &s->of->shape;
    size_t dim = shape->head_dim, bytes = dim * F16, n = s->n - first;
    for (size_t i = 0; o->at && i < n; i++)
        for (size_t h = 0; h < shape->kv_heads; h++)
            memcpy(o->at + o->n + (i * shape->kv_heads + h) * bytes,
                   x + (h * s->cap + first + i) * dim, bytes);
    o->n += n * shape->kv_heads * bytes;
}

/* The same as (kv_dim, tokens), in blocks that fit the cache. */
static void put_turned(Out *o, const PrefillSeq *s, size_t first, const uint16_t *x)
{
    enum { BLOCK = 32 };
    size_t dim = s->of->shape.head_dim, heads = s->of->shape.kv_heads, n = s->n - first;
    for (size_t h = 0; o->at && h < heads; h++)
        for (size_t top = 0; top < n; top += BLOCK)
            for (size_t d = 0; d < dim; d++) {
                uint8_t *to = o->at + o->n + ((h * dim + d) * n + top) * F16;
                const uint16_t *from = x + (h * s->cap + first + top) * dim + d;
                for (size_t i = 0; i < BLOCK && top + i < n; i++)
                    memcpy(to + i * F16, from + i * dim, F16);
            }
    o->n += n * heads * dim * F16;
}

static size_t row_bytes(const Prefill *p)
{
    return prefill_kv_width(&p->shape) * F16;
}

static void put_cells(Out *o, size_t first, size_t n)
{
    for (size_t i = first; i < n; i++) {
        put_u32(o, (uint32_t)i);
        put_u32(o, 1);
        put_u32(o, 0);
    }
}

/* Of the tokens from `first` on. */
static void put_keys(Out *o, const PrefillSeq *s, size_t block, size_t first)
{
    put_u32(o, GGML_TYPE_F16);
    put_u64(o, row_bytes(s->of));
    note(o, (Part){ block, false, 0, s->n - first, prefill_kv_width(&s->of->shape), 1 });
    put_rows(o, s, first, s->block[block].k);
}

static void put_values(Out *o, const PrefillSeq *s, size_t block, size_t first)
{
    const Prefill *p = s->of;
    size_t width = prefill_kv_width(&p->shape), n = s->n - first;
    put_u32(o, GGML_TYPE_F16);
    if (p->turned) {
        put_u32(o, F16);
        put_u32(o, (uint32_t)width);
        note(o, (Part){ block, true, 0, n, 1, n });
        put_turned(o, s, first, s->block[block].v);
    } else {
        put_u64(o, row_bytes(p));
        note(o, (Part){ block, true, 0, n, width, 1 });
        put_rows(o, s, first, s->block[block].v);
    }
}

static bool is_sliding(const LmShape *s, size_t block)
{
    return s->slide > 0 && lm_kind(s, block) == 0;
}

/* Of the blocks that slide, or of all others. */
static void put_cache(Out *o, const PrefillSeq *s, bool slide)
{
    const LmShape *shape = &s->of->shape;
    size_t first = slide && s->n > shape->slide ? s->n - shape->slide : 0;
    uint32_t layers = 0;
    for (size_t i = 0; i < shape->layers; i++) layers += is_sliding(shape, i) == slide;
    put_u32(o, 1);
    put_u32(o, (uint32_t)(s->n - first));
    put_cells(o, first, s->n);
    put_u32(o, s->of->turned);
    put_u32(o, layers);
    for (size_t i = 0; i < shape->layers; i++)
        if (is_sliding(shape, i) == slide) put_keys(o, s, i, first);
    for (size_t i = 0; i < shape->layers; i++)
        if (is_sliding(shape, i) == slide) put_values(o, s, i, first);
}

/* A sequence with tokens. Returns the bytes; at and part may be NULL. */
static size_t write_state(const PrefillSeq *s, uint8_t *at, Part *part)
{
    Out o = { .at = at, .part = part };
    put_u32(&o, s->of->magic);
    put_u32(&o, 0);
    put_cache(&o, s, false);
    if (s->of->shape.slide) put_cache(&o, s, true);
    return o.n;
}

/* ---- is the guess right? ---------------------------------------------------------- */

static float value_at(const uint8_t *state, Part x, size_t token, size_t i)
{
    ggml_fp16_t h;
    memcpy(&h, state + x.at + (token * x.next + i * x.apart) * F16, sizeof h);
    return ggml_fp16_to_fp32(h);
}

/* See close_enough. */
static double closeness(const uint8_t *a, const uint8_t *b, Part x, size_t width)
{
    size_t n = x.n;
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < width; i++) {
        double mean_a = 0, mean_b = 0;
        for (size_t t = 0; t < n; t++) {
            mean_a += (double)value_at(a, x, t, i) / (double)n;
            mean_b += (double)value_at(b, x, t, i) / (double)n;
        }
        for (size_t t = 0; t < n; t++) {
            double da = (double)value_at(a, x, t, i) - mean_a;
            double db = (double)value_at(b, x, t, i) - mean_b;
            ab += da * db;
            aa += da * da;
            bb += db * db;
        }
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : aa == bb;
}

/* Whether all that is neither key nor value is the same. */
static bool same_frame(const PrefillSeq *s, const Part *part, const uint8_t *a,
                       const uint8_t *b, size_t bytes)
{
    size_t at = 0;
    for (size_t i = 0; i < 2 * s->of->shape.layers; i++) {
        if (memcmp(a + at, b + at, part[i].at - at) != 0) return false;
        at = part[i].at + part[i].n * row_bytes(s->of);
    }
    return at == bytes;
}

static Status compare(Ctx *cx, const PrefillSeq *s, const Part *part,
                      const uint8_t *theirs, const uint8_t *ours)
{
    const Prefill *p = s->of;
    size_t width = prefill_kv_width(&p->shape);
    for (size_t i = 0; i < 2 * p->shape.layers; i++) {
        double c = closeness(theirs, ours, part[i], width);
        if (!(c > close_enough))
            return fail(cx, E_MODEL, "%s: %s of block %zu differ from libllama's: "
                        "cosine %.3f", p->file.path,
                        part[i].values ? "values" : "keys", part[i].block, c);
    }
    return OK;
}

/* theirs: bytes of a state with the tokens of s. */
static Status learn(Ctx *cx, const PrefillSeq *s, uint8_t *theirs, size_t bytes,
                    uint8_t *ours, Part *part)
{
    Prefill *p = s->of;
    size_t n = s->n, flag = HEAD + n * CELL;
    if (bytes >= flag + 4) {
        memcpy(&p->magic, theirs, sizeof p->magic);
        p->turned = theirs[flag] != 0;
    }
    if (write_state(s, NULL, NULL) != bytes)
        return fail(cx, E_MODEL, "this libllama writes a sequence of %zu tokens in %zu "
                    "bytes, in a format that is not known here", n, bytes);
    write_state(s, ours, part);
    if (!same_frame(s, part, theirs, ours, bytes))
        return fail(cx, E_MODEL, "this libllama writes sequences in a format that is not "
                    "known here");
    return compare(cx, s, part, theirs, ours);
}

Status prefill_agree(Ctx *cx, const PrefillSeq *s, struct llama_context *with)
{
    if (s->n < PREFILL_PROBE)
        return fail(cx, E_ARG, "%zu tokens to compare; %d are wanted", s->n,
                    PREFILL_PROBE);
    size_t bytes = llama_state_seq_get_size(with, 0);
    uint8_t *theirs = malloc(bytes + 1), *ours = malloc(bytes + 1);
    Part *part = calloc(2 * s->of->shape.layers, sizeof *part);
    Status st = OK;
    if (!theirs || !ours || !part)
        st = fail(cx, E_MEMORY, "no memory to compare sequences");
    else if (llama_state_seq_get_data(with, theirs, bytes, 0) != bytes)
        st = fail(cx, E_MODEL, "libllama does not tell its sequence");
    else st = learn(cx, s, theirs, bytes, ours, part);
    if (st != OK) s->of->magic = 0;
    free(theirs);
    free(ours);
    free(part);
    return st;
}

Status prefill_hand_over(Ctx *cx, const PrefillSeq *s, struct llama_context *to)
{
    if (s->of->magic == 0)
        return fail(cx, E_ARG, "the format of a sequence is not known yet");
    if (s->n == 0) return fail(cx, E_ARG, "no tokens to hand over");
    size_t bytes = write_state(s, NULL, NULL);
    uint8_t *state = malloc(bytes);
    if (!state) return fail(cx, E_MEMORY, "no memory to hand %zu tokens over", s->n);
    write_state(s, state, NULL);
    engine_reason_clear();
    /* So that the tokens lie from the first cell on: libllama's sums follow the cells. */
    llama_memory_clear(llama_get_memory(to), false);
    size_t read = llama_state_seq_set_data(to, state, bytes, 0);
    free(state);
    if (read == bytes) return OK;
    llama_memory_clear(llama_get_memory(to), true);
    return fail(cx, E_MODEL, "libllama did not take a sequence of %zu tokens: %s", s->n,
                engine_reason());
}
