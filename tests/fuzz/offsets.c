/* Any bytes as a stored map: refused, or runs in order that are found and stored
 * again. */
#include "base/offsets.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Offsets o, again;
    if (offsets_unpack(&cx, (Str){ (const char *)data, n }, 7, &o) == OK) {
        for (size_t i = 0; i < o.n; i++) {
            size_t from, to, end = o.at[i].text + o.at[i].text_n;
            must(offsets_find(&o, o.at[i].text, end, &from, &to));
            must(from == o.at[i].source && to == from + o.at[i].source_n);
            must(i == 0 || from >= o.at[i - 1].source + o.at[i - 1].source_n);
        }
        must(offsets_unpack(&cx, offsets_pack(&cx, &o, 7), 7, &again) == OK);
        must(again.n == o.n);
    }
    ctx_end(&cx);
    return 0;
}
