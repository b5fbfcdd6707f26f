/* The router's weights from hostile bytes: what is read can be reckoned with. */
#include "api/route_file.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    RouteModel m = { .bias = 7 };
    if (route_model_parse(&cx, "fuzz", (Str){ (const char *)data, n }, &m) != OK) {
        if (m.bias != 7 || cx.reason[0] == '\0') abort();
    } else {
        if (!isfinite(m.bias) || !isfinite(m.threshold)) abort();
        for (int f = 0; f < ROUTE_FEATURES; f++)
            if (!isfinite(m.weight[f]) || !isfinite(m.usual[f])) abort();
    }
    ctx_end(&cx);
    return 0;
}
