/* Any Markdown or HTML, cut: no chunk passes the maximum, none leaves the source. The
 * first byte picks format and aim. */
#include "parse/charset.h"
#include "parse/parse.h"
#include "index/chunk.h"

#include <assert.h>
#include <stdlib.h>

static Chunker chunker;     // opened once: a fuzz target has no other place to keep it

static void open_once(Ctx *cx)
{
    if (chunker.embedder) return;
    Status st = model_open(cx, "fake:", NULL, &chunker.embedder);
    if (st == OK) st = words_open(cx, &chunker.words);
    if (st != OK) abort();
}

static void check(Ctx *cx, const Parsed *p)
{
    Chunk *c = NULL;
    size_t n = 0;
    Status st = chunk_parts(cx, &chunker, p, &c, &n);
    assert(st == OK);
    for (size_t i = 0; i < n; i++) {
        assert(c[i].start <= c[i].end && c[i].end <= p->source.n);
        assert(c[i].tokens <= chunk_maximum(&chunker));
        assert(!p->verbatim || c[i].text.p == p->source.p + c[i].start);
        assert(!p->verbatim || i == 0 || c[i].start >= c[i - 1].end);
        assert(charset_invalid(c[i].text) == 0 && charset_invalid(c[i].section) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Parsed p;
    open_once(&cx);
    if (n > 0) {
        Str s = { (const char *)data + 1, n - 1 };
        chunker.aim = 16 + data[0] / 4;
        chunker.section = NULL;
        if (charset_utf8(&cx, s, &s) == OK) {
            Status st = data[0] & 1 ? markdown_parse(&cx, s, &p) : html_parse(&cx, s, &p);
            assert(st == OK);
            check(&cx, &p);
        }
    }
    ctx_end(&cx);
    return 0;
}
