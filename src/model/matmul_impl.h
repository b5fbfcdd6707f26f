/* matmul_impl.h -- what a way of multiplying provides. Included by matmul*.c alone. */
#ifndef PITH_MODEL_MATMUL_IMPL_H
#define PITH_MODEL_MATMUL_IMPL_H

#include "model/matmul.h"

typedef struct MatmulImpl {
    const char *name;
    bool (*can)(void);
    Status (*open)(Ctx *cx, const MatmulWeights *w, Matmul **out);
    void (*close)(Matmul *m);
    Status (*room_open)(Ctx *cx, size_t max_in, MatmulRoom **out);
    void (*room_close)(MatmulRoom *r);
    bool (*run)(const Matmul *m, MatmulRoom *room, size_t rows, const float *x, float *y);
    bool (*share)(const Matmul *m, MatmulRoom *room, const MatmulJob *job);
} MatmulImpl;

/* First member of every implementation's struct. */
struct Matmul {
    const MatmulImpl *impl;
    size_t in, out;
};

struct MatmulRoom {
    const MatmulImpl *impl;
};

extern const MatmulImpl matmul_int8;
#ifdef PITH_ONEDNN
extern const MatmulImpl matmul_dnnl_bf16, matmul_dnnl_f32;
#endif

/* Whether the CPU multiplies bf16, and whether it does so in tiles (AMX). */
bool cpu_has_bf16(void);
bool cpu_has_amx_bf16(void);

/* Zeroed, aligned to a cache line; free() ends it. NULL: no memory or overflow. */
void *lines_alloc(size_t n, size_t size);

#endif
