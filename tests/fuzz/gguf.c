/* Any bytes as the head of a GGUF: what the readers of models take can be read to the
 * last value. A tail of zeros stands behind them, so that tensors have something to lie
 * in. The corpus has the heads of a small BERT and of two small decoders. */
#include "model/bert_file.h"
#include "model/gguf_file.h"
#include "model/lineage.h"
#include "model/lm_file.h"
#include "model/weights.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TAIL = 1 << 16, HEAD_MAX = 1 << 16, WIDTH_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
    if (!ok) abort();
}

static void read_lm(Ctx *cx, const char *path)
{
    LmFile f;
    LmTensor t;
    float *row = ctx_new(cx, float, WIDTH_MAX);
    must(row != NULL);
    if (lm_file_open(cx, path, &f) != OK) return must(cx->reason[0] != '\0');
    lm_file_text(&f, "general.name");
    for (Linear l = 0; l < LINEARS; l++) {
        Str name = ctx_printf(cx, "blk.0.%s.weight", lm_linear_name(l));
        size_t in = lm_in(&f.shape, l), out = lm_out(&f.shape, l);
        ctx_forgive(cx);
        if (in > WIDTH_MAX || lm_tensor(cx, &f, name.p, in, out, &t) != OK) continue;
        lm_rows(&t, 0, 1, row);
        lm_rows(&t, out - 1, 1, row);
    }
    for (Norm k = 0; k < NORMS; k++) {
        ctx_forgive(cx);
        bool has = lm_has_norm(&f.shape, k) && lm_norm_width(&f.shape, k) <= WIDTH_MAX;
        if (has && lm_norm(cx, &f, 0, k, &t) == OK) lm_rows(&t, 0, 1, row);
    }
    if (f.shape.rope_dims / 2 <= WIDTH_MAX && lm_rope_scale(cx, &f, row) != OK)
        must(cx->reason[0] != '\0');
    lm_file_close(&f);
}

static void read_bert(Ctx *cx, const char *path)
{
    BertFile f;
    BertTensor t;
    float *row = ctx_new(cx, float, WIDTH_MAX), *all = NULL;
    must(row != NULL);
    if (bert_file_open(cx, path, &f) != OK) return must(cx->reason[0] != '\0');
    size_t width = f.shape.hidden;
    bool fits = width <= WIDTH_MAX &&
        bert_tensor(cx, &f, "token_embd.weight", width, f.shape.words, &t) == OK;
    if (fits) bert_row(&t, 0, row), bert_row(&t, f.shape.words - 1, row);
    ctx_forgive(cx);
    if (bert_floats(cx, &f, "token_embd_norm.bias", width, 1, &all) == OK) free(all);
    ctx_forgive(cx);
    bert_file_close(&f);
}

static int file_of(const uint8_t *data, size_t n)
{
    int fd = memfd_create("model", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    must(ftruncate(fd, (off_t)n + TAIL) == 0);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    GgufFile file;
    Weights w;
    Blake2bHex lineage;
    char path[64];
    if (n > HEAD_MAX) return 0;
    int fd = file_of(data, n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (gguf_file_check(&cx, path, &file) == OK) must(file.bytes == n + TAIL);
    ctx_forgive(&cx);
    read_lm(&cx, path);
    ctx_forgive(&cx);
    read_bert(&cx, path);
    ctx_forgive(&cx);
    if (weights_read(&cx, path, &w) == OK) must(w.quant != NULL);
    ctx_forgive(&cx);
    if (lineage_of(&cx, path, &lineage) != OK) must(cx.reason[0] != '\0');
    ctx_forgive(&cx);
    if (lineage_check(&cx, path, path) != OK) must(cx.reason[0] != '\0');
    close(fd);
    ctx_end(&cx);
    return 0;
}
