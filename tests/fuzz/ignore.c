/* Any rules against any path: the last line is the path, the others are rules. */
#include "index/ignore.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Rules r = { 0 };
    const uint8_t *lf = n ? memrchr(data, '\n', n) : NULL;
    size_t split = lf ? (size_t)(lf - data) + 1 : 0;
    Str path = { (const char *)data + split, n - split };
    if (rules_add(&cx, &r, STR(""), (Str){ (const char *)data, split }) == OK &&
        rules_add(&cx, &r, STR("a/"), (Str){ (const char *)data, split }) == OK) {
        rules_ignore(&r, path, true);
        rules_ignore(&r, path, false);
    }
    ctx_end(&cx);
    return 0;
}
