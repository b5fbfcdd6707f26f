/* lm_shape.h -- what a decoder of blocks computes: its sizes, and the few things in which
 * one family differs from another. lm_family.c reads it from a file. */
#ifndef PITH_MODEL_LM_SHAPE_H
#define PITH_MODEL_LM_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

/* The linear layers of a block, in this order; those that share an input lie together. */
typedef enum Linear { LIN_Q, LIN_K, LIN_V, LIN_O, LIN_GATE, LIN_UP, LIN_DOWN, LINEARS }
    Linear;

/* The norms of a block, in order of use; those of queries and keys are a head's. */
typedef enum Norm { NORM_ATTN, NORM_Q, NORM_K, NORM_ATTN_POST, NORM_FFN, NORM_FFN_POST,
                    NORMS } Norm;

/* How positions turn queries and keys of a block. */
typedef struct LmRope {
    float base;
    float factor;            // of an angle; 0: they do not
} LmRope;

typedef struct LmShape {
    size_t layers, dim, ffn, vocab, window;
    size_t heads, kv_heads, head_dim;
    size_t rope_dims;        // of a head; even
    float eps;
    float embed_scale;       // of a word's embedding
    float attn_scale;        // of a query times a key
    float branch_scale;      // of what attention and feed-forward add to a row
    float logit_scale;
    LmRope rope[2];          // by lm_kind
    size_t every;            // blocks of kind 1: each so-manieth; 0: there are none
    size_t slide;            // keys that a query of a block of kind 0 sees, those of its
                             // own token the last of them; 0: all before it
    bool neox;               // rotates (i, i + n/2); else (2i, 2i + 1)
    bool tied;               // the head is the embedding
    bool head_norms;         // of each head's queries and keys, before they are turned
    bool post_norms;         // of what attention and feed-forward add
    bool gelu;               // gates by GELU; else by SiLU
} LmShape;

/* 0 or 1. */
size_t lm_kind(const LmShape *s, size_t block);
/* The first key that a query at `at` sees in a block. */
size_t lm_first_seen(const LmShape *s, size_t block, size_t at);
/* Whether a block has that norm, how many values it has, and its name in GGUF. */
bool lm_has_norm(const LmShape *s, Norm n);
size_t lm_norm_width(const LmShape *s, Norm n);
const char *lm_norm_name(Norm n);
/* Inputs and outputs of a layer, and its name in GGUF: "attn_q", ... */
size_t lm_in(const LmShape *s, Linear l);
size_t lm_out(const LmShape *s, Linear l);
const char *lm_linear_name(Linear l);

/* Cosines and sines of positions 0 .. n - 1 in blocks of a kind, each (n, rope_dims / 2).
 * scale (rope_dims / 2): divides the frequencies. */
void lm_angles(const LmShape *s, size_t kind, const float *scale, size_t n, float *cosine,
               float *sine);

#endif
