/* gemm.h -- plain matrix products c = a b, for training, where both sides change.
 *
 * matmul.h packs weights and is given rows in f32; here any side may be turned, of
 * either type, or a b that was packed before. A product may have two parts, c = a1 b1 +
 * a2 b2, which is a layer with its low-rank adapter in one pass over c. There is one
 * way for each kind of CPU:
 *
 *   GEMM_WAY_BF16   AVX-512 BF16, ours: operands are rounded to bf16, sums are f32.
 *   GEMM_WAY_F32    oneDNN's sgemm, any CPU.
 *   GEMM_WAY_PLAIN  portable C in f32; what the others are tested against.
 *   GEMM_WAY_INT8   as GEMM_WAY_BF16, and weights that never change may be held in 8 bits
 *                   (gemm_narrow), which AVX-512 VNNI multiplies nearly twice as fast.
 *
 * Nothing here starts a thread. The same call gives the same bits each time. */
#ifndef PITH_MODEL_GEMM_H
#define PITH_MODEL_GEMM_H

#include "base/ctx.h"

typedef enum GemmWay {
    GEMM_WAY_PLAIN, GEMM_WAY_F32, GEMM_WAY_BF16, GEMM_WAY_INT8, GEMM_WAYS
} GemmWay;
typedef enum GemmType { GEMM_F32, GEMM_BF16, GEMM_PACKED, GEMM_NARROW } GemmType;

/* Element (i, j) is p[i * stride + j]; turned: p[j * stride + i]. GEMM_PACKED: what
 * gemm_pack made; a b alone. GEMM_NARROW: what gemm_narrow made; the b of a first part
 * whose a is not turned, in a product of scale 1. */
typedef struct GemmMatrix {
    const void *p;
    size_t stride;
    GemmType type;
    bool turned;
} GemmMatrix;

typedef struct GemmPart {
    GemmMatrix a, b;         // (m, k), (k, n)
    size_t k;
} GemmPart;

typedef struct GemmJob {
    size_t m, n;
    GemmPart part[2];
    size_t n_parts;          // 1 or 2
    float scale;             // of the product
    bool add;                // c += product, else c = product
    float *c;                // (m, n), rows c_stride apart
    size_t c_stride;
} GemmJob;

typedef struct GemmRoom GemmRoom;

/* "AVX-512 BF16", ... Static. */
const char *gemm_name(GemmWay way);
bool gemm_can(GemmWay way);
/* The fastest of those that round to bf16 at most. */
GemmWay gemm_best(void);
/* The same with weights that never change: GEMM_WAY_INT8 where this machine can. */
GemmWay gemm_best_frozen(void);
/* What operands are held in: bf16 operands are read by GEMM_WAY_BF16 and _INT8 alone. */
GemmType gemm_type(GemmWay way);

/* One thread's scratch memory. */
MUST_USE Status gemm_room_open(Ctx *cx, GemmWay way, GemmRoom **out);
void gemm_room_close(GemmRoom *r);
/* False: no memory, or oneDNN gave up; c is then undefined. */
MUST_USE bool gemm_run(GemmRoom *r, const GemmJob *job);

/* For GEMM_WAY_BF16: b (k, n) as that way reads it, in a memory of so many bytes that is
 * aligned to a cache line; a product with it gives the same bits as with b. Fewer rows
 * and columns of it, from the first on, may be multiplied too. */
size_t gemm_packed_bytes(size_t k, size_t n);
GemmMatrix gemm_pack(const GemmMatrix *b, size_t k, size_t n, void *memory);
/* Pairs of rows of it, (2 i, 2 i + 1) for each i of pair, n columns, as a packed matrix
 * of its own, in a memory of gemm_packed_bytes(2 n_pairs, n). */
GemmMatrix gemm_packed_pairs(const GemmMatrix *packed, size_t n, const uint32_t *pair,
                             size_t n_pairs, void *memory);
/* Row i of it, n values. */
void gemm_packed_row(const GemmMatrix *packed, size_t i, size_t n, float *out);

/* For GEMM_WAY_INT8: b (k, n), in f32, in 8 bits: a scale a column, and in each product
 * a scale for each 64 values of a row of a (matmul.h). gemm_narrow_free ends it.
 * E_MEMORY; E_ARG: a side above 65,536. */
MUST_USE Status gemm_narrow(Ctx *cx, const GemmMatrix *b, size_t k, size_t n,
                            GemmMatrix *out);
void gemm_narrow_free(GemmMatrix *b);

/* n values as operands of the room's way are held; and back to f32. */
void gemm_keep(const GemmRoom *r, size_t n, const float *from, void *to);
void gemm_kept(const GemmRoom *r, size_t n, const void *from, float *to);

/* n values to bf16, nearest even; and back. */
void gemm_to_bf16(size_t n, const float *from, uint16_t *to);
void gemm_from_bf16(size_t n, const uint16_t *from, float *to);

#endif
