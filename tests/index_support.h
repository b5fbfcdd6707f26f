/* index_support.h -- what the tests of src/index share: files of a scratch folder, and
 * parts and chunks written down to compare with golden files. */
#ifndef PITH_TESTS_INDEX_SUPPORT_H
#define PITH_TESTS_INDEX_SUPPORT_H

#include "index/chunk.h"
#include "parse/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static inline Str file_text(Ctx *cx, const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    char *p = ctx_new(cx, char, n + 1);
    assert_non_null(p);
    assert_int_equal(fread(p, 1, n, f), n);
    fclose(f);
    return (Str){ p, n };
}

static inline Str golden(Ctx *cx, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/golden/index/%s", TESTS_DIR, name);
    return file_text(cx, path);
}

/* A line a part: kind, level, name, text with '\n' for line breaks. */
static inline void write_parts(Buf *b, const Parsed *p)
{
    static const char *const kinds[] = { "heading", "paragraph", "code", "item", "row" };
    buf_addf(b, "title: %.*s\n", (int)p->title.n, p->title.p);
    for (size_t i = 0; i < p->n; i++) {
        const Part *q = &p->at[i];
        buf_addf(b, "%s", kinds[q->kind]);
        if (q->level) buf_addf(b, " %d [%.*s]", q->level, (int)q->name.n, q->name.p);
        buf_add(b, STR(": "));
        for (size_t k = 0; k < q->text.n; k++) {
            if (q->text.p[k] == '\n') buf_add(b, STR("\\n"));
            else buf_add(b, (Str){ &q->text.p[k], 1 });
        }
        buf_add(b, STR("\n"));
    }
}

/* The parts are those in the golden file, which PITH_GOLDEN=write makes anew. */
static inline void assert_golden_parts(Ctx *cx, const Parsed *p, const char *name)
{
    Buf b = BUF(1 << 20);
    const char *mode = getenv("PITH_GOLDEN");
    write_parts(&b, p);
    if (mode && strcmp(mode, "write") == 0) {
        char path[512];
        snprintf(path, sizeof path, "%s/golden/index/%s", TESTS_DIR, name);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        fwrite(b.p, 1, b.n, f);
        fclose(f);
    }
    assert_string_equal(b.p, golden(cx, name).p);
    buf_free(&b);
}

static inline void assert_slices(const Parsed *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const Part *q = &p->at[i];
        assert_true(q->start < q->end && q->end <= p->source.n);
        assert_true(i == 0 || q->start >= p->at[i - 1].end);
        assert_ptr_equal(q->text.p, p->source.p + q->start);
        assert_int_equal(q->text.n, q->end - q->start);
    }
}

/* The ASCII words of text stand in range in their order. */
static inline void assert_words_in(Str text, Str range)
{
    size_t at = 0;
    for (size_t i = 0; i < text.n;) {
        size_t from = i;
        while (i < text.n && ((text.p[i] | 32) >= 'a' && (text.p[i] | 32) <= 'z')) i++;
        if (i - from < 2) { i += i == from; continue; }
        const char *hit = memmem(range.p + at, range.n - at, text.p + from, i - from);
        if (!hit) fail_msg("'%.*s' is not in '%.*s'", (int)(i - from), text.p + from,
                           (int)range.n, range.p);
        at = (size_t)(hit - range.p) + (i - from);
    }
}

#endif
