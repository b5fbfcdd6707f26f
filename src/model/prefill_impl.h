/* prefill_impl.h -- the parts of a Prefill that its files share.
 *
 * prefill.c opens and closes, prefill_pack.c packs weights; prefill_seq.c keeps
 * sequences, prefill_room.c the memory that calls share; prefill_known.c takes out and
 * puts back what was computed before; prefill_run.c is the forward pass, prefill_attend.c
 * its attention; prefill_step.c is the same pass for a few rows,
 * and their logits; prefill_state.c speaks libllama's format of a sequence. */
#ifndef PITH_MODEL_PREFILL_IMPL_H
#define PITH_MODEL_PREFILL_IMPL_H

#include "model/crew.h"
#include "model/gemm.h"
#include "model/lm_file.h"
#include "model/prefill.h"

enum { PREFILL_ROWS = 264, PREFILL_SLICES = 32 };   // most rows of a job; of a matrix
enum { PREFILL_HEAD = 4096 };                       // outputs of a slice of the head
enum { PREFILL_HEAD_DIM = 2048 };                   // most values of a head

typedef struct PrefillBlock {
    Matmul *qkv, *o, *down;
    Matmul *gate_up[PREFILL_SLICES];   // slice i: its gates, then its ups
    float *norm[NORMS];                // NULL: it has none
} PrefillBlock;

/* Of one block and one sequence. */
typedef struct PrefillKeys {
    uint16_t *k, *v;                   // (kv_heads, cap, head_dim), f16
} PrefillKeys;

struct PrefillSeq {
    Prefill *of;
    size_t n, cap;           // tokens held, and room for
    PrefillKeys *block;      // (layers)
};

/* One thread's scratch memory. */
typedef struct PrefillRoom {
    MatmulRoom *matmul;
    GemmRoom *gemm;
    void *memory;            // of all that follows
    float *wide;             // (PREFILL_ROWS, ffn or qkv's width)
    float *normed;           // (PREFILL_ROWS, dim or heads * head_dim)
    float *y;                // (PREFILL_ROWS, dim or a slice's two parts)
    /* Attention, for the keys of one head at a time; operands in gemm's type. */
    void *k, *v;             // (keys, head_dim)
    void *q;                 // (queries, head_dim)
    float *scores;           // (queries, keys)
    float *mixed;            // (queries, head_dim)
    float *sum;              // (queries)
} PrefillRoom;

struct Prefill {
    LmFile file;             // open: tokens are looked up in it
    LmTensor embed;
    LmShape shape;
    MatmulWay way;
    GemmWay gemm_way;
    size_t threads, slices;
    size_t step_percent;
    uint64_t max_bytes, packed_bytes;
    PrefillBlock *block;     // (layers)
    float *rope_scale;       // (rope_dims / 2): divides a frequency

    size_t keys;             // tokens that all sequences together have room for
    float *cosine[2], *sine[2];    // by lm_kind: (angles, rope_dims / 2)
    size_t angles;           // positions
    PrefillRoom room[CREW_MAX];
    size_t room_keys;        // that the rooms have space for

    float *x, *q;            // rows of a call: (rows, dim), (rows, heads * head_dim);
                             // rows = threads * PREFILL_ROWS

    Matmul **head;           // (head_slices); NULL: not packed
    size_t head_slices;
    float *out_norm;         // (dim)
    float *step;             // scratch memory of a step: prefill_step.c
    float *logits;           // (PREFILL_STEP, vocab)

    uint32_t magic;          // of a sequence; 0: not learned yet
    bool turned;             // libllama keeps values turned around: (kv_dim, tokens)
};

static inline size_t prefill_q_width(const LmShape *s)
{
    return s->heads * s->head_dim;
}

static inline size_t prefill_kv_width(const LmShape *s)
{
    return s->kv_heads * s->head_dim;
}

/* All weights, into p->block. */
MUST_USE Status prefill_pack(Ctx *cx, Prefill *p);
/* Bytes of all packed weights. */
uint64_t prefill_pack_bytes(const Prefill *p);
/* What a step needs besides: the head, in slices, and its norm. On failure there is none
 * of it. */
MUST_USE Status prefill_pack_head(Ctx *cx, Prefill *p);
uint64_t prefill_head_bytes(const Prefill *p);
void prefill_head_close(Prefill *p);

/* Rows of a call: tokens and their positions, ascending. */
typedef struct PrefillRows {
    const int32_t *token;    // (n)
    const uint32_t *at;      // (n)
    size_t n;                // at most PREFILL_ROWS * threads
} PrefillRows;

/* Keys and values of some tokens, for which there is room. Those of all positions before
 * the last that are not among them are there. */
MUST_USE Status prefill_pass(Ctx *cx, PrefillSeq *s, const PrefillRows *rows);
/* Norms `heads` heads of x where they have a norm (which: NORM_Q or NORM_K), and turns
 * them as position `at` wants. */
void prefill_rotate(const Prefill *p, size_t layer, Norm which, size_t heads, size_t at,
                    float *x);
/* The gates of a feed-forward. */
void prefill_gate(const Prefill *p, size_t n, const float *gate, const float *up,
                  float *y);
/* x (n, dim) += y (n, dim), what attention or feed-forward gave, by the norm behind it,
 * if there is one. spare: (dim). */
void prefill_join(const Prefill *p, const float *gain, size_t n, const float *y,
                  float *spare, float *x);
/* A head's keys or values (head_dim) to where s keeps those of position `at` in `to`. */
void prefill_keep_head(const PrefillSeq *s, const float *x, size_t head, size_t at,
                       uint16_t *to);

/* Puts the known tokens that stand in [from, to) of s there, for which there is room. */
void prefill_put_back(PrefillSeq *s, const PrefillKnown *k, size_t from, size_t to);

/* Rows of queries of one sequence. */
typedef struct PrefillQueries {
    const PrefillSeq *seq;
    size_t layer;
    const uint32_t *at;      // (rows): positions, ascending
    size_t rows;
    const float *q;          // (rows, heads * head_dim)
    float *out;              // the same
} PrefillQueries;

/* Those that share head `head` of the keys, against all keys up to their own. False: no
 * memory. */
bool prefill_attend_head(PrefillRoom *r, size_t head, const PrefillQueries *a);
/* Floats of scores that it wants for so many keys. */
size_t prefill_attend_scores(const LmShape *s, size_t keys);
/* Forgets what s holds from token `past` on, and makes room for the n of a call. As
 * prefill_run. */
MUST_USE Status prefill_room(Ctx *cx, PrefillSeq *s, const int32_t *token, size_t past,
                             size_t n);
/* What a call needs besides keys and values: a sequence is to have room for `cap` tokens,
 * `more` than now. E_LIMIT: max_bytes is passed then. */
MUST_USE Status prefill_room_for(Ctx *cx, Prefill *p, size_t cap, size_t more);
void prefill_room_close(Prefill *p);
double prefill_mib(uint64_t bytes);
/* Bytes of a step's scratch memory and logits. */
uint64_t prefill_step_bytes(const Prefill *p);

#endif
