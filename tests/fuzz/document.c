/* Any bytes as a document of any kind, as a child reads them: the first byte chooses the
 * kind. Whatever a parser gives goes over the wire, and what comes out is the same. */
#include "extract/wire.h"
#include "parse/parse.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Line {
    Ctx cx;
    int fd;
    size_t parts;
} Line;

static Status hand_over(void *arg, const Parsed *window)
{
    Line *l = arg;
    l->parts += window->n;
    assert(wire_window(&l->cx, l->fd, window) == OK);
    return OK;
}

static Status read_bytes(void *arg, Ctx *cx, void *to, size_t n)
{
    Str *left = arg;
    if (n > left->n) return fail(cx, E_IO, "the end");
    if (n) memcpy(to, left->p, n);
    left->p += n;
    left->n -= n;
    return OK;
}

static size_t parts_read(Ctx *cx, Str left)
{
    WireIn in = { .read = read_bytes, .arg = &left, .text_max = (uint64_t)1 << 34 };
    size_t parts = 0;
    while (left.n > 0) {
        Parsed window;
        WireEnd end;
        Status st = wire_read(cx, &in, &window, &end);
        assert(st == OK && !end.is);
        parts += window.n;
    }
    return parts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Ctx cx = CTX_INIT;
    Line l = { .fd = memfd_create("line", MFD_CLOEXEC) };
    assert(l.fd >= 0);
    if (size == 0) data = (const uint8_t *)"", size = 1;
    Input in = { .bytes = { (const char *)data + 1, size - 1 }, .name = STR("a name") };
    Kind kind = (Kind)(data[0] % (KINDS - 1) + 1);
    Status st = parse_document(&cx, kind, &in, &(Sink){ hand_over, &l });
    assert(st == OK || cx.reason[0]);
    size_t bytes = (size_t)lseek(l.fd, 0, SEEK_END);
    char *raw = ctx_new(&l.cx, char, bytes + 1);
    assert(raw && pread(l.fd, raw, bytes, 0) == (ssize_t)bytes);
    assert(parts_read(&l.cx, (Str){ raw, bytes }) == l.parts);
    close(l.fd);
    ctx_end(&l.cx);
    ctx_end(&cx);
    return 0;
}
