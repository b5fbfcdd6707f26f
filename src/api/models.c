/* models.c -- the models behind the handle: used directly, listed, fetched, shown. */
#include "api/fitted.h"
#include "api/handle.h"
#include "model/catalog.h"
#include "extract/extract.h"
#include "model/doctor.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Status views(Ctx *cx, const char *const *texts, size_t n, Str **out)
{
    TRY_NEW(*out = ctx_new(cx, Str, n));
    for (size_t i = 0; i < n; i++) (*out)[i] = str_z(texts[i]);
    return OK;
}

int pith_score(pith *p, const char *query, const char *const *texts, size_t n, float *out,
               pith_error *why)
{
    Model *m = NULL;
    Str *view;
    Ctx cx;
    call_begin(p, &cx);
    Status st = handle_model(&cx, p, ROLE_RERANKER, &m);
    if (st == OK && !m) st = fail(&cx, E_ARG, "scoring needs a reranker: name one");
    if (st == OK) st = views(&cx, texts, n, &view);
    if (st == OK) st = model_score(&cx, m, str_z(query), view, n, out);
    return call_end(p, &cx, st, false, why);
}

int pith_embed(pith *p, int query, const char *const *texts, size_t n, float **out,
               int *dim, pith_error *why)
{
    Model *m = NULL;
    Str *view;
    Ctx cx;
    *out = NULL;
    call_begin(p, &cx);
    Status st = handle_model(&cx, p, ROLE_EMBEDDER, &m);
    if (st == OK && !m) st = fail(&cx, E_ARG, "embedding needs an embedder: name one");
    if (st == OK) st = views(&cx, texts, n, &view);
    if (st == OK) {
        *dim = model_info(m)->dim;
        *out = calloc(n ? n : 1, (size_t)*dim * sizeof **out);
        if (!*out) st = fail(&cx, E_MEMORY, "out of memory for %zu vectors", n);
    }
    if (st == OK)
        st = model_embed(&cx, m, query ? EMBED_QUERY : EMBED_PASSAGE, view, n, *out);
    if (st != OK) pith_vectors_free(*out), *out = NULL;
    return call_end(p, &cx, st, false, why);
}

void pith_vectors_free(float *v)
{
    free(v);
}

/* Releases j and the Ctx: the end of the calls that have no handle. */
static int json_out(Ctx *cx, Status st, json_t *j, char **json, pith_error *why)
{
    *json = st == OK && j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    if (st == OK && !*json) st = fail(cx, E_MEMORY, "out of memory for JSON");
    int code = error_out(cx, st, why);
    ctx_end(cx);
    return code;
}

static json_t *entry_json(Ctx *cx, const CatalogEntry *e)
{
    Str path = { "", 0 };
    bool present = catalog_resolve(cx, e->name, &path) == OK;
    ctx_forgive(cx);
    return json_pack("{ss ss ss ss sI ss# sb sb}", "name", e->name, "role", e->role,
        "licence", e->licence, "about", e->about, "bytes", (json_int_t)e->bytes,
        "path", present ? path.p : "", (int)(present ? path.n : 0), "present", present,
        "default", e->by_default);
}

int pith_models(char **json, pith_error *why)
{
    Ctx cx = CTX_INIT;
    size_t n;
    const CatalogEntry *e = catalog_entries(&n);
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(all, entry_json(&cx, &e[i]));
    return json_out(&cx, OK, all, json, why);
}

int pith_model_pull(const char *name, int again,
                    void (*on_progress)(void *arg, const char *what, uint64_t done,
                                        uint64_t total),
                    void *arg, pith_error *why)
{
    Ctx cx = CTX_INIT;
    Str path;
    PullOptions opt = { .on_progress = on_progress, .arg = arg, .again = again != 0 };
    int code = error_out(&cx, catalog_pull(&cx, name, &opt, &path), why);
    ctx_end(&cx);
    return code;
}

int pith_model_remove(const char *name, pith_error *why)
{
    Ctx cx = CTX_INIT;
    int code = error_out(&cx, catalog_remove(&cx, name), why);
    ctx_end(&cx);
    return code;
}

static json_t *info_json(const ModelInfo *i)
{
    return json_pack("{ss ss ss ss si si sI sb sb sb}",
        "name", i->name.p, "path", i->path.p, "arch", i->arch.p, "engine", i->engine.p,
        "dim", i->dim, "window", i->window, "bytes", (json_int_t)i->file_bytes,
        "embeds", (i->can & CAN_EMBED) != 0, "scores", (i->can & CAN_SCORE) != 0,
        "generates", (i->can & CAN_GENERATE) != 0);
}

int pith_model_show(const char *name, char **json, pith_error *why)
{
    Ctx cx = CTX_INIT;
    Model *m = NULL;
    json_t *j = NULL;
    Str path;
    Status st = catalog_resolve(&cx, name, &path);
    if (st == OK) st = model_open(&cx, path.p, NULL, &m);
    if (st == OK) j = info_json(model_info(m));
    model_close(m);
    return json_out(&cx, st, j, json, why);
}

/* What holds those who read documents, and in *problem why they cannot be read at all. */
static const char *sandbox(Ctx *cx, const char **problem)
{
    Extractor *x = NULL;
    ExtractorInfo info = { 0 };
    Status st = extractor_open(cx, &x);
    if (st == OK) st = extractor_info(cx, x, &info);
    extractor_close(x);
    *problem = st == OK ? NULL : ctx_dup(cx, str_z(cx->reason)).p;
    ctx_forgive(cx);
    if (st != OK) return "none";
    if (info.landlock == 0) return "seccomp and limits; this kernel has no Landlock";
    return ctx_printf(cx, "Landlock (ABI %d), seccomp and limits", info.landlock).p;
}

/* Generators whose fitting does not count any more. */
static void tell_stale(Ctx *cx, json_t *problems)
{
    size_t n;
    const CatalogEntry *e = catalog_entries(&n);
    for (size_t i = 0; i < n; i++) {
        Str source;
        FittedPaths at;
        json_t *j = NULL;
        Status st = strcmp(e[i].role, "generator") == 0 ? OK : E_NOTFOUND;
        if (st == OK) st = catalog_resolve(cx, e[i].name, &source);
        if (st == OK) st = fitted_paths(cx, source.p, &at);
        if (st == OK) st = fitted_read(cx, &at, &j);
        const char *stale = st == OK && j ? fitted_stale(cx, &at, j) : NULL;
        if (stale)
            json_array_append_new(problems, json_pack("{so so}", "what",
                json_sprintf("%s is used as it came: %s", e[i].name, stale), "cure",
                json_sprintf("pith model fit %s", e[i].name)));
        json_decref(j);
        ctx_forgive(cx);
    }
}

static json_t *doctor_json(Ctx *cx, const Doctor *d)
{
    const char *unread, *walls = sandbox(cx, &unread);
    json_t *problems = json_array();
    if (unread)
        json_array_append_new(problems, json_pack("{ss ss}", "what", unread, "cure",
                                                  "until then no document is indexed"));
    for (int i = 0; i < d->n_problems; i++)
        json_array_append_new(problems, json_pack("{ss ss}", "what", d->problem[i].what.p,
                                                  "cure", d->problem[i].cure.p));
    tell_stale(cx, problems);
    return json_pack("{ss ss si sI sI ss ss ss ss ss* so}", "cpu", d->cpu.p, "features",
        d->features.p, "cores", d->cores, "memory_bytes", (json_int_t)d->memory_bytes,
        "free_bytes", (json_int_t)d->free_bytes, "engine", d->engine.p, "devices",
        d->devices.p, "generator", d->generator.p, "encoder", d->encoder.p, "sandbox",
        walls, "problems", problems);
}

int pith_doctor(char **json, pith_error *why)
{
    Ctx cx = CTX_INIT;
    Doctor d;
    Status st = doctor(&cx, &d);
    return json_out(&cx, st, st == OK ? doctor_json(&cx, &d) : NULL, json, why);
}
