/* Any bytes as what a model says of a passage, in pieces: every mark points at words
 * that stand in the passage, byte for byte. The front half is the passage, the rest is
 * said. */
#include "ask/cite.h"

#include <assert.h>
#include <string.h>

enum { PASSAGE_MOST = 1024, PIECE = 7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Citer *c = NULL;
    Cited got;
    bool more = true;
    size_t half = n / 2 < PASSAGE_MOST ? n / 2 : PASSAGE_MOST;
    Str text = { (const char *)data, half };
    Passage p = { .chunk = { .text = text, .end = half } };
    Passages ps = { &p, 1, 0, 0 };
    CiteOptions opt = { .hold = n % 3 == 0, .quotes = n % 2 };
    Status st = citer_open(&cx, &ps, STR("Who built it in 1871?"), &opt, &c);
    for (size_t i = half; i < n && st == OK && more; i += PIECE)
        st = citer_feed(c, (Str){ (const char *)data + i, n - i < PIECE ? n - i : PIECE },
                        &more);
    if (st == OK) st = citer_finish(c, &got);
    assert(st == OK || cx.reason[0] != '\0');
    for (size_t i = 0; st == OK && i < got.n; i++) {
        const Citation *x = &got.at[i];
        assert(x->passage == 0 && x->start <= x->end && x->end <= half);
        assert(x->text.n == x->end - x->start);
        assert(memcmp(text.p + x->start, x->text.p, x->text.n) == 0);
        assert(x->support >= 0 && x->support <= 1.001f);
    }
    citer_close(c);
    ctx_end(&cx);
    return 0;
}
