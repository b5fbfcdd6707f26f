/* tape.h -- one thread's pass through a decoder: forward, remembering, and backward.
 *
 * A sample is a row of tokens that holds one or more sequences, packed end to end;
 * attention stays within a sequence and positions begin at 0 in each. Adapters are
 * low-rank (Hu et al., arXiv 2106.09685): y = x W' + scale (x A') B', with W frozen.
 * Derivatives are written by hand, of the adapters alone.
 *
 * What the backward pass needs is kept, in the type that products read, save the
 * attention's probabilities, which are computed again. */
#ifndef PITH_TUNE_TAPE_H
#define PITH_TUNE_TAPE_H

#include "tune/lm.h"

/* The trainable numbers, one flat array. A block's lie together, and those A that read
 * the same input too: Aq Ak Av Bq Bk Bv, Ao Bo, Agate Aup Bgate Bup, Adown Bdown. A is
 * (rank, in); B is kept turned, (rank, out). */
typedef struct LoraShape {
    size_t rank;             // 1 to 256
    float scale;             // alpha / rank
} LoraShape;
size_t lora_count(const LmShape *s, size_t rank);
/* Where A or B of a layer begins in the array. */
size_t lora_a(const LmShape *s, size_t rank, size_t block, Linear l);
size_t lora_b(const LmShape *s, size_t rank, size_t block, Linear l);

typedef struct Sample {
    const int32_t *token;    // (n), each below the vocabulary
    const uint8_t *learn;    // (n): 1 where the token is to be predicted
    size_t n;
    const uint32_t *begin;   // (n_sequences + 1); the last is n
    size_t n_sequences;
} Sample;

typedef struct Tape Tape;

/* Bytes of a tape for samples of at most `tokens`. */
size_t tape_bytes(const LmShape *s, GemmWay way, size_t rank, size_t tokens);
/* lm is borrowed. E_MEMORY. */
MUST_USE Status tape_open(Ctx *cx, const Lm *lm, LoraShape lora, size_t tokens,
                          Tape **out);
void tape_close(Tape *t);

/* Runs the sample up to the last norm. p: the adapters; NULL: the base alone. false: out
 * of memory in a matrix product. */
MUST_USE bool tape_forward(Tape *t, const float *p, const Sample *s);
/* Logits of one position of the last forward pass, into out (vocab). */
MUST_USE bool tape_logits(Tape *t, size_t position, float *out);
/* Adds to *loss the sum over the tokens to learn of -log p(token), and to grad (as p),
 * unless NULL, the derivative of `weight` times that sum. */
MUST_USE bool tape_backward(Tape *t, const float *p, const Sample *s, float weight,
                            double *loss, float *grad);
/* How many tokens of a sample are learned. */
size_t sample_targets(const Sample *s);

#endif
