/* train.h -- LoRA training of a small model on conversations.
 *
 * A step reads `batch` rows of packed examples, a row to a thread; their derivatives are
 * added in the order of the rows, so that the same seed gives the same adapter with any
 * number of threads. Each checkpoint is whole, and a run that is called again with the
 * same options and the same folder goes on from the last, bit for bit. */
#ifndef PITH_TUNE_TRAIN_H
#define PITH_TUNE_TRAIN_H

#include "base/ctx.h"

typedef struct TrainStep {
    uint64_t step, steps;        // steps: 0 where time alone decides
    double loss;                 // mean over the learned tokens of the step
    double rate, tok_per_s;
    double left_s;               // until the end, as far as can be told
} TrainStep;

typedef struct TrainOptions {
    const char *data, *model, *out;
    int rank;                    // 0: 8; at most 256
    float alpha;                 // 0: 2 rank
    int seq, batch;              // tokens of a row, rows of a step; 0: 256, 4
    int steps;                   // of the whole run; 0: once over the data, or `minutes`
    double minutes;              // of this call; 0: no limit
    double rate;                 // peak of the learning rate; 0: 5e-4
    int save_every;              // steps; 0: 50
    int max_mb;                  // 0: what is free
    int threads;                 // 0: one per core
    uint64_t seed;
    void (*on_step)(void *arg, const TrainStep *now);
    void (*on_note)(void *arg, const char *text);
    void *arg;
} TrainOptions;

typedef struct TrainResult {
    uint64_t steps;              // done in all, those before a resume included
    double loss_first, loss_last;
    double tok_per_s, peak_mb;
    bool finished;               // false: time ran out; the next call goes on
    Str adapter;                 // path, in cx's arena
} TrainResult;

/* Writes out/adapter.gguf, out/peft, out/curve.jsonl ({"step","loss","lr"} a line) and
 * out/state. E_LIMIT: it would need more than
 * max_mb, or than is free; nothing was written. E_MODEL: the loss is not finite; the last
 * good checkpoint is kept. E_CANCELLED: the same. */
MUST_USE Status train(Ctx *cx, const TrainOptions *opt, TrainResult *out);

#endif
