/* Any bytes in any charset: what comes out is UTF-8 without zero bytes, in one piece or
 * when its charset was found before. The first byte chooses a charset that a mail might
 * name. */
#include "parse/charset.h"
#include "parse/kind.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(Str s)
{
    assert(charset_invalid(s) == 0);
    assert(s.n == 0 || !memchr(s.p, 0, s.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const names[] = { "utf-8", "iso-8859-1", "windows-1251", "koi8-r",
        "gb18030", "big5", "shift_jis", "euc-kr", "iso-2022-jp", "utf-7", "utf-16",
        "us-ascii", "hz-gb-2312", "no-such-charset" };
    Ctx cx = CTX_INIT;
    Charset c;
    Str out, again;
    if (n == 0) return 0;
    Str s = { (const char *)data + 1, n - 1 };
    assert(kind_of(STR("a.txt"), s) < KINDS && kind_of(STR(""), s) < KINDS);
    charset_is_binary(s);
    if (charset_utf8(&cx, s, &out) == OK) {
        check(out);
        assert(charset_find(&cx, s, &c) == OK);
        assert(charset_convert(&cx, &c, s, &again) == OK && str_eq(out, again));
    }
    ctx_forgive(&cx);
    Str name = str_z(names[data[0] % (sizeof names / sizeof *names)]);
    if (charset_named(&cx, name, s, &out) == OK) check(out);
    else assert(cx.reason[0] != '\0');
    ctx_end(&cx);
    return 0;
}
