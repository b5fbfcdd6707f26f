/* manifest.h -- what each model of the catalogue is made of.
 *
 * A model comes from one of its sources. A source is a list of parts; a part is a file
 * behind a URL, or a member of a hash-pinned Python package. The parts, in order, are the
 * model's file; or, for a model that is converted, its ONNX and its vocabulary. */
#ifndef PITH_MODEL_MANIFEST_H
#define PITH_MODEL_MANIFEST_H

#include "model/catalog.h"
#include "model/convert.h"

typedef struct Part {
    const char *url;            // or NULL and
    const char *package;        // "name==version"
    const char *wheel;          // the name of its file
    const char *wheel_sha256;
    const char *member;
    const char *sha256;         // of the part; NULL: the hash of the whole will tell
    uint64_t bytes;             // of the part: never more are taken
} Part;

typedef struct Source {
    const char *from;           // "huggingface.co", for people
    const Part *parts;
    size_t n;
} Source;

typedef struct ModelSpec {
    const CatalogEntry *entry;
    const char *file;           // its name in the models' folder
    const char *sha256;         // of the GGUF
    const BertFacts *bert;      // NULL: the parts are the GGUF; else parts[0] is the ONNX
                                // and parts[1] the vocabulary
    const Source *sources;      // tried in order
    size_t n_sources;
} ModelSpec;

/* As many as catalog_entries, in the same order. */
extern const ModelSpec MODEL_SPECS[];

/* catalog_pull of a model that need not be in the catalogue. */
MUST_USE Status model_pull(Ctx *cx, const ModelSpec *m, const PullOptions *opt,
                           Str *path);

#endif
