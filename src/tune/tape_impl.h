/* tape_impl.h -- what forward.c, backward.c, attention.c and head.c share. */
#ifndef PITH_TUNE_TAPE_IMPL_H
#define PITH_TUNE_TAPE_IMPL_H

#include "tune/tape.h"

/* What forward keeps of one block. T: tokens of the sample. What products read is held
 * in the type of the way (void). */
typedef struct Kept {
    float *x, *mid;          // (T, dim): into the block; after attention
    void *normed[2];         // (T, dim): what attention, and what the FFN reads
    void *plain;             // (T, (heads + kv_heads) head_dim): queries and keys before
                             // their norms; where there are any
    void *qkv;               // (T, (heads + 2 kv_heads) head_dim): turned by position
    void *mixed;             // (T, heads head_dim): out of attention
    float *lse;              // (heads, T): log of the sum of a query's exponentials
    void *gate_up;           // (T, 2 ffn)
    void *wide;              // (T, ffn): the gates' product
    float *branch[2];        // (T, dim): out of attention and FFN, before the norms that
                             // stand there; where there are any
    void *u[GROUPS];         // (T, layers of the group * rank): scale x A'
} Kept;

struct Tape {
    const Lm *lm;
    LoraShape lora;
    size_t capacity, T;
    GemmRoom *room;
    char *memory;
    bool adapted;            // the last forward pass had adapters
    Kept *kept;              // (layers)
    float *last;             // (T, dim): out of the last block
    float *out;              // (T, widest output of a group)
    float *mixed;            // (T, heads head_dim)
    float *d, *dnormed;      // (T, dim)
    float *dwide;            // (T, ffn)
    float *dmixed;           // (T, heads head_dim)
    float *u, *du;           // (T, 3 rank)
    void *dy, *du_held;      // derivatives as the products read them
    void *packed[3];         // (T, head_dim): keys and values of a head
    float *scores, *dscores; // (QUERIES, T), or turned
    float *weighed;          // (heads, T): see attention.c
    float *cosine[2], *sine[2];    // by lm_kind: (T, rope_dims / 2)
    float *row, *drow;       // (widest output of a group)
    float *logits;           // (CHUNK, vocab)
    float *hidden, *dhidden; // (CHUNK, dim)
    void *hidden_held;       // (CHUNK, dim)
    uint8_t *mark;           // (vocab): words of which a chunk has a derivative
    uint32_t *pair;          // (vocab / 2): two neighbours of which one has
    uint16_t *some;          // (CHUNK, 2 PAIRS): derivatives of some pairs
    void *some_words;        // (2 PAIRS, dim), packed: the head's rows of these
    uint32_t *position;      // (T): of a token in its sequence
};

enum { QUERIES = 96, CHUNK = 128, PAIRS = 512 };

/* Keeps x (rows, width) as the products read it. */
GemmMatrix hold(const Tape *t, const float *x, size_t rows, size_t width, void *to);
void hold_row(const Tape *t, const float *x, size_t width, size_t i, void *to);
/* What was held so. */
GemmMatrix held(const Tape *t, const void *p, size_t width);
/* Row i of it as f32, in `row`, which is returned. */
const float *row_of(const Tape *t, const void *p, size_t width, size_t i, float *row);
/* m from column j on; from row i on. */
GemmMatrix columns(GemmMatrix m, size_t j);
GemmMatrix below(GemmMatrix m, size_t i);
GemmMatrix turned(GemmMatrix m);
GemmMatrix floats(const float *p, size_t stride);

/* y (T, group's outputs) = or += the group's layers, of x (T, in). */
MUST_USE bool group_forward(Tape *t, const float *p, size_t block, Group g, GemmMatrix x,
                            bool add, float *y);
/* dx (T, in) = derivative by the input, unless NULL; adapters' into grad. dy is (T,
 * group's outputs), x the input. */
MUST_USE bool group_backward(Tape *t, const float *p, size_t block, Group g, GemmMatrix x,
                             GemmMatrix dy, float *dx, float *grad);

/* From the block's qkv: t->mixed, and lse. */
MUST_USE bool attention_forward(Tape *t, const Sample *s, size_t block);
/* dqkv from t->dmixed. */
MUST_USE bool attention_backward(Tape *t, const Sample *s, size_t block, float *dqkv);
/* Turns the queries and keys of row i as the block turns them at its position. */
void rope_row(const Tape *t, size_t block, size_t i, float *qkv, bool back);

/* Loss, and t->d: the derivative by the last block's output. */
MUST_USE bool head_backward(Tape *t, const Sample *s, float weight, double *loss,
                            bool derive);

#endif
