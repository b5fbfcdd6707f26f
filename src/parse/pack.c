/* pack.c -- see pack.h. libarchive does the reading; filters that would start another
 * program are not asked for. */
#include "parse/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

static const uint64_t ALL_MAX = (uint64_t)1 << 30, FREE_MAX = (uint64_t)64 << 20;
enum { RATIO_MAX = 100, HEADERS_MAX = 1 << 20 };

/* What libarchive has no memory for it tells by a number, by a decompressor that could
 * not be initialized, or, of a member that the index leads to, by nothing. */
static Status damaged(Pack *p)
{
    const char *why = archive_error_string(p->a);
    bool mute = !why && p->form == PACK_ZIP;
    if (archive_errno(p->a) == ENOMEM || mute || (why && strstr(why, "initialize")))
        return fail(p->cx, E_MEMORY, "out of memory for an archive");
    return fail(p->cx, E_FORMAT, "damaged archive: %s", why ? why : "it cannot be read");
}

/* A reader of the bytes from `at` on, where a member of a ZIP file begins, or of all. */
static Status begin(Pack *p, size_t at, bool one)
{
    if (p->a) archive_read_free(p->a);
    p->a = archive_read_new();
    if (!p->a) return fail(p->cx, E_MEMORY, "out of memory for an archive");
    int rc = ARCHIVE_OK;
    if (!one) rc |= archive_read_support_format_zip_seekable(p->a);
    if (one || p->form == PACK_ANY)
        rc |= archive_read_support_format_zip_streamable(p->a);
    if (p->form == PACK_ANY) {
        rc |= archive_read_support_format_tar(p->a);
        rc |= archive_read_support_format_raw(p->a);
        rc |= archive_read_support_filter_gzip(p->a);
        rc |= archive_read_support_filter_bzip2(p->a);
        rc |= archive_read_support_filter_xz(p->a);
        rc |= archive_read_support_filter_zstd(p->a);
    }
    if (rc != ARCHIVE_OK) return fail(p->cx, E_MEMORY, "out of memory for an archive");
    if (archive_read_open_memory(p->a, p->bytes.p + at, p->bytes.n - at) != ARCHIVE_OK)
        return damaged(p);
    return OK;
}

Status pack_open(Ctx *cx, const Input *in, PackForm form, Pack *out)
{
    *out = (Pack){ .cx = cx, .bytes = in->bytes, .form = form };
    out->own.from = in->bytes.n;
    out->unpacked = in->unpacked ? in->unpacked : &out->own;
    if (in->bytes.n == 0) return fail(cx, E_FORMAT, "an empty file is no archive");
    if (form == PACK_ANY) return begin(out, 0, false);
    TRY(zip_index(cx, in->bytes, &out->index));
    if (out->index.n) return OK;
    return fail(cx, E_FORMAT, "the file is damaged or cut off: it ends in no ZIP "
                "directory");
}

void pack_close(Pack *p)
{
    if (p->a) archive_read_free(p->a);
    p->a = NULL;
}

/* libarchive has no name in the C locale for what is no ASCII; its own bytes do. */
static Str name_of(struct archive_entry *e)
{
    const char *name = archive_entry_pathname_utf8(e);
    if (!name) name = archive_entry_pathname(e);
    return name ? str_z(name) : STR("");
}

Status pack_next(Pack *p, Str *name)
{
    for (;;) {
        int rc = archive_read_next_header(p->a, &p->e);
        if (rc == ARCHIVE_EOF) return E_NOTFOUND;
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) return damaged(p);
        if (++p->headers > HEADERS_MAX)
            return fail(p->cx, E_LIMIT, "an archive of too many members");
        TRY(ctx_check(p->cx));
        if (archive_entry_filetype(p->e) != AE_IFREG) continue;
        *name = name_of(p->e);
        if (name->n == 0 || archive_entry_is_encrypted(p->e) == 0) return OK;
        return fail(p->cx, E_FORMAT, "it is encrypted: save it without a password");
    }
}

Status pack_find(Pack *p, Str name)
{
    Str found;
    const ZipEntry *entry = zip_find(&p->index, name);
    if (!entry) return E_NOTFOUND;
    TRY(begin(p, entry->at, true));
    Status st = pack_next(p, &found);
    if (st == E_NOTFOUND) return fail(p->cx, E_FORMAT, "a member's header is damaged");
    return st;
}

static Status count(Pack *p, size_t n)
{
    Unpacked *u = p->unpacked;
    u->bytes += n;
    bool bomb = u->bytes > FREE_MAX && u->bytes / RATIO_MAX > u->from;
    if (u->bytes <= ALL_MAX && !bomb) return OK;
    return fail(p->cx, E_LIMIT, "it unpacks to more than %llu MiB, which is not read",
                (unsigned long long)(u->bytes >> 20));
}

/* The next bytes of the member; none at its end. */
static Status next_block(Pack *p, Str *out)
{
    const void *at;
    size_t n;
    la_int64_t offset;
    *out = (Str){ NULL, 0 };
    TRY(ctx_check(p->cx));
    int rc;
    do rc = archive_read_data_block(p->a, &at, &n, &offset);
    while (rc == ARCHIVE_OK && n == 0);
    if (rc == ARCHIVE_EOF) return OK;
    if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) return damaged(p);
    *out = (Str){ at, n };
    return count(p, n);
}

Status pack_bytes(Pack *p, Buf *b)
{
    Str block;
    b->n = 0;
    do {
        TRY(next_block(p, &block));
        if (block.n > PACK_MEMBER_MAX - b->n)
            return fail(p->cx, E_LIMIT, "a member of more than %d MiB",
                        PACK_MEMBER_MAX >> 20);
        buf_add(b, block);
    } while (block.n > 0 && !b->failed);
    return b->failed ? fail(p->cx, E_MEMORY, "out of memory for a member") : OK;
}

/* What was read of a damaged member before the damage is kept where it has an element. */
Status pack_xml(Pack *p, Str name, const XmlEvents *events, void *arg)
{
    Xml x;
    Str block;
    TRY(pack_find(p, name));
    xml_begin(&x, p->cx, events, arg);
    Status st;
    while ((st = next_block(p, &block)) == OK && block.n > 0)
        if ((st = xml_feed(&x, block)) != OK) break;
    bool cut = st == E_FORMAT && x.status == OK && x.elements > 1;
    if (cut) ctx_forgive(p->cx);
    Status end = xml_end(&x);
    return cut || st == OK ? end : st;
}
