/* A stream of events is the same, however its bytes are cut. */
#include "model/sse.h"

#include <assert.h>
#include <string.h>

static Status collect(void *arg, Str data)
{
    buf_add(arg, STR("|"));
    buf_add(arg, data);
    return OK;
}

static Status parse(Ctx *cx, Str all, size_t piece, Buf *out)
{
    Sse s = sse_open(256, collect, out);
    Status st = OK;
    for (size_t i = 0; i < all.n && st == OK; i += piece)
        st = sse_feed(cx, &s, (Str){ all.p + i, all.n - i < piece ? all.n - i : piece });
    sse_close(&s);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Buf whole = BUF(2 * n + 1), bytes = BUF(2 * n + 1);
    Str all = { (const char *)data, n };
    Status a = parse(&cx, all, n + 1, &whole);
    ctx_forgive(&cx);
    Status b = parse(&cx, all, 1, &bytes);
    assert(a == b);
    assert(str_eq(buf_str(&whole), buf_str(&bytes)));
    buf_free(&whole);
    buf_free(&bytes);
    ctx_end(&cx);
    return 0;
}
