/* models.h -- where tests find model files, and small files made from them. */
#ifndef TESTS_MODELS_H
#define TESTS_MODELS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMOLLM2 "smollm2-135m-instruct-q4_1.gguf"
#define QWEN "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
#define BGE "bge-small-en-v1.5.gguf"
#define MSMARCO "ms-marco-MiniLM-L-12-v2.gguf"

/* The path of a model's file; NULL where it was not pulled. One of four static buffers. */
static inline const char *model_file(const char *name)
{
    static char path[4][512];
    static int next;
    char *p = path[next++ % 4];
    const char *models = getenv("PITH_MODELS"), *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    if (models) snprintf(p, sizeof *path, "%s/%s", models, name);
    else if (data) snprintf(p, sizeof *path, "%s/pith/models/%s", data, name);
    else snprintf(p, sizeof *path, "%s/.local/share/pith/models/%s", home ? home : "", name);
    return access(p, R_OK) == 0 ? p : NULL;
}

#endif
