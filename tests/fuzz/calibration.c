/* A calibration from hostile bytes: what is taken is in range. */
#include "api/calibration.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    CalibrationFile f;
    Status st = calibration_parse(&cx, "fuzz", (Str){ (const char *)data, n }, &f);
    if (st == OK) {
        float c = calibrate(&f.weights, .5f);
        if (!(f.weights.slope > 0) || !isfinite(f.weights.bias)) abort();
        if (!(f.threshold >= 0 && f.threshold <= 1) || !(c >= 0 && c <= 1)) abort();
    } else if (cx.reason[0] == '\0') {
        abort();
    }
    ctx_end(&cx);
    return 0;
}
