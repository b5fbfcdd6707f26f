/* A model that says whatever it may, led by foreign bytes: every quotation stands in the
 * passage, and there is always something that may be said. */
#include "ask/quote.h"

#include <assert.h>
#include <string.h>

enum { PASSAGE_MOST = 512 };

/* The byte nearest above `wish` that may be said, after some that are half said. */
static int byte_after(const Quoter *q, const char *half, size_t n, uint8_t wish)
{
    char bytes[8];
    memcpy(bytes, half, n);
    for (int i = 0; i < 256; i++) {
        bytes[n] = (char)(wish + i);
        if (quoter_allows(q, (Str){ bytes, n + 1 })) return (uint8_t)(wish + i);
    }
    return -1;
}

/* Bytes that the character behind its first one has. */
static size_t tail_of(int lead)
{
    return lead < 0xC2 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : lead < 0xF5 ? 3 : 0;
}

/* The words of each stand in the passage, where it says, and in the answer. */
static void check(Str passage, Str answer, const Quotes *got)
{
    for (size_t i = 0; i < got->n; i++) {
        const Quote *x = &got->at[i];
        assert(x->end <= passage.n && x->end - x->start == x->text.n);
        assert(!memcmp(passage.p + x->start, x->text.p, x->text.n));
        assert(memmem(answer.p, answer.n, x->text.p, x->text.n));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Quoter *q;
    Quotes got;
    size_t half = n / 2 < PASSAGE_MOST ? n / 2 : PASSAGE_MOST;
    Str text = { (const char *)data, half };
    Passage p = { .chunk = { .text = text, .end = half } };
    Passages ps = { &p, 1, 0, 0 };
    Buf said = BUF(1 << 16);
    if (quoter_open(&cx, &ps, n % 2, &q) != OK) goto done;
    for (size_t i = half; i < n; i++) {
        char c[4];
        int byte = byte_after(q, c, 0, data[i]);
        assert(byte >= 0);
        size_t size = 1, whole = 1 + tail_of(byte);
        for (c[0] = (char)byte; size < whole; size++) {
            byte = byte_after(q, c, size, (uint8_t)(0x80 | (data[i] & 0x3F)));
            if (byte < 0x80 || byte > 0xBF) break;
            c[size] = (char)byte;
        }
        buf_add(&said, quoter_feed(q, (Str){ c, size }));
    }
    buf_add(&said, quoter_finish(q));
    if (quoter_find(&cx, q, buf_str(&said), &got) != OK) goto done;
    check(text, buf_str(&said), &got);
    Str rest = { text.p + half, n - half };
    if (quoter_copied(&cx, q, rest, &got) == OK) check(text, rest, &got);
done:
    quoter_close(q);
    buf_free(&said);
    ctx_end(&cx);
    return 0;
}
