/* packed.h -- what the tests of src/parse share: archives made in memory, and the parts
 * of a document of any kind written down, a line each. */
#ifndef PITH_TESTS_PACKED_H
#define PITH_TESTS_PACKED_H

#include "parse/parse.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct Packed {
    const char *name, *text;    // n: bytes of text, 0: up to its NUL
    size_t n;
} Packed;

enum { ARCHIVE_ROOM = 8 << 20 };

/* The members as an archive of libarchive's format and filter, which may be NULL. */
static inline Str pack(Ctx *cx, const char *format, const char *filter, const Packed *m,
                       size_t n)
{
    size_t used = 0;
    char *to = ctx_new(cx, char, ARCHIVE_ROOM);
    struct archive *a = archive_write_new();
    assert_non_null(to);
    assert_non_null(a);
    archive_write_set_format_by_name(a, format);
    if (filter) archive_write_add_filter_by_name(a, filter);
    archive_write_set_bytes_in_last_block(a, 1);
    assert_int_equal(archive_write_open_memory(a, to, ARCHIVE_ROOM, &used), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *e = archive_entry_new();
        size_t bytes = m[i].n ? m[i].n : strlen(m[i].text);
        archive_entry_set_pathname(e, m[i].name);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)bytes);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, m[i].text, bytes), bytes);
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    return (Str){ to, used };
}

#define ZIP(cx, members) pack((cx), "zip", NULL, (members), sizeof(members) / \
                              sizeof *(members))

typedef struct Said {
    Buf lines;              // "H1 Title", "P words", "I item", "R row", "C code"
    size_t end;             // of the last part
} Said;

/* Checks what parts.h and edition.h promise of a window and writes it down. */
static inline Status said_take(void *arg, const Parsed *w)
{
    Said *said = arg;
    if (w->base == 0 && w->title.n)
        buf_addf(&said->lines, "= %.*s\n", (int)w->title.n, w->title.p);
    for (size_t i = 0; i < w->n; i++) {
        const Part *p = &w->at[i];
        assert_true(p->start >= said->end && p->end > p->start && p->text.n > 0);
        assert_true(p->start >= w->base && p->end <= w->base + w->source.n);
        Str slice = { w->source.p + (p->start - w->base), p->end - p->start };
        if (w->verbatim) assert_true(str_eq(p->text, slice));
        said->end = p->end;
        buf_addf(&said->lines, "%c", "HPCIR"[p->kind]);
        if (p->level) buf_addf(&said->lines, "%d", p->level);
        if (p->page) buf_addf(&said->lines, "@%d", p->page);
        Str text = p->kind == PART_HEADING ? p->name : p->text;
        buf_addf(&said->lines, " %.*s\n", (int)text.n, text.p);
    }
    return OK;
}

/* What parse_document makes of bytes of that name, or its error as "! reason". */
static inline const char *said(Ctx *cx, const char *name, Str bytes)
{
    Said all = { .lines = BUF(64 << 20) };
    Input in = { .bytes = bytes, .name = str_z(name) };
    Kind kind = kind_of(in.name, bytes);
    Status st = parse_document(cx, kind, &in, &(Sink){ said_take, &all });
    if (st != OK) {
        assert_true(cx->reason[0] != '\0');
        buf_addf(&all.lines, "! %s\n", cx->reason);
        ctx_forgive(cx);
    }
    Str out = ctx_dup(cx, buf_str(&all.lines));
    buf_free(&all.lines);
    return out.p;
}

/* Cut off after every hundredth, and with bytes changed at random: text or an error that
 * says why, in any case. */
static inline void survives(const char *name, Str bytes, int mutations)
{
    uint32_t seed = 12345;
    for (int i = 0; i < 100 + mutations; i++) {
        Ctx cx = CTX_INIT;
        size_t n = i < 100 ? bytes.n * (size_t)i / 100 : bytes.n;
        char *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, bytes.p, n);
        for (int k = 0; i >= 100 && k < 1 + i % 8; k++) {
            seed = seed * 1664525 + 1013904223;
            exact[(seed >> 8) % n] = (char)(seed >> 3);
        }
        assert_non_null(said(&cx, name, (Str){ exact, n }));
        ctx_end(&cx);
        free(exact);
    }
}

#endif
