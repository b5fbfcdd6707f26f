/* reembed.c -- the store with another embedder: a new file is made beside the old one and
 * takes its place in one step, so that until then nothing has changed. */
#include "api/handle.h"
#include "base/file.h"
#include "index/index.h"
#include "store/write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What goes through the job: the options, turned around for the index. */
typedef struct Relay {
    const pith_add_options *opt;
} Relay;

static void relay_progress(void *arg, const IndexProgress *p)
{
    const pith_add_options *o = ((Relay *)arg)->opt;
    pith_progress now = { p->files_done, p->files_total, p->bytes_done, p->bytes_total,
                          p->chunks_done, p->current };
    if (o->on_progress) o->on_progress(o->arg, &now);
}

static void remove_files(Ctx *cx, const char *path)
{
    static const char *const suffix[] = { "", "-wal", "-shm", ".matrix", ".lock" };
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        Str name = ctx_printf(cx, "%s%s", path, suffix[i]);
        if (name.p) unlink(name.p);
    }
}

/* Puts the new file in the place of the old. A log that another process still reads would
 * be taken for the new file's: then it is not the time. */
static Status take_place(Ctx *cx, const char *new_path, const char *path)
{
    Str wal = ctx_printf(cx, "%s-wal", path), shm = ctx_printf(cx, "%s-shm", path);
    Str matrix = ctx_printf(cx, "%s.matrix", path);
    uint64_t bytes = 0;
    if (!wal.p || !shm.p || !matrix.p) return E_MEMORY;
    if (file_is_here(wal.p, &bytes) && bytes > 0)
        return fail(cx, E_BUSY, "another process is reading %s: run this again when it "
                    "has ended", path);
    unlink(wal.p);
    unlink(shm.p);
    unlink(matrix.p);
    return file_commit(cx, new_path, path);
}

static Status make_new(Ctx *cx, pith *p, Model *m, const char *new_path, Relay *relay,
                       IndexReport *done)
{
    IndexOptions opt = { .on_progress = relay_progress, .arg = relay };
    StoreOptions create = { .create = true };
    Store *old, *new = NULL;
    TRY(handle_store(cx, p, true, &old));
    remove_files(cx, new_path);   // of an earlier run that was stopped
    TRY(store_open(cx, new_path, &create, &new));
    Status st = index_reembed(cx, old, new, m, &opt, done);
    if (st == OK) st = store_flush(cx, new);
    store_close(new);
    return st;
}

static Status reembed(Ctx *cx, pith *p, Relay *relay, IndexReport *done)
{
    Model *m;
    Str new_path = ctx_printf(cx, "%s.reembed", p->store_path);
    TRY_NEW(new_path.p);
    TRY(handle_model(cx, p, ROLE_EMBEDDER, &m));
    if (!m) return fail(cx, E_ARG, "vectors need an embedder: name one");
    if (!file_is_here(p->store_path, NULL))
        return fail(cx, E_NOTFOUND,
                    "%s: there is no store yet, `pith add PATH` makes one",
                    p->store_path);
    Status st = make_new(cx, p, m, new_path.p, relay, done);
    store_close(p->store);
    p->store = NULL;
    if (st == OK) st = take_place(cx, new_path.p, p->store_path);
    remove_files(cx, new_path.p);
    return st;
}

int pith_reembed(pith *p, const pith_add_options *opt, pith_report *report,
                 pith_error *why)
{
    static const pith_add_options defaults = { 0 };
    Relay relay = { opt ? opt : &defaults };
    IndexReport done = { 0 };
    Ctx cx;
    call_begin(p, &cx);
    Status st = reembed(&cx, p, &relay, &done);
    if (report) *report = (pith_report){ .changed = done.added, .chunks = done.chunks };
    return call_end(p, &cx, st, false, why);
}
