/* fitted.h -- which form of a generator runs best on this machine, as `pith model fit`
 * found it.
 *
 * A result is a record in the folder fitted/ of the models' folder, named after the
 * model's file and its fingerprint, and beside it the file in its new form unless the
 * original is best. It counts on the machine that it was measured on; on any other, and
 * where its file is gone, the original is used as if nothing had been measured, and `pith
 * doctor` says so. Stages of making it lie in fitted/.work, which no reader looks at. */
#ifndef PITH_API_FITTED_H
#define PITH_API_FITTED_H

#include "base/ctx.h"

#include <jansson.h>

typedef struct FittedPaths {
    Str folder, work, lock;     // fitted/, fitted/.work, fitted/.lock
    Str record, model;          // fitted/NAME.json, fitted/NAME.gguf
    Str print;                  // the original's fingerprint
} FittedPaths;

/* Of the model whose file is at source. E_IO, E_FORMAT: that is no GGUF file. */
MUST_USE Status fitted_paths(Ctx *cx, const char *source, FittedPaths *out);

/* The record; NULL with OK where there is none, or none that can be read. The caller lets
 * go of it. */
MUST_USE Status fitted_read(Ctx *cx, const FittedPaths *at, json_t **out);
/* NULL where the record counts here and now; else why not, in words. */
const char *fitted_stale(Ctx *cx, const FittedPaths *at, const json_t *record);

typedef struct FittedUse {
    int threads;                // 0: not told
    bool flash;                 // ModelOptions.flash
} FittedUse;

/* Puts the file to use in the place of *path, the original's. Where nothing is known that
 * counts, all stays as it is. */
MUST_USE Status fitted_use(Ctx *cx, Str *path, FittedUse *out);

/* Removes a result; *removed tells whether there was one. */
MUST_USE Status fitted_remove(Ctx *cx, const FittedPaths *at, bool *removed);

#endif
