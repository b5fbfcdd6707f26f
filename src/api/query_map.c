/* query_map.c -- see query_map.h. */
#include "api/query_map.h"

#include "api/beside.h"
#include "ask/sample.h"
#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 128 << 20, SAMPLE = 20000, SEED = 1, AT_ONCE = 256 };

/* What a handle knows of its map. */
struct MapHeld {
    Ctx memory;
    QueryMapFile file;
    bool none;              // there is no map, or the owner wants none
};

/* ---- the file ---------------------------------------------------------------------- */

static const char *fingerprint_in(const json_t *j)
{
    return json_string_value(json_object_get(json_object_get(j, "embedder"),
                                             "fingerprint"));
}

static Status read_header(Ctx *cx, const json_t *j, QueryMapFile *out)
{
    const char *print = fingerprint_in(j);
    const json_t *whiten = json_object_get(j, "whiten"), *center;
    json_int_t dim = json_integer_value(json_object_get(j, "dim"));
    center = json_object_get(j, "center");
    out->map.shape = (QueryMapShape){ json_number_value(whiten),
                                      json_number_value(center) };
    if (!print || !json_is_number(whiten) || !json_is_number(center))
        return fail(cx, E_FORMAT, "\"embedder\", \"whiten\" and \"center\" are wanted");
    if (dim < 1 || dim > QUERY_MAP_DIM)
        return fail(cx, E_FORMAT, "\"dim\" is to be of 1 to %d", QUERY_MAP_DIM);
    out->map.dim = (int)dim;
    out->fingerprint = ctx_dup(cx, str_z(print));
    return out->fingerprint.p ? OK : E_MEMORY;
}

static Status read_numbers(Ctx *cx, Str bytes, QueryMap *m)
{
    size_t dim = (size_t)m->dim, n = dim * dim + dim;
    if (bytes.n != n * sizeof(float))
        return fail(cx, E_FORMAT, "%zu bytes of numbers: %zu are wanted", bytes.n,
                    n * sizeof(float));
    TRY_NEW(m->weight = ctx_new(cx, float, n));
    memcpy(m->weight, bytes.p, bytes.n);
    m->bias = m->weight + dim * dim;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(m->weight[i]))
            return fail(cx, E_FORMAT, "number %zu is not finite", i + 1);
    return OK;
}

static Status parse(Ctx *cx, Str bytes, QueryMapFile *out)
{
    json_error_t why = { .text = "no line of JSON" };
    const char *lf = bytes.n ? memchr(bytes.p, '\n', bytes.n) : NULL;
    size_t head = lf ? (size_t)(lf - bytes.p) : 0;
    json_t *j = lf ? json_loadb(bytes.p, head, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (!j) return fail(cx, E_FORMAT, "%s", why.text);
    Status st = read_header(cx, j, out);
    json_decref(j);
    TRY(st);
    out->header = (Str){ bytes.p, head };
    return read_numbers(cx, (Str){ lf + 1, bytes.n - head - 1 }, &out->map);
}

Status query_map_parse(Ctx *cx, const char *name, Str bytes, QueryMapFile *out)
{
    *out = (QueryMapFile){ 0 };
    Status st = parse(cx, bytes, out);
    if (st != E_FORMAT) return st;
    Str reason = ctx_dup(cx, str_z(cx->reason));
    TRY_NEW(reason.p);
    ctx_forgive(cx);
    return fail(cx, st, "%s: %s; `pith tune retrieval --reset` removes it", name,
                reason.p);
}

static Status read_file(Ctx *cx, const pith *p, QueryMapFile *out)
{
    Str path, bytes;
    TRY(beside_read(cx, p, BESIDE_QUERY_MAP, MAX_FILE, &path, &bytes));
    return query_map_parse(cx, path.p, bytes, out);
}

/* ---- what a handle holds ----------------------------------------------------------- */

void query_map_forget(pith *p)
{
    if (p->map) ctx_end(&p->map->memory);
    free(p->map);
    p->map = NULL;
}

static Status held(Ctx *cx, pith *p)
{
    query_map_forget(p);
    p->map = calloc(1, sizeof *p->map);
    return p->map ? OK : fail(cx, E_MEMORY, "out of memory for a map of queries");
}

static Status look(Ctx *cx, pith *p)
{
    TRY(held(cx, p));
    Ctx *own = &p->map->memory;
    Status st = read_file(own, p, &p->map->file);
    if (st == E_NOTFOUND) p->map->none = true;
    if (st == OK || st == E_NOTFOUND) return ctx_forgive(own), OK;
    fail(cx, st, "%s", own->reason);
    query_map_forget(p);
    return st;
}

Status query_map_of(Ctx *cx, pith *p, const Model *embedder, const QueryMap **out)
{
    *out = NULL;
    if (!embedder) return OK;
    if (!p->map) TRY(look(cx, p));
    const ModelInfo *info = model_info(embedder);
    const QueryMapFile *f = &p->map->file;
    bool fits = !p->map->none && f->map.dim == info->dim
             && str_eq(f->fingerprint, info->fingerprint);
    *out = fits ? &f->map : NULL;
    return OK;
}

/* ---- a new one --------------------------------------------------------------------- */

/* Vectors of at most SAMPLE chunks, (n, dim). */
static Status vectors_of(Ctx *cx, Store *s, int dim, float **out, size_t *n)
{
    Passages some;
    Chunk chunk[AT_ONCE];
    TRY(sample(cx, s, SAMPLE, SEED, &some));
    int64_t *id = ctx_new(cx, int64_t, some.n);
    *out = ctx_alloc(cx, some.n * (size_t)dim, sizeof(float));
    if (!id || !*out) return E_MEMORY;
    for (size_t i = 0; i < some.n; i++) id[i] = some.at[i].chunk.id;
    for (size_t i = 0; i < some.n; i += AT_ONCE) {
        size_t more = some.n - i < AT_ONCE ? some.n - i : AT_ONCE;
        TRY(store_chunks(cx, s, id + i, more, chunk, *out + i * (size_t)dim));
    }
    *n = some.n;
    return OK;
}

static Status fit(Ctx *cx, Store *s, const Model *embedder, const pith_query_map *m,
                  struct MapHeld *to)
{
    float *v;
    size_t n;
    const ModelInfo *info = model_info(embedder);
    const QueryMapShape shape = { m->whiten, m->center };
    Ctx *own = &to->memory;
    TRY(vectors_of(cx, s, info->dim, &v, &n));
    own->cancelled = cx->cancelled;
    own->cancel_arg = cx->cancel_arg;
    Status st = query_map_fit(own, v, n, info->dim, &shape, &to->file.map);
    own->cancelled = NULL;
    if (st != OK) return fail(cx, st, "%s", own->reason);
    to->file.fingerprint = ctx_dup(own, info->fingerprint);
    return to->file.fingerprint.p ? OK : fail(cx, E_MEMORY, "no memory for a map");
}

static Status use(Ctx *cx, pith *p, const pith_query_map *m)
{
    Store *s;
    Model *embedder;
    StoreStats stats;
    TRY(held(cx, p));
    p->map->none = true;
    if (!m) return OK;
    TRY(handle_store(cx, p, p->store_writes, &s));
    TRY(handle_model(cx, p, ROLE_EMBEDDER, &embedder));
    TRY(store_stats(cx, s, &stats));
    if (!embedder || !str_eq(stats.fingerprint, model_info(embedder)->fingerprint))
        return fail(cx, E_MODEL, "a map of queries is made with the store's embedder");
    TRY(fit(cx, s, embedder, m, p->map));
    p->map->none = false;
    return OK;
}

int pith_query_map_use(pith *p, const pith_query_map *m, pith_error *why)
{
    Ctx cx;
    call_begin(p, &cx);
    return call_end(p, &cx, use(&cx, p, m), false, why);
}

/* ---- keeping ----------------------------------------------------------------------- */

static json_t *header_of(const QueryMapFile *f, const Model *embedder)
{
    Str name = model_info(embedder)->name;
    json_t *j = beside_record();
    json_t *of = json_pack("{s{ss% ss%} si sf sf}", "embedder", "name", name.p, name.n,
                           "fingerprint", f->fingerprint.p, f->fingerprint.n, "dim",
                           f->map.dim, "whiten", f->map.shape.whiten, "center",
                           f->map.shape.center);
    if (json_object_update_new(j, of) == 0) return j;
    json_decref(j);
    return NULL;
}

static Status write_file(Ctx *cx, const char *path, const QueryMap *m, json_t *header)
{
    Buf b = BUF(MAX_FILE);
    size_t dim = (size_t)m->dim;
    const size_t how = JSON_COMPACT | JSON_REAL_PRECISION(6);
    char *line = header ? json_dumps(header, how) : NULL;
    if (!line) return fail(cx, E_MEMORY, "out of memory for a map of queries");
    buf_addf(&b, "%s\n", line);
    free(line);
    buf_add(&b, (Str){ (const char *)m->weight, dim * dim * sizeof(float) });
    buf_add(&b, (Str){ (const char *)m->bias, dim * sizeof(float) });
    Status st = b.failed ? fail(cx, E_MEMORY, "out of memory for a map of queries")
                         : file_write(cx, path, buf_str(&b));
    buf_free(&b);
    return st;
}

static Status keep(Ctx *cx, pith *p, const char *figures)
{
    Str path;
    Model *embedder;
    TRY(beside_writable(cx, p, BESIDE_QUERY_MAP, &path));
    if (!p->map || p->map->none) return file_remove(cx, path.p, NULL);
    TRY(handle_model(cx, p, ROLE_EMBEDDER, &embedder));
    json_t *j = header_of(&p->map->file, embedder);
    Status st = beside_add_figures(cx, j, figures);
    if (st == OK) st = write_file(cx, path.p, &p->map->file.map, j);
    json_decref(j);
    return st;
}

int pith_query_map_keep(pith *p, const char *figures, pith_error *why)
{
    Ctx cx;
    call_begin(p, &cx);
    return call_end(p, &cx, keep(&cx, p, figures), false, why);
}

static Status show(Ctx *cx, const pith *p, char **out)
{
    QueryMapFile f;
    Status st = read_file(cx, p, &f);
    if (st == E_NOTFOUND) return ctx_forgive(cx), OK;
    TRY(st);
    *out = strndup(f.header.p, f.header.n);
    return *out ? OK : fail(cx, E_MEMORY, "out of memory for JSON");
}

int pith_query_map_json(pith *p, char **json, pith_error *why)
{
    Ctx cx;
    *json = NULL;
    call_begin(p, &cx);
    return call_end(p, &cx, show(&cx, p, json), false, why);
}
