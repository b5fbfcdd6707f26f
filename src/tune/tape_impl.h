/* tape_impl.h -- what forward.c, backward.c, attention.c and head.c share. */
#ifndef PITH_TUNE_TAPE_IMPL_H
#define PITH_TUNE_TAPE_IMPL_H

#include "tune/tape.h"

/* The linear layers that share an input; their outputs lie side by side in one row. */
typedef struct Group {
    Linear first;
    size_t n;
} Group;
extern const Group group_qkv, group_o, group_gate_up, group_down;
size_t group_out(const LmShape *s, Group g);

/* What forward keeps of one block. T: tokens of the sample. */
typedef struct Kept {
    float *x, *mid;          // (T, dim): into the block; after attention
    float *qkv;              // (T, (heads + 2 kv_heads) head_dim): turned by position
    float *mixed;            // (T, heads head_dim): out of attention
    float *gate_up;          // (T, 2 ffn)
    float *u;                // (LINEARS rank, T): scale A x', by layer
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
    float *normed;           // (T, dim)
    float *wide;             // (T, ffn): SwiGLU's product; and derivatives
    float *d, *dnormed;      // (T, dim)
    float *dwide;            // (T, ffn)
    float *dmixed;           // (T, heads head_dim)
    float *dout;             // (T, widest output of a group)
    float *du;               // (3 rank, T)
    void *operand[2];        // (T, widest row): rounded for the products
    float *scores, *dscores; // (QUERIES, T)
    float *cosine, *sine;    // (T, rope_dims / 2)
    float *logits;           // (CHUNK, vocab)
    float *hidden, *dhidden; // (CHUNK, dim)
    uint32_t *position;      // (T): of a token in its sequence
};

enum { QUERIES = 64, CHUNK = 128 };

/* x (rows, width) as an operand of the tape's kind, in its buffer `which`. */
GemmMatrix operand(Tape *t, int which, const float *x, size_t rows, size_t width);
/* m from column j on. */
GemmMatrix columns(GemmMatrix m, size_t j);
GemmMatrix turned(GemmMatrix m);
GemmMatrix floats(const float *p, size_t stride);
GemmMatrix weight(const Tape *t, const void *w, size_t stride);

/* y (T, group's outputs) = or += the group's layers, of x (T, in). */
MUST_USE bool group_forward(Tape *t, const float *p, size_t block, Group g,
                            const float *x,
                            bool add, float *y);
/* dx (T, in) = derivative by the input, unless NULL; adapters' into grad. dy is (T,
 * group's outputs), x the input. */
MUST_USE bool group_backward(Tape *t, const float *p, size_t block, Group g,
                             const float *x,
                             const float *dy, float *dx, float *grad);

MUST_USE bool attention_forward(Tape *t, const Sample *s, const Kept *k);
/* dqkv from t->dmixed. */
MUST_USE bool attention_backward(Tape *t, const Sample *s, const Kept *k, float *dqkv);
void rope_all(Tape *t, float *qkv, bool back);

/* Loss, and t->d: the derivative by the last block's output. */
MUST_USE bool head_backward(Tape *t, const Sample *s, float weight, double *loss,
                            bool derive);

#endif
