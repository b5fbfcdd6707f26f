/* matmul.h -- y = x W' + b, with the weights packed once for the machine at hand.
 *
 * There is one way for each kind of CPU, behind one table:
 *
 *   MATMUL_INT8   AVX-512 VNNI, ours. Weights and rows of x become 8-bit integers with
 *                 one scale for each 128 of them; sums are exact, scales are f32.
 *   MATMUL_BF16   oneDNN, where the CPU multiplies bf16 (AVX-512 BF16, AMX).
 *   MATMUL_F32    oneDNN, any CPU.
 *   MATMUL_PLAIN  portable C; what the others are tested against.
 *
 * x and y are f32 in all of them: they fit the second-level cache, and the next step
 * (norm, GELU, attention) wants f32. A Matmul is read-only once made and may be used by
 * many threads, each with a MatmulRoom of its own; nothing here starts a thread. */
#ifndef PITH_MODEL_MATMUL_H
#define PITH_MODEL_MATMUL_H

#include "base/ctx.h"

typedef enum MatmulWay { MATMUL_PLAIN, MATMUL_F32, MATMUL_BF16, MATMUL_INT8 } MatmulWay;

typedef struct Matmul Matmul;
typedef struct MatmulRoom MatmulRoom;

typedef struct MatmulWeights {
    size_t in, out;
    const float *w;      // (out, in), borrowed for the call
    const float *bias;   // (out), or NULL for zeros
} MatmulWeights;

/* "int8 VNNI", "oneDNN bf16", ... Static. */
const char *matmul_name(MatmulWay way);
/* Whether this machine and this build can. */
bool matmul_can(MatmulWay way);
/* The fastest that can, of those that are accurate to 8 bits or more. MATMUL_PLAIN: no
 * fast one. */
MatmulWay matmul_best(void);

/* E_ARG: a side is zero or above 65,536. E_MEMORY. E_INTERNAL: oneDNN refused. */
MUST_USE Status matmul_open(Ctx *cx, MatmulWay way, const MatmulWeights *w, Matmul **out);
void matmul_close(Matmul *m);

/* One thread's scratch memory, for matmuls of at most max_in inputs. */
MUST_USE Status matmul_room_open(Ctx *cx, MatmulWay way, size_t max_in, MatmulRoom **out);
void matmul_room_close(MatmulRoom *r);

/* y (rows, out) = x (rows, in) W' + b; y and x do not overlap. false: oneDNN gave up;
 * y is then undefined. */
MUST_USE bool matmul_run(const Matmul *m, MatmulRoom *room, size_t rows, const float *x,
                         float *y);

/* A part of the columns of a product, for rows that are too few to give many threads
 * work: each takes one of `shares`, and together they write what matmul_run would, to the
 * bit. */
typedef struct MatmulJob {
    size_t rows;
    const void *x;       // (rows, in)
    float *y;            // (rows, stride), of which the first `out` are written
    size_t stride;       // >= out
    size_t share, shares;
    bool add;            // y += instead; not where oneDNN multiplies
    bool bf16;           // x is, else f32; MATMUL_INT8 alone
} MatmulJob;

MUST_USE bool matmul_run_share(const Matmul *m, MatmulRoom *room, const MatmulJob *job);

#endif
