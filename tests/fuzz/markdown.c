/* Any bytes as Markdown: parts are slices, in order. */
#include "parse/parse.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Parsed p;
    Str s = { (const char *)data, n };
    Status st = markdown_parse(&cx, s, &p);
    assert(st == OK);
    for (size_t i = 0; i < p.n; i++) {
        const Part *q = &p.at[i];
        assert(q->start < q->end && q->end <= n && q->text.p == s.p + q->start);
        assert(q->text.n == q->end - q->start && (i == 0 || q->start >= p.at[i - 1].end));
    }
    ctx_end(&cx);
    return 0;
}
