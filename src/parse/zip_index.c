/* zip_index.c -- see zip_index.h. */
#include "parse/zip_index.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    END = 22, END64 = 56, LOCATOR = 20, RECORD = 46, LOCAL = 30,    // fixed bytes of each
    COMMENT_MAX = 65535, ENTRIES_MAX = 1 << 20,
};
static const uint64_t SEE_64 = 0xFFFFFFFF;      // the value stands in a 64-bit field

/* n bytes at `at` as a number, little-endian; 0 past the end. */
static uint64_t number(Str s, size_t at, size_t n)
{
    uint64_t value = 0;
    if (n > s.n || at > s.n - n) return 0;
    for (size_t i = n; i-- > 0;) value = value << 8 | (unsigned char)s.p[at + i];
    return value;
}

static bool has(Str s, size_t at, const char mark[4])
{
    return s.n >= 4 && at <= s.n - 4 && memcmp(s.p + at, mark, 4) == 0;
}

/* The end record stands before a comment of unknown length. */
static bool find_end(Str zip, size_t *end)
{
    if (zip.n < END) return false;
    size_t least = zip.n > END + COMMENT_MAX ? zip.n - END - COMMENT_MAX : 0;
    for (size_t at = zip.n - END + 1; at-- > least;)
        if (has(zip, at, "PK\5\6")) {
            *end = at;
            return true;
        }
    return false;
}

typedef struct Directory {
    size_t at, end;         // of the records
    uint64_t shift;         // of all offsets: something may stand before the ZIP file
} Directory;

static bool find_directory(Str zip, Directory *d)
{
    size_t end;
    if (!find_end(zip, &end)) return false;
    uint64_t size = number(zip, end + 12, 4), offset = number(zip, end + 16, 4);
    if ((size == SEE_64 || offset == SEE_64) && end >= LOCATOR + END64) {
        uint64_t at = number(zip, end - LOCATOR + 8, 8);
        if (at > zip.n || !has(zip, (size_t)at, "PK\6\6")) return false;
        size = number(zip, (size_t)at + 40, 8);
        offset = number(zip, (size_t)at + 48, 8);
        end = (size_t)at;
    }
    if (size > end || offset > end - size) return false;
    *d = (Directory){ .at = end - (size_t)size, .end = end,
                      .shift = end - size - offset };
    return true;
}

/* The offset of 8 bytes in the record's extra field 1, behind the sizes that it also
 * holds. */
static uint64_t offset_64(Str zip, size_t record, size_t extra, size_t n)
{
    size_t skip = (number(zip, record + 24, 4) == SEE_64) * 8u +
                  (number(zip, record + 20, 4) == SEE_64) * 8u;
    for (size_t at = extra; at + 4 <= extra + n;) {
        size_t length = (size_t)number(zip, at + 2, 2);
        if (number(zip, at, 2) == 1) return number(zip, at + 4 + skip, 8);
        at += 4 + length;
    }
    return SEE_64;
}

/* The record at `at`; its length, 0 where it is none. */
static size_t read_record(Str zip, const Directory *d, size_t at, ZipEntry *out)
{
    if (!has(zip, at, "PK\1\2") || d->end - at < RECORD) return 0;
    size_t name = (size_t)number(zip, at + 28, 2);
    size_t extra = (size_t)number(zip, at + 30, 2);
    size_t length = RECORD + name + extra + (size_t)number(zip, at + 32, 2);
    uint64_t offset = number(zip, at + 42, 4);
    if (length > d->end - at) return 0;
    if (offset == SEE_64) offset = offset_64(zip, at, at + RECORD + name, extra);
    offset += d->shift;
    bool there = offset < zip.n && has(zip, (size_t)offset, "PK\3\4");
    *out = (ZipEntry){ { zip.p + at + RECORD, there ? name : 0 }, (size_t)offset };
    return length;
}

static int by_name(const void *a, const void *b)
{
    Str x = ((const ZipEntry *)a)->name, y = ((const ZipEntry *)b)->name;
    int order = strncasecmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

Status zip_index(Ctx *cx, Str zip, ZipIndex *out)
{
    Directory d;
    *out = (ZipIndex){ 0 };
    if (!find_directory(zip, &d)) return OK;
    size_t room = (d.end - d.at) / RECORD + 1, length;
    out->at = ctx_new(cx, ZipEntry, room < ENTRIES_MAX ? room : ENTRIES_MAX);
    TRY_NEW(out->at);
    for (size_t at = d.at; at < d.end && out->n < ENTRIES_MAX; at += length) {
        length = read_record(zip, &d, at, &out->at[out->n]);
        if (length == 0) break;
        out->n += out->at[out->n].name.n > 0;
    }
    if (out->n) qsort(out->at, out->n, sizeof *out->at, by_name);
    return OK;
}

const ZipEntry *zip_find(const ZipIndex *z, Str name)
{
    ZipEntry wanted = { .name = name };
    if (z->n == 0 || name.n == 0) return NULL;
    return bsearch(&wanted, z->at, z->n, sizeof *z->at, by_name);
}
