/* bench_store.c -- searches and answers, as a program of pith.h asks for them, in stores
 * that are made for it in the temporary folder. */
#include "api/bench.h"
#include "base/file.h"
#include "store/made.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

enum { WORDS = 40, WARM_UP = 5, ROOM_A_CHUNK = 4096,   // bytes of disk, generously
       DOCUMENTS = 60, DOCUMENT = 180, CONTEXT = 1200, WRITTEN = 64 };

/* An error of the public interface, called from inside. */
static Status passed_on(Ctx *cx, int code, const pith_error *why)
{
    return code ? fail(cx, (Status)code, "%s", why->message) : OK;
}

/* ---- search ----------------------------------------------------------------------- */

static Status check_room(Ctx *cx, const Bench *b, size_t chunks)
{
    struct statvfs fs;
    if (statvfs(b->folder.p, &fs) != 0)
        return fail(cx, E_IO, "%s: %s", b->folder.p, strerror(errno));
    uint64_t have = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (have / ROOM_A_CHUNK >= chunks) return OK;
    return fail(cx, E_IO, "%s has %.1f GB left, a store of %zu chunks wants %.1f: set "
                "TMPDIR to another folder", b->folder.p, (double)have / 1e9, chunks,
                (double)chunks * ROOM_A_CHUNK / 1e9);
}

static Status fill(Ctx *cx, const char *path, size_t chunks, Made *made)
{
    StoreOptions opt = { .create = true };
    Store *s = NULL;
    double ms = 0;
    TRY(store_open(cx, path, &opt, &s));
    Status st = OK;
    for (size_t i = 0; i < chunks / MADE_CHUNKS && st == OK; i++) {
        st = ctx_check(cx);
        if (st == OK) st = made_put(cx, s, made, i, &ms);
    }
    if (st == OK) st = store_flush(cx, s);
    store_close(s);
    return st;
}

static Status search_once(Ctx *cx, pith *p, Made *made, double *ms)
{
    Buf text = BUF(1 << 20);
    pith_results *found = NULL;
    pith_error why;
    Str query = ctx_dup(cx, made_query(made, made_text(made, &text)));
    buf_free(&text);
    TRY_NEW(query.p);
    double t = now_ms();
    int code = pith_search(p, query.p, NULL, &found, &why);
    *ms = now_ms() - t;
    pith_results_free(found);
    if (code == PITH_E_ARG && str_trim(query).n == 0) return OK;
    return passed_on(cx, code, &why);
}

static Status search_all(Ctx *cx, const Bench *b, pith *p, Made *made, Series *out)
{
    int n = bench_repeats(b, 200, SERIES_MAX);
    double ms;
    for (int i = 0; i < WARM_UP; i++) TRY(search_once(cx, p, made, &ms));
    for (int i = 0; i < n; i++) {
        TRY(search_once(cx, p, made, &ms));
        series_add(out, ms);
    }
    return OK;
}

Status bench_search(Ctx *cx, const Bench *b, size_t chunks, Series *out)
{
    char name[32];
    Model *m = NULL;
    pith *p = NULL;
    Made made = { .random = 42, .words = WORDS };
    snprintf(name, sizeof name, "%zu.db", chunks);
    TRY(check_room(cx, b, chunks));
    TRY(bench_open(cx, b, name, &p));
    Status st = handle_model(cx, p, ROLE_EMBEDDER, &m);
    if (st == OK && m) {
        const ModelInfo *i = model_info(m);
        made.by = (EmbedderId){ i->name, i->fingerprint, i->dim };
        st = fill(cx, p->store_path, chunks, &made);
        if (st == OK) st = search_all(cx, b, p, &made, out);
    }
    pith_close(p);
    return st;
}

/* ---- answers ---------------------------------------------------------------------- */

/* Documents of one chunk each. */
static Status add_documents(Ctx *cx, pith *p)
{
    pith_text doc[DOCUMENTS] = { 0 };
    pith_error why;
    Model *m;
    TRY(handle_model(cx, p, ROLE_EMBEDDER, &m));
    for (unsigned i = 0; i < DOCUMENTS; i++) {
        Str text, uri = ctx_printf(cx, "manual-%u.txt", i);
        TRY_NEW(uri.p);
        TRY(bench_text(cx, m, DOCUMENT, i, &text));
        doc[i] = (pith_text){ .uri = uri.p, .text = text.p };
    }
    return passed_on(cx, pith_add_texts(p, doc, DOCUMENTS, NULL, NULL, &why), &why);
}

static Status ask(Ctx *cx, pith *p, unsigned question)
{
    pith_ask_options opt = { .context_tokens = CONTEXT, .max_tokens = WRITTEN,
                             .no_abstain = 1, .no_filter = 1 };
    pith_answer *a = NULL;
    pith_error why;
    Str text = bench_question(cx, question);
    TRY_NEW(text.p);
    int code = pith_ask(p, text.p, &opt, &a, &why);
    pith_answer_free(a);
    return passed_on(cx, code, &why);
}

/* A handle that has nothing loaded, a question, then others. */
static Status ask_from_cold(Ctx *cx, const Bench *b, unsigned turn, int others,
                            Series *cold, Series *warm)
{
    pith *p = NULL;
    double t = now_ms();
    TRY(bench_open(cx, b, "documents.db", &p));
    Status st = ask(cx, p, turn);
    if (st == OK) series_add(cold, now_ms() - t);
    for (int i = 1; i <= others && st == OK; i++) {
        t = now_ms();
        st = ask(cx, p, turn + (unsigned)i * 5);
        if (st == OK) series_add(warm, now_ms() - t);
    }
    pith_close(p);
    return st;
}

Status bench_ask(Ctx *cx, const Bench *b, Series *cold, Series *warm)
{
    pith *p = NULL;
    Model *m = NULL;
    TRY(bench_open(cx, b, "documents.db", &p));
    Status st = handle_model(cx, p, ROLE_EMBEDDER, &m);
    bool can = m && !(p->model_name[ROLE_GENERATOR]
                      && strcmp(p->model_name[ROLE_GENERATOR], "none") == 0);
    if (st == OK && can) st = add_documents(cx, p);
    pith_close(p);
    if (st != OK || !can) return st;
    for (int i = 0, n = bench_repeats(b, 2, 5); i < n; i++)
        TRY(ask_from_cold(cx, b, (unsigned)i, 2, cold, warm));
    return OK;
}
