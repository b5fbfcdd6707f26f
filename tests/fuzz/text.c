/* Any bytes as a file: what is called text is UTF-8 without zeros, cut in slices. */
#include "parse/charset.h"
#include "parse/parse.h"

#include <assert.h>
#include <string.h>

static void check(const Parsed *p, Str s)
{
    for (size_t i = 0; i < p->n; i++) {
        const Part *q = &p->at[i];
        assert(q->start < q->end && q->end <= s.n && q->text.p == s.p + q->start);
        assert(q->text.n == q->end - q->start);
        assert(i == 0 || q->start >= p->at[i - 1].end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Parsed p;
    Str s = { (const char *)data, n };
    if (charset_utf8(&cx, s, &s) == OK) {
        assert(charset_invalid(s) == 0 && (s.n == 0 || !memchr(s.p, 0, s.n)));
        if (text_parse(&cx, s, &p) == OK) check(&p, s);
        if (code_parse(&cx, s, &p) == OK) check(&p, s);
    }
    ctx_end(&cx);
    return 0;
}
