/* The matrix: kernels that agree, and a file that is trusted only where it holds. */
#include "store/matrix.h"
#include "store/scan.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static uint32_t draw(uint32_t *r) { return *r = *r * 1664525 + 1013904223, *r >> 8; }

static int8_t code(uint32_t *r) { return (int8_t)((int)(draw(r) % 255) - 127); }

static void kernels_agree(void **state)
{
    (void)state;
    enum { ROWS = 5 };
    static const size_t strides[] = { 64, 128, 192, 384, 1024, MATRIX_MAX_DIM };
    uint32_t r = 5;
    size_t kernels, ran = 0;
    const ScanKernel *k = scan_kernels(&kernels);
    for (size_t i = 0; i < sizeof strides / sizeof *strides; i++) {
        size_t n = strides[i];
        int8_t *q = malloc(n), *rows = malloc(ROWS * n);
        int32_t sum[ROWS] = { 0 }, want[ROWS], got[ROWS];
        for (size_t j = 0; j < n; j++) q[j] = j % 7 ? code(&r) : -127;
        for (size_t j = 0; j < ROWS * n; j++) {
            bool extreme = j / n < 2;   // rows of 127 and -127 alone
            rows[j] = extreme ? (j / n ? -127 : 127) : code(&r);
            sum[j / n] += rows[j];
        }
        scan_portable(q, rows, sum, ROWS, n, want);
        for (size_t j = 0; j < kernels; j++) {
            if (!k[j].runs()) continue;
            k[j].dots(q, rows, sum, ROWS, n, got);
            assert_memory_equal(got, want, sizeof want);
            ran++;
        }
        free(q);
        free(rows);
    }
    assert_true(ran >= sizeof strides / sizeof *strides);
}

enum { DIM = 100, ROWS = 1000 };
static char path[64];
static float vec[ROWS][DIM];

static int start(void **state)
{
    (void)state;
    uint32_t r = 11;
    char folder[] = "/tmp/pith-matrix-XXXXXX";
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/m", folder);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < DIM; j++) vec[i][j] = (float)(draw(&r) % 2001) / 1000 - 1;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    unlink(path);
    *strrchr(path, '/') = '\0';
    return rmdir(path);
}

/* Rows from .. to - 1 have the ids 3, 6, 9, ... */
static void add(Ctx *cx, Matrix *m, int from, int to)
{
    for (int i = from; i < to; i++)
        assert_int_equal(matrix_add(cx, m, 3 * (i + 1), 7, vec[i]), OK);
}

static Matrix *opened(Ctx *cx, uint64_t epoch)
{
    Matrix *m = NULL;
    assert_int_equal(matrix_open(cx, path, DIM, epoch, &m), OK);
    return m;
}

static void scores_come_close_to_the_floats(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    static float score[ROWS];
    Matrix *m = opened(&cx, 1);
    add(&cx, m, 0, ROWS);
    matrix_remove(m, 9);
    matrix_remove(m, 10);   // there is none
    assert_int_equal(m->n_gone, 1);
    assert_int_equal(m->words, 7 * (ROWS - 1));
    assert_int_equal(matrix_scan(&cx, m, vec[0], score), OK);
    for (int i = 0; i < ROWS; i++) {
        double want = 0;
        for (int j = 0; j < DIM; j++) want += vec[0][j] * vec[i][j];
        if (i == 2) assert_true(score[i] == -INFINITY);
        else assert_true(fabs(score[i] - want) < 0.15);
    }
    matrix_close(m);
    ctx_end(&cx);
}

static void finds_rows_by_id(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Matrix *m = opened(&cx, 1);
    assert_true(matrix_row(m, 3, 0) == SIZE_MAX);
    add(&cx, m, 0, ROWS);
    for (int64_t id = 0; id < 3 * ROWS + 5; id++) {
        bool there = id && id % 3 == 0 && id <= 3 * ROWS;
        size_t want = there ? (size_t)(id / 3 - 1) : SIZE_MAX;
        assert_true(matrix_row(m, id, 0) == want);
        if (there) assert_true(matrix_row(m, id, want / 2) == want);
    }
    matrix_close(m);
    ctx_end(&cx);
}

static void keeps_its_rows_in_the_file(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    unlink(path);
    for (int from = 0, to; from < ROWS; from = to) {
        Matrix *m = opened(&cx, 42);
        assert_int_equal(m->rows, from);
        to = from + 117 < ROWS ? from + 117 : ROWS;
        add(&cx, m, from, to);
        assert_true(matrix_save(m, path));
        assert_int_equal(m->saved, to);
        for (int i = 0; i < to; i++) assert_true(matrix_agrees(m, (size_t)i, vec[i]));
        matrix_close(m);
    }
    Matrix *other = opened(&cx, 43);
    assert_int_equal(other->rows, 0);
    matrix_close(other);
    ctx_end(&cx);
}

static void leaves_its_blocks_to_the_map_once_they_are_many(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    enum { MANY = 64 * MATRIX_ROWS + 10 };
    unlink(path);
    Matrix *m = opened(&cx, 1);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(matrix_add(&cx, m, 3 * (i + 1), 7, vec[i % ROWS]), OK);
    assert_true(matrix_save(m, path));
    assert_int_equal(m->mapped, m->blocks);
    assert_int_equal(matrix_add(&cx, m, 3 * (MANY + 1), 7, vec[MANY % ROWS]), OK);
    assert_true(matrix_save(m, path));
    for (int i = 0; i <= MANY; i++)
        assert_true(matrix_agrees(m, (size_t)i, vec[i % ROWS]));
    matrix_close(m);
    m = opened(&cx, 1);
    assert_int_equal(m->rows, MANY + 1);
    matrix_close(m);
    ctx_end(&cx);
}

static void grows_under_an_open_reader_without_harm(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    unlink(path);
    Matrix *w = opened(&cx, 1);
    add(&cx, w, 0, 300);
    assert_true(matrix_save(w, path));
    Matrix *r = opened(&cx, 1);
    add(&cx, w, 300, 600);
    assert_true(matrix_save(w, path));
    assert_int_equal(r->rows, 300);
    assert_int_equal(matrix_last(r), 900);
    add(&cx, r, 300, 310);
    for (int i = 0; i < 310; i++) assert_true(matrix_agrees(r, (size_t)i, vec[i]));
    assert_true(matrix_row(r, 3 * 311, 0) == SIZE_MAX);
    matrix_close(r);
    matrix_close(w);
    ctx_end(&cx);
}

static Matrix *tail(Ctx *cx, uint64_t epoch)
{
    Matrix *m = NULL;
    assert_int_equal(matrix_open_tail(cx, path, DIM, epoch, &m), OK);
    return m;
}

/* Whoever opens the whole file finds what was added behind its last block alone. */
static void grows_at_its_tail(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    enum { MANY = 70 * MATRIX_ROWS };
    unlink(path);
    assert_null(tail(&cx, 1));
    Matrix *m = opened(&cx, 1);
    add(&cx, m, 0, MATRIX_ROWS);
    assert_true(matrix_save(m, path));
    assert_null(tail(&cx, 1));              // one block is all of it
    add(&cx, m, MATRIX_ROWS, 300);
    assert_true(matrix_save(m, path));
    matrix_close(m);
    assert_null(tail(&cx, 2));
    for (int from = 300, to; from < MANY; from = to) {
        to = from < 600 ? from + 100 : MANY;
        Matrix *end = tail(&cx, 1);
        assert_int_equal(matrix_last(end), 3 * from);
        for (int i = from; i < to; i++)
            assert_int_equal(matrix_add(&cx, end, 3 * (i + 1), 7, vec[i % ROWS]), OK);
        assert_true(matrix_save(end, path));
        assert_true(end->rows <= 2 * MATRIX_ROWS);
        assert_true(matrix_agrees(end, end->rows - 1, vec[(to - 1) % ROWS]));
        assert_int_equal(matrix_last(end), 3 * to);
        matrix_close(end);
        m = opened(&cx, 1);
        assert_int_equal(m->rows, to);
        for (int i = 0; i < to; i++)
            assert_true(matrix_agrees(m, (size_t)i, vec[i % ROWS]));
        matrix_close(m);
    }
    ctx_end(&cx);
}

/* A tail believes the blocks before it; the whole file does not, tail or no tail. */
static void damage_before_the_tail_is_found_by_who_reads_all(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    unlink(path);
    Matrix *m = opened(&cx, 1);
    add(&cx, m, 0, 600);
    assert_true(matrix_save(m, path));
    size_t block = m->block_size;
    matrix_close(m);
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "\xA5\x5A", 2, (off_t)(64 + block + 4000)), 2);
    Matrix *end = tail(&cx, 1);
    add(&cx, end, 600, 610);
    assert_true(matrix_save(end, path));
    matrix_close(end);
    m = opened(&cx, 1);
    assert_int_equal(m->rows, MATRIX_ROWS);
    matrix_close(m);
    assert_int_equal(pwrite(fd, "\xA5\x5A", 2, (off_t)(64 + 2 * block + 4000)), 2);
    assert_null(tail(&cx, 1));
    assert_int_equal(ftruncate(fd, (off_t)(64 + 2 * block + 100)), 0);
    assert_null(tail(&cx, 1));              // its last block is the damaged one
    close(fd);
    ctx_end(&cx);
}

static void cuts_what_is_too_new(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    unlink(path);
    Matrix *m = opened(&cx, 1);
    add(&cx, m, 0, 600);
    assert_true(matrix_save(m, path));
    for (int rows = 550; rows >= 0; rows -= 50) {
        assert_int_equal(matrix_cut(&cx, m, 3 * rows), OK);
        assert_int_equal(m->rows, rows);
        assert_int_equal(m->words, 7 * rows);
        add(&cx, m, rows, rows + 1);
        assert_true(matrix_agrees(m, (size_t)rows, vec[rows]));
    }
    matrix_close(m);
    ctx_end(&cx);
}

static void refuses_a_size_it_cannot_hold(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Matrix *m;
    assert_int_equal(matrix_open(&cx, NULL, 0, 1, &m), E_ARG);
    assert_int_equal(matrix_open(&cx, NULL, MATRIX_MAX_DIM + 1, 1, &m), E_ARG);
    assert_null(m);
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(scores_come_close_to_the_floats),
        cmocka_unit_test(finds_rows_by_id),
        cmocka_unit_test(keeps_its_rows_in_the_file),
        cmocka_unit_test(leaves_its_blocks_to_the_map_once_they_are_many),
        cmocka_unit_test(grows_under_an_open_reader_without_harm),
        cmocka_unit_test(grows_at_its_tail),
        cmocka_unit_test(damage_before_the_tail_is_found_by_who_reads_all),
        cmocka_unit_test(cuts_what_is_too_new),
        cmocka_unit_test(refuses_a_size_it_cannot_hold),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
