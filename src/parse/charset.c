/* charset.c -- see charset.h. */
#include "parse/charset.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

enum {
    SAMPLE = 65536,             // bytes that the detector sees
    META = 4096,                // bytes in which a page may name its charset
    GOOD_PER_BAD = 16,          // characters for each bad byte that make UTF-8 likely
    CONTROL_MIN = 2,            // characters: old texts end in one
};

/* ---- UTF-8 ------------------------------------------------------------------------- */

static size_t character(const unsigned char *p, size_t n)
{
    unsigned char c = p[0], low = 0x80, high = 0xBF;
    size_t len = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3
               : c < 0xF5 ? 4 : 0;
    if (c == 0xE0) low = 0xA0;
    if (c == 0xED) high = 0x9F;
    if (c == 0xF0) low = 0x90;
    if (c == 0xF4) high = 0x8F;
    if (len == 0 || len > n) return 0;
    if (len > 1 && (p[1] < low || p[1] > high)) return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return len;
}

/* Bytes at the front of s that are ASCII, eight at a time. */
static size_t ascii_length(const unsigned char *p, size_t n)
{
    size_t i = 0;
    for (uint64_t w; i + 8 <= n; i += 8) {
        memcpy(&w, p + i, 8);
        if (w & UINT64_C(0x8080808080808080)) break;
    }
    while (i < n && p[i] < 0x80) i++;
    return i;
}

typedef struct Census {
    size_t bad;         // bytes
    size_t wide;        // characters of more than a byte
    size_t first_wide;  // where the first byte over 0x7F stands
} Census;

static Census census(Str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    Census c = { .first_wide = s.n };
    for (size_t i = 0; i < s.n;) {
        i += ascii_length(p + i, s.n - i);
        if (i == s.n) break;
        if (c.first_wide == s.n) c.first_wide = i;
        size_t len = character(p + i, s.n - i);
        if (len) c.wide++;
        else c.bad++;
        i += len ? len : 1;
    }
    return c;
}

size_t charset_character(Str s)
{
    return s.n ? character((const unsigned char *)s.p, s.n) : 0;
}

size_t charset_invalid(Str s)
{
    return census(s).bad;
}

/* A copy in which each bad byte is U+FFFD. */
static Status mend(Ctx *cx, Str s, size_t bad, Str *out)
{
    const unsigned char *p = (const unsigned char *)s.p;
    char *to = ctx_new(cx, char, s.n + 2 * bad + 1);
    size_t n = 0;
    TRY_NEW(to);
    for (size_t i = 0; i < s.n;) {
        size_t len = character(p + i, s.n - i);
        memcpy(to + n, len ? s.p + i : "\xEF\xBF\xBD", len ? len : 3);
        n += len ? len : 3;
        i += len ? len : 1;
    }
    *out = (Str){ to, n };
    return OK;
}

/* ---- text or not ------------------------------------------------------------------- */

static const struct { Str mark; const char *charset; } marks[] = {
    { { "\xFF\xFE\0\0", 4 }, "UTF-32LE" }, { { "\0\0\xFE\xFF", 4 }, "UTF-32BE" },
    { { "\xFF\xFE", 2 }, "UTF-16LE" }, { { "\xFE\xFF", 2 }, "UTF-16BE" },
};

static const char *marked(Str s)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (str_starts(s, marks[i].mark)) return marks[i].charset;
    return NULL;
}

/* UTF-16 of mostly Latin text has a zero in every second byte. */
static const char *unmarked_utf16(Str head)
{
    size_t zeros[2] = { 0, 0 }, half;
    if (head.n > CHARSET_HEAD) head.n = CHARSET_HEAD;
    half = head.n / 2;
    for (size_t i = 0; i < half * 2; i++) zeros[i & 1] += head.p[i] == 0;
    if (half < 2) return NULL;
    if (zeros[1] * 3 > half && zeros[0] * 50 < half) return "UTF-16LE";
    if (zeros[0] * 3 > half && zeros[1] * 50 < half) return "UTF-16BE";
    return NULL;
}

static bool is_signed(Str head)
{
    static const Str signatures[] = {
        { "%PDF-", 5 }, { "PK\3\4", 4 }, { "\x89PNG", 4 }, { "\x7F" "ELF", 4 },
        { "\x1F\x8B", 2 }, { "\xFF\xD8\xFF", 3 }, { "GIF8", 4 },
        { "SQLite format 3", 15 },
        { "GGUF", 4 }, { "7z\xBC\xAF", 4 }, { "BZh", 3 }, { "\xFD" "7zXZ", 5 },
        { "%!PS", 4 }, { "{\\rtf", 5 }, { "\xD0\xCF\x11\xE0", 4 },
    };
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (str_starts(head, signatures[i])) return true;
    return false;
}

/* Few of its bytes are no part of a character; plain ASCII is, too. */
static bool is_utf8(const Census *c)
{
    return c->bad == 0 || c->wide >= c->bad * GOOD_PER_BAD;
}

/* A tenth of control characters is binary; of what is no UTF-8 a fiftieth, for no charset
 * of text has them, and of random bytes they are a tenth. */
bool charset_is_binary(Str head)
{
    size_t control = 0, zero = 0;
    if (head.n > CHARSET_HEAD) head.n = CHARSET_HEAD;
    if (marked(head)) return false;
    if (is_signed(head)) return true;
    for (size_t i = 0; i < head.n; i++) {
        unsigned char c = (unsigned char)head.p[i];
        zero += c == 0;
        control += (c < ' ' && !(c >= '\b' && c <= '\r') && c != 0x1B) || c == 0x7F;
    }
    if (zero) return unmarked_utf16(head) == NULL;
    if (control * 10 > head.n) return true;
    if (control < CONTROL_MIN || control * 50 <= head.n) return false;
    Census c = census(head);
    return !is_utf8(&c);
}

/* ---- other charsets ---------------------------------------------------------------- */

/* The charset that a page names in its <meta>, into name; false where it names none. */
static bool meta_charset(Str s, char name[64])
{
    if (s.n > META) s.n = META;
    for (size_t i = 0; i + 8 < s.n; i++) {
        if (!str_ieq((Str){ s.p + i, 8 }, STR("charset="))) continue;
        size_t from = i + 8, n = 0;
        if (s.p[from] == '"' || s.p[from] == '\'') from++;
        for (; from + n < s.n && n < 63; n++) {
            char c = s.p[from + n];
            if (c <= ' ' || strchr("\"'>;/", c)) break;
            name[n] = c;
        }
        name[n] = '\0';
        return n > 0;
    }
    return false;
}

/* The best of ICU's guesses that is none of the UTFs: those were looked for before, and a
 * stray FF FE in the middle of a text is no mark. NULL where there is none. */
static const char *best_guess(UCharsetDetector *d, UErrorCode *err)
{
    int32_t n = 0;
    const UCharsetMatch **m = ucsdet_detectAll(d, &n, err);
    for (int32_t i = 0; m && U_SUCCESS(*err) && i < n; i++) {
        const char *name = ucsdet_getName(m[i], err);
        if (name && strncmp(name, "UTF-", 4) != 0) return name;
    }
    return NULL;
}

static Status no_memory(Ctx *cx)
{
    return fail(cx, E_MEMORY, "out of memory for a charset");
}

/* ICU's guess over a sample from the first byte that is no ASCII. */
static Status detect(Ctx *cx, Str s, size_t from, char name[64])
{
    UErrorCode err = U_ZERO_ERROR;
    UCharsetDetector *d = ucsdet_open(&err);
    size_t n = s.n - from < SAMPLE ? s.n - from : SAMPLE;
    if (!d || err == U_MEMORY_ALLOCATION_ERROR) return no_memory(cx);
    ucsdet_setText(d, s.p + from, (int32_t)n, &err);
    const char *found = U_SUCCESS(err) ? best_guess(d, &err) : NULL;
    if (!found || U_FAILURE(err) || strlen(found) > 63) found = "windows-1252";
    snprintf(name, 64, "%s", found);
    ucsdet_close(d);
    return err == U_MEMORY_ALLOCATION_ERROR ? no_memory(cx) : OK;
}

static Status convert(Ctx *cx, const char *charset, Str s, Str *out)
{
    UErrorCode err = U_ZERO_ERROR;
    if (s.n >= (size_t)1 << 29)
        return fail(cx, E_LIMIT, "%zu bytes in %s; less than 512 MiB is wanted", s.n,
                    charset);
    UConverter *c = ucnv_open(charset, &err);
    if (err == U_MEMORY_ALLOCATION_ERROR) return no_memory(cx);
    if (U_FAILURE(err)) return fail(cx, E_FORMAT, "the charset %s is not known", charset);
    size_t room = s.n * 3 + 16;     // a byte gives a character of three bytes at most
    char *to = ctx_new(cx, char, room);
    int32_t n = to ? ucnv_toAlgorithmic(UCNV_UTF8, c, to, (int32_t)room, s.p,
                                        (int32_t)s.n, &err) : 0;
    ucnv_close(c);
    if (!to) return E_MEMORY;
    if (err == U_MEMORY_ALLOCATION_ERROR) return no_memory(cx);
    if (U_FAILURE(err)) return fail(cx, E_FORMAT, "no text in the charset %s", charset);
    *out = (Str){ to, (size_t)n };
    return OK;
}

/* The text of one zero byte or more, each made a space. */
static Status without_zeros(Ctx *cx, Str *s)
{
    if (s->n == 0 || !memchr(s->p, 0, s->n)) return OK;
    char *to = ctx_new(cx, char, s->n + 1);
    TRY_NEW(to);
    for (size_t i = 0; i < s->n; i++) to[i] = s->p[i] ? s->p[i] : ' ';
    s->p = to;
    return OK;
}

enum { STEP = 1 << 20 };        // bytes between questions whether to stop

static bool is_inside(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The census of all bytes. A character may lie across the border of two steps. */
static Status count(Ctx *cx, Str s, Census *out)
{
    *out = (Census){ .first_wide = s.n };
    for (size_t at = 0, n; at < s.n; at += n) {
        TRY(ctx_check(cx));
        n = s.n - at < STEP ? s.n - at : STEP;
        while (at + n < s.n && n > STEP - 4 && is_inside(s.p[at + n])) n--;
        Census c = census((Str){ s.p + at, n });
        if (out->first_wide == s.n && c.first_wide < n)
            out->first_wide = at + c.first_wide;
        out->bad += c.bad;
        out->wide += c.wide;
    }
    return OK;
}

Status charset_find(Ctx *cx, Str bytes, Charset *out)
{
    const char *utf = marked(bytes);
    Census c;
    *out = (Charset){ 0 };
    if (charset_is_binary(bytes)) return fail(cx, E_FORMAT, "this is no text");
    if (!utf) utf = unmarked_utf16(bytes);
    if (utf) {
        out->wide = true;
        snprintf(out->name, sizeof out->name, "%s", utf);
        return OK;
    }
    TRY(count(cx, bytes, &c));
    out->broken = c.bad && is_utf8(&c);
    if (c.bad == 0 || out->broken) return OK;
    if (!meta_charset(bytes, out->name) || str_ieq(str_z(out->name), STR("utf-8")))
        return detect(cx, bytes, c.first_wide, out->name);
    return OK;
}

Status charset_convert(Ctx *cx, const Charset *c, Str bytes, Str *out)
{
    *out = bytes;
    if (c->name[0]) TRY(convert(cx, c->name, bytes, out));
    else if (c->broken) TRY(mend(cx, bytes, census(bytes).bad, out));
    return without_zeros(cx, out);
}

Status charset_utf8(Ctx *cx, Str bytes, Str *out)
{
    Charset c;
    *out = bytes;
    TRY(charset_find(cx, bytes, &c));
    return charset_convert(cx, &c, bytes, out);
}

Status charset_named(Ctx *cx, Str name, Str bytes, Str *out)
{
    char z[64];
    UErrorCode err = U_ZERO_ERROR;
    bool named = name.n > 0 && name.n < sizeof z && !str_ieq(name, STR("us-ascii"));
    if (!named || (charset_invalid(bytes) == 0 && !str_starts(name, STR("iso-2022")) &&
                   !str_starts(name, STR("ISO-2022")) && !str_ieq(name, STR("utf-7")) &&
                   !str_ieq(name, STR("hz-gb-2312"))))
        return charset_utf8(cx, bytes, out);
    snprintf(z, sizeof z, "%.*s", (int)name.n, name.p);
    UConverter *known = ucnv_open(z, &err);
    ucnv_close(known);
    if (err == U_MEMORY_ALLOCATION_ERROR) return no_memory(cx);
    if (U_FAILURE(err)) return charset_utf8(cx, bytes, out);
    TRY(convert(cx, z, bytes, out));
    return without_zeros(cx, out);
}
