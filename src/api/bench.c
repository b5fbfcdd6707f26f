/* bench.c -- this machine's own figures: the parts in order, and their JSON. */
#include "api/bench.h"
#include "base/file.h"
#include "model/catalog.h"
#include "model/doctor.h"
#include "model/machine.h"
#include "model/read_speed.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNKS = 100000, MANY_CHUNKS = 1000000, CHUNKS_LEAST = 100,
       PROMPT = 512, WRITTEN = 64 };    // tokens

/* ---- series ----------------------------------------------------------------------- */

void series_add(Series *s, double value)
{
    if (s->n < SERIES_MAX) s->at[s->n++] = value;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double series_at(const Series *s, double q)
{
    Series sorted = *s;
    if (s->n == 0) return 0;
    qsort(sorted.at, sorted.n, sizeof *sorted.at, ascending);
    double place = q * (double)(s->n - 1);
    size_t i = (size_t)place, above = i + 1 < s->n ? i + 1 : i;
    return sorted.at[i] + (place - (double)i) * (sorted.at[above] - sorted.at[i]);
}

/* Three digits say all that a measurement knows, a fourth is for comparing. */
json_t *bench_number(double v)
{
    char text[32];
    snprintf(text, sizeof text, "%.4g", v);
    return json_real(strtod(text, NULL));
}

json_t *series_median_json(const Series *s)
{
    return s->n ? bench_number(series_at(s, .5)) : json_null();
}

json_t *series_spread_json(const Series *s)
{
    if (s->n == 0) return json_null();
    return json_pack("[oo]", bench_number(series_at(s, 0)),
                     bench_number(series_at(s, 1)));
}

/* ---- shared by the parts ---------------------------------------------------------- */

void bench_step(const Bench *b, const char *what)
{
    if (b->opt->on_step) b->opt->on_step(b->opt->arg, what);
}

int bench_repeats(const Bench *b, int quick, int full)
{
    return b->opt->full ? full : quick;
}

Status bench_open(Ctx *cx, const Bench *b, const char *store, pith **out)
{
    pith_options o = *b->open;
    pith_error why;
    Str path;
    *out = NULL;
    TRY(path_join(cx, b->folder, str_z(store), &path));
    o.store = path.p;
    o.read_only = 0;
    o.remote = "";
    o.remote_policy = PITH_REMOTE_NEVER;
    int code = pith_open(&o, out, &why);
    return code ? fail(cx, (Status)code, "%s", why.message) : OK;
}

/* ---- the parts -------------------------------------------------------------------- */

static Status machine_part(Ctx *cx, const Bench *b, json_t *all)
{
    Doctor d;
    double load = 0;
    if (getloadavg(&load, 1) != 1) load = 0;
    TRY(doctor(cx, &d));
    json_object_set_new(all, "machine", json_pack("{ss ss si sI sI si so sb}",
        "cpu", d.cpu.p, "features", d.features.p, "cores", d.cores,
        "memory_bytes", (json_int_t)d.memory_bytes, "free_bytes",
        (json_int_t)d.free_bytes, "threads", b->threads, "load", bench_number(load),
        "busy", load > d.cores / 2.0));
    return OK;
}

static Status memory_part(Ctx *cx, const Bench *b, json_t *all, json_t *spread,
                          double *gb_s)
{
    Series s = { .n = (size_t)bench_repeats(b, 9, 25) };
    bench_step(b, "memory");
    TRY(read_speed(cx, (size_t)b->threads, s.n, s.at));
    *gb_s = series_at(&s, .5);
    json_object_set_new(all, "read_gb_s", series_median_json(&s));
    json_object_set_new(spread, "read_gb_s", series_spread_json(&s));
    return OK;
}

static json_t *generator_json(const BenchGenerator *g, double gb_s)
{
    double share = bench_bandwidth(g, gb_s);
    return json_pack("{ss ss? ss ss sI so so so so so}", "name", g->name.p,
        "quant", g->quant, "reader", g->ours ? "pith" : "engine", "writer",
        g->we_write ? "pith" : "engine", "weight_bytes", (json_int_t)g->step_bytes,
        "prefill_tok_s", series_median_json(&g->prefill), "decode_tok_s",
        series_median_json(&g->decode), "bandwidth_share",
        share > 0 ? bench_number(share) : json_null(), "prefill_spread",
        series_spread_json(&g->prefill), "decode_spread", series_spread_json(&g->decode));
}

static Status one_generator(Ctx *cx, const Bench *b, const char *path, double gb_s,
                            json_t *list)
{
    char what[64];
    const char *name = strrchr(path, '/');
    BenchGenerator *g = ctx_new(cx, BenchGenerator, 1);
    TRY_NEW(g);
    snprintf(what, sizeof what, "%.60s", name ? name + 1 : path);
    bench_step(b, what);
    BenchPlan plan = { .model = { .threads = b->threads, .context_tokens =
                                  b->open->context_tokens },
                       .repeats = bench_repeats(b, 3, 9), .prompt = PROMPT,
                       .written = WRITTEN };
    TRY(bench_generator(cx, path, &plan, g));
    json_array_append_new(list, generator_json(g, gb_s));
    return OK;
}

/* The owner's generator, and with `full` the others that are here. */
static Status generators_part(Ctx *cx, const Bench *b, pith *p, double gb_s,
                              json_t *list)
{
    size_t n;
    const CatalogEntry *e = catalog_entries(&n);
    const char *named = p->model_name[ROLE_GENERATOR];
    Str name, first, path;
    if (named && strcmp(named, "none") == 0) return OK;
    if (named && strncmp(named, "fake:", 5) == 0) first = str_z(named);
    else TRY(handle_model_path(cx, p, ROLE_GENERATOR, &name, &first));
    TRY(one_generator(cx, b, first.p, gb_s, list));
    for (size_t i = 0; b->opt->full && i < n; i++) {
        if (strcmp(e[i].role, "generator") != 0) continue;
        Status st = catalog_resolve(cx, e[i].name, &path);
        ctx_forgive(cx);
        if (st == OK && !str_eq(path, first))
            TRY(one_generator(cx, b, path.p, gb_s, list));
    }
    return OK;
}

static Status models_part(Ctx *cx, const Bench *b, double gb_s, json_t *all,
                          json_t *spread)
{
    Series embed = { .n = 0 }, rerank = { .n = 0 };
    json_t *list = json_array();
    pith *p = NULL;
    json_object_set_new(all, "models", list);
    TRY(bench_open(cx, b, "none.db", &p));
    Status st = generators_part(cx, b, p, gb_s, list);
    bench_step(b, "embedder");
    if (st == OK) st = bench_embed(cx, b, p, &embed);
    bench_step(b, "reranker");
    if (st == OK) st = bench_rerank(cx, b, p, &rerank);
    pith_close(p);
    json_object_set_new(all, "embed_chunks_s", series_median_json(&embed));
    json_object_set_new(all, "rerank_pairs_s", series_median_json(&rerank));
    json_object_set_new(spread, "embed_chunks_s", series_spread_json(&embed));
    json_object_set_new(spread, "rerank_pairs_s", series_spread_json(&rerank));
    return st;
}

/* "100k", "1m". */
static void size_name(size_t n, char out[32])
{
    if (n % 1000000 == 0) snprintf(out, 32, "%zum", n / 1000000);
    else if (n % 1000 == 0) snprintf(out, 32, "%zuk", n / 1000);
    else snprintf(out, 32, "%zu", n);
}

static Status search_part(Ctx *cx, const Bench *b, json_t *all, json_t *spread)
{
    size_t first = b->opt->chunks ? (size_t)b->opt->chunks : CHUNKS;
    size_t sizes[] = { first, MANY_CHUNKS }, n = b->opt->full ? 2 : 1;
    json_t *p50 = json_object(), *p99 = json_object(), *range = json_object();
    json_object_set_new(all, "search_ms", p50);
    json_object_set_new(all, "search_p99_ms", p99);
    json_object_set_new(spread, "search_ms", range);
    for (size_t i = 0; i < n; i++) {
        char name[32], what[64];
        Series s = { .n = 0 };
        size_name(sizes[i], name);
        snprintf(what, sizeof what, "search in %s chunks", name);
        bench_step(b, what);
        TRY(bench_search(cx, b, sizes[i], &s));
        json_object_set_new(p50, name, series_median_json(&s));
        json_object_set_new(p99, name, s.n ? bench_number(series_at(&s, .99))
                                           : json_null());
        json_object_set_new(range, name, series_spread_json(&s));
    }
    return OK;
}

static Status ask_part(Ctx *cx, const Bench *b, json_t *all, json_t *spread)
{
    Series cold = { .n = 0 }, warm = { .n = 0 };
    bench_step(b, "answers");
    TRY(bench_ask(cx, b, &cold, &warm));
    json_object_set_new(all, "ask_ms", json_pack("{so so}",
        "cold", series_median_json(&cold), "warm", series_median_json(&warm)));
    json_object_set_new(spread, "ask_ms", json_pack("{so so}",
        "cold", series_spread_json(&cold), "warm", series_spread_json(&warm)));
    return OK;
}

static Status measure(Ctx *cx, const Bench *b, json_t *all)
{
    double gb_s = 0;
    json_t *spread = json_object();
    Status st = machine_part(cx, b, all);
    if (st == OK) st = memory_part(cx, b, all, spread, &gb_s);
    if (st == OK) st = models_part(cx, b, gb_s, all, spread);
    if (st == OK) st = search_part(cx, b, all, spread);
    if (st == OK) st = ask_part(cx, b, all, spread);
    json_object_set_new(all, "spread", spread);
    return st;
}

/* ---- the whole -------------------------------------------------------------------- */

/* Large temporary files belong in /var/tmp (Filesystem Hierarchy Standard 3.0, 5.15). */
static Status make_folder(Ctx *cx, Str *out)
{
    const char *base = getenv("TMPDIR");
    Str path = ctx_printf(cx, "%s/pith-bench-XXXXXX", base && *base ? base : "/var/tmp");
    TRY_NEW(path.p);
    if (!mkdtemp((char *)(uintptr_t)path.p))
        return fail(cx, E_IO, "%s: %s: set TMPDIR to a folder with room", path.p,
                    strerror(errno));
    *out = path;
    return OK;
}

static bool ask_owner(void *arg)
{
    const pith_options *o = arg;
    return o->cancelled && o->cancelled(o->arg) != 0;
}

/* Removes the folder whatever happened; what fails then does not hide the cause. */
static Status measure_in_folder(Ctx *cx, Bench *b, json_t *all)
{
    TRY(make_folder(cx, &b->folder));
    Status st = measure(cx, b, all);
    Ctx gone = CTX_INIT;
    if (folder_remove(&gone, b->folder.p) != OK && st == OK)
        st = fail(cx, E_IO, "%s", gone.reason);
    ctx_end(&gone);
    return st;
}

int pith_bench(const pith_options *open, const pith_bench_options *opt, char **json,
               pith_error *why)
{
    static const pith_options open_none = { 0 };
    static const pith_bench_options none = { 0 };
    Ctx cx = CTX_INIT;
    Bench b = { .open = open ? open : &open_none, .opt = opt ? opt : &none };
    json_t *all = json_object();
    *json = NULL;
    cx.cancelled = ask_owner;
    cx.cancel_arg = (void *)(uintptr_t)b.open;
    b.threads = b.open->threads > 0 ? b.open->threads : machine_cores();
    Status st = all ? OK : fail(&cx, E_MEMORY, "out of memory for JSON");
    if (b.opt->chunks && (b.opt->chunks < CHUNKS_LEAST || b.opt->chunks > MANY_CHUNKS))
        st = fail(&cx, E_ARG, "a store of %ld chunks; %d to %d are measured",
                  b.opt->chunks, CHUNKS_LEAST, MANY_CHUNKS);
    if (st == OK) st = measure_in_folder(&cx, &b, all);
    if (st == OK && !(*json = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(6))))
        st = fail(&cx, E_MEMORY, "out of memory for JSON");
    json_decref(all);
    int code = error_out(&cx, st, why);
    ctx_end(&cx);
    return code;
}
