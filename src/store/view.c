/* view.c -- one unchanging view of the store for a search, and the matrix that fits it.
 *
 * Invariant: inside a view the rows of the matrix that are not gone are exactly the rows
 * of the table vector. The file beside the store may be behind or ahead of the view; what
 * it lacks is read from the store, what is newer than the view is cut off. */
#include "store/impl.h"

enum { SAVE_ROWS = 16384 };   // a writer moves its rows to the file so often

static Status last_id(Ctx *cx, Store *s, int64_t *out)
{
    sqlite3_stmt *q;
    bool more;
    TRY(db_query(cx, s, Q_LAST, &q));
    TRY(db_step(cx, s, q, &more));
    *out = more ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_reset(q);
    return OK;
}

/* Whether the last row of the file is of this store: not after the store went back to a
 * backup and on from there. A row that was removed since says nothing. */
static Status file_fits(Ctx *cx, Store *s, const Matrix *m, int64_t last, bool *fits)
{
    sqlite3_stmt *q;
    bool more;
    *fits = s->read_only || matrix_last(m) <= last;
    if (m->rows == 0 || !*fits) return OK;
    size_t row = m->rows - 1;
    TRY(db_query(cx, s, Q_VECTOR, &q));
    sqlite3_bind_int64(q, 1, matrix_last(m));
    TRY(db_step(cx, s, q, &more));
    if (!more) return OK;
    float v[MATRIX_MAX_DIM];
    *fits = db_vector(s, q, 1, v) && matrix_agrees(m, row, v);
    sqlite3_reset(q);
    return OK;
}

static Status open_matrix(Ctx *cx, Store *s, uint64_t epoch, int64_t last)
{
    bool fits;
    Matrix *m;
    matrix_close(s->matrix);
    s->matrix = NULL;
    TRY(matrix_open(cx, s->matrix_path, s->by.dim, epoch, &m));
    Status st = file_fits(cx, s, m, last, &fits);
    if (st != OK || !fits) matrix_close(m);
    TRY(st);
    if (!fits) TRY(matrix_open(cx, NULL, s->by.dim, epoch, &m));
    s->matrix = m;
    s->epoch = epoch;
    s->gone_seq = 0;
    return matrix_cut(cx, m, last);
}

/* What the store has behind the last row of m. */
static Status add_new(Ctx *cx, Store *s, Matrix *m)
{
    sqlite3_stmt *q;
    bool more;
    Status st;
    TRY(db_query(cx, s, Q_VECTORS_AFTER, &q));
    sqlite3_bind_int64(q, 1, matrix_last(m));
    while ((st = db_step(cx, s, q, &more)) == OK && more) {
        float v[MATRIX_MAX_DIM];
        int64_t id = sqlite3_column_int64(q, 0), words = sqlite3_column_int64(q, 1);
        bool whole = db_vector(s, q, 2, v);
        if (!whole || id <= matrix_last(m) || words < 0 || words > UINT32_MAX)
            st = db_fail(cx, s, SQLITE_CORRUPT);
        else st = matrix_add(cx, m, id, (uint32_t)words, v);
        if (st != OK) break;
        if (!s->read_only && m->rows % SAVE_ROWS == 0) matrix_save(m, s->matrix_path);
    }
    sqlite3_reset(q);
    return st;
}

static Status remove_gone(Ctx *cx, Store *s)
{
    sqlite3_stmt *q;
    bool more;
    TRY(db_query(cx, s, Q_GONE_AFTER, &q));
    sqlite3_bind_int64(q, 1, s->gone_seq);
    for (;;) {
        TRY(db_step(cx, s, q, &more));
        if (!more) return OK;
        s->gone_seq = sqlite3_column_int64(q, 0);
        matrix_remove(s->matrix, sqlite3_column_int64(q, 1));
    }
}

static Status follow(Ctx *cx, Store *s)
{
    uint64_t epoch;
    int64_t last;
    TRY(meta_load(cx, s, &epoch));
    if (s->by.dim == 0) return OK;
    TRY(last_id(cx, s, &last));
    bool other = s->matrix && (s->matrix->dim != s->by.dim || epoch != s->epoch);
    if (!s->matrix || other) TRY(open_matrix(cx, s, epoch, last));
    TRY(add_new(cx, s, s->matrix));
    return remove_gone(cx, s);
}

/* Opens the end of the file, where it is of this store; else *out is NULL. */
static Status open_tail(Ctx *cx, Store *s, Matrix **out)
{
    uint64_t epoch;
    int64_t last;
    bool fits = false;
    *out = NULL;
    TRY(meta_load(cx, s, &epoch));
    if (s->by.dim == 0) return OK;
    TRY(last_id(cx, s, &last));
    TRY(matrix_open_tail(cx, s->matrix_path, s->by.dim, epoch, out));
    if (!*out) return OK;
    Status st = file_fits(cx, s, *out, last, &fits);
    if (fits) return st;
    matrix_close(*out);
    *out = NULL;
    return st;
}

static Status append(Ctx *cx, Store *s, bool *done)
{
    Matrix *m;
    TRY(open_tail(cx, s, &m));
    *done = m != NULL;
    if (!m) return OK;
    Status st = add_new(cx, s, m);
    if (st == OK) matrix_save(m, s->matrix_path);
    matrix_close(m);
    return st;
}

Status view_begin(Ctx *cx, Store *s)
{
    TRY(group_commit(cx, s));
    TRY(db_do(cx, s, Q_BEGIN_READ, 0, 0));
    Status st = follow(cx, s);
    if (st != OK) view_end(s);
    return st;
}

void view_end(Store *s)
{
    Ctx cx = CTX_INIT;
    if (sqlite3_get_autocommit(s->db)) return;
    if (db_do(&cx, s, Q_ROLLBACK, 0, 0) != OK) ctx_end(&cx);
}

Status view_save(Ctx *cx, Store *s)
{
    bool done = false;
    if (!s->matrix) {
        TRY(group_commit(cx, s));
        TRY(db_do(cx, s, Q_BEGIN_READ, 0, 0));
        Status st = append(cx, s, &done);
        view_end(s);
        TRY(st);
    }
    if (done) return OK;
    TRY(view_begin(cx, s));
    view_end(s);
    if (s->matrix) matrix_save(s->matrix, s->matrix_path);
    return OK;
}
