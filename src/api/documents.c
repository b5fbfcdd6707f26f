/* documents.c -- adding, removing and listing what a store holds. */
#include "api/handle.h"
#include "api/private.h"
#include "index/index.h"
#include "model/catalog.h"
#include "store/write.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Carries the caller's callbacks through the index. */
typedef struct Relay {
    const pith_add_options *opt;
    RouteRules rules;       // of an embedder elsewhere
} Relay;

static void relay_progress(void *arg, const IndexProgress *p)
{
    const Relay *r = arg;
    pith_progress now = { p->files_done, p->files_total, p->bytes_done, p->bytes_total,
                          p->chunks_done, p->current };
    if (r->opt->on_progress) r->opt->on_progress(r->opt->arg, &now);
}

static void relay_problem(void *arg, const char *path, const char *reason)
{
    const Relay *r = arg;
    if (r->opt->on_problem) r->opt->on_problem(r->opt->arg, path, reason);
}

static const char *keep_private(void *arg, Str uri)
{
    const Relay *r = arg;
    if (!route_is_private(&r->rules, uri)) return NULL;
    return "it is private, and the embedder is elsewhere: its text stays here";
}

static IndexOptions index_options(Relay *r)
{
    return (IndexOptions){
        .chunk_tokens = r->opt->chunk_tokens, .max_file_bytes = r->opt->max_file_bytes,
        .on_progress = relay_progress, .on_problem = relay_problem,
        .refuse = keep_private, .arg = r,
    };
}

static void report_out(const IndexReport *from, pith_report *to)
{
    if (!to) return;
    *to = (pith_report){ from->added, from->changed, from->unchanged, from->removed,
                         from->skipped, from->failed, from->chunks };
}

/* What add, add_texts and sync share: open, run, flush, report. What was done before a
 * failure or a cancellation stays, so it is flushed and reported too. */
typedef Status (*IndexJob)(Ctx *cx, Store *s, Model *m, const void *arg,
                           const IndexOptions *opt, IndexReport *out);

static int run_job(pith *p, IndexJob job, const void *arg, const pith_add_options *opt,
                   pith_report *report, pith_error *why)
{
    static const pith_add_options defaults = { 0 };
    Relay relay = { .opt = opt ? opt : &defaults };
    IndexOptions options = index_options(&relay);
    IndexReport done = { 0 };
    Store *s;
    Model *m;
    Ctx cx;
    call_begin(p, &cx);
    Status st = handle_model(&cx, p, ROLE_EMBEDDER, &m);
    if (st == OK && !m) st = fail(&cx, E_ARG, "adding documents needs an embedder");
    if (st == OK && model_is_elsewhere(model_info(m)->path.p))
        st = private_read(&cx, &relay.rules);
    if (st == OK) st = handle_store(&cx, p, true, &s);
    if (st == OK) {
        st = job(&cx, s, m, arg, &options, &done);
        Status flushed = store_flush(&cx, s);
        if (st == OK) st = flushed;
    }
    report_out(&done, report);
    return call_end(p, &cx, st, false, why);
}

typedef struct Paths {
    const char *const *at;
    size_t n;
} Paths;

static Status add_job(Ctx *cx, Store *s, Model *m, const void *arg,
                      const IndexOptions *opt, IndexReport *out)
{
    const Paths *paths = arg;
    return index_paths(cx, s, m, paths->at, paths->n, opt, out);
}

int pith_add(pith *p, const char *const *paths, size_t n, const pith_add_options *opt,
             pith_report *report, pith_error *why)
{
    Paths all = { paths, n };
    return run_job(p, add_job, &all, opt, report, why);
}

static Status sync_job(Ctx *cx, Store *s, Model *m, const void *arg,
                       const IndexOptions *opt, IndexReport *out)
{
    (void)arg;
    return index_sync(cx, s, m, opt, out);
}

int pith_sync(pith *p, const pith_add_options *opt, pith_report *report, pith_error *why)
{
    return run_job(p, sync_job, NULL, opt, report, why);
}

typedef struct Texts {
    const pith_text *at;
    size_t n;
} Texts;

static Status kind_asked(Ctx *cx, const char *name, Kind *out)
{
    *out = name ? kind_named(str_z(name)) : KIND_NONE;
    if (!name || *out != KIND_NONE) return OK;
    return fail(cx, E_ARG, "format '%s' is none of text, markdown, html, ...", name);
}

const char *pith_format(int i)
{
    bool known = i >= 0 && i + 1 < KINDS;
    return known ? kind_name((Kind)(i + 1)) : NULL;
}

static Status texts_job(Ctx *cx, Store *s, Model *m, const void *arg,
                        const IndexOptions *opt, IndexReport *out)
{
    const Texts *texts = arg;
    IndexText *docs = ctx_new(cx, IndexText, texts->n);
    TRY_NEW(docs);
    for (size_t i = 0; i < texts->n; i++) {
        const pith_text *t = &texts->at[i];
        docs[i] = (IndexText){ .uri = str_z(t->uri), .title = str_z(t->title),
                               .text = t->bytes ? (Str){ t->text, t->bytes }
                                                : str_z(t->text) };
        TRY(kind_asked(cx, t->format, &docs[i].kind));
    }
    return index_texts(cx, s, m, docs, texts->n, opt, out);
}

int pith_add_texts(pith *p, const pith_text *docs, size_t n, const pith_add_options *opt,
                   pith_report *report, pith_error *why)
{
    Texts all = { docs, n };
    return run_job(p, texts_job, &all, opt, report, why);
}

/* True for the document itself and for all below a folder of that name. */
static bool is_or_below(Str uri, Str name)
{
    while (name.n > 1 && name.p[name.n - 1] == '/') name.n--;
    return str_starts(uri, name) && (uri.n == name.n || uri.p[name.n] == '/');
}

static Status remove_all(Ctx *cx, Store *s, Str name, size_t *removed)
{
    Document *doc;
    size_t n;
    TRY(store_list(cx, s, &doc, &n));
    for (size_t i = 0; i < n; i++) {
        if (!is_or_below(doc[i].uri, name)) continue;
        TRY(store_remove(cx, s, doc[i].uri));
        ++*removed;
    }
    if (*removed == 0)
        return fail(cx, E_NOTFOUND, "%.*s is not in the store: `pith ls` shows what is",
                    (int)name.n, name.p);
    return store_flush(cx, s);
}

int pith_remove(pith *p, const char *uri, size_t *removed, pith_error *why)
{
    size_t n = 0;
    Store *s;
    Ctx cx;
    call_begin(p, &cx);
    Status st = handle_store(&cx, p, true, &s);
    if (st == OK) st = remove_all(&cx, s, str_z(uri), &n);
    if (removed) *removed = n;
    return call_end(p, &cx, st, false, why);
}

/* ---- listing ---------------------------------------------------------------------- */

static json_t *text(Str s)
{
    return json_stringn_nocheck(s.p ? s.p : "", s.n);
}

/* Prints j, releases it. */
static Status print_json(Ctx *cx, json_t *j, char **out)
{
    *out = j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    return *out ? OK : fail(cx, E_MEMORY, "out of memory for JSON");
}

static Status list_json(Ctx *cx, Store *s, char **out)
{
    Document *doc;
    size_t n;
    TRY(store_list(cx, s, &doc, &n));
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(all, json_pack("{so so sI sI so}",
                              "document", text(doc[i].uri), "title", text(doc[i].title),
                              "bytes", (json_int_t)doc[i].bytes,
                              "chunks", (json_int_t)doc[i].chunks,
                              "root", text(doc[i].root)));
    return print_json(cx, all, out);
}

int pith_list(pith *p, char **json, pith_error *why)
{
    Store *s;
    Ctx cx;
    *json = NULL;
    call_begin(p, &cx);
    Status st = handle_store(&cx, p, false, &s);
    if (st == OK) st = list_json(&cx, s, json);
    return call_end(p, &cx, st, false, why);
}

static json_t *models_json(Ctx *cx, pith *p)
{
    json_t *all = json_array();
    for (int r = 0; r < ROLES; r++) {
        Str name = { "", 0 }, path = { "", 0 };
        bool present = handle_model_path(cx, p, (Role)r, &name, &path) == OK;
        ctx_forgive(cx);
        json_array_append_new(all, json_pack("{ss so so sb}", "role", role_name((Role)r),
                              "name", text(name), "path", text(path),
                              "present", present));
    }
    return all;
}

static Status status_json(Ctx *cx, pith *p, Store *s, char **out)
{
    StoreStats st;
    TRY(store_stats(cx, s, &st));
    return print_json(cx, json_pack("{so sI sI sI sI so si so}", "store", text(st.path),
        "documents", (json_int_t)st.documents, "chunks", (json_int_t)st.chunks,
        "text_bytes", (json_int_t)st.text_bytes, "file_bytes", (json_int_t)st.file_bytes,
        "embedder", text(st.embedder), "dim", st.dim, "models", models_json(cx, p)), out);
}

int pith_status(pith *p, char **json, pith_error *why)
{
    Store *s;
    Ctx cx;
    *json = NULL;
    call_begin(p, &cx);
    Status st = handle_store(&cx, p, false, &s);
    if (st == OK) st = status_json(&cx, p, s, json);
    return call_end(p, &cx, st, false, why);
}

void pith_string_free(char *s)
{
    free(s);
}
