/* charset.h -- bytes of an unknown file to UTF-8, or the verdict that they are no text.
 *
 * In this order: a byte order mark; valid UTF-8; UTF-16 without a mark, by where its zero
 * bytes stand; what an HTML page says of itself; ICU's detector. Bytes that the charset
 * found does not explain become U+FFFD. */
#ifndef PITH_PARSE_CHARSET_H
#define PITH_PARSE_CHARSET_H

#include "base/ctx.h"

/* How much of a file's front tells text from binary. */
enum { CHARSET_HEAD = 8192 };

/* Do these first bytes of a file look like no text: zero bytes that are no UTF-16, more
 * than a tenth control characters (a fiftieth of what is no UTF-8), or a known signature
 * (PDF, ZIP, ...)? */
bool charset_is_binary(Str head);

/* *out is bytes itself where that is UTF-8 already, else made in the arena. A byte order
 * mark stays, as U+FEFF. Zero bytes become spaces.
 * E_FORMAT: no text. E_LIMIT: 512 MiB or more in another charset. */
MUST_USE Status charset_utf8(Ctx *cx, Str bytes, Str *out);

/* The same for bytes whose charset was named elsewhere: by a mail, say. What is UTF-8
 * anyway, or in a charset that is not known, goes to charset_utf8. */
MUST_USE Status charset_named(Ctx *cx, Str name, Str bytes, Str *out);

/* How the bytes of a large text become UTF-8, found from all of them: so that it can be
 * read window by window. */
typedef struct Charset {
    char name[64];      // of ICU; "" where it is UTF-8
    bool broken;        // UTF-8 with bytes that are none
    bool wide;          // UTF-16 or UTF-32: a line break is not the byte 10
} Charset;
/* E_FORMAT: no text. E_CANCELLED. */
MUST_USE Status charset_find(Ctx *cx, Str bytes, Charset *out);
/* *out is bytes itself where nothing is to be done, else made in the arena. */
MUST_USE Status charset_convert(Ctx *cx, const Charset *c, Str bytes, Str *out);

/* The length of the UTF-8 character at the front of s, 0 where there is none. Overlong
 * forms, surrogates and what is past U+10FFFF are none (RFC 3629, section 4). */
size_t charset_character(Str s);
/* Bytes of s that are no part of a UTF-8 character (RFC 3629). */
size_t charset_invalid(Str s);

#endif
