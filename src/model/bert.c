/* bert.c -- see bert.h.
 *
 * A layer is attention over whole sequences, then everything else PANEL rows at a time:
 * the wide activations of the feed-forward step never leave the second-level cache. Where
 * only the first token of a sequence is wanted, the last layer computes only that. */
#include "model/bert.h"

#include "model/vec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 48 };   // rows; a multiple of what matmul_int8.c takes at a time

typedef struct Norm {
    float *gain, *bias;      // (hidden)
} Norm;

typedef struct Layer {
    Matmul *q, *kv, *out, *up, *down;
    Norm after_attention, after_ffn;
} Layer;

struct Bert {
    BertShape shape;
    MatmulWay way;
    const Vec *vec;
    BertTensor words;        // (words, hidden), in the mapped file
    float *position, *type;  // (window, hidden), (types, hidden)
    Norm start;
    Layer *layer;            // (layers)
    Matmul *pooler;          // NULL: none
    float *classifier;       // (hidden) and its bias behind; NULL unless it ranks
};

struct BertRoom {
    size_t max_tokens;
    MatmulRoom *matmul;
    void *attend;
    float *x;                // (max_tokens, hidden): what flows through the layers
    float *q;                // (max_tokens, hidden): queries, then what was attended to
    float *kv;               // (max_tokens, 2 hidden)
    float *y;                // (PANEL, hidden)
    float *wide;             // (PANEL, ffn)
    double ms[BERT_PARTS], mark;
};

/* ---- reading ---------------------------------------------------------------------- */

typedef struct LayerName {
    char text[64];
} LayerName;

static const char *name_of(LayerName *n, size_t layer, const char *part, const char *kind)
{
    snprintf(n->text, sizeof n->text, "blk.%zu.%s.%s", layer, part, kind);
    return n->text;
}

static Status read_norm(Ctx *cx, const BertFile *f, const char *gain, const char *bias,
                        Norm *out)
{
    TRY(bert_floats(cx, f, gain, f->shape.hidden, 1, &out->gain));
    return bert_floats(cx, f, bias, f->shape.hidden, 1, &out->bias);
}

static Status read_layer_norm(Ctx *cx, const BertFile *f, size_t layer, const char *part,
                              Norm *out)
{
    LayerName gain, bias;
    return read_norm(cx, f, name_of(&gain, layer, part, "weight"),
                     name_of(&bias, layer, part, "bias"), out);
}

/* One matrix product from n tensors of `out` rows each, stacked. */
static Status read_matmul(Ctx *cx, const BertFile *f, MatmulWay way, size_t layer,
                          const char *const *part, size_t n, size_t in, size_t out,
                          Matmul **m)
{
    float *w = calloc(n * out, in * sizeof *w), *b = calloc(n, out * sizeof *b);
    Status st = w && b ? OK : fail(cx, E_MEMORY, "%s: no memory for a layer", f->path);
    for (size_t i = 0; i < n && st == OK; i++) {
        LayerName name;
        BertTensor t;
        st = bert_tensor(cx, f, name_of(&name, layer, part[i], "weight"), in, out, &t);
        for (size_t r = 0; r < out && st == OK; r++)
            bert_row(&t, r, w + (i * out + r) * in);
        if (st == OK)
            st = bert_tensor(cx, f, name_of(&name, layer, part[i], "bias"), out, 1, &t);
        if (st == OK) bert_row(&t, 0, b + i * out);
    }
    MatmulWeights weights = { in, n * out, w, b };
    if (st == OK) st = matmul_open(cx, way, &weights, m);
    free(w);
    free(b);
    return st;
}

static Status read_layer(Ctx *cx, const BertFile *f, MatmulWay way, size_t i, Layer *l)
{
    static const char *const q[] = { "attn_q" }, *const kv[] = { "attn_k", "attn_v" },
        *const out[] = { "attn_output" }, *const up[] = { "ffn_up" },
        *const down[] = { "ffn_down" };
    size_t hidden = f->shape.hidden, ffn = f->shape.ffn;
    TRY(read_matmul(cx, f, way, i, q, 1, hidden, hidden, &l->q));
    TRY(read_matmul(cx, f, way, i, kv, 2, hidden, hidden, &l->kv));
    TRY(read_matmul(cx, f, way, i, out, 1, hidden, hidden, &l->out));
    TRY(read_matmul(cx, f, way, i, up, 1, hidden, ffn, &l->up));
    TRY(read_matmul(cx, f, way, i, down, 1, ffn, hidden, &l->down));
    TRY(read_layer_norm(cx, f, i, "attn_output_norm", &l->after_attention));
    return read_layer_norm(cx, f, i, "layer_output_norm", &l->after_ffn);
}

static Status read_tables(Ctx *cx, const BertFile *f, Bert *b)
{
    const BertShape *s = &f->shape;
    TRY(bert_tensor(cx, f, "token_embd.weight", s->hidden, s->words, &b->words));
    TRY(bert_floats(cx, f, "position_embd.weight", s->hidden, s->window, &b->position));
    TRY(bert_floats(cx, f, "token_types.weight", s->hidden, s->types, &b->type));
    return read_norm(cx, f, "token_embd_norm.weight", "token_embd_norm.bias", &b->start);
}

/* The pooler, a dense layer and tanh, may be absent; the classifier may not. */
static Status read_head(Ctx *cx, const BertFile *f, Bert *b)
{
    size_t hidden = f->shape.hidden;
    float *w = NULL, *bias = NULL, *last = NULL;
    Status st = OK;
    if (bert_file_has(f, "cls.weight")) {
        st = bert_floats(cx, f, "cls.weight", hidden, hidden, &w);
        if (st == OK) st = bert_floats(cx, f, "cls.bias", hidden, 1, &bias);
        MatmulWeights weights = { hidden, hidden, w, bias };
        if (st == OK) st = matmul_open(cx, b->way, &weights, &b->pooler);
    }
    if (st == OK) st = bert_floats(cx, f, "cls.output.weight", hidden, 1, &b->classifier);
    if (st == OK) st = bert_floats(cx, f, "cls.output.bias", 1, 1, &last);
    float *both = st == OK ? realloc(b->classifier, (hidden + 1) * sizeof *both) : NULL;
    if (both) {
        b->classifier = both;
        both[hidden] = last[0];
    } else if (st == OK) {
        st = fail(cx, E_MEMORY, "%s: no memory for its head", f->path);
    }
    free(w);
    free(bias);
    free(last);
    return st;
}

Status bert_open(Ctx *cx, const BertFile *f, MatmulWay way, Bert **out)
{
    *out = NULL;
    Bert *b = calloc(1, sizeof *b);
    if (!b) return fail(cx, E_MEMORY, "%s: no memory", f->path);
    b->shape = f->shape;
    b->way = way;
    b->vec = vec_best(f->shape.hidden / f->shape.heads);
    b->layer = calloc(f->shape.layers, sizeof *b->layer);
    Status st = b->layer ? read_tables(cx, f, b)
                         : fail(cx, E_MEMORY, "%s: no memory", f->path);
    for (size_t i = 0; i < f->shape.layers && st == OK; i++)
        st = read_layer(cx, f, way, i, &b->layer[i]);
    if (st == OK && f->shape.pooling == POOL_RANK) st = read_head(cx, f, b);
    if (st != OK) {
        bert_close(b);
        return st;
    }
    *out = b;
    return OK;
}

static void close_norm(Norm *n)
{
    free(n->gain);
    free(n->bias);
}

static void close_layer(Layer *l)
{
    Matmul *all[] = { l->q, l->kv, l->out, l->up, l->down };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) matmul_close(all[i]);
    close_norm(&l->after_attention);
    close_norm(&l->after_ffn);
}

void bert_close(Bert *b)
{
    if (!b) return;
    for (size_t i = 0; b->layer && i < b->shape.layers; i++) close_layer(&b->layer[i]);
    free(b->layer);
    free(b->position);
    free(b->type);
    close_norm(&b->start);
    matmul_close(b->pooler);
    free(b->classifier);
    free(b);
}

/* ---- a thread's room -------------------------------------------------------------- */

static void *aligned_bytes(size_t n)
{
    return aligned_alloc(64, (n + 64) / 64 * 64);
}

static float *floats(size_t rows, size_t width)
{
    return aligned_bytes(rows * width * sizeof(float));   // sides were checked
}

Status bert_room_open(Ctx *cx, const Bert *b, size_t max_tokens, BertRoom **out)
{
    *out = NULL;
    const BertShape *s = &b->shape;
    BertRoom *r = calloc(1, sizeof *r);
    if (!r) return fail(cx, E_MEMORY, "no memory to encode in");
    r->max_tokens = max_tokens;
    Status st = matmul_room_open(cx, b->way, s->ffn > s->hidden ? s->ffn : s->hidden,
                                 &r->matmul);
    r->attend = aligned_bytes(b->vec->attend_room(s->window, s->hidden / s->heads));
    r->x = floats(max_tokens, s->hidden);
    r->q = floats(max_tokens, s->hidden);
    r->kv = floats(max_tokens, 2 * s->hidden);
    r->y = floats(PANEL, s->hidden);
    r->wide = floats(PANEL, s->ffn);
    if (st == OK && !(r->attend && r->x && r->q && r->kv && r->y && r->wide))
        st = fail(cx, E_MEMORY, "no memory to encode %zu tokens in", max_tokens);
    if (st != OK) {
        bert_room_close(r);
        return st;
    }
    *out = r;
    return OK;
}

void bert_room_close(BertRoom *r)
{
    if (!r) return;
    matmul_room_close(r->matmul);
    free(r->attend);
    free(r->x);
    free(r->q);
    free(r->kv);
    free(r->y);
    free(r->wide);
    free(r);
}

const double *bert_room_times(const BertRoom *r)
{
    return r->ms;
}

/* What passed since the last lap was for `part`. */
static void lap(BertRoom *r, BertPart part)
{
    double now = now_ms();
    r->ms[part] += now - r->mark;
    r->mark = now;
}

/* ---- the pass --------------------------------------------------------------------- */

static bool product(const Matmul *m, BertRoom *r, size_t rows, const float *x, float *y)
{
    bool ok = matmul_run(m, r->matmul, rows, x, y);
    lap(r, BERT_PRODUCTS);
    return ok;
}

static void add_norm(const Bert *b, BertRoom *r, const Norm *n, size_t rows, float *x,
                     const float *y)
{
    size_t hidden = b->shape.hidden;
    for (size_t i = 0; i < rows; i++)
        b->vec->add_norm(hidden, x + i * hidden, y ? y + i * hidden : NULL, n->gain,
                         n->bias, b->shape.eps);
    lap(r, BERT_NORM);
}

static void embed_token(const Bert *b, int32_t id, size_t position, size_t type, float *x)
{
    size_t hidden = b->shape.hidden;
    const float *p = b->position + position * hidden;
    const float *t = b->type + (type < b->shape.types ? type : 0) * hidden;
    bert_row(&b->words, id >= 0 && (size_t)id < b->shape.words ? (size_t)id : 0, x);
    for (size_t i = 0; i < hidden; i++) x[i] += p[i] + t[i];
}

/* Word, position and type; returns how many tokens there are. */
static size_t embed(const Bert *b, BertRoom *r, const Sequence *s, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < s[i].n; t++, at++)
            embed_token(b, s[i].ids[t], t, t >= s[i].second, r->x + at * b->shape.hidden);
    add_norm(b, r, &b->start, at, r->x, NULL);
    return at;
}

/* Moves each sequence's first row to the front: row i to where only earlier rows were. */
static void gather_first(const Bert *b, BertRoom *r, const Sequence *s, size_t n)
{
    size_t hidden = b->shape.hidden, at = 0;
    for (size_t i = 0; i < n; at += s[i].n, i++)
        memmove(r->x + i * hidden, r->x + at * hidden, hidden * sizeof *r->x);
}

/* r->q holds the queries, if first_only one a sequence; the result replaces them. */
static void attend(const Bert *b, BertRoom *r, const Sequence *s, size_t n,
                   bool first_only)
{
    size_t hidden = b->shape.hidden, at = 0, query = 0;
    for (size_t i = 0; i < n; i++) {
        Heads h = {
            .heads = b->shape.heads, .dim = hidden / b->shape.heads,
            .tokens = s[i].n, .queries = first_only ? 1 : s[i].n,
            .q = r->q + query * hidden, .kv = r->kv + at * 2 * hidden,
            .out = r->q + query * hidden,
        };
        b->vec->attend(&h, r->attend);
        at += s[i].n;
        query += h.queries;
    }
    lap(r, BERT_ATTENTION);
}

/* What follows attention, for at most PANEL rows: a is what was attended to. */
static bool run_panel(const Bert *b, const Layer *l, BertRoom *r, size_t rows,
                      const float *a, float *x)
{
    if (!product(l->out, r, rows, a, r->y)) return false;
    add_norm(b, r, &l->after_attention, rows, x, r->y);
    if (!product(l->up, r, rows, x, r->wide)) return false;
    b->vec->gelu(rows * b->shape.ffn, r->wide);
    lap(r, BERT_GELU);
    if (!product(l->down, r, rows, r->wide, r->y)) return false;
    add_norm(b, r, &l->after_ffn, rows, x, r->y);
    return true;
}

/* rows of x go in; n come out where first_only, else rows. */
static bool run_layer(const Bert *b, const Layer *l, BertRoom *r, const Sequence *s,
                      size_t n, size_t rows, bool first_only)
{
    size_t hidden = b->shape.hidden;
    if (!product(l->kv, r, rows, r->x, r->kv)) return false;
    if (first_only) {
        gather_first(b, r, s, n);
        rows = n;
    }
    if (!product(l->q, r, rows, r->x, r->q)) return false;
    attend(b, r, s, n, first_only);
    for (size_t i = 0; i < rows; i += PANEL) {
        size_t some = rows - i < PANEL ? rows - i : PANEL;
        if (!run_panel(b, l, r, some, r->q + i * hidden, r->x + i * hidden)) return false;
    }
    return true;
}

/* ---- what comes out --------------------------------------------------------------- */

static void put_unit(size_t n, const float *x, float *out)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += (double)x[i] * x[i];
    float inverse = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
    for (size_t i = 0; i < n; i++) out[i] = x[i] * inverse;
}

static void put_mean(const Bert *b, const float *x, const Sequence *s)
{
    size_t hidden = b->shape.hidden;
    memset(s->out, 0, hidden * sizeof *s->out);
    for (size_t t = 0; t < s->n; t++)
        for (size_t i = 0; i < hidden; i++) s->out[i] += x[t * hidden + i];
    put_unit(hidden, s->out, s->out);
}

/* x: (n, hidden), the first tokens. */
static bool put_logits(const Bert *b, BertRoom *r, const Sequence *s, size_t n)
{
    size_t hidden = b->shape.hidden;
    if (b->pooler && !product(b->pooler, r, n, r->x, r->q)) return false;
    for (size_t i = 0; i < n; i++) {
        const float *x = (b->pooler ? r->q : r->x) + i * hidden;
        float sum = b->classifier[hidden];
        for (size_t j = 0; j < hidden; j++)
            sum += (b->pooler ? tanhf(x[j]) : x[j]) * b->classifier[j];
        *s[i].out = sum;
    }
    return true;
}

static bool put(const Bert *b, BertRoom *r, const Sequence *s, size_t n)
{
    size_t hidden = b->shape.hidden, at = 0;
    if (b->shape.pooling == POOL_RANK) return put_logits(b, r, s, n);
    for (size_t i = 0; i < n; i++) {
        if (b->shape.pooling == POOL_CLS) put_unit(hidden, r->x + i * hidden, s[i].out);
        else put_mean(b, r->x + at * hidden, &s[i]);
        at += s[i].n;
    }
    return true;
}

bool bert_run(const Bert *b, BertRoom *r, const Sequence *s, size_t n)
{
    r->mark = now_ms();
    size_t rows = embed(b, r, s, n);
    for (size_t i = 0; i < b->shape.layers; i++) {
        bool first_only = i + 1 == b->shape.layers && b->shape.pooling != POOL_MEAN;
        if (!run_layer(b, &b->layer[i], r, s, n, rows, first_only)) return false;
    }
    return put(b, r, s, n);
}
