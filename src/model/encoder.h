/* encoder.h -- what the benchmark and the tests may see of an open encoder. */
#ifndef PITH_MODEL_ENCODER_H
#define PITH_MODEL_ENCODER_H

#include "model/bert.h"
#include "model/impl.h"

typedef struct EncoderTimes {
    double tokenize;            // ms on the clock
    double part[BERT_PARTS];    // ms, of all threads together
} EncoderTimes;

/* As encoder_open, with the products done in a given way. E_ARG: this machine cannot. */
MUST_USE Status encoder_open_way(Ctx *cx, const char *path, const ModelOptions *opt,
                                 MatmulWay way, Model **out);
/* Since it was opened. m was opened by encoder_open. */
EncoderTimes encoder_times(const Model *m);

#endif
