/* Any bytes as the derived file: what is taken can be searched and added to. The first
 * byte says whether the blocks get a checksum that fits, to reach behind that check. */
#include "store/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DIM = 3, EPOCH = 5, HEADER = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
    if (!ok) abort();
}

static void mend(const Matrix *m, uint8_t *file, size_t n)
{
    for (size_t at = HEADER; at + m->block_size <= n; at += m->block_size) {
        MatrixBlock *b = malloc(m->block_size);
        must(b != NULL);
        memcpy(b, file + at, m->block_size);
        b->check = matrix_check(m, b);
        memcpy(file + at, b, m->block_size);
        free(b);
    }
}

static void use(Ctx *cx, Matrix *m)
{
    const float v[DIM] = { 1, -1, 0.5f };
    int64_t last = matrix_last(m);
    if (last < INT64_MAX) must(matrix_add(cx, m, last + 1, 1, v) == OK);
    float *score = malloc((m->rows + 1) * sizeof *score);
    must(score && matrix_scan(cx, m, v, score) == OK);
    free(score);
    for (size_t i = 0; i < m->rows; i++) {
        int64_t id = matrix_block(m, i)->id[i % MATRIX_ROWS];
        must(matrix_row(m, id, 0) == i);
        if (i % 3 == 0) matrix_remove(m, id);
    }
    matrix_row(m, 1, 0);
    must(matrix_cut(cx, m, last / 2) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char path[64];
    Ctx cx = CTX_INIT;
    Matrix *m = NULL;
    if (n == 0) return 0;
    uint8_t *file = malloc(n);
    int fd = memfd_create("matrix", MFD_CLOEXEC);
    must(file && fd >= 0 && matrix_open(&cx, NULL, DIM, EPOCH, &m) == OK);
    memcpy(file, data, n);
    if (data[0] == 'P') file[0] = 'p', mend(m, file, n);
    matrix_close(m);
    must(write(fd, file, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    must(matrix_open(&cx, path, DIM, EPOCH, &m) == OK);
    use(&cx, m);
    matrix_close(m);
    close(fd);
    free(file);
    ctx_end(&cx);
    return 0;
}
