/* Any bytes as a glossary, and its first line as a question: what comes out begins with
 * the question. */
#include "ask/glossary.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Glossary g = { 0 };
    Str text = { (const char *)data, n }, out;
    size_t terms;
    Status st = glossary_parse(&cx, "g", text, &g);
    assert(st == OK || cx.reason[0]);
    for (size_t i = 0; i < g.n; i++) assert(g.at[i].term.n && g.at[i].meaning.n);
    const char *lf = n ? memchr(data, '\n', n) : NULL;
    Str question = { text.p, lf ? (size_t)(lf - text.p) : n };
    ctx_forgive(&cx);
    st = glossary_expand(&cx, &g, question, &out, &terms);
    assert(st == E_LIMIT || (st == OK && str_starts(out, question)));
    ctx_end(&cx);
    return 0;
}
