/* document_fuzz.h -- what the fuzz targets of documents share: any bytes as a document of
 * a kind, or as the members of a package, and what must hold of what comes out. */
#ifndef PITH_TESTS_DOCUMENT_FUZZ_H
#define PITH_TESTS_DOCUMENT_FUZZ_H

#include "parse/charset.h"
#include "parse/parse.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The promises of parts.h. */
static inline Status fuzz_take(void *arg, const Parsed *w)
{
    size_t *last = arg;
    assert(w->base >= *last || w->n == 0 || w->at[0].start >= *last);
    for (size_t i = 0; i < w->n; i++) {
        const Part *p = &w->at[i];
        size_t end = w->base + w->source.n;
        assert(p->text.n > 0 && p->start >= *last && p->end >= p->start && p->end <= end);
        assert(charset_invalid(p->text) == 0 && !memchr(p->text.p, 0, p->text.n));
        if (w->verbatim) assert(p->text.n == p->end - p->start);
        for (size_t k = 0; k < p->map.n; k++) {
            Run r = p->map.at[k];
            assert(r.text + r.text_n <= p->text.n && r.source >= p->start);
            assert(r.source + r.source_n <= p->end);
        }
        *last = p->end;
    }
    return OK;
}

static inline void fuzz_document(Kind kind, const char *name, Str bytes)
{
    Ctx cx = CTX_INIT;
    size_t last = 0;
    Input in = { .bytes = bytes, .name = str_z(name) };
    Status st = parse_document(&cx, kind, &in, &(Sink){ fuzz_take, &last });
    assert(st == OK || cx.reason[0] != '\0');
    assert(st == OK || st == E_FORMAT || st == E_LIMIT);
    ctx_end(&cx);
}

typedef struct FuzzMember {
    const char *name, *text;    // text NULL: the bytes of the fuzzer
} FuzzMember;

static inline void fuzz_add(struct archive *a, const char *name, Str text)
{
    struct archive_entry *e = archive_entry_new();
    assert(e);
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_size(e, (la_int64_t)text.n);
    assert(archive_write_header(a, e) == ARCHIVE_OK);
    assert(archive_write_data(a, text.p, text.n) == (la_ssize_t)text.n);
    archive_entry_free(e);
}

/* The members as a package of the kind. What is larger than a MiB is let be. */
static inline void fuzz_package(Kind kind, const FuzzMember *m, size_t n, Str bytes)
{
    size_t room = (n + 1) * (bytes.n + 4096), used = 0;
    if (bytes.n > 1 << 20) return;
    char *to = malloc(room);
    struct archive *a = archive_write_new();
    assert(to && a);
    archive_write_set_format_zip(a);
    archive_write_set_options(a, "zip:compression=store");
    assert(archive_write_open_memory(a, to, room, &used) == ARCHIVE_OK);
    for (size_t i = 0; i < n; i++)
        fuzz_add(a, m[i].name, m[i].text ? str_z(m[i].text) : bytes);
    assert(archive_write_close(a) == ARCHIVE_OK);
    archive_write_free(a);
    fuzz_document(kind, "fuzz", (Str){ to, used });
    free(to);
}

#define FUZZ_PACKAGE(kind, members, data, n) \
    fuzz_package((kind), (members), sizeof(members) / sizeof *(members), \
                 (Str){ (const char *)(data), (n) })

#endif
