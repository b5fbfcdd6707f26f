/* Any bytes as examples to train on, JSONL of both forms: what is taken fits the rows
 * that are packed of it. */
#include "tiny_lm.h"
#include "tune/examples.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SEQ = 48, ROWS = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static Model *words;        // opened once: a target has no other place to keep it

static void close_words(void) { model_close(words); }

static void open_words(void)
{
    Ctx cx = CTX_INIT;
    char path[] = "/tmp/pith-lm-XXXXXX";
    ModelOptions opt = { .threads = 1, .words_only = true };
    int fd = mkstemp(path);
    if (fd < 0 || !tiny_lm_write(path, &(TinyLm){ .arch = "llama" })) abort();
    close(fd);
    if (model_open(&cx, path, &opt, &words) != OK) abort();
    unlink(path);
    ctx_end(&cx);
    atexit(close_words);
}

static void pack(Ctx *cx, const Examples *e)
{
    Packer p;
    Sample s;
    int32_t token[SEQ];
    uint8_t learn[SEQ];
    uint32_t begin[SEQ + 1];
    if (packer_open(cx, e, SEQ, 7, &p) != OK) abort();
    for (int i = 0; i < ROWS; i++) {
        packer_row(&p, token, learn, begin, &s);
        assert(begin[0] == 0);
    }
    packer_close(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Examples e;
    char path[64];
    if (!words) open_words();
    int fd = memfd_create("examples", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    Status st = examples_read(&cx, path, words, SEQ, &e);
    assert(st == OK ? e.n > 0 : cx.reason[0] != '\0');
    for (size_t i = 0; i < e.n; i++)
        assert(e.begin[i + 1] > e.begin[i] && e.begin[i + 1] - e.begin[i] <= SEQ);
    if (st == OK) pack(&cx, &e);
    examples_free(&e);
    close(fd);
    ctx_end(&cx);
    return 0;
}
