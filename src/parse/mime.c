/* mime.c -- see mime.h. */
#include "parse/mime.h"

#include "parse/charset.h"
#include "parse/parts.h"

#include <stdio.h>
#include <string.h>

enum { FIELD_BYTES = 64 << 10, SECTIONS = 64 };

/* ---- fields ------------------------------------------------------------------------ */

Str mime_head(Str entity, Str *body)
{
    size_t next = 0, at = 0;
    for (; at < entity.n; at = next)
        if (line_at(entity, at, &next).n == 0) break;
    *body = (Str){ entity.p + (at < entity.n ? next : entity.n),
                   entity.n - (at < entity.n ? next : entity.n) };
    return (Str){ entity.p, at < entity.n ? at : entity.n };
}

static bool begins_field(Str line, Str name)
{
    return line.n > name.n && line.p[name.n] == ':' &&
           str_ieq((Str){ line.p, name.n }, name);
}

static bool is_folded(Str line)
{
    return line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
}

Str mime_field(Ctx *cx, Str head, Str name)
{
    Buf b = BUF(FIELD_BYTES);
    bool inside = false, done = false;
    size_t next = 0;
    for (size_t at = 0; at < head.n && !done; at = next) {
        Str line = line_at(head, at, &next);
        if (inside && !is_folded(line)) done = true;
        else if (inside) buf_add(&b, line);
        else if (begins_field(line, name)) {
            inside = true;
            buf_add(&b, (Str){ line.p + name.n + 1, line.n - name.n - 1 });
        }
    }
    Str value = ctx_dup_buf(cx, &b);
    buf_free(&b);
    return str_trim(value);
}

Str mime_first(Str value)
{
    const char *end = value.n ? memchr(value.p, ';', value.n) : NULL;
    return str_trim((Str){ value.p, end ? (size_t)(end - value.p) : value.n });
}

/* ---- encodings --------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte written as two hex digits at s[i], -1 where it is none. */
static int hex_byte(Str s, size_t i)
{
    if (i + 1 >= s.n || hex(s.p[i]) < 0 || hex(s.p[i + 1]) < 0) return -1;
    return hex(s.p[i]) * 16 + hex(s.p[i + 1]);
}

/* RFC 2045, 6.7; in a header '_' is a space (RFC 2047, 4.2). */
static Str from_quoted(Ctx *cx, Str s, bool header)
{
    char *to = ctx_new(cx, char, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; to && i < s.n; i++) {
        int byte = s.p[i] == '=' ? hex_byte(s, i + 1) : -1;
        bool soft = s.p[i] == '=' && byte < 0 && !header;
        if (byte >= 0) to[n++] = (char)byte, i += 2;
        else if (soft && i + 1 < s.n && s.p[i + 1] == '\n') i++;
        else if (soft && i + 2 < s.n && s.p[i + 1] == '\r' && s.p[i + 2] == '\n') i += 2;
        else to[n++] = header && s.p[i] == '_' ? ' ' : s.p[i];
    }
    return (Str){ to, n };
}

static int six_bits(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 2045, 6.8: what is no digit does not count, '=' ends a piece. */
static Str from_base64(Ctx *cx, Str s)
{
    char *to = ctx_new(cx, char, s.n / 4 * 3 + 4);
    size_t n = 0;
    unsigned bits = 0;
    int held = 0;
    for (size_t i = 0; to && i < s.n; i++) {
        int six = six_bits(s.p[i]);
        if (s.p[i] == '=') held = 0;
        if (six < 0) continue;
        bits = bits << 6 | (unsigned)six;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        to[n++] = (char)(bits >> held);
    }
    return (Str){ to, n };
}

Str mime_decode(Ctx *cx, Str body, Str encoding)
{
    encoding = mime_first(encoding);
    if (str_ieq(encoding, STR("base64"))) return from_base64(cx, body);
    if (str_ieq(encoding, STR("quoted-printable"))) return from_quoted(cx, body, false);
    return body;
}

/* ---- words of other charsets ------------------------------------------------------- */

/* Bytes in a charset of that name to UTF-8; as they are where that does not go. */
static Str in_utf8(Ctx *cx, Str charset, Str bytes)
{
    Str out = bytes;
    if (bytes.p && charset_named(cx, charset, bytes, &out) != OK) {
        if (cx->status == E_MEMORY) return (Str){ NULL, 0 };
        ctx_forgive(cx);
    }
    return out;
}

typedef struct Encoded {
    Str charset, text;
    char encoding;          // 'B' or 'Q'
    size_t n;               // bytes of it all
} Encoded;

/* "=?utf-8?Q?gr=C3=BCn?=" at the front of s. A language behind the charset is dropped. */
static bool read_encoded(Str s, Encoded *out)
{
    if (!str_starts(s, STR("=?"))) return false;
    const char *end = s.p + s.n, *one = memchr(s.p + 2, '?', s.n - 2);
    if (!one || end - one < 4 || one[2] != '?') return false;
    const char *text = one + 3, *close = memmem(text, (size_t)(end - text), "?=", 2);
    if (!close) return false;
    Str charset = { s.p + 2, (size_t)(one - s.p) - 2 };
    const char *star = memchr(charset.p, '*', charset.n);
    if (star) charset.n = (size_t)(star - charset.p);
    *out = (Encoded){ charset, { text, (size_t)(close - text) }, (char)(one[1] & ~32),
                      (size_t)(close + 2 - s.p) };
    return out->encoding == 'B' || out->encoding == 'Q';
}

/* White space between two encoded words is none (RFC 2047, 6.2). */
static bool only_space(Str s, size_t from, size_t to)
{
    return str_trim((Str){ s.p + from, to - from }).n == 0;
}

Str mime_words(Ctx *cx, Str value)
{
    Buf b = BUF(4 * FIELD_BYTES);
    size_t plain = 0;           // from here on nothing was written
    bool decoded = false;
    for (size_t i = 0; i < value.n;) {
        Encoded e;
        if (!read_encoded((Str){ value.p + i, value.n - i }, &e)) {
            i++;
            continue;
        }
        if (!decoded || !only_space(value, plain, i))
            buf_add(&b, in_utf8(cx, STR(""), (Str){ value.p + plain, i - plain }));
        Str bytes = e.encoding == 'B' ? from_base64(cx, e.text)
                                      : from_quoted(cx, e.text, true);
        Str text = in_utf8(cx, e.charset, bytes);
        buf_add(&b, text);
        plain = i += e.n;
        decoded = true;
    }
    buf_add(&b, in_utf8(cx, STR(""), (Str){ value.p + plain, value.n - plain }));
    bool cut = b.failed && !b.starved;
    Str out = cut ? ctx_dup(cx, value) : ctx_dup_buf(cx, &b);
    buf_free(&b);
    return cx->status == E_MEMORY ? (Str){ NULL, 0 } : out;
}

/* ---- parameters -------------------------------------------------------------------- */

/* The value at s[i], a quoted string or a token, into b; returns where it ends. */
static size_t read_value(Str s, size_t i, Buf *b)
{
    if (i < s.n && s.p[i] == '"') {
        for (i++; i < s.n && s.p[i] != '"'; i++) {
            if (s.p[i] == '\\' && i + 1 < s.n) i++;
            buf_add(b, (Str){ s.p + i, 1 });
        }
        return i < s.n ? i + 1 : i;
    }
    for (; i < s.n && s.p[i] != ';' && s.p[i] != ' ' && s.p[i] != '\t'; i++)
        buf_add(b, (Str){ s.p + i, 1 });
    return i;
}

/* The value of the parameter written exactly as `name` into b, which is emptied. */
static bool find_parameter(Str value, const char *name, Buf *b)
{
    for (size_t i = 0; i < value.n;) {
        while (i < value.n && value.p[i] != ';') {
            if (value.p[i] != '"') i++;
            else i = read_value(value, i, b);
        }
        b->n = 0;
        for (i++; i < value.n && (value.p[i] == ' ' || value.p[i] == '\t');) i++;
        size_t from = i;
        while (i < value.n && value.p[i] != '=' && value.p[i] != ';') i++;
        if (i >= value.n || value.p[i] != '=') continue;
        Str found = str_trim((Str){ value.p + from, i - from });
        for (i++; i < value.n && value.p[i] == ' ';) i++;
        i = read_value(value, i, b);
        if (str_ieq(found, str_z(name))) return true;
    }
    b->n = 0;
    return false;
}

static void decode_percent(Buf *b)
{
    size_t n = 0;
    Str s = buf_str(b);
    for (size_t i = 0; i < s.n; i++) {
        int byte = s.p[i] == '%' ? hex_byte(s, i + 1) : -1;
        b->p[n++] = byte >= 0 ? (char)byte : s.p[i];
        if (byte >= 0) i += 2;
    }
    if (b->p) b->n = n;
}

/* "utf-8'en'%E2%82%AC": charset, language and text; in sections name*0*, name*1 ... */
static Str extended(Ctx *cx, Str value, Str name, Buf *one, Buf *all)
{
    char key[80];
    bool coded = false;
    for (int i = -1; i < SECTIONS; i++) {
        if (i < 0) snprintf(key, sizeof key, "%.*s*", (int)name.n, name.p);
        else snprintf(key, sizeof key, "%.*s*%d*", (int)name.n, name.p, i);
        bool found = find_parameter(value, key, one);
        coded |= found;
        if (!found && i >= 0) {
            key[strlen(key) - 1] = '\0';
            found = find_parameter(value, key, one);
        }
        if (!found && i >= 0) break;
        buf_add(all, buf_str(one));
        if (found && i < 0) break;
    }
    Str text = buf_str(all), charset = { "", 0 };
    const char *quote = coded && text.n ? memchr(text.p, '\'', text.n) : NULL;
    size_t head = quote ? (size_t)(quote - text.p) : 0;
    if (quote) charset = ctx_dup(cx, (Str){ text.p, head });
    const char *second = quote ? memchr(quote + 1, '\'', text.n - head - 1) : NULL;
    size_t skip = second ? (size_t)(second - text.p) + 1 : 0;
    if (coded) decode_percent(all);
    text = buf_str(all);
    if (skip > text.n) skip = 0;
    return in_utf8(cx, charset, ctx_dup(cx, (Str){ text.p + skip, text.n - skip }));
}

Str mime_parameter(Ctx *cx, Str value, Str name)
{
    char key[64];
    Buf one = BUF(FIELD_BYTES), all = BUF(FIELD_BYTES);
    Str out;
    snprintf(key, sizeof key, "%.*s", (int)name.n, name.p);
    if (find_parameter(value, key, &one)) {
        out = ctx_dup_buf(cx, &one);
        if (out.p) out = mime_words(cx, out);
    } else out = extended(cx, value, name, &one, &all);
    if (one.starved || all.starved) out = ctx_dup_buf(cx, one.starved ? &one : &all);
    buf_free(&one);
    buf_free(&all);
    return out;
}

/* ---- parts ------------------------------------------------------------------------- */

/* 1: a part begins behind this line; 2: it was the last. 0: neither. */
static int delimiter(Str line, Str boundary)
{
    if (!str_starts(line, STR("--"))) return 0;
    Str rest = { line.p + 2, line.n - 2 };
    if (boundary.n == 0 || !str_starts(rest, boundary)) return 0;
    rest = (Str){ rest.p + boundary.n, rest.n - boundary.n };
    if (str_starts(rest, STR("--"))) return 2;
    return str_trim(rest).n == 0;
}

bool mime_next(Str body, Str boundary, size_t *at, Str *part)
{
    size_t next = *at, begin = body.n;
    for (size_t i = *at; i < body.n; i = next) {
        int d = delimiter(line_at(body, i, &next), boundary);
        if (d == 2 && begin == body.n) break;
        if (d && begin < body.n) {
            *part = (Str){ body.p + begin, i - begin };
            *at = i;
            return true;
        }
        if (d) begin = next;
    }
    *at = body.n;
    *part = (Str){ body.p + begin, body.n - begin };
    return begin < body.n;
}
