/* impl.h -- what the files of the store share. */
#ifndef PITH_STORE_IMPL_H
#define PITH_STORE_IMPL_H

#include "base/words.h"
#include "store/matrix.h"
#include "store/postings.h"
#include "store/write.h"

#include <sqlite3.h>

/* Every statement, prepared when first used; store.c has the texts. */
typedef enum Query {
    Q_BEGIN_READ, Q_BEGIN_WRITE, Q_COMMIT, Q_ROLLBACK, Q_SAVE, Q_RELEASE, Q_UNDO,
    Q_META, Q_SET_META, Q_EPOCH, Q_COUNT, Q_COUNTS, Q_LAST, Q_N_GONE,
    Q_FIND, Q_LIST, Q_FROM, Q_ADD_DOCUMENT, Q_CHANGE_DOCUMENT, Q_HAS_CHUNKS, Q_TOUCH,
    Q_REMOVE_DOCUMENT,
    Q_ADD_CHUNK, Q_ADD_VECTOR, Q_TEXT_OF, Q_BURY, Q_REMOVE_VECTORS, Q_REMOVE_CHUNKS,
    Q_CHUNK, Q_CHUNKS_OF, Q_PLACE, Q_VECTOR, Q_VECTORS_AFTER, Q_GONE_AFTER, Q_UNBURY,
    Q_SEGMENTS, Q_ADD_SEGMENT, Q_REMOVE_SEGMENT, Q_POSTINGS, Q_SEGMENT_POSTINGS,
    Q_ADD_POSTINGS, Q_REMOVE_POSTINGS, Q_POSTINGS_FROM, Q_REMOVE_ALL_POSTINGS,
    Q_REMOVE_SEGMENTS, Q_ALL_TEXTS, Q_SET_LENGTH,
    QUERIES
} Query;

/* The document that is being put. */
typedef struct Put {
    bool open;
    bool alone;                 // in its transaction: its postings may go to the disk
    bool fresh;                 // none of this name was there
    int64_t id, chunks, bytes;  // bytes: of the chunks' texts
    Ctx memory;                 // of the title
    Str title;
} Put;

struct Store {
    sqlite3 *db;
    sqlite3_stmt *query[QUERIES];
    Words *words;
    Batch *batch;               // postings of the open transaction
    char *path, *matrix_path, *lock_path;
    int lock;                   // descriptor, -1 for a reader
    bool read_only;
    bool in_group;              // a transaction of writes is open
    int group;                  // documents in it
    double group_since;         // ms
    Put put;
    Ctx own;                    // memory that lives as long as the store
    EmbedderId by;              // in `own`; dim 0 while unknown
    uint32_t languages;         // a bit each: some chunk is or was in it
    uint64_t epoch;             // of what the matrix has
    int64_t gone_seq;           // of the last removal it has seen
    Matrix *matrix;             // NULL while there are no vectors
    void *scratch;              // reused between searches
    size_t scratch_size;        // bytes
};

/* The status and the reason of what SQLite has just said. */
Status db_fail(Ctx *cx, Store *s, int rc);
/* A statement, ready to bind; E_FORMAT where the file lacks what it needs, *out is NULL
 * then. */
MUST_USE Status db_query(Ctx *cx, Store *s, Query q, sqlite3_stmt **out);
/* Runs a bound statement that gives no row. */
MUST_USE Status db_run(Ctx *cx, Store *s, sqlite3_stmt *q);
/* The next row: *more is false at the end, and the statement is reset then. */
MUST_USE Status db_step(Ctx *cx, Store *s, sqlite3_stmt *q, bool *more);
/* db_query and db_run with up to two integers bound. */
MUST_USE Status db_do(Ctx *cx, Store *s, Query q, int64_t a, int64_t b);
void db_bind(sqlite3_stmt *q, int i, Str text);
Str db_text(Ctx *cx, sqlite3_stmt *q, int column);
/* A column into out (by.dim); false where it is no vector of that size. */
bool db_vector(const Store *s, sqlite3_stmt *q, int column, float *out);

MUST_USE Status meta_write(Ctx *cx, Store *s, const char *key, Str value);
/* What stands in meta into s->by and *epoch. */
MUST_USE Status meta_load(Ctx *cx, Store *s, uint64_t *epoch);

/* Opens one view of the store for a search, with the matrix brought up to it. Every
 * view_begin that gives OK is followed by a view_end. */
MUST_USE Status view_begin(Ctx *cx, Store *s);
/* Ends whatever transaction is open without keeping anything of it. */
void view_end(Store *s);

/* Brings the file beside the store up to it. Where nobody has searched yet that is an
 * append behind its last block. A disk that refuses the derived file costs time at the
 * next start, nothing else, and is no error. */
MUST_USE Status view_save(Ctx *cx, Store *s);

/* Bytes of the store's file and of what lies beside it. */
int64_t store_file_bytes(const Store *s);

/* Makes the words of all chunks anew, as the analyser sees them now: within an open
 * transaction. What it leaves behind after a failure is to be rolled back. */
MUST_USE Status store_repost(Ctx *cx, Store *s);

/* Ends the open transaction of writes, if any, and makes it durable. */
MUST_USE Status group_commit(Ctx *cx, Store *s);

#endif
