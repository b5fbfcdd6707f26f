/* prefill_seq.c -- a sequence: the keys and values of its tokens, and room for more.
 *
 * Invariant: the first n tokens have their keys and values in every block; p->keys is the
 * sum of the room of all sequences. */
#include "model/prefill_impl.h"

#include <stdlib.h>
#include <string.h>

enum { GROW = 256 };         // tokens

static size_t cap_for(const Prefill *p, size_t tokens)
{
    size_t cap = (tokens + GROW - 1) / GROW * GROW;
    return cap < p->shape.window ? cap : p->shape.window;
}

/* Moves n of the `from` tokens a head has room for, to where it has room for `to`. */
static Status grow_half(Ctx *cx, const LmShape *s, size_t n, size_t from, size_t to,
                        uint16_t **at)
{
    size_t dim = s->head_dim;
    uint16_t *new = malloc(s->kv_heads * to * dim * sizeof *new);
    if (!new) return fail(cx, E_MEMORY, "no memory for the keys of %zu tokens", to);
    for (size_t h = 0; n && h < s->kv_heads; h++)
        memcpy(new + h * to * dim, *at + h * from * dim, n * dim * sizeof *new);
    free(*at);
    *at = new;
    return OK;
}

/* A failure half way leaves blocks of different sizes: the sequence is empty then, and
 * cap is 0, so that all are made anew. */
static Status grow(Ctx *cx, PrefillSeq *s, size_t need)
{
    Prefill *p = s->of;
    size_t old = s->cap, n = s->n, cap = need > old ? cap_for(p, need) : old;
    if (cap == 0) return OK;
    TRY(prefill_room_for(cx, p, cap, cap - old));
    if (cap == old) return OK;
    p->keys -= old;
    s->cap = s->n = 0;
    for (size_t i = 0; i < p->shape.layers; i++) {
        TRY(grow_half(cx, &p->shape, n, old, cap, &s->block[i].k));
        TRY(grow_half(cx, &p->shape, n, old, cap, &s->block[i].v));
    }
    p->keys += cap;
    s->cap = cap;
    s->n = n;
    return OK;
}

Status prefill_seq_reserve(Ctx *cx, PrefillSeq *s, size_t tokens)
{
    size_t window = s->of->shape.window;
    if (tokens > window)
        return fail(cx, E_LIMIT, "%zu tokens; the model's window has %zu", tokens,
                    window);
    return grow(cx, s, tokens);
}

Status prefill_seq_open(Ctx *cx, Prefill *p, PrefillSeq **out)
{
    *out = NULL;
    PrefillSeq *s = calloc(1, sizeof *s);
    if (s) s->block = calloc(p->shape.layers, sizeof *s->block);
    if (!s || !s->block) {
        free(s);
        return fail(cx, E_MEMORY, "no memory for a sequence");
    }
    s->of = p;
    *out = s;
    return OK;
}

void prefill_seq_close(PrefillSeq *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->of->shape.layers; i++) {
        free(s->block[i].k);
        free(s->block[i].v);
    }
    s->of->keys -= s->cap;
    free(s->block);
    free(s);
}

static void copy_half(const PrefillSeq *from, const uint16_t *x, size_t n, size_t cap,
                      uint16_t *to)
{
    size_t dim = from->of->shape.head_dim;
    for (size_t h = 0; h < from->of->shape.kv_heads; h++)
        memcpy(to + h * cap * dim, x + h * from->cap * dim, n * dim * sizeof *x);
}

Status prefill_seq_copy(Ctx *cx, const PrefillSeq *from, size_t n, PrefillSeq *to)
{
    to->n = 0;
    if (n > from->n) return fail(cx, E_ARG, "%zu tokens are copied of %zu", n, from->n);
    TRY(grow(cx, to, n));
    for (size_t i = 0; i < from->of->shape.layers; i++) {
        copy_half(from, from->block[i].k, n, to->cap, to->block[i].k);
        copy_half(from, from->block[i].v, n, to->cap, to->block[i].v);
    }
    to->n = n;
    return OK;
}

static Status check(Ctx *cx, const PrefillSeq *s, const int32_t *token, size_t past,
                    size_t n)
{
    const LmShape *shape = &s->of->shape;
    if (past > s->n) return fail(cx, E_ARG, "%zu tokens are kept of %zu", past, s->n);
    if (n > shape->window || past > shape->window - n)
        return fail(cx, E_LIMIT, "%zu tokens; the model's window has %zu", past + n,
                    shape->window);
    for (size_t i = 0; i < n; i++)
        if (token[i] < 0 || (size_t)token[i] >= shape->vocab)
            return fail(cx, E_ARG, "token %d; the vocabulary has %zu", token[i],
                        shape->vocab);
    return OK;
}

Status prefill_room(Ctx *cx, PrefillSeq *s, const int32_t *token, size_t past, size_t n)
{
    TRY(check(cx, s, token, past, n));
    s->n = past;
    return grow(cx, s, past + n);
}
