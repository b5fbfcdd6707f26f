/* A map of queries from hostile bytes: what is taken is finite and of its dimension. */
#include "api/query_map.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    QueryMapFile f;
    Status st = query_map_parse(&cx, "m", (Str){ (const char *)data, n }, &f);
    assert(st == OK || cx.reason[0]);
    if (st == OK) {
        size_t dim = (size_t)f.map.dim;
        assert(dim >= 1 && dim <= QUERY_MAP_DIM);
        for (size_t i = 0; i < dim * dim; i++) assert(isfinite(f.map.weight[i]));
        for (size_t i = 0; i < dim; i++) assert(isfinite(f.map.bias[i]));
    }
    ctx_end(&cx);
    return 0;
}
