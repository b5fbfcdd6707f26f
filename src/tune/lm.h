/* lm.h -- a decoder of a family of lm_family.c, its weights read from a GGUF and held for
 * training: matrices packed for the products of both passes, so twice, in 8 bits (the
 * head in bf16) or in bf16; or, where the machine does not multiply bf16, once in f32.
 * Norms and biases are f32.
 *
 * Lm is read-only once open and may be used by many threads. */
#ifndef PITH_TUNE_LM_H
#define PITH_TUNE_LM_H

#include "model/gemm.h"
#include "model/lm_file.h"

/* Linear layers that read the same input; their outputs lie side by side. */
typedef enum Group { GROUP_QKV, GROUP_O, GROUP_GATE_UP, GROUP_DOWN, GROUPS } Group;
/* The first of a group, and how many follow with it. */
Linear group_first(Group g);
size_t group_size(Group g);
Group group_of(Linear l);
/* Values that a group reads, and all that it gives. */
size_t group_in(const LmShape *s, Group g);
size_t group_out(const LmShape *s, Group g);

typedef struct LmBlock {
    GemmMatrix forward[LINEARS];            // (in, out): the b of x W'
    GemmMatrix back[GROUPS];                // (out, in): the b of dy W
    const float *bias[GROUPS];              // (out), or NULL
    const float *norm[NORMS];               // (lm_norm_width), or NULL
} LmBlock;

typedef struct Lm {
    LmShape shape;
    GemmWay way;
    LmBlock *block;          // (layers)
    GemmMatrix head, head_back;             // (dim, vocab), (vocab, dim)
    GemmMatrix embed;                       // (vocab, dim)
    const float *final_norm;                // (dim)
    float *rope_scale;       // (rope_dims / 2): divides a frequency
    char arch[16];           // "llama", "qwen3", ...
    char name[128];          // general.name
    size_t bytes;            // of all weights
    void **own;              // what lm_close frees
    size_t n_own;
} Lm;

/* Reads the shape alone, to tell what training would need. */
MUST_USE Status lm_shape(Ctx *cx, const char *path, LmShape *out);
/* Bytes of the weights, near enough. */
double lm_bytes(const LmShape *s, GemmWay way);
/* E_MODEL: another family, or something in it that we do not compute; E_FORMAT: cut
 * short; E_MEMORY. *out is NULL then. */
MUST_USE Status lm_open(Ctx *cx, const char *path, GemmWay way, Lm **out);
void lm_close(Lm *m);

/* A word as the first block reads it, into out (dim). */
void lm_look_up(const Lm *m, int32_t token, float *out);

#endif
