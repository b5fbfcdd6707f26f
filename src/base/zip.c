/* zip.c -- see zip.h. The size that a zip states is not believed: bytes are counted as
 * they come. */
#include "base/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static Status find(Ctx *cx, struct archive *a, const char *zip, const char *member)
{
    struct archive_entry *e;
    int rc;
    while ((rc = archive_read_next_header(a, &e)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(e);
        if (name && strcmp(name, member) == 0) return OK;
    }
    if (rc == ARCHIVE_EOF)
        return fail(cx, E_NOTFOUND, "%s: has no member %s", zip, member);
    return fail(cx, E_FORMAT, "%s: %s", zip, archive_error_string(a));
}

static Status copy(Ctx *cx, struct archive *a, const char *zip, uint64_t max, FILE *out)
{
    const void *p;
    size_t n;
    la_int64_t at;
    uint64_t sum = 0;
    int rc;
    while ((rc = archive_read_data_block(a, &p, &n, &at)) == ARCHIVE_OK) {
        TRY(ctx_check(cx));
        if (n > max - sum)
            return fail(cx, E_LIMIT, "%s: unpacks to more than %llu bytes", zip,
                        (unsigned long long)max);
        sum += n;
        if (n && fwrite(p, 1, n, out) != n)
            return fail(cx, E_IO, "unpacking %s: %s", zip, strerror(errno));
    }
    if (rc == ARCHIVE_EOF) return OK;
    return fail(cx, E_FORMAT, "%s: %s", zip, archive_error_string(a));
}

Status zip_extract(Ctx *cx, const char *zip, const char *member, uint64_t max,
                   const char *path)
{
    enum { BLOCK = 1 << 16 };
    FILE *out = NULL;
    Status st;
    struct archive *a = archive_read_new();
    if (!a) return fail(cx, E_MEMORY, "no memory to unpack %s", zip);
    archive_read_support_format_zip(a);
    if (archive_read_open_filename(a, zip, BLOCK) != ARCHIVE_OK)
        st = fail(cx, E_FORMAT, "%s: %s", zip, archive_error_string(a));
    else if ((st = find(cx, a, zip, member)) == OK) {
        out = fopen(path, "wbe");
        st = out ? copy(cx, a, zip, max, out)
                 : fail(cx, E_IO, "%s: %s", path, strerror(errno));
    }
    if (out && fclose(out) != 0 && st == OK)
        st = fail(cx, E_IO, "%s: %s", path, strerror(errno));
    archive_read_free(a);
    return st;
}
