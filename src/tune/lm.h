/* lm.h -- a decoder of the llama or qwen2 family, its weights read from a GGUF and held
 * for training: matrices in bf16 (f32 where the machine does not multiply bf16), once,
 * row by row as (out, in); norms and biases in f32.
 *
 * Lm is read-only once open and may be used by many threads. */
#ifndef PITH_TUNE_LM_H
#define PITH_TUNE_LM_H

#include "model/gemm.h"
#include "model/lm_file.h"

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

/* Reads the shape alone, to tell what training would need. */
MUST_USE Status lm_shape(Ctx *cx, const char *path, LmShape *out);
/* E_MODEL: another family, or something in it that we do not compute; E_FORMAT: cut
 * short; E_MEMORY. *out is NULL then. */
MUST_USE Status lm_open(Ctx *cx, const char *path, GemmWay way, Lm **out);
void lm_close(Lm *m);

#endif
