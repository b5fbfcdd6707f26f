/* Any bytes as HTML, by way of the charset as files come: ranges stand in the source, in
 * order. */
#include "parse/charset.h"
#include "parse/parse.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Parsed p;
    Str s = { (const char *)data, n };
    if (charset_utf8(&cx, s, &s) == OK) {
        assert(charset_invalid(s) == 0);
        Status st = html_parse(&cx, s, &p);
        assert(st == OK);
        for (size_t i = 0; i < p.n; i++) {
            const Part *q = &p.at[i];
            assert(q->start <= q->end && q->end <= s.n && q->text.n > 0);
            assert(i == 0 || q->start >= p.at[i - 1].end);
            for (size_t k = 0; k < q->map.n; k++) {
                const Run *r = &q->map.at[k];
                assert(r->source >= q->start && r->source + r->source_n <= q->end);
            }
        }
    }
    ctx_end(&cx);
    return 0;
}
