/* Records of a child that was taken over: whatever the bytes, a window that is read keeps
 * the promises of parse/parts.h, and can be written and read again. */
#include "extract/wire.h"
#include "parse/charset.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 24 };

static Status read_bytes(void *arg, Ctx *cx, void *to, size_t n)
{
    Str *left = arg;
    if (n > left->n) return fail(cx, E_IO, "the end");
    if (n) memcpy(to, left->p, n);
    left->p += n;
    left->n -= n;
    return OK;
}

static void check_part(const Parsed *w, const Part *p, size_t *passed)
{
    assert(p->text.n > 0 && charset_invalid(p->text) == 0);
    assert(!memchr(p->text.p, 0, p->text.n));
    assert(charset_invalid(p->name) == 0 && p->page >= 0);
    assert(p->start >= *passed && p->end >= p->start && p->end <= TEXT_MAX);
    assert((p->kind == PART_HEADING) == (p->level > 0) && p->level <= 6);
    if (w->verbatim) {
        assert(p->text.n == p->end - p->start && p->start >= w->base);
        assert(p->text.p == w->source.p + (p->start - w->base));
        assert(p->end - w->base <= w->source.n);
    }
    for (size_t i = 0; i < p->map.n; i++) {
        const Run *r = &p->map.at[i];
        assert(r->text + r->text_n <= p->text.n && r->source >= p->start);
        assert(r->source + r->source_n <= p->end);
    }
    *passed = p->end;
}

/* What was read once is written and read again, part for part. */
static void check_again(Ctx *cx, const Parsed *w)
{
    int fd = memfd_create("wire", MFD_CLOEXEC);
    assert(fd >= 0 && wire_window(cx, fd, w) == OK);
    size_t bytes = (size_t)lseek(fd, 0, SEEK_END), n = 0;
    char *raw = ctx_new(cx, char, bytes);
    assert(raw && pread(fd, raw, bytes, 0) == (ssize_t)bytes);
    close(fd);
    Str left = { raw, bytes };
    WireIn in = { .read = read_bytes, .arg = &left, .text_max = TEXT_MAX };
    while (left.n > 0) {
        Parsed again;
        WireEnd end;
        assert(wire_read(cx, &in, &again, &end) == OK && !end.is);
        for (size_t i = 0; i < again.n; i++, n++) {
            assert(str_eq(again.at[i].text, w->at[n].text));
            assert(again.at[i].start == w->at[n].start);
        }
    }
    assert(n == w->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Ctx cx = CTX_INIT;
    Str left = { (const char *)data, size };
    WireIn in = { .read = read_bytes, .arg = &left, .text_max = TEXT_MAX };
    for (size_t passed = 0;;) {
        Parsed w;
        WireEnd end;
        if (wire_read(&cx, &in, &w, &end) != OK) break;
        if (end.is) {
            assert(strlen(end.reason) < sizeof end.reason && !strchr(end.reason, '\n'));
            assert(charset_invalid(str_z(end.reason)) == 0);
            break;
        }
        assert(w.base >= passed);
        for (size_t i = 0; i < w.n; i++) check_part(&w, &w.at[i], &passed);
        check_again(&cx, &w);
    }
    ctx_end(&cx);
    return 0;
}
