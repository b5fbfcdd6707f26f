/* adapter.h -- trained adapters as files: GGUF for llama.cpp, a folder for PEFT, and the
 * state of a run, from which it goes on bit for bit. */
#ifndef PITH_TUNE_ADAPTER_H
#define PITH_TUNE_ADAPTER_H

#include "tune/tape.h"

typedef struct AdapterInfo {
    size_t rank;
    float alpha;
    const char *lineage;     // of the base: lineage.h
} AdapterInfo;

/* p as in tape.h. The file is replaced whole. */
MUST_USE Status adapter_write_gguf(Ctx *cx, const char *path, const Lm *lm,
                                   const AdapterInfo *info, const float *p);
/* adapter_config.json and adapter_model.safetensors. Rows that llama.cpp's converter
 * reorders for its rotary positions are put back. */
MUST_USE Status adapter_write_peft(Ctx *cx, const char *folder, const Lm *lm,
                                   const AdapterInfo *info, const float *p);

/* The adapter at `from`, anybody's, written to `to` with its effect times `scale`, > 0:
 * interpolation between base and tuned model. All else in it stays. E_NOTFOUND, E_FORMAT:
 * not an adapter in GGUF, or none that states its alpha. */
MUST_USE Status adapter_scale(Ctx *cx, const char *from, const char *to, double scale);

typedef struct TrainState {
    char key[33];            // hash of all that must be the same in a resumed run
    uint64_t step, epoch, next, n;
    double loss_first, loss_last;
} TrainState;

/* p, m, v: n numbers each. The file is replaced whole. */
MUST_USE Status state_write(Ctx *cx, const char *path, const TrainState *s,
                            float *const part[3]);
/* E_NOTFOUND: no state there. E_ARG: it is of another run than s->key and s->n say.
 * E_FORMAT: cut short or damaged. */
MUST_USE Status state_read(Ctx *cx, const char *path, TrainState *s,
                           float *const part[3]);

#endif
