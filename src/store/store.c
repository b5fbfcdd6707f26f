/* store.c -- opening, the schema, statements, transactions. See store.h.
 *
 * document, chunk and vector are the truth. segment and posting are the word index (see
 * postings.h). gone lists, in order, the chunks that were removed and may still be in the
 * postings and in the matrix file; compaction empties it and draws a new epoch, by which
 * a matrix file of before is known as such. Chunk ids are never used twice.
 *
 * SQLite below 3.51.3 may damage a WAL when several connections write and checkpoint at
 * once. Here one connection does either, the one that holds the lock file. */
#include "store/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    APPLICATION = 0x70697468,   // "pith"
    VERSION = 4,
    ANALYSED = 4,   // the version in which words last became other words: postings of an
                    // older store are made anew, for a query would miss them
};

/* schema[i] leads from version i to version i + 1. */
static const char *const schema[VERSION] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE document (id INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE,"
    "  title TEXT NOT NULL, hash BLOB NOT NULL, bytes INTEGER NOT NULL,"
    "  mtime_ns INTEGER NOT NULL, chunks INTEGER NOT NULL, root TEXT NOT NULL);"
    "CREATE TABLE chunk (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  document INTEGER NOT NULL, ordinal INTEGER NOT NULL, text TEXT NOT NULL,"
    "  section TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,"
    "  tokens INTEGER NOT NULL);"
    "CREATE INDEX chunk_document ON chunk (document, ordinal);"
    "CREATE TABLE vector (chunk INTEGER PRIMARY KEY, words INTEGER NOT NULL,"
    "  data BLOB NOT NULL);"   // float32, of this machine's byte order
    "CREATE TABLE gone (seq INTEGER PRIMARY KEY AUTOINCREMENT, chunk INTEGER NOT NULL);"
    "CREATE TABLE segment (id INTEGER PRIMARY KEY, level INTEGER NOT NULL);"
    "CREATE TABLE posting (segment INTEGER NOT NULL, word BLOB NOT NULL,"
    "  data BLOB NOT NULL, PRIMARY KEY (segment, word)) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('epoch', random() & 9223372036854775807),"
    "  ('documents', 0), ('chunks', 0), ('text_bytes', 0);",
    /* Offsets within a passage that is no slice of its source. What has none is read
     * again at the next visit: no file has that time and that hash. */
    "ALTER TABLE chunk ADD COLUMN map BLOB;"
    "UPDATE document SET mtime_ns = 0, hash = x'' WHERE root <> '' AND id IN"
    "  (SELECT document FROM chunk WHERE end - start <> length(CAST(text AS BLOB)));",
    ("ALTER TABLE chunk ADD COLUMN page INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE chunk ADD COLUMN page_end INTEGER NOT NULL DEFAULT 0;"),
    "",     /* stems by language: see ANALYSED */
};

static const char *const query_text[QUERIES] = {
    [Q_BEGIN_READ] = "BEGIN",
    [Q_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_SAVE] = "SAVEPOINT one",
    [Q_RELEASE] = "RELEASE one",
    [Q_UNDO] = "ROLLBACK TO one",
    [Q_META] = "SELECT key, value FROM meta",
    [Q_SET_META] = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
    [Q_EPOCH] = "UPDATE meta SET value = random() & 9223372036854775807"
                "  WHERE key = 'epoch'",
    [Q_COUNT] = "UPDATE meta SET value = value + CASE key WHEN 'documents' THEN ?1"
                "  WHEN 'chunks' THEN ?2 ELSE ?3 END"
                "  WHERE key IN ('documents', 'chunks', 'text_bytes')",
    [Q_COUNTS] = "SELECT (SELECT value FROM meta WHERE key = 'documents'),"
                 "  (SELECT value FROM meta WHERE key = 'chunks'),"
                 "  (SELECT value FROM meta WHERE key = 'text_bytes')",
    [Q_LAST] = "SELECT seq FROM sqlite_sequence WHERE name = 'chunk'",
    [Q_N_GONE] = "SELECT count(*) FROM gone",
    [Q_FIND] = "SELECT id, uri, title, hash, bytes, mtime_ns, chunks, root"
               "  FROM document WHERE uri = ?1",
    [Q_LIST] = "SELECT id, uri, title, hash, bytes, mtime_ns, chunks, root"
               "  FROM document ORDER BY uri",
    [Q_FROM] = "SELECT uri FROM document WHERE uri >= ?1 ORDER BY uri LIMIT 1",
    [Q_ADD_DOCUMENT] = "INSERT INTO document"
                       "  (uri, title, hash, bytes, mtime_ns, chunks, root)"
                       "  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [Q_CHANGE_DOCUMENT] = "UPDATE document SET uri = ?1, title = ?2, hash = ?3,"
                          "  bytes = ?4, mtime_ns = ?5, chunks = ?6, root = ?7"
                          "  WHERE id = ?8",
    [Q_HAS_CHUNKS] = "UPDATE document SET chunks = ?2 WHERE id = ?1",
    [Q_TOUCH] = "UPDATE document SET mtime_ns = ?2 WHERE id = ?1",
    [Q_REMOVE_DOCUMENT] = "DELETE FROM document WHERE id = ?1",
    [Q_ADD_CHUNK] = "INSERT INTO chunk (document, ordinal, text, section, start, end,"
                    "  tokens, map, page, page_end)"
                    "  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [Q_ADD_VECTOR] = "INSERT INTO vector VALUES (?1, ?2, ?3)",
    [Q_TEXT_OF] = "SELECT count(*), CAST(total(length(CAST(text AS BLOB))) AS INTEGER)"
                  "  FROM chunk WHERE document = ?1",
    [Q_BURY] = "INSERT INTO gone (chunk)"
               "  SELECT id FROM chunk WHERE document = ?1 ORDER BY id",
    [Q_REMOVE_VECTORS] = "DELETE FROM vector WHERE chunk IN"
                         "  (SELECT id FROM chunk WHERE document = ?1)",
    [Q_REMOVE_CHUNKS] = "DELETE FROM chunk WHERE document = ?1",
    [Q_CHUNK] = "SELECT document, text, section, start, end, tokens, uri, title, map,"
                "  page, page_end"
                "  FROM chunk JOIN document ON document.id = document"
                "  WHERE chunk.id = ?1",
    [Q_CHUNKS_OF] = "SELECT id FROM chunk WHERE document = ?1 ORDER BY ordinal",
    [Q_PLACE] = "SELECT uri, ordinal"
                "  FROM chunk JOIN document ON document.id = document"
                "  WHERE chunk.id = ?1",
    [Q_VECTOR] = "SELECT words, data FROM vector WHERE chunk = ?1",
    [Q_VECTORS_AFTER] = "SELECT chunk, words, data FROM vector WHERE chunk > ?1"
                        "  ORDER BY chunk",
    [Q_GONE_AFTER] = "SELECT seq, chunk FROM gone WHERE seq > ?1 ORDER BY seq",
    [Q_UNBURY] = "DELETE FROM gone",
    [Q_SEGMENTS] = "SELECT id, level FROM segment ORDER BY id DESC",
    [Q_ADD_SEGMENT] = "INSERT INTO segment (level) VALUES (?1)",
    [Q_REMOVE_SEGMENT] = "DELETE FROM segment WHERE id = ?1",
    [Q_POSTINGS] = "SELECT data FROM segment CROSS JOIN posting"
                   "  ON segment = segment.id AND word = ?1",
    [Q_SEGMENT_POSTINGS] = "SELECT word, data FROM posting WHERE segment = ?1"
                           "  ORDER BY word",
    [Q_ADD_POSTINGS] = "INSERT INTO posting VALUES (?1, ?2, ?3)",
    [Q_REMOVE_POSTINGS] = "DELETE FROM posting WHERE segment = ?1",
    [Q_POSTINGS_FROM] = "SELECT word, data FROM segment CROSS JOIN posting"
                        "  ON segment = segment.id AND word >= ?1 AND word < ?2",
    [Q_REMOVE_ALL_POSTINGS] = "DELETE FROM posting",
    [Q_REMOVE_SEGMENTS] = "DELETE FROM segment",
    [Q_ALL_TEXTS] = "SELECT chunk.id, text, section, title"
                    "  FROM chunk JOIN document ON document.id = document"
                    "  ORDER BY chunk.id",
    [Q_SET_LENGTH] = "UPDATE vector SET words = ?2 WHERE chunk = ?1",
};

/* ---- statements ------------------------------------------------------------------- */

Status db_fail(Ctx *cx, Store *s, int rc)
{
    const char *path = s->path, *why = sqlite3_errmsg(s->db);
    if (rc == SQLITE_READONLY_ROLLBACK || rc == SQLITE_READONLY_RECOVERY)
        return fail(cx, E_IO, "%s: whoever wrote to it was interrupted; `pith sync` puts "
                    "it in order", path);
    switch (rc & 0xFF) {
    case SQLITE_NOMEM:
        return fail(cx, E_MEMORY, "%s: no memory", path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return fail(cx, E_FORMAT, "%s: damaged, or not a store of pith; move it away and "
                    "add the documents again", path);
    case SQLITE_FULL:
        return fail(cx, E_IO, "%s: the disk is full; what was not yet durable is not in "
                    "the store", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fail(cx, E_BUSY, "%s: another process holds it; try again", path);
    case SQLITE_READONLY:
        return fail(cx, E_IO, "%s: may not be written to", path);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_IOERR:
        return fail(cx, E_IO, "%s: %s%s%s", path, why, errno ? ": " : "",
                    errno ? strerror(errno) : "");
    case SQLITE_TOOBIG:
        return fail(cx, E_LIMIT, "%s: a text or a list of more than 1 GB", path);
    default:
        return fail(cx, E_INTERNAL, "%s: %s (SQLite %d)", path, why, rc);
    }
}

Status db_query(Ctx *cx, Store *s, Query q, sqlite3_stmt **out)
{
    *out = NULL;
    if (!s->query[q]) {
        int rc = sqlite3_prepare_v3(s->db, query_text[q], -1, SQLITE_PREPARE_PERSISTENT,
                                    &s->query[q], NULL);
        if (rc != SQLITE_OK)   // SQLITE_ERROR: a table or column of ours is not there
            return db_fail(cx, s, (rc & 0xFF) == SQLITE_ERROR ? SQLITE_CORRUPT : rc);
    }
    *out = s->query[q];
    return OK;
}

Status db_step(Ctx *cx, Store *s, sqlite3_stmt *q, bool *more)
{
    errno = 0;
    int rc = sqlite3_step(q);
    *more = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW) return OK;
    Status st = rc == SQLITE_DONE ? OK : db_fail(cx, s, rc);
    sqlite3_reset(q);
    return st;
}

Status db_run(Ctx *cx, Store *s, sqlite3_stmt *q)
{
    bool more;
    Status st = db_step(cx, s, q, &more);
    if (more) sqlite3_reset(q);
    return st;
}

Status db_do(Ctx *cx, Store *s, Query q, int64_t a, int64_t b)
{
    sqlite3_stmt *stmt;
    TRY(db_query(cx, s, q, &stmt));
    int n = sqlite3_bind_parameter_count(stmt);
    if (n > 0) sqlite3_bind_int64(stmt, 1, a);
    if (n > 1) sqlite3_bind_int64(stmt, 2, b);
    return db_run(cx, s, stmt);
}

void db_bind(sqlite3_stmt *q, int i, Str text)
{
    sqlite3_bind_text64(q, i, text.p ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

Str db_text(Ctx *cx, sqlite3_stmt *q, int column)
{
    const char *p = sqlite3_column_blob(q, column);
    return ctx_dup(cx, (Str){ p, p ? (size_t)sqlite3_column_bytes(q, column) : 0 });
}

/* Copied, for SQLite promises no alignment. */
bool db_vector(const Store *s, sqlite3_stmt *q, int column, float *out)
{
    size_t bytes = (size_t)s->by.dim * sizeof *out;
    const void *p = sqlite3_column_blob(q, column);
    if (!p || (size_t)sqlite3_column_bytes(q, column) != bytes) return false;
    memcpy(out, p, bytes);
    return true;
}

/* ---- meta ------------------------------------------------------------------------- */

/* Keeps `by` in memory that lives as long as the store. */
static Status keep_embedder(Ctx *cx, Store *s, const EmbedderId *by)
{
    bool same = s->by.dim == by->dim && str_eq(s->by.name, by->name) &&
                str_eq(s->by.fingerprint, by->fingerprint);
    if (same) return OK;
    EmbedderId mine = { ctx_dup(&s->own, by->name), ctx_dup(&s->own, by->fingerprint),
                        by->dim };
    if (!mine.name.p || !mine.fingerprint.p)
        return fail(cx, E_MEMORY, "no memory for the embedder's name");
    s->by = mine;
    return OK;
}

/* "de fr " as bits. */
static uint32_t languages_of(sqlite3_stmt *q, int column)
{
    const char *codes = (const char *)sqlite3_column_text(q, column);
    uint32_t bits = 0;
    for (int l = 0; codes && l < LANGUAGES; l++)
        if (strstr(codes, language_facts[l].code)) bits |= 1u << l;
    return bits;
}

Status meta_load(Ctx *cx, Store *s, uint64_t *epoch)
{
    sqlite3_stmt *q;
    EmbedderId by = { 0 };
    bool more;
    *epoch = 0;
    s->languages = 0;
    TRY(db_query(cx, s, Q_META, &q));
    for (;;) {
        TRY(db_step(cx, s, q, &more));
        if (!more) break;
        const char *key = (const char *)sqlite3_column_text(q, 0);
        if (!key) continue;
        if (!strcmp(key, "epoch")) *epoch = (uint64_t)sqlite3_column_int64(q, 1);
        if (!strcmp(key, "dim")) by.dim = sqlite3_column_int(q, 1);
        if (!strcmp(key, "languages")) s->languages = languages_of(q, 1);
        if (!strcmp(key, "embedder")) by.name = db_text(cx, q, 1);
        if (!strcmp(key, "fingerprint")) by.fingerprint = db_text(cx, q, 1);
    }
    if (by.dim < 0 || by.dim > MATRIX_MAX_DIM) return db_fail(cx, s, SQLITE_CORRUPT);
    return keep_embedder(cx, s, &by);
}

Status meta_write(Ctx *cx, Store *s, const char *key, Str value)
{
    sqlite3_stmt *q;
    TRY(db_query(cx, s, Q_SET_META, &q));
    db_bind(q, 1, str_z(key));
    db_bind(q, 2, value);
    return db_run(cx, s, q);
}

/* ---- opening ---------------------------------------------------------------------- */

/* Makes the folders above path. */
static Status make_folders(Ctx *cx, const char *path)
{
    Str copy = ctx_dup(cx, str_z(path));
    TRY_NEW(copy.p);
    char *p = (char *)copy.p;
    for (char *at = strchr(p + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(p, 0700) != 0 && errno != EEXIST)
            return fail(cx, E_IO, "%s: cannot be made: %s", p, strerror(errno));
        *at = '/';
    }
    return OK;
}

/* The lock is flock's: the system takes it back when the process ends, however it ends.
 * The pid in the file is there to be told, and a full disk may keep it out. */
static Status take_lock(Ctx *cx, Store *s)
{
    char pid[32] = { 0 };
    s->lock = open(s->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return fail(cx, E_IO, "%s: cannot be made: %s", s->lock_path, strerror(errno));
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return fail(cx, E_IO, "%s: cannot be locked: %s", s->lock_path,
                        strerror(errno));
        if (pread(s->lock, pid, sizeof pid - 1, 0) < 0) *pid = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        return fail(cx, E_BUSY, "%s: %s%s is writing to it; wait for it, or open the "
                    "store to read only", s->path, *pid ? "process " : "another process",
                    pid);
    }
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    bool told = ftruncate(s->lock, 0) == 0 && pwrite(s->lock, pid, (size_t)n, 0) == n;
    (void)told;
    return OK;
}

static Status pragma(Ctx *cx, Store *s, const char *sql, int64_t *out)
{
    sqlite3_stmt *q = NULL;
    errno = 0;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(q);
    if (rc == SQLITE_ROW && out) *out = sqlite3_column_int64(q, 0);
    Status st = rc == SQLITE_ROW || rc == SQLITE_DONE ? OK : db_fail(cx, s, rc);
    sqlite3_finalize(q);
    return st;
}

static Status settings(Ctx *cx, Store *s)
{
    sqlite3_busy_timeout(s->db, 5000);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    TRY(pragma(cx, s, "PRAGMA mmap_size = 0", NULL));
    TRY(pragma(cx, s, "PRAGMA cell_size_check = ON", NULL));
    TRY(pragma(cx, s, "PRAGMA cache_size = -32768", NULL));
    if (s->read_only) {
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return OK;
    }
    TRY(pragma(cx, s, "PRAGMA journal_mode = WAL", NULL));
    TRY(pragma(cx, s, "PRAGMA journal_size_limit = 67108864", NULL));
    return pragma(cx, s, "PRAGMA synchronous = FULL", NULL);
}

static Status execute(Ctx *cx, Store *s, const char *sql)
{
    errno = 0;
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : db_fail(cx, s, rc);
}

static Status build_schema(Ctx *cx, Store *s, int64_t from)
{
    char mark[96];
    for (int64_t i = from; i < VERSION; i++) TRY(execute(cx, s, schema[i]));
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION, VERSION);
    return execute(cx, s, mark);
}

/* Whose file it is, and of which version; brings an older one up to date. */
static Status check_version(Ctx *cx, Store *s)
{
    int64_t app = 0, version = 0, tables = 0;
    TRY(pragma(cx, s, "PRAGMA application_id", &app));
    TRY(pragma(cx, s, "PRAGMA user_version", &version));
    TRY(pragma(cx, s, "SELECT count(*) FROM sqlite_schema", &tables));
    bool empty = app == 0 && version == 0 && tables == 0;
    if (empty && s->read_only)
        return fail(cx, E_NOTFOUND, "%s: empty; `pith add` fills it", s->path);
    if (!empty && app != APPLICATION)
        return fail(cx, E_FORMAT, "%s: a database, but not a store of pith", s->path);
    if (version > VERSION)
        return fail(cx, E_FORMAT, "%s: made by a newer pith (store version %lld, this "
                    "one knows up to %d); use that one", s->path, (long long)version,
                    VERSION);
    if (version == VERSION) return OK;
    if (s->read_only || version < 0)
        return fail(cx, E_FORMAT, "%s: of store version %lld, this pith wants %d: "
                    "`pith sync` brings it up to date", s->path, (long long)version,
                    VERSION);
    TRY(db_do(cx, s, Q_BEGIN_WRITE, 0, 0));
    Status st = build_schema(cx, s, version);
    if (st == OK && !empty && version < ANALYSED) st = store_repost(cx, s);
    if (st == OK) st = db_do(cx, s, Q_COMMIT, 0, 0);
    if (st != OK) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

/* file:PATH?immutable=1, PATH escaped (RFC 3986, 2.1). */
static char *immutable_uri(Ctx *cx, const char *path)
{
    size_t n = strlen(path), at = strlen("file:");
    char *uri = ctx_alloc(cx, 3 * n + 24, 1);
    if (!uri) return NULL;
    memcpy(uri, "file:", sizeof "file:");
    for (const char *p = path; *p; p++) {
        bool plain = strchr("%?#", *p) == NULL && (unsigned char)*p > ' ';
        at += (size_t)snprintf(uri + at, 4, plain ? "%c" : "%%%02X", (unsigned char)*p);
    }
    memcpy(uri + at, "?immutable=1", sizeof "?immutable=1");
    return uri;
}

/* A store at rest in a folder that may not be written to has no place for the files that
 * readers share: it is read as what cannot change. */
static bool at_rest_out_of_reach(Ctx *cx, const Store *s)
{
    struct stat st;
    Str wal = ctx_printf(cx, "%s-wal", s->path);
    Str folder = ctx_dup(cx, str_z(s->path));
    if (!wal.p || !folder.p) return false;
    char *slash = strrchr((char *)folder.p, '/');
    if (slash) slash[slash == folder.p] = '\0';
    return s->read_only && access(slash ? folder.p : ".", W_OK) != 0 &&
           (stat(wal.p, &st) != 0 || st.st_size == 0);
}

/* SQLite would make the file for all to read. */
static Status make_private(Ctx *cx, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail(cx, E_IO, "%s: cannot be made: %s", path, strerror(errno));
    close(fd);
    return OK;
}

static Status open_file(Ctx *cx, Store *s)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const char *name = s->path;
    if (s->read_only) flags |= SQLITE_OPEN_READONLY;
    else flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (at_rest_out_of_reach(cx, s)) {
        TRY_NEW(name = immutable_uri(cx, s->path));
        flags |= SQLITE_OPEN_URI;
    }
    errno = 0;
    int rc = sqlite3_open_v2(name, &s->db, flags, NULL);
    if (rc != SQLITE_OK) return db_fail(cx, s, rc);
    TRY(settings(cx, s));
    return check_version(cx, s);
}

static Status set_paths(Ctx *cx, Store *s, const char *path)
{
    s->path = (char *)ctx_dup(&s->own, str_z(path)).p;
    s->matrix_path = (char *)ctx_printf(&s->own, "%s.matrix", path).p;
    s->lock_path = (char *)ctx_printf(&s->own, "%s.lock", path).p;
    if (s->path && s->matrix_path && s->lock_path) return OK;
    return fail(cx, E_MEMORY, "no memory for a store");
}

static Status open_parts(Ctx *cx, Store *s, const char *path, const StoreOptions *opt)
{
    struct stat st;
    uint64_t epoch;
    TRY(set_paths(cx, s, path));
    bool absent = stat(path, &st) != 0;
    if (absent && (opt->read_only || !opt->create))
        return fail(cx, errno == ENOENT || errno == ENOTDIR ? E_NOTFOUND : E_IO,
                    "%s: %s; `pith add` makes a store", path, strerror(errno));
    if (!absent && !S_ISREG(st.st_mode))
        return fail(cx, E_FORMAT, "%s: not a file", path);
    if (absent) TRY(make_folders(cx, path));
    if (!opt->read_only) TRY(take_lock(cx, s));
    if (absent) TRY(make_private(cx, path));
    TRY(words_open(cx, &s->words));
    s->batch = batch_new();
    if (!s->batch) return fail(cx, E_MEMORY, "no memory for a store");
    TRY(open_file(cx, s));
    return meta_load(cx, s, &epoch);
}

Status store_open(Ctx *cx, const char *path, const StoreOptions *opt, Store **out)
{
    *out = NULL;
    if (!path || !*path) return fail(cx, E_ARG, "a store needs a path");
    Store *s = calloc(1, sizeof *s);
    if (!s) return fail(cx, E_MEMORY, "no memory for a store");
    s->lock = -1;
    s->read_only = opt->read_only;
    Status st = open_parts(cx, s, path, opt);
    if (st != OK) store_close(s);
    else *out = s;
    return st;
}

void store_close(Store *s)
{
    if (!s) return;
    Ctx cx = CTX_INIT;
    store_abandon(s);
    if (s->in_group && group_commit(&cx, s) != OK) s->in_group = false;
    ctx_end(&cx);
    for (int i = 0; i < QUERIES; i++) sqlite3_finalize(s->query[i]);
    sqlite3_close(s->db);
    matrix_close(s->matrix);
    batch_free(s->batch);
    words_close(s->words);
    if (s->lock >= 0) close(s->lock);
    free(s->scratch);
    ctx_end(&s->own);
    free(s);
}

int64_t store_file_bytes(const Store *s)
{
    static const char *const suffix[] = { "", "-wal", "-shm", ".matrix" };
    char name[4096 + 16];
    struct stat st;
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        int n = snprintf(name, sizeof name, "%s%s", s->path, suffix[i]);
        if (n > 0 && (size_t)n < sizeof name && stat(name, &st) == 0) sum += st.st_size;
    }
    return sum;
}
