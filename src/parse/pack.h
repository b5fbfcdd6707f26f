/* pack.h -- the members of an archive that lies in memory: ZIP, or tar in its wrappings.
 *
 * The size that an archive states is not believed: bytes are counted as they come, and
 * more than a GiB in all, or above 64 MiB more than a hundred times the file's own size,
 * is a bomb (E_LIMIT), archives in archives counted together. Members are read one
 * at a time and never written anywhere. */
#ifndef PITH_PARSE_PACK_H
#define PITH_PARSE_PACK_H

#include "base/ctx.h"
#include "parse/parse.h"
#include "parse/xml.h"
#include "parse/zip_index.h"

enum { PACK_MEMBERS = 65536 };          // more are not read
enum { PACK_MEMBER_MAX = 128 << 20 };   // bytes of one in memory

typedef enum PackForm { PACK_ZIP, PACK_ANY } PackForm;

typedef struct Pack {
    Ctx *cx;
    Str bytes;                  // of the archive; borrowed
    PackForm form;
    struct archive *a;
    struct archive_entry *e;    // the member that is read next
    Unpacked *unpacked;         // its own, or that of the file around it
    Unpacked own;
    size_t headers;             // looked at so far
    ZipIndex index;             // of a ZIP file
} Pack;

/* E_FORMAT: no such archive. pack_close is to be called in any case. */
MUST_USE Status pack_open(Ctx *cx, const Input *in, PackForm form, Pack *out);
void pack_close(Pack *p);

/* Goes to the next regular file. *name lives until the next step. E_NOTFOUND: no more,
 * which is not recorded in the Ctx. E_FORMAT: damaged, or encrypted. E_LIMIT. */
MUST_USE Status pack_next(Pack *p, Str *name);
/* Goes to a member of a ZIP file by its name, in any case of letters. E_NOTFOUND as
 * above. */
MUST_USE Status pack_find(Pack *p, Str name);
/* The member's bytes into b, which is emptied; at most PACK_MEMBER_MAX (E_LIMIT). */
MUST_USE Status pack_bytes(Pack *p, Buf *b);
/* A member by its name as events. E_NOTFOUND as above; E_FORMAT: it is no XML. */
MUST_USE Status pack_xml(Pack *p, Str name, const XmlEvents *events, void *arg);

#endif
