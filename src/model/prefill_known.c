/* prefill_known.c -- keys and values taken out of a sequence, and put into another at
 * another position.
 *
 * Taken out they lie as (layers, keys and values, kv_heads, tokens, head_dim), f16. A key
 * is turned by the angles of its position, so that to move it is to turn it by the angles
 * of the distance, the same for all tokens of a stretch. That is done in f32; where the
 * distance is zero no bit changes. */
#include "model/prefill_impl.h"
#include "model/rows.h"

#include <ggml.h>
#include <string.h>

enum { PIECE = PREFILL_HEAD_DIM };       // values turned at a time

size_t prefill_values(const Prefill *p, size_t n)
{
    return 2 * p->shape.layers * prefill_kv_width(&p->shape) * n;
}

int prefill_kind(const Prefill *p)
{
    return (int)p->way << 4 | (int)p->gemm_way;
}

/* One layer's keys or values out of s. */
static void take(const PrefillSeq *s, const uint16_t *x, size_t first, size_t n,
                 uint16_t *out)
{
    size_t dim = s->of->shape.head_dim;
    for (size_t h = 0; h < s->of->shape.kv_heads; h++)
        memcpy(out + h * n * dim, x + (h * s->cap + first) * dim, n * dim * sizeof *x);
}

void prefill_take_out(const PrefillSeq *s, size_t first, size_t n, uint16_t *out)
{
    size_t half = n * prefill_kv_width(&s->of->shape);
    for (size_t i = 0; i < s->of->shape.layers; i++, out += 2 * half) {
        take(s, s->block[i].k, first, n, out);
        take(s, s->block[i].v, first, n, out + half);
    }
}

/* The known tokens of one call: n of them from token `first` of the stretch on, to
 * position `at`; and how far they are turned. */
typedef struct Move {
    const Prefill *p;
    size_t first, n, at, turn, kind;
    bool back;
} Move;

/* Keys of one head. */
static void turn(const Move *m, const uint16_t *from, uint16_t *to)
{
    const LmShape *s = &m->p->shape;
    size_t dim = s->head_dim, some = PIECE / dim, angle = m->turn * (s->rope_dims / 2);
    float piece[PIECE];
    for (size_t i = 0; i < m->n; i += some) {
        size_t n = m->n - i < some ? m->n - i : some;
        ggml_fp16_to_fp32_row(from + i * dim, piece, (int64_t)(n * dim));
        for (size_t k = 0; k < n; k++)
            rows_rope(s->rope_dims, piece + k * dim, m->p->cosine[m->kind] + angle,
                      m->p->sine[m->kind] + angle, s->neox, m->back);
        ggml_fp32_to_fp16_row(piece, to + i * dim, (int64_t)(n * dim));
    }
}

void prefill_put_back(PrefillSeq *s, const PrefillKnown *k, size_t from, size_t to)
{
    const LmShape *shape = &s->of->shape;
    size_t begin = k->at > from ? k->at : from, end = prefill_known_end(k);
    if (end > to) end = to;
    if (begin >= end) return;
    size_t dim = shape->head_dim, half = k->of * prefill_kv_width(shape);
    size_t first = k->skip + (begin - k->at), then = k->home + first;
    Move m = { s->of, first, end - begin, begin,
               begin > then ? begin - then : then - begin, 0, begin < then };
    for (size_t i = 0; i < shape->layers; i++) {
        m.kind = lm_kind(shape, i);
        for (size_t h = 0; h < shape->kv_heads; h++) {
            const uint16_t *key = k->data + 2 * i * half + (h * k->of + m.first) * dim;
            size_t place = (h * s->cap + m.at) * dim;
            if (m.turn) turn(&m, key, s->block[i].k + place);
            else memcpy(s->block[i].k + place, key, m.n * dim * sizeof *key);
            memcpy(s->block[i].v + place, key + half, m.n * dim * sizeof *key);
        }
    }
}
