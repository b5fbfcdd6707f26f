/* lm.h -- a decoder of the llama or qwen2 family, its weights read from a GGUF and held
 * for training: matrices in bf16 (f32 where the machine does not multiply bf16), once,
 * row by row as (out, in); norms and biases in f32.
 *
 * Lm is read-only once open and may be used by many threads. */
#ifndef PITH_TUNE_LM_H
#define PITH_TUNE_LM_H

#include "base/ctx.h"
#include "model/gemm.h"

/* The linear layers of a block, in this order; those that share an input lie together. */
typedef enum Linear { LIN_Q, LIN_K, LIN_V, LIN_O, LIN_GATE, LIN_UP, LIN_DOWN, LINEARS }
    Linear;

typedef struct LmShape {
    size_t layers, dim, ffn, vocab, window;
    size_t heads, kv_heads, head_dim;
    size_t rope_dims;        // of a head; even
    float rope_base, eps;
    bool neox;               // rotates (i, i + n/2), qwen2; else (2i, 2i + 1), llama
    bool tied;               // the head is the embedding
} LmShape;

typedef struct LmBlock {
    const void *w[LINEARS];  // (out, in) of the Lm's type
    const float *bias[LINEARS];             // (out), or NULL
    const float *attn_norm, *ffn_norm;      // (dim)
} LmBlock;

typedef struct Lm {
    LmShape shape;
    GemmWay way;
    LmBlock *block;          // (layers)
    const void *embed, *head;               // (vocab, dim)
    const float *final_norm;                // (dim)
    float *rope_scale;       // (rope_dims / 2): divides a frequency
    char arch[16];           // "llama", "qwen2"
    char name[128];          // general.name
    size_t bytes;            // of all weights
    void **own;              // what lm_close frees
    size_t n_own;
} Lm;

/* Inputs and outputs of a layer. */
size_t lm_in(const LmShape *s, Linear l);
size_t lm_out(const LmShape *s, Linear l);
/* "attn_q", ... as in GGUF. */
const char *lm_linear_name(Linear l);

/* Reads the shape alone, to tell what training would need. */
MUST_USE Status lm_shape(Ctx *cx, const char *path, LmShape *out);
/* E_MODEL: another family, or something in it that we do not compute; E_FORMAT: cut
 * short; E_MEMORY. *out is NULL then. */
MUST_USE Status lm_open(Ctx *cx, const char *path, GemmWay way, Lm **out);
void lm_close(Lm *m);

#endif
