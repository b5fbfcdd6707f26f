/* index.c -- see index.h: which files are new, changed or gone, one after the other.
 *
 * Each document belongs to the root under which it was first found: sync visits roots one
 * by one and touches only the documents of the root it is at, so that overlapping roots
 * neither count a file twice nor remove each other's. */
#include "index/index.h"

#include "index/ahead.h"
#include "index/walk.h"
#include "parse/charset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Visit {
    Str root;           // absolute, NUL-terminated
    Walk walk;
    bool done;          // the walk succeeded
    bool was_file;      // a document has the root's own name
} Visit;

typedef struct Indexer {
    Queue q;
    Ahead ahead;
    Ctx plan;           // memory of the walks and of what is known
    bool syncing;
} Indexer;

/* ---- names ------------------------------------------------------------------------- */

/* The path as a uri: bytes that are no UTF-8 become %XX. NUL-terminated. */
static Str uri_of(Ctx *cx, Str path)
{
    if (charset_invalid(path) == 0) return path;
    Buf b = BUF(path.n * 3);
    for (size_t i = 0, n; i < path.n; i += n) {
        for (n = path.n - i < 4 ? path.n - i : 4; n > 1; n--)
            if (charset_invalid((Str){ path.p + i, n }) == 0) break;
        if (charset_invalid((Str){ path.p + i, n }) == 0)
            buf_add(&b, (Str){ path.p + i, n });
        else
            buf_addf(&b, "%%%02X", (unsigned char)path.p[i]);
    }
    Str uri = b.failed ? (Str){ NULL, 0 } : ctx_dup(cx, buf_str(&b));
    if (b.failed) fail(cx, E_MEMORY, "out of memory for a name");
    buf_free(&b);
    return uri;
}

static const char *kind_of_file(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) return strerror(errno);
    return S_ISFIFO(st.st_mode) ? "this is a FIFO, not a file"
         : S_ISSOCK(st.st_mode) ? "this is a socket, not a file"
         : S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? "this is no text"
         : "this is a device, not a file";
}

/* ---- one file ---------------------------------------------------------------------- */

static bool is_fatal(Status st)
{
    return st == E_MEMORY || st == E_CANCELLED || st == E_INTERNAL;
}

static Status file_index(Indexer *x, const Entry *e, const Visit *v)
{
    Ctx cx = CTX_INIT;
    AheadFile f = { .path = e->path, .uri = uri_of(&cx, e->path), .root = v->root,
                    .bytes = e->bytes, .named = v->walk.is_file };
    Status st = f.uri.p ? ahead_file(&x->ahead, &f)
                        : fail(&x->plan, E_MEMORY, "out of memory for a name");
    ctx_end(&cx);
    return st;
}

/* ---- a root ------------------------------------------------------------------------ */

/* Marks what need not be opened, and counts the work. */
static Status sort_out(Indexer *x, Visit *v)
{
    Ctx cx = CTX_INIT;
    Status st = OK;
    for (size_t i = 0; i < v->walk.n && st == OK; i++) {
        Entry *e = &v->walk.at[i];
        Document d;
        if (e->problem.n) continue;
        Str uri = uri_of(&cx, e->path);
        st = uri.p ? store_find(&cx, x->q.store, uri, &d) : E_MEMORY;
        bool known = st == OK;
        if (st == E_NOTFOUND) st = OK;
        e->same = known && d.mtime_ns == e->mtime_ns && (uint64_t)d.bytes == e->bytes;
        bool others = known && x->syncing && !str_eq(d.root, v->root);
        if (others) e->same = true;
        if (!e->same) x->q.now.bytes_total += e->bytes;
        if (e->same && !others) x->q.report->unchanged++;
        x->q.now.files_total += !others;
        x->q.now.files_done += e->same && !others;
        if (st != OK) fail(&x->plan, st, "%s", cx.reason);
        if (i % 256 == 255) ctx_end(&cx);
        ctx_forgive(&cx);
    }
    ctx_end(&cx);
    return st;
}

static Status visit(Indexer *x, const Visit *v)
{
    if (!v->done) return OK;
    x->q.report->skipped += v->walk.skipped;
    for (size_t i = 0; i < v->walk.n; i++) {
        const Entry *e = &v->walk.at[i];
        Status st = ctx_check(&x->plan);
        if (st == OK && e->problem.n) queue_problem(&x->q, e->path.p, e->problem.p);
        else if (st == OK && !e->same) st = file_index(x, e, v);
        if (st != OK) return st;
    }
    return ahead_finish(&x->ahead);
}

/* Lists what is below a root. A root out of reach is a problem told, no error. */
static Status look(Indexer *x, Visit *v)
{
    Status st = walk(&x->plan, v->root.p, &v->walk);
    v->done = st == OK;
    if (st == OK) return sort_out(x, v);
    if (is_fatal(st)) return st;
    queue_problem(&x->q, v->root.p,
                  st == E_ARG ? kind_of_file(v->root.p) : x->plan.reason);
    ctx_forgive(&x->plan);
    return OK;
}

static Status open_indexer(Ctx *cx, Store *s, Model *m, const IndexOptions *opt,
                           IndexReport *out, Indexer *x)
{
    x->plan = (Ctx){ .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    x->syncing = false;
    x->ahead = (Ahead){ .q = &x->q };
    return queue_open(cx, s, m, opt, out, &x->q);
}

/* What was finished is kept whatever happened; st is the first error. */
static Status close_indexer(Ctx *cx, Indexer *x, Status st)
{
    bool store_works = st == OK || st == E_CANCELLED;
    const char *why = x->plan.reason[0] ? x->plan.reason : "out of memory";
    if (st != OK) fail(cx, st, "%s", why);      // unless cx has it already
    ahead_drop(&x->ahead);
    Status flushed = store_works ? queue_flush(&x->q) : OK;
    if (flushed == OK && store_works) {
        flushed = store_flush(&x->q.work, x->q.store);
        if (flushed != OK) queue_fail(&x->q, flushed);
    }
    queue_close(&x->q);
    ctx_end(&x->plan);
    return st != OK ? st : flushed;
}

/* ---- add --------------------------------------------------------------------------- */

/* The absolute path without links; .p is NULL where there is none, which is told. */
static Str root_of(Indexer *x, const char *path)
{
    char *real = realpath(path, NULL);
    const char *why = real ? NULL : strerror(errno);
    if (real && charset_invalid(str_z(real))) why = "its name is no UTF-8: rename it";
    Str root = why ? (Str){ NULL, 0 } : ctx_dup(&x->plan, str_z(real));
    if (why) queue_problem(&x->q, path, why);
    free(real);
    return root;
}

static Status add_paths(Indexer *x, const char *const *paths, size_t n)
{
    Visit *visits = ctx_new(&x->plan, Visit, n);
    TRY_NEW(visits);
    for (size_t i = 0; i < n; i++) {
        visits[i].root = root_of(x, paths[i]);
        if (x->plan.status != OK) return x->plan.status;
        if (visits[i].root.p) TRY(look(x, &visits[i]));
    }
    for (size_t i = 0; i < n; i++) TRY(visit(x, &visits[i]));
    return OK;
}

Status index_paths(Ctx *cx, Store *s, Model *embedder, const char *const *paths, size_t n,
                   const IndexOptions *opt, IndexReport *out)
{
    Indexer x;
    Status st = open_indexer(cx, s, embedder, opt, out, &x);
    if (st == OK) st = add_paths(&x, paths, n);
    return close_indexer(cx, &x, st);
}

/* ---- sync -------------------------------------------------------------------------- */

typedef struct Known {
    Document *docs;         // of the store, in the order of their uri
    size_t n;
    Visit *visits;          // a root each
    size_t n_visits;
} Known;

static int by_root(const void *a, const void *b)
{
    return str_cmp(((const Visit *)a)->root, ((const Visit *)b)->root);
}

/* The roots of all documents, each once, in order. */
static Status find_roots(Ctx *cx, Known *k)
{
    Visit *at = ctx_new(cx, Visit, k->n);
    size_t n = 0, kept = 0;
    TRY_NEW(at);
    for (size_t i = 0; i < k->n; i++) {
        const Document *d = &k->docs[i];
        if (d->root.n == 0) continue;
        at[n++] = (Visit){ .root = d->root, .was_file = str_eq(d->root, d->uri) };
    }
    if (n) qsort(at, n, sizeof *at, by_root);
    for (size_t i = 0; i < n; i++) {
        if (kept && str_eq(at[kept - 1].root, at[i].root)) {
            at[kept - 1].was_file |= at[i].was_file;
            continue;
        }
        at[i].root = ctx_dup(cx, at[i].root);   // with its NUL
        TRY_NEW(at[i].root.p);
        at[kept++] = at[i];
    }
    k->visits = at;
    k->n_visits = kept;
    return OK;
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

/* Is the uri that of a file found, or below a folder that could not be read? uris are
 * those of w, sorted. */
static bool is_there(const Str *uris, const Walk *w, Str uri)
{
    if (w->n && bsearch(&uri, uris, w->n, sizeof *uris, by_bytes)) return true;
    if (w->problems == 0) return false;
    for (size_t i = 0; i < w->n; i++) {
        Str folder = w->at[i].path;
        if (w->at[i].problem.n && str_starts(uri, folder) && uri.p[folder.n] == '/')
            return true;
    }
    return false;
}

static Status remove_document(Indexer *x, Str uri)
{
    Status st = store_remove(&x->q.work, x->q.store, uri);
    if (st != OK && st != E_NOTFOUND) return queue_fail(&x->q, st);
    ctx_forgive(&x->q.work);
    x->q.report->removed += st == OK;
    return OK;
}

static Status remove_gone(Indexer *x, const Visit *v, const Known *k)
{
    Str *uris = ctx_new(&x->plan, Str, v->walk.n);
    TRY_NEW(uris);
    for (size_t i = 0; i < v->walk.n; i++) {
        uris[i] = uri_of(&x->plan, v->walk.at[i].path);
        TRY_NEW(uris[i].p);
    }
    if (v->walk.n) qsort(uris, v->walk.n, sizeof *uris, by_bytes);
    for (size_t i = 0; i < k->n; i++)
        if (str_eq(k->docs[i].root, v->root) && !is_there(uris, &v->walk, k->docs[i].uri))
            TRY(remove_document(x, k->docs[i].uri));
    return OK;
}

/* A file that was named itself is gone where its folder is still there. */
static bool is_gone(Indexer *x, const Visit *v)
{
    struct stat st;
    const char *slash = memrchr(v->root.p, '/', v->root.n);
    if (!v->was_file || !slash) return false;
    if (stat(v->root.p, &st) == 0 || errno != ENOENT) return false;
    Str folder = ctx_dup(&x->plan, (Str){ v->root.p, (size_t)(slash - v->root.p) + 1 });
    return folder.p && stat(folder.p, &st) == 0;
}

/* An empty folder in place of one that had documents may be a disk not mounted. */
static Status look_again(Indexer *x, Visit *v)
{
    if (is_gone(x, v)) return OK;
    TRY(look(x, v));
    if (!v->done || !v->walk.empty) return OK;
    v->done = false;
    queue_problem(&x->q, v->root.p, "this folder is empty now: its documents stay until "
                                    "they are removed by name");
    return OK;
}

static Status sync_all(Indexer *x)
{
    Known k = { 0 };
    TRY(store_list(&x->plan, x->q.store, &k.docs, &k.n));
    TRY(find_roots(&x->plan, &k));
    for (size_t i = 0; i < k.n_visits; i++) TRY(look_again(x, &k.visits[i]));
    for (size_t i = 0; i < k.n_visits; i++) {
        const Visit *v = &k.visits[i];
        TRY(visit(x, v));
        if (v->done || is_gone(x, v)) TRY(remove_gone(x, v, &k));
    }
    return OK;
}

Status index_sync(Ctx *cx, Store *s, Model *embedder, const IndexOptions *opt,
                  IndexReport *out)
{
    Indexer x;
    Status st = open_indexer(cx, s, embedder, opt, out, &x);
    x.syncing = true;
    if (st == OK) st = sync_all(&x);
    return close_indexer(cx, &x, st);
}

/* ---- texts ------------------------------------------------------------------------- */

static Status add_texts(Indexer *x, const IndexText *docs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (docs[i].uri.n == 0) return fail(&x->plan, E_ARG, "text %zu has no name", i);
        x->q.now.bytes_total += docs[i].text.n;
    }
    x->q.now.files_total = n;
    for (size_t i = 0; i < n; i++) {
        TRY(ctx_check(&x->plan));
        TRY(ahead_text(&x->ahead, &docs[i]));
    }
    return ahead_finish(&x->ahead);
}

Status index_texts(Ctx *cx, Store *s, Model *embedder, const IndexText *docs, size_t n,
                   const IndexOptions *opt, IndexReport *out)
{
    Indexer x;
    Status st = open_indexer(cx, s, embedder, opt, out, &x);
    if (st == OK) st = add_texts(&x, docs, n);
    return close_indexer(cx, &x, st);
}
