/* calibration.h -- what `pith calibrate` found, in a file beside the store.
 *
 *     {"pith", "made", "source",
 *      "weights": {"bias", "slope"}, "threshold",
 *      "promise": {"risk", "confidence"},
 *      "questions": {"all", "unanswerable", "kept", "wrong", "refused_answerable",
 *                    "upper"},
 *      "embedder": {"name", "fingerprint"}, "reranker": {"name", "fingerprint"},
 *      "probe"}
 *
 * It holds for the models that it was made with and for the weights of this program;
 * probe is what those make of an example, so that other weights are noticed. */
#ifndef PITH_API_CALIBRATION_H
#define PITH_API_CALIBRATION_H

#include "api/handle.h"
#include "ask/ask.h"

typedef struct CalibrationFile {
    Calibration weights;
    float threshold;        // [0,1]
    float probe;
    Str embedder, reranker;                 // names; "" for none
    Str embedder_print, reranker_print;     // fingerprints
} CalibrationFile;

/* E_FORMAT: no JSON object, a field that is absent or of another type, a number out of
 * its range. name goes before errors. */
MUST_USE Status calibration_parse(Ctx *cx, const char *name, Str text,
                                  CalibrationFile *out);
/* Sets opt's calibration and threshold from the file beside the store, if there is one
 * and it was made with the models of *a; else opt stays, and *caution says why not. No
 * file is no reason for caution. E_MEMORY alone is an error. */
MUST_USE Status calibration_use(Ctx *cx, const pith *p, const Asker *a, AskOptions *opt,
                                Str *caution);

#endif
