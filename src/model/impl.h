/* impl.h -- what an implementation of model.h provides. Included by src/model alone. */
#ifndef PITH_MODEL_IMPL_H
#define PITH_MODEL_IMPL_H

#include "model/model.h"
#include "model/turn.h"

/* `embed` and `score` are called by one thread at a time, all others by several. */
typedef struct ModelImpl {
    void (*close)(Model *m);
    Status (*count)(Ctx *cx, Model *m, Str text, int *n);
    Status (*embed)(Ctx *cx, Model *m, EmbedKind kind, const Str *texts, size_t n,
                    float *out);
    Status (*score)(Ctx *cx, Model *m, Str query, const Str *texts, size_t n, float *out);
    Status (*count_chat)(Ctx *cx, Model *m, const Message *msg, size_t n, int *tokens);
    Status (*generate)(Ctx *cx, Model *m, const Message *msg, size_t n,
                       const GenerateOptions *opt, Generated *out);
    Status (*chat_tokens)(Ctx *cx, Model *m, const Message *msg, size_t n,
                          ChatTokens *out);
    Status (*unknown)(Ctx *cx, Model *m, Str text, int *n);
    Status (*read_ahead)(Ctx *cx, Model *m, const Message *msg, size_t n,
                         const Excerpts *excerpts, ReadAhead *out);
    uint64_t (*step_bytes)(const Model *m);
} ModelImpl;   // all but close and count: NULL where the model cannot

/* First member of every implementation's struct. */
struct Model {
    const ModelImpl *impl;
    ModelInfo info;         // its Strs are NUL-terminated and owned by the implementation
    Turn one;               // of vectors and scores, one call at a time
};

MUST_USE Status llama_model_open(Ctx *cx, const char *path, const ModelOptions *opt,
                                 Model **out);
/* E_MODEL: the file is sound, but not of a shape this encoder computes. */
MUST_USE Status encoder_open(Ctx *cx, const char *path, const ModelOptions *opt,
                             Model **out);
MUST_USE Status fake_open(Ctx *cx, const char *spec, const ModelOptions *opt,
                          Model **out);

#endif
