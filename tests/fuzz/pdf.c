/* Any bytes as a PDF: an edition whose parts lie in order in windows that follow each
 * other, or a reason. What PDFium itself does with the bytes is seen from outside alone:
 * it is not instrumented. */
#include "parse/parse.h"

#include <assert.h>

static Status take(void *arg, const Parsed *w)
{
    size_t *end = arg, last = w->base;
    assert(w->verbatim && w->base == *end);
    for (size_t i = 0; i < w->n; i++) {
        const Part *p = &w->at[i];
        assert(p->start >= last && p->end > p->start && p->text.n == p->end - p->start);
        assert(p->page > 0);
        last = p->end;
    }
    *end = w->base + w->source.n;
    assert(last <= *end);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    size_t end = 0;
    Input in = { .bytes = { (const char *)data, n }, .name = STR("a.pdf") };
    Status st = parse_document(&cx, KIND_PDF, &in, &(Sink){ take, &end });
    assert(st == OK || cx.reason[0]);
    ctx_end(&cx);
    return 0;
}
