/* matrix.c -- see matrix.h.
 *
 * The file is a header of 64 bytes and blocks of one size. A block that is not yet full
 * is written again in place when rows join it; what it held before keeps its bytes, so a
 * process that has it mapped sees no change in its rows. The file is never cut. */
#include "store/matrix.h"
#include "store/scan.h"

#include "base/file.h"
#include "base/hash.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Header {
    char magic[8];
    uint32_t version, dim;
    uint64_t epoch;
    uint32_t order;             // 1 in the byte order of who wrote it
    uint8_t pad[36];
} Header;

static const char magic[8] = "pithmtx";
enum {
    VERSION = 1,
    REMAP_BLOCKS = 64,          // mapping takes time with the size of the file
};

_Static_assert(sizeof(Header) == 64, "blocks are aligned to 64");
_Static_assert(sizeof(MatrixBlock) % 64 == 0, "codes are aligned to 64");

static Header header_of(const Matrix *m)
{
    Header h = { .version = VERSION, .dim = (uint32_t)m->dim, .epoch = m->epoch,
                 .order = 1 };
    memcpy(h.magic, magic, sizeof magic);
    return h;
}

uint64_t matrix_check(const Matrix *m, const MatrixBlock *b)
{
    return checksum64((const char *)b + sizeof b->check, m->block_size - sizeof b->check);
}

/* ---- rows ------------------------------------------------------------------------- */

static Status room(Ctx *cx, Matrix *m)
{
    if (m->blocks < m->cap) return OK;
    size_t cap = m->cap ? 2 * m->cap : 16, words = MATRIX_ROWS / 64;
    const MatrixBlock **b = realloc(m->block, cap * sizeof *b);
    if (b) m->block = b;
    uint64_t *g = b ? realloc(m->gone, cap * words * sizeof *g) : NULL;
    if (!g) return fail(cx, E_MEMORY, "no memory for the vectors of %zu chunks", m->rows);
    memset(g + m->cap * words, 0, (cap - m->cap) * words * sizeof *g);
    m->gone = g;
    m->cap = cap;
    return OK;
}

static void count_row(Matrix *m, const MatrixBlock *b, size_t i)
{
    m->gone[m->rows / 64] &= ~(1ull << (m->rows % 64));
    m->words += b->words[i];
    m->rows++;
}

/* Whether b, the i-th block, holds what it says; after is the last id before it. */
static bool block_holds(const Matrix *m, const MatrixBlock *b, int64_t after)
{
    if (b->rows == 0 || b->rows > MATRIX_ROWS || b->dim != (uint32_t)m->dim) return false;
    if (b->check != matrix_check(m, b)) return false;
    for (size_t i = 0; i < b->rows; i++) {
        if (b->id[i] <= after) return false;
        after = b->id[i];
    }
    return true;
}

/* Takes the blocks of the map that hold, up to the first that is not full. */
static Status take_map(Ctx *cx, Matrix *m)
{
    size_t n = (m->map_size - sizeof(Header)) / m->block_size;
    const char *p = (const char *)m->map + sizeof(Header);
    int64_t after = matrix_last(m);
    for (size_t i = 0; i < n; i++, p += m->block_size) {
        const MatrixBlock *b = (const void *)p;
        if (!block_holds(m, b, after)) break;
        TRY(room(cx, m));
        m->block[m->blocks++] = b;
        m->mapped = m->blocks;
        size_t rows = b->rows;
        for (size_t j = 0; j < rows; j++) count_row(m, b, j);
        after = b->id[rows - 1];
        if (rows < MATRIX_ROWS) break;
    }
    return OK;
}

static void unmap(Matrix *m)
{
    if (m->map) munmap(m->map, m->map_size);
    m->map = NULL;
    m->map_size = 0;
}

/* Maps the file if it is ours; a file that is not is as good as none. */
static void map_file(Matrix *m, const char *path)
{
    Header want = header_of(m);
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof want) {
        size_t n = (size_t)st.st_size;
        void *p = mmap(NULL, n, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
        if (p != MAP_FAILED) {
            m->map = p;
            m->map_size = n;
        }
    }
    close(fd);
    if (m->map && memcmp(m->map, &want, sizeof want) != 0) unmap(m);
    m->has_file = m->map != NULL;
}

static Status new_matrix(Ctx *cx, int dim, uint64_t epoch, Matrix **out)
{
    *out = NULL;
    if (dim < 1 || dim > MATRIX_MAX_DIM)
        return fail(cx, E_ARG, "vectors of %d components; 1 to %d are possible", dim,
                    MATRIX_MAX_DIM);
    Matrix *m = *out = calloc(1, sizeof *m);
    if (!m) return fail(cx, E_MEMORY, "no memory for the vectors");
    m->dim = dim;
    m->stride = ((size_t)dim + 63) & ~(size_t)63;
    m->block_size = sizeof(MatrixBlock) + MATRIX_ROWS * m->stride;
    m->epoch = epoch;
    return OK;
}

Status matrix_open(Ctx *cx, const char *path, int dim, uint64_t epoch, Matrix **out)
{
    Matrix *m;
    *out = NULL;
    TRY(new_matrix(cx, dim, epoch, &m));
    if (path) map_file(m, path);
    Status st = m->map ? take_map(cx, m) : OK;
    m->saved = m->rows;
    if (st != OK) matrix_close(m);
    else *out = m;
    return st;
}

/* Reads the last block of the file into m; false where there is none that holds, or an
 * earlier one would do for all of it. */
static Status take_tail(Ctx *cx, Matrix *m, int fd, bool *taken)
{
    Header want = header_of(m), is;
    struct stat st;
    size_t got;
    *taken = false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return OK;
    if (!file_read_at(fd, &is, sizeof is, 0, &got) || got < sizeof is) return OK;
    if (memcmp(&is, &want, sizeof is) != 0) return OK;
    size_t n = ((size_t)st.st_size - sizeof want) / m->block_size;
    if (n < 2) return OK;
    TRY(room(cx, m));
    MatrixBlock *b = aligned_alloc(64, m->block_size);
    if (!b) return fail(cx, E_MEMORY, "no memory for a block of vectors");
    m->block[m->blocks++] = b;
    m->before = n - 1;
    uint64_t at = sizeof want + m->before * m->block_size;
    *taken = file_read_at(fd, b, m->block_size, at, &got) && got == m->block_size
          && block_holds(m, b, 0);
    for (size_t i = 0; *taken && i < b->rows; i++) count_row(m, b, i);
    m->saved = m->rows;
    m->has_file = true;
    return OK;
}

Status matrix_open_tail(Ctx *cx, const char *path, int dim, uint64_t epoch, Matrix **out)
{
    Matrix *m;
    bool taken = false;
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return OK;
    Status st = new_matrix(cx, dim, epoch, &m);
    if (st == OK) st = take_tail(cx, m, fd, &taken);
    close(fd);
    if (taken) *out = m;
    else matrix_close(m);
    return st;
}

void matrix_close(Matrix *m)
{
    if (!m) return;
    for (size_t i = m->mapped; i < m->blocks; i++) free((void *)m->block[i]);
    free(m->block);
    free(m->gone);
    unmap(m);
    free(m);
}

int64_t matrix_last(const Matrix *m)
{
    if (m->rows == 0) return 0;
    return matrix_block(m, m->rows - 1)->id[(m->rows - 1) % MATRIX_ROWS];
}

/* The last block as one of our own that has room for a row. */
static Status open_block(Ctx *cx, Matrix *m, MatrixBlock **out)
{
    size_t used = m->rows % MATRIX_ROWS;
    if (used && m->mapped < m->blocks) {
        *out = (MatrixBlock *)m->block[m->blocks - 1];
        return OK;
    }
    if (!used) TRY(room(cx, m));
    MatrixBlock *b = aligned_alloc(64, m->block_size);
    if (!b) return fail(cx, E_MEMORY, "no memory for the vectors of %zu chunks", m->rows);
    memset(b, 0, m->block_size);
    b->dim = (uint32_t)m->dim;
    if (used) {
        memcpy(b, m->block[m->blocks - 1], m->block_size);
        b->rows = (uint32_t)used;
        m->block[m->blocks - 1] = b;
        m->mapped--;
    } else {
        m->block[m->blocks++] = b;
    }
    *out = b;
    return OK;
}

Status matrix_cut(Ctx *cx, Matrix *m, int64_t last)
{
    while (m->rows && matrix_last(m) > last) {
        size_t row = m->rows - 1;
        uint32_t words = matrix_block(m, row)->words[row % MATRIX_ROWS];
        if (matrix_gone(m, row)) m->n_gone--;
        else m->words -= words;
        m->rows--;
        if (row % MATRIX_ROWS) continue;
        m->blocks--;
        if (m->mapped > m->blocks) m->mapped = m->blocks;
        else free((void *)m->block[m->blocks]);
    }
    if (m->saved > m->rows) m->saved = m->rows;
    if (m->rows % MATRIX_ROWS == 0) return OK;
    MatrixBlock *b;
    TRY(open_block(cx, m, &b));
    b->rows = (uint32_t)(m->rows % MATRIX_ROWS);
    return OK;
}

/* Codes of v into c (stride); the scale. All zeros where v is. */
static float quantize(const float *v, size_t dim, int8_t *c, int32_t *sum)
{
    float top = 0;
    *sum = 0;
    for (size_t i = 0; i < dim; i++) top = fmaxf(top, fabsf(v[i]));
    for (size_t i = 0; i < dim; i++) {
        c[i] = top > 0 ? (int8_t)lrintf(v[i] / top * 127) : 0;
        *sum += c[i];
    }
    return top / 127;
}

Status matrix_add(Ctx *cx, Matrix *m, int64_t id, uint32_t words, const float *v)
{
    MatrixBlock *b;
    TRY(open_block(cx, m, &b));
    size_t i = m->rows % MATRIX_ROWS;
    b->id[i] = id;
    b->words[i] = words;
    b->scale[i] = quantize(v, (size_t)m->dim, b->codes + i * m->stride, &b->sum[i]);
    b->rows = (uint32_t)i + 1;
    count_row(m, b, i);
    return OK;
}

bool matrix_agrees(const Matrix *m, size_t row, const float *v)
{
    int8_t code[MATRIX_MAX_DIM] = { 0 };
    int32_t sum;
    const MatrixBlock *b = matrix_block(m, row);
    size_t i = row % MATRIX_ROWS;
    return quantize(v, (size_t)m->dim, code, &sum) == b->scale[i] && sum == b->sum[i] &&
           memcmp(code, b->codes + i * m->stride, m->stride) == 0;
}

/* Rows that the last block has, as we count them: another process may add to it. */
static size_t rows_in(const Matrix *m, size_t block)
{
    size_t left = m->rows - block * MATRIX_ROWS;
    return left < MATRIX_ROWS ? left : MATRIX_ROWS;
}

static size_t row_in(const MatrixBlock *b, size_t n, int64_t id)
{
    if (b->id[n - 1] - b->id[0] == (int64_t)n - 1) return (size_t)(id - b->id[0]);
    size_t lo = 0, hi = n - 1;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (b->id[mid] < id) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

size_t matrix_row(const Matrix *m, int64_t id, size_t hint)
{
    size_t lo = hint / MATRIX_ROWS, hi = m->blocks;
    if (hint >= m->rows) return SIZE_MAX;
    if (id > m->block[lo]->id[rows_in(m, lo) - 1]) {
        for (lo++; lo < hi;) {   // the first block whose last id is not below
            size_t mid = (lo + hi) / 2;
            if (m->block[mid]->id[rows_in(m, mid) - 1] < id) lo = mid + 1;
            else hi = mid;
        }
    }
    if (lo == m->blocks || id < m->block[lo]->id[0]) return SIZE_MAX;
    size_t i = row_in(m->block[lo], rows_in(m, lo), id);
    return m->block[lo]->id[i] == id ? lo * MATRIX_ROWS + i : SIZE_MAX;
}

void matrix_remove(Matrix *m, int64_t id)
{
    size_t row = matrix_row(m, id, 0);
    if (row == SIZE_MAX || matrix_gone(m, row)) return;
    m->gone[row / 64] |= 1ull << (row % 64);
    m->words -= matrix_block(m, row)->words[row % MATRIX_ROWS];
    m->n_gone++;
}

/* ---- the file --------------------------------------------------------------------- */

/* A new, empty file in the place of one that is not ours. */
static bool start_file(const Matrix *m, const char *path)
{
    char name[4096];
    Header h = header_of(m);
    int n = snprintf(name, sizeof name, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof name) return false;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool ok = file_write_at(fd, &h, sizeof h, 0);
    ok &= close(fd) == 0;
    ok = ok && rename(name, path) == 0;
    if (!ok) unlink(name);
    return ok;
}

static bool write_blocks(Matrix *m, const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = true;
    for (size_t i = m->saved / MATRIX_ROWS; ok && i < m->blocks; i++) {
        MatrixBlock *b = (MatrixBlock *)m->block[i];
        b->check = matrix_check(m, b);
        size_t at = sizeof(Header) + (m->before + i) * m->block_size;
        ok = file_write_at(fd, b, m->block_size, at);
    }
    ok &= close(fd) == 0;
    if (ok) m->saved = m->rows;
    return ok;
}

/* Lets the map take the place of our own blocks; without success they stay. */
static void remap(Matrix *m, const char *path)
{
    void *old = m->map;
    size_t old_size = m->map_size, need = sizeof(Header) + m->blocks * m->block_size;
    m->map = NULL;
    map_file(m, path);
    if (!m->map || m->map_size < need) {
        unmap(m);
        m->map = old;
        m->map_size = old_size;
        m->has_file = true;
        return;
    }
    for (size_t i = m->mapped; i < m->blocks; i++) free((void *)m->block[i]);
    for (size_t i = 0; i < m->blocks; i++)
        m->block[i] = (const void *)((char *)m->map + sizeof(Header) + i * m->block_size);
    m->mapped = m->blocks;
    if (old) munmap(old, old_size);
}

/* A tail keeps the last block alone. */
static void let_go(Matrix *m)
{
    size_t away = m->blocks - 1;
    for (size_t i = 0; i < away; i++) free((void *)m->block[i]);
    m->block[0] = m->block[away];
    m->blocks = 1;
    m->before += away;
    m->rows -= away * MATRIX_ROWS;
    m->saved -= away * MATRIX_ROWS;
}

bool matrix_save(Matrix *m, const char *path)
{
    if (!m->has_file) {
        m->saved = 0;
        m->has_file = start_file(m, path);
    }
    if (!m->has_file) return false;
    if (m->saved < m->rows && !write_blocks(m, path)) return false;
    if (m->blocks - m->mapped < REMAP_BLOCKS) return true;
    if (m->before) let_go(m);
    else remap(m, path);
    return true;
}

/* ---- scan ------------------------------------------------------------------------- */

Status matrix_scan(Ctx *cx, const Matrix *m, const float *query, float *out)
{
    const ScanKernel *k = scan_best();
    _Alignas(64) int8_t q[MATRIX_MAX_DIM] = { 0 };
    int32_t dot[MATRIX_ROWS], sum;
    float scale = quantize(query, (size_t)m->dim, q, &sum);
    for (size_t i = 0; i < m->blocks; i++) {
        const MatrixBlock *b = m->block[i];
        size_t n = rows_in(m, i), row = i * MATRIX_ROWS;
        k->dots(q, b->codes, b->sum, n, m->stride, dot);
        for (size_t j = 0; j < n; j++) out[row + j] = (float)dot[j] * b->scale[j] * scale;
        if (i % 64 == 0) TRY(ctx_check(cx));
    }
    for (size_t i = 0; m->n_gone && i < m->rows; i++)
        if (matrix_gone(m, i)) out[i] = -INFINITY;
    return OK;
}
