/* gemm_impl.h -- what a way of gemm.h provides. Included by gemm*.c alone. */
#ifndef PITH_MODEL_GEMM_IMPL_H
#define PITH_MODEL_GEMM_IMPL_H

#include "model/gemm.h"
#include "model/matmul.h"

typedef struct GemmScratch {
    void *p;                 // aligned to a cache line
    size_t bytes;
} GemmScratch;

struct GemmRoom {
    GemmWay way;
    GemmScratch a[2], b[2];  // packed operands, by part
    GemmScratch close;       // GEMM_WAY_INT8: rows of an a that lie apart
    MatmulRoom *narrow;      // of the same
};

/* At least `bytes`, contents undefined. NULL: no memory. */
void *gemm_scratch(GemmScratch *s, size_t bytes);

bool gemm_int8_can(void);
/* For a job whose first b is GEMM_NARROW. */
bool gemm_int8_run(GemmRoom *r, const GemmJob *job);
bool gemm_bf16_can(void);
bool gemm_bf16_run(GemmRoom *r, const GemmJob *job);
void gemm_bf16_round(size_t n, const float *from, uint16_t *to);
void gemm_bf16_widen(size_t n, const uint16_t *from, float *to);
void gemm_bf16_pack(const GemmMatrix *b, size_t k, size_t n, uint16_t *to);

#endif
