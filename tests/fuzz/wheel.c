/* Any bytes as a wheel: its member is written whole, or not taken. */
#include "base/zip.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    char zip[64], out[64];
    int from = memfd_create("wheel", MFD_CLOEXEC), to = memfd_create("out", MFD_CLOEXEC);
    assert(from >= 0 && to >= 0 && write(from, data, n) == (ssize_t)n);
    snprintf(zip, sizeof zip, "/proc/self/fd/%d", from);
    snprintf(out, sizeof out, "/proc/self/fd/%d", to);
    Status st = zip_extract(&cx, zip, "a/b.txt", MOST, out);
    assert(st == OK || cx.reason[0] != '\0');
    assert(lseek(to, 0, SEEK_END) <= MOST);
    close(from);
    close(to);
    ctx_end(&cx);
    return 0;
}
