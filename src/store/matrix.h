/* matrix.h -- every vector of the store as signed bytes, for an exact scan.
 *
 * A row stands for one chunk: its id, its length in words, and its vector divided by a
 * scale of its own so that the largest component is 127. Rows lie in blocks of 256, in
 * the order of their ids, which only grow. The store is the truth; this is derived from
 * it and lies in a file beside it, mapped into memory. A block in the file counts only
 * if its checksum holds, and all after the first that does not is made anew, so a file
 * cut short, torn by a crash or being written to by another process does no harm.
 *
 * A row that is gone is marked in the memory of this process alone: the file only grows,
 * and a reader with an older view of the store goes on unharmed. */
#ifndef PITH_STORE_MATRIX_H
#define PITH_STORE_MATRIX_H

#include "base/ctx.h"

enum { MATRIX_ROWS = 256, MATRIX_MAX_DIM = 8192 };

typedef struct MatrixBlock {
    uint64_t check;                // of all that follows
    uint32_t rows, dim;
    uint8_t pad[48];
    int64_t id[MATRIX_ROWS];       // ascending; > 0
    float scale[MATRIX_ROWS];      // component = code * scale
    int32_t sum[MATRIX_ROWS];      // of the codes
    uint32_t words[MATRIX_ROWS];   // the chunk's length, for BM25
    int8_t codes[];                // (256, stride), in [-127, 127]; zeros after dim
} MatrixBlock;

typedef struct Matrix {
    int dim;
    size_t stride;                 // dim rounded up to 64; bytes of a row
    size_t block_size;             // bytes
    uint64_t epoch;                // of the file: another one is another file
    const MatrixBlock **block;     // (blocks): first the mapped, then our own
    size_t blocks, mapped, cap;
    size_t before;                 // blocks of the file that a tail leaves aside
    size_t rows;                   // gone ones included
    uint64_t *gone;                // (cap * 256) bits
    size_t n_gone;
    uint64_t words;                // of the rows that are not gone
    size_t saved;                  // rows that the file has
    bool has_file;                 // ours to add to
    void *map;
    size_t map_size;
} Matrix;

/* Opens the file at path, or none where path is NULL. A file that is absent, of another
 * epoch or dim, or damaged gives the rows before the damage, if any: no error.
 * E_ARG: dim is not in [1, 8192]. */
MUST_USE Status matrix_open(Ctx *cx, const char *path, int dim, uint64_t epoch,
                            Matrix **out);
/* The last block of the file alone, for who only adds rows: what it costs does not grow
 * with the file. NULL where that block does not hold, is the only one, or there is no
 * file of this epoch and dim: matrix_open is called for then. The blocks before it are
 * believed; who searches reads the file by matrix_open, which does not. A tail is for
 * matrix_last, matrix_add, matrix_agrees and matrix_save. */
MUST_USE Status matrix_open_tail(Ctx *cx, const char *path, int dim, uint64_t epoch,
                                 Matrix **out);
void matrix_close(Matrix *m);

/* The id of the last row, 0 where there is none. */
int64_t matrix_last(const Matrix *m);
/* Forgets rows from the end while their id is above last. */
MUST_USE Status matrix_cut(Ctx *cx, Matrix *m, int64_t last);
/* Appends a row in memory. v: (dim), finite. id: above matrix_last. */
MUST_USE Status matrix_add(Ctx *cx, Matrix *m, int64_t id, uint32_t words,
                           const float *v);
/* Marks the row of id as gone; an id without a row is ignored. */
void matrix_remove(Matrix *m, int64_t id);
/* The row of id, or SIZE_MAX. hint: a row before which it is not, or 0. */
size_t matrix_row(const Matrix *m, int64_t id, size_t hint);
/* Writes to path what is not there yet; the map takes the place of our own blocks once
 * they are many. false: the disk said no, and all stays in memory. One process at a time
 * may do this. */
bool matrix_save(Matrix *m, const char *path);

/* What the field `check` of a block should hold. */
uint64_t matrix_check(const Matrix *m, const MatrixBlock *b);

/* Whether the code of row is the one that v gives. */
bool matrix_agrees(const Matrix *m, size_t row, const float *v);

/* The approximate dot products of query (dim) with all rows into out (rows); -INFINITY
 * for those that are gone. Off by about 1/254 of the largest components. */
MUST_USE Status matrix_scan(Ctx *cx, const Matrix *m, const float *query, float *out);

static inline const MatrixBlock *matrix_block(const Matrix *m, size_t row)
{
    return m->block[row / MATRIX_ROWS];
}

static inline bool matrix_gone(const Matrix *m, size_t row)
{
    return m->gone[row / 64] >> (row % 64) & 1;
}

#endif
