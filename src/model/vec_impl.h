/* vec_impl.h -- the tables that vec.c chooses from. Included by vec*.c alone. */
#ifndef PITH_MODEL_VEC_IMPL_H
#define PITH_MODEL_VEC_IMPL_H

#include "model/vec.h"

/* NULL where the machine lacks AVX-512 BF16 or the heads are no multiple of 32 wide. */
const Vec *vec_avx512(size_t head_dim);

#endif
