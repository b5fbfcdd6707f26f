/* zip_index.h -- where the members of a ZIP file begin, by name.
 *
 * libarchive reads a file from front to back. An Office file's members name each other in
 * any order, and looking each up that way costs the square of their number; so their
 * places are taken from the central directory (APPNOTE.TXT 6.3, 4.3.12), once. */
#ifndef PITH_PARSE_ZIP_INDEX_H
#define PITH_PARSE_ZIP_INDEX_H

#include "base/ctx.h"

typedef struct ZipEntry {
    Str name;               // in the file
    size_t at;              // of its local header
} ZipEntry;

typedef struct ZipIndex {
    ZipEntry *at;           // in the arena, by name without regard to case
    size_t n;
} ZipIndex;

/* What the central directory says, as far as it holds: nothing of it is believed that
 * does not point at a local header. None where there is no directory. E_MEMORY. */
MUST_USE Status zip_index(Ctx *cx, Str zip, ZipIndex *out);
/* Case is ignored. NULL where it has no such member. */
const ZipEntry *zip_find(const ZipIndex *z, Str name);

#endif
