/* json.c -- JSON and JSON Lines (RFC 8259) as records of "path.to.key: value".
 *
 * A record is an element of the outermost array, a value on the top level (a line of JSON
 * Lines, say), or a member of the top object that is itself made of members. No tree is
 * built: the file is read once from front to back, so that its size does not matter and
 * every value is known by its place. What breaks the grammar is passed over. */
#include "parse/charset.h"
#include "parse/parse.h"
#include "parse/record.h"

#include <string.h>

enum { DEPTH_MAX = 64, PATH_BYTES = 1000, RECORD_BYTES = 2000, STRING_BYTES = 16 << 20 };

typedef struct Json {
    Str s;
    size_t at;
    int depth, arrays;      // open; of arrays, the outermost counts
    Buf path, last;         // of the value in work; of the value before it
    Buf value;              // a string without its escapes
    Record out;
} Json;

static Status read_value(Json *j);

/* ---- tokens ------------------------------------------------------------------------ */

static char peek(Json *j)
{
    while (j->at < j->s.n && strchr(" \t\r\n", j->s.p[j->at])) j->at++;
    return j->at < j->s.n ? j->s.p[j->at] : '\0';
}

/* Four hex digits behind \u, -1 where they are none. */
static long code_unit(Str s, size_t at)
{
    long value = 0;
    if (at + 4 > s.n) return -1;
    for (size_t i = at; i < at + 4; i++) {
        char c = s.p[i], low = (char)(c | 32);
        if (c >= '0' && c <= '9') value = value * 16 + (c - '0');
        else if (low >= 'a' && low <= 'f') value = value * 16 + (low - 'a' + 10);
        else return -1;
    }
    return value;
}

static void put_character(Buf *b, long c)
{
    char to[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = n; i-- > 1; c >>= 6) to[i] = (char)(0x80 | (c & 0x3F));
    to[0] = (char)(lead[n] | c);
    buf_add(b, (Str){ to, n });
}

/* The escape at s[at], a '\'; returns its bytes. */
static size_t put_escape(Buf *b, Str s, size_t at)
{
    char c = at + 1 < s.n ? s.p[at + 1] : '\\';
    if (c != 'u') {
        buf_add(b, strchr("nrtbf", c) ? STR(" ") : (Str){ s.p + at + (at + 1 < s.n), 1 });
        return 2;
    }
    long high = code_unit(s, at + 2);
    if (high < 0) return 2;
    bool pair = high >= 0xD800 && high < 0xDC00 && at + 7 < s.n && s.p[at + 6] == '\\';
    long low = pair ? code_unit(s, at + 8) : -1;
    if (low >= 0xDC00 && low < 0xE000) {
        put_character(b, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
        return 12;
    }
    put_character(b, high >= 0xD800 && high < 0xE000 ? 0xFFFD : high);
    return 6;
}

/* The string that begins at j->at, with where its inside stands. */
static Str read_string(Json *j, size_t *at, size_t *n)
{
    size_t i = *at = j->at + 1;
    bool escaped = false;
    while (i < j->s.n && j->s.p[i] != '"') {
        escaped |= j->s.p[i] == '\\';
        i += j->s.p[i] == '\\' ? 2 : 1;
    }
    if (i > j->s.n) i = j->s.n;
    Str raw = { j->s.p + *at, i - *at };
    *n = raw.n;
    j->at = i < j->s.n ? i + 1 : i;
    if (!escaped) return raw;
    j->value.n = 0;
    for (size_t k = 0; k < raw.n;) {
        if (raw.p[k] == '\\') k += put_escape(&j->value, raw, k);
        else buf_add(&j->value, (Str){ raw.p + k++, 1 });
    }
    return j->value.failed ? raw : buf_str(&j->value);
}

static Str read_bare(Json *j)
{
    size_t from = j->at;
    while (j->at < j->s.n && !strchr(" \t\r\n,]}[{\"", j->s.p[j->at])) j->at++;
    if (j->at == from && from < j->s.n) j->at++;
    return (Str){ j->s.p + from, j->at - from };
}

/* ---- values ------------------------------------------------------------------------ */

/* "path: value", or ", value" behind one of the same path. */
static Status add_leaf(Json *j, Str text, size_t at, size_t n)
{
    Record *out = &j->out;
    if (str_trim(text).n == 0 || str_eq(text, STR("null"))) return OK;
    bool full = out->text.n > RECORD_BYTES;
    if (full) TRY(record_end(out));
    bool again = out->text.n && str_eq(buf_str(&j->last), buf_str(&j->path));
    if (out->text.n) record_name(out, again ? STR(", ") : STR(" | "));
    if (!again && j->path.n) {
        record_name(out, buf_str(&j->path));
        record_name(out, STR(": "));
    }
    j->last.n = 0;
    buf_add(&j->last, buf_str(&j->path));
    return record_value(out, text, at, n);
}

static void enter(Json *j, Str key)
{
    if (j->path.n + key.n + 1 > PATH_BYTES) return;
    if (j->path.n) buf_add(&j->path, STR("."));
    buf_add(&j->path, key);
}

static Status read_member(Json *j)
{
    size_t at, n, before = j->path.n;
    enter(j, read_string(j, &at, &n));
    if (peek(j) == ':') j->at++;
    char c = peek(j);
    bool made_of = c == '{' || c == '[';
    if (c != '}' && c != ',' && c != ']') TRY(read_value(j));
    j->path.n = before;
    bool top = j->depth == 1 && j->arrays == 0 && made_of;
    return top ? record_end(&j->out) : OK;
}

static Status read_members(Json *j)
{
    for (j->at++;;) {
        char c = peek(j);
        if (j->at >= j->s.n) return OK;
        if (c == '"') {
            TRY(read_member(j));
            continue;
        }
        j->at++;
        if (c == '}' || c == ']') return OK;
    }
}

static Status read_elements(Json *j)
{
    j->arrays++;
    for (j->at++;;) {
        char c = peek(j);
        if (j->at >= j->s.n) break;
        if (c == ']' || c == '}' || c == ',') j->at++;
        if (c == ']' || c == '}') break;
        if (c == ',') continue;
        bool made_of = c == '{' || c == '[';
        TRY(read_value(j));
        if (j->arrays == 1 && made_of) TRY(record_end(&j->out));
    }
    j->arrays--;
    return OK;
}

/* What lies deeper than anybody writes is passed over. */
static void skip_nested(Json *j)
{
    int open = 0;
    size_t at, n;
    do {
        char c = peek(j);
        if (c == '"') read_string(j, &at, &n);
        else j->at++;
        open += (c == '{' || c == '[') - (c == '}' || c == ']');
    } while (open > 0 && j->at < j->s.n);
}

static Status read_value(Json *j)
{
    char c = peek(j);
    size_t at, n;
    Status st = OK;
    if (c == '"') {
        Str text = read_string(j, &at, &n);
        return add_leaf(j, text, at, n);
    }
    if (c != '{' && c != '[') {
        Str text = read_bare(j);
        return add_leaf(j, text, (size_t)(text.p - j->s.p), text.n);
    }
    if (j->depth == DEPTH_MAX) {
        skip_nested(j);
        return OK;
    }
    j->depth++;
    st = c == '{' ? read_members(j) : read_elements(j);
    j->depth--;
    return st;
}

static Status read_all(Json *j)
{
    j->at = mark_length(j->s);
    while (peek(j), j->at < j->s.n) {
        TRY(read_value(j));
        TRY(record_end(&j->out));
    }
    return OK;
}

Status json_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Json j = { .path = BUF(PATH_BYTES + 1), .last = BUF(PATH_BYTES + 1),
               .value = BUF(STRING_BYTES) };
    TRY(charset_utf8(cx, in->bytes, &j.s));
    record_open(&j.out, cx, j.s, to);
    Status st = record_close(&j.out, cx, read_all(&j));
    bool starved = j.path.starved || j.last.starved || j.value.starved;
    if (st == OK && starved) st = fail(cx, E_MEMORY, "out of memory for a record");
    buf_free(&j.path);
    buf_free(&j.last);
    buf_free(&j.value);
    return st;
}
