/* store.c -- the stores that evaluations fill, kept in the user's cache.
 *
 * A store's name says all that its content depends on, so that one that is there and full
 * is right: another corpus, embedder or chunk size is another name. An interrupted one is
 * filled up, since pith skips the documents that it has. */
#include "base/file.h"
#include "eval/job.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 256 };   // documents a call: often enough for the progress

/* ---- where ------------------------------------------------------------------------- */

/* FNV-1a, 64 bit. */
static uint64_t hash(Str s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return h;
}

static const char *embedder_name(const Job *j)
{
    const char *env = getenv("PITH_EMBEDDER");
    if (j->opt->embedder) return j->opt->embedder;
    if (j->env->open.embedder) return j->env->open.embedder;
    return env ? env : "";
}

static Status store_path(const Job *j, Str *out)
{
    Ctx *cx = j->cx;
    char whole[PATH_MAX];
    struct stat st;
    Str cache = { 0 }, folder = { 0 };
    Str corpus = ctx_printf(cx, "%s/corpus.jsonl", j->opt->operand[0]);
    TRY_NEW(corpus.p);
    if (!realpath(corpus.p, whole) || stat(whole, &st) != 0)
        return fail(cx, E_IO, "cannot read %s: %s", corpus.p, strerror(errno));
    Str key = ctx_printf(cx, "%s|%lld|%lld.%09ld|%s|%d|%s", whole, (long long)st.st_size,
                         (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                         embedder_name(j), j->opt->chunk_tokens, PITH_VERSION);
    TRY_NEW(key.p);
    TRY(folder_cache(cx, &cache));
    TRY(path_join(cx, cache, STR("eval"), &folder));
    TRY(folder_make(cx, folder.p));
    const char *name = basename(dirname(whole));
    *out = ctx_printf(cx, "%s/%.40s-%016llx.db", folder.p, name,
                      (unsigned long long)hash(key));
    return out->p ? OK : E_MEMORY;
}

/* ---- open and fill ----------------------------------------------------------------- */

static const char *either(const char *a, const char *b)
{
    return a ? a : b;
}

Status job_open(const Job *j, const char *store, pith **out)
{
    pith_error why;
    pith_options o = j->env->open;
    o.store = store;
    o.generator = either(j->opt->generator, o.generator);
    o.embedder = either(j->opt->embedder, o.embedder);
    o.reranker = either(j->opt->reranker, o.reranker);
    if (j->opt->threads) o.threads = j->opt->threads;
    if (j->opt->kv) o.kv_mib = j->opt->kv;
    o.remote = either(j->opt->remote, o.remote);
    o.remote_model = either(j->opt->remote_model, o.remote_model);
    if (j->opt->remote) o.remote_policy = PITH_REMOTE_AUTO;     // naming it is the leave
    return pith_open(&o, out, &why) == PITH_OK ? OK : job_why(j, &why);
}

static Status count_documents(const Job *j, pith *p, size_t *out)
{
    char *text = NULL;
    pith_error why;
    *out = 0;
    int code = pith_status(p, &text, &why);
    if (code == PITH_E_NOTFOUND) return OK;   // to be made
    if (code != PITH_OK) return job_why(j, &why);
    json_t *status = json_loads(text, 0, NULL);
    *out = (size_t)json_integer_value(json_object_get(status, "documents"));
    json_decref(status);
    pith_string_free(text);
    return OK;
}

/* A batch on its way, for the callbacks of pith. */
typedef struct Filling {
    const Job *job;
    size_t done, total;   // documents before this batch; all
} Filling;

static void on_progress(void *arg, const pith_progress *now)
{
    const Filling *f = arg;
    job_progress(f->job, f->done + now->files_done, f->total, "documents");
}

static void on_problem(void *arg, const char *path, const char *reason)
{
    job_warn(((const Filling *)arg)->job, "document %s: %s", path, reason);
}

static Status fill(const Job *j, pith *p, const Corpus *c)
{
    pith_text batch[BATCH];
    pith_error why;
    Filling f = { j, 0, c->n };
    pith_add_options o = { .chunk_tokens = j->opt->chunk_tokens, .arg = &f,
                           .on_progress = on_progress, .on_problem = on_problem };
    while (f.done < c->n) {
        size_t n = c->n - f.done < BATCH ? c->n - f.done : BATCH;
        for (size_t i = 0; i < n; i++) {
            const Doc *d = &c->at[f.done + i];
            batch[i] = (pith_text){ d->id.p, d->title.p, d->text.p, "text", 0 };
        }
        job_progress(j, f.done, f.total, "documents");
        if (pith_add_texts(p, batch, n, &o, NULL, &why) != PITH_OK)
            return job_why(j, &why);
        f.done += n;
    }
    return OK;
}

/* A store of the cache is made anew where it is damaged or of an older version. */
static Status remove_store(const Job *j, Str path)
{
    static const char *const parts[] = { "", "-wal", "-shm", ".matrix" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        Str part = ctx_printf(j->cx, "%s%s", path.p, parts[i]);
        TRY_NEW(part.p);
        if (unlink(part.p) != 0 && errno != ENOENT)
            return fail(j->cx, E_IO, "cannot remove %s: %s", part.p, strerror(errno));
    }
    return OK;
}

static Status open_store(const Job *j, Str path, bool index, size_t *have, pith **out)
{
    TRY(job_open(j, path.p, out));
    Status st = index ? count_documents(j, *out, have) : OK;
    if (st == OK) return OK;
    pith_close(*out);
    *out = NULL;
    return st;
}

Status job_store(const Job *j, const Corpus *corpus, bool index, pith **out)
{
    Str path = { 0 };
    pith *p = NULL;
    size_t have = 0;
    *out = NULL;
    TRY(store_path(j, &path));
    Status st = open_store(j, path, index, &have, &p);
    if (st == E_FORMAT) {
        ctx_forgive(j->cx);
        TRY(remove_store(j, path));
        st = open_store(j, path, index, &have, &p);
    }
    TRY(st);
    if (index && have != corpus->n) st = fill(j, p, corpus);
    if (st == OK) *out = p;
    else pith_close(p);
    return st;
}
