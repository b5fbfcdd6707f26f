/* Any bytes as the state of a training run: it is what its checksum says, or refused, and
 * what it is can be written and read again. The first byte says whether the checksum is
 * made to fit. */
#include "base/hash.h"
#include "tune/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 6, MAGIC = 8, PARTS = 3, LARGEST = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char path[64];

static void must(bool ok)
{
    if (!ok) abort();
}

static void clear(void)
{
    unlink(path);
}

static void write_file(const uint8_t *p, size_t n)
{
    if (!path[0]) {
        snprintf(path, sizeof path, "/tmp/pith-fuzz-state-%d", (int)getpid());
        atexit(clear);
    }
    FILE *f = fopen(path, "wbe");
    must(f && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

/* The checksum as adapter.c has it. */
static void mend(uint8_t *p, size_t n)
{
    size_t part = N * sizeof(float), at = MAGIC + sizeof(TrainState);
    if (n < at + PARTS * part + sizeof(uint64_t)) return;
    uint64_t check = checksum64(p + MAGIC, sizeof(TrainState));
    for (int i = 0; i < PARTS; i++, at += part)
        check = check * 31 + checksum64(p + at, part);
    memcpy(p + at, &check, sizeof check);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    float part[PARTS][N] = { { 0 } }, again[PARTS][N];
    float *own[] = { part[0], part[1], part[2] };
    float *other[] = { again[0], again[1], again[2] };
    TrainState s = { .key = "00112233445566778899aabbccddeeff", .n = N }, t = s;
    uint8_t file[LARGEST];
    if (n < 1 || n > LARGEST) return 0;
    memcpy(file, data + 1, n - 1);
    if (data[0] == 'M') mend(file, n - 1);
    write_file(file, n - 1);
    if (state_read(&cx, path, &s, own) == OK) {
        must(s.n == N && strcmp(s.key, t.key) == 0);
        must(state_write(&cx, path, &s, own) == OK);
        must(state_read(&cx, path, &t, other) == OK);
        must(memcmp(part, again, sizeof part) == 0);
        must(t.step == s.step && t.next == s.next);
    } else {
        must(cx.reason[0] != '\0' && s.n == N && s.step == 0);
    }
    ctx_end(&cx);
    return 0;
}
