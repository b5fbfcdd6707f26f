/* Any bytes as the parts of an edition: windows follow each other, their parts lie in
 * them in order, and what is told of the text is UTF-8. A zero byte ends a part; the
 * byte behind it is its kind and level. */
#include "parse/edition.h"
#include "parse/charset.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static Status take(void *arg, const Parsed *w)
{
    size_t *end = arg, last = w->base;
    assert(w->verbatim && w->base == *end && charset_invalid(w->title) == 0);
    for (size_t i = 0; i < w->n; i++) {
        const Part *p = &w->at[i];
        assert(p->start >= last && p->end > p->start);
        assert(p->text.n == p->end - p->start && charset_invalid(p->text) == 0);
        assert((p->kind == PART_HEADING) == (p->level > 0));
        last = p->end;
    }
    *end = w->base + w->source.n;
    assert(last <= *end);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Edition e;
    size_t end = 0, at = 0;
    Status st = OK;
    Sink to = { take, &end };
    edition_open(&e, &cx, &to);
    while (at < n && st == OK) {
        unsigned what = data[at++];
        const uint8_t *zero = memchr(data + at, 0, n - at);
        size_t length = zero ? (size_t)(zero - data) - at : n - at;
        Str text = { (const char *)data + at, length };
        at += length + (zero != NULL);
        if (what & 128) st = edition_title(&e, text);
        else st = edition_add(&e, (PartKind)(what % (PART_ROW + 1)),
                              (int)(what / 8 % 6) + 1, text);
    }
    st = edition_finish(&e, &cx, st);
    assert(st == OK);
    ctx_end(&cx);
    return 0;
}
