/* fit.c -- pith_model_fit: forms are made, measured and compared, one is kept.
 *
 * Invariant: until the last step all that is made lies in fitted/.work, which goes
 * whatever happens; then the file is put in place, and then the record that makes it
 * count. One process at a time does this, as a lock tells. */
#include "api/fit.h"
#include "base/file.h"
#include "model/catalog.h"
#include "model/lineage.h"
#include "model/machine.h"
#include "model/quantize.h"
#include "model/read_speed.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROMPT = 1200, ANSWER = 64, PROMPT_LEAST = 64, TEXTS = 16, ENGINE_PROMPT = 512,
       REPEATS = 3, READS = 9, LIMIT = 1 << 20 };

/* ---- steps ------------------------------------------------------------------------ */

/* A form's part of the whole: half of it is making and comparing. */
static void tell(const Fit *f, size_t form, double part, const char *what)
{
    if (!f->opt->on_step) return;
    double share = ((double)form + part) / (double)(f->n + 1);
    f->opt->on_step(f->opt->arg, what, share);
}

typedef struct Step {
    const Fit *fit;
    size_t form;
    Str what;
} Step;

static void on_written(void *arg, double share)
{
    const Step *s = arg;
    tell(s->fit, s->form, .3 * share, s->what.p);
}

static bool ask_owner(void *arg)
{
    const pith_options *o = arg;
    return o->cancelled && o->cancelled(o->arg) != 0;
}

/* ---- what is there ---------------------------------------------------------------- */

static Status resolve(Ctx *cx, const char *named, Str *name, Str *path)
{
    if (!named || !*named) named = getenv("PITH_GENERATOR");
    if (!named || !*named) named = catalog_default("generator")->name;
    *name = str_z(named);
    return catalog_resolve(cx, named, path);
}

static Status find_model(Ctx *cx, Fit *f)
{
    const char *named = f->opt->model ? f->opt->model : f->open->generator;
    TRY(resolve(cx, named, &f->name, &f->source));
    f->original = f->source;
    return fitted_paths(cx, f->source.p, &f->at);
}

/* Whether the file at path is the same model, and larger than *bytes. */
static bool is_better(Ctx *cx, const char *path, const Blake2bHex *lineage,
                      uint64_t *bytes)
{
    Blake2bHex other;
    uint64_t n;
    if (!file_is_here(path, &n) || n <= *bytes) return false;
    bool same = lineage_of(cx, path, &other) == OK && strcmp(other.z, lineage->z) == 0;
    ctx_forgive(cx);
    if (same) *bytes = n;
    return same;
}

/* The largest file of the same model in the models' folder: closest to how it was
 * trained. */
static Status find_original(Ctx *cx, Fit *f)
{
    Blake2bHex lineage;
    Str folder, path;
    uint64_t bytes = 0;
    TRY(catalog_folder(cx, &folder));
    if (!file_is_here(f->source.p, &bytes) || lineage_of(cx, f->source.p, &lineage) != OK)
        return ctx_forgive(cx), OK;
    DIR *d = opendir(folder.p);
    Status st = OK;
    for (struct dirent *e; d && st == OK && (e = readdir(d));) {
        Str name = str_z(e->d_name);
        if (e->d_name[0] == '.' || !str_ends(name, STR(".gguf"))) continue;
        st = path_join(cx, folder, name, &path);
        if (st == OK && is_better(cx, path.p, &lineage, &bytes)) f->original = path;
    }
    if (d) closedir(d);
    return st;
}

/* Passages of the user's store, or else our own. */
static Status find_texts(Ctx *cx, Fit *f)
{
    pith_options o = *f->open;
    pith *p = NULL;
    pith_error why;
    o.read_only = 1;
    int code = pith_open(&o, &p, &why);
    if (!code) code = pith_sample(p, TEXTS, 1, &f->sample, &why);
    pith_close(p);
    f->texts = fit_texts(&f->n_texts);
    f->texts_from = "the library";
    if (code == PITH_E_CANCELLED) return fail(cx, E_CANCELLED, "%s", why.message);
    if (code || f->sample->n < TEXTS / 2) return OK;
    Str *own = ctx_new(cx, Str, f->sample->n);
    TRY_NEW(own);
    for (size_t i = 0; i < f->sample->n; i++) own[i] = str_z(f->sample->at[i].text);
    f->texts = own;
    f->n_texts = f->sample->n;
    f->texts_from = "the store";
    return OK;
}

/* ---- measuring -------------------------------------------------------------------- */

static BenchPlan plan_for(const Fit *f, int threads)
{
    return (BenchPlan){ .model = { .threads = threads }, .repeats = REPEATS,
                        .prompt = f->rule.prompt, .written = f->rule.answer,
                        .texts = f->texts, .n_texts = f->n_texts };
}

static Status run_form(Ctx *cx, const Fit *f, const char *path, int threads, FitRun *run)
{
    BenchPlan plan = plan_for(f, threads);
    run->threads = threads;
    TRY(bench_generator(cx, path, &plan, &run->figures));
    run->share = bench_bandwidth(&run->figures, f->gb_s);
    run->answer_ms = fit_answer_ms(&f->rule, &run->figures);
    return OK;
}

/* A form that loses too much is measured with all threads alone: for the record. */
static Status run_all(Ctx *cx, const Fit *f, const char *path, FitTry *t)
{
    int threads[FIT_RUNS], n = fit_threads(f->threads, threads);
    bool hopeless = t != f->try && t->like.divergence > f->try->like.divergence
                                                      + f->rule.max_loss;
    for (int i = hopeless ? n - 1 : 0; i < n; i++)
        TRY(run_form(cx, f, path, threads[i], &t->run[t->runs++]));
    return OK;
}

/* The same work by libllama alone. */
static Status run_engine(Ctx *cx, const Fit *f, const char *path, int prompt, bool flash,
                         BenchGenerator *out)
{
    BenchPlan plan = plan_for(f, f->threads);
    plan.model.plain = true;
    plan.model.flash = flash;
    plan.repeats = 1;
    plan.prompt = prompt;
    return bench_generator(cx, path, &plan, out);
}

static Status measure(Ctx *cx, Fit *f, size_t i, const char *path)
{
    FitTry *t = &f->try[i];
    BenchGenerator *g = ctx_new(cx, BenchGenerator, 1);
    int prompt = f->rule.prompt < ENGINE_PROMPT ? f->rule.prompt : ENGINE_PROMPT;
    TRY_NEW(g);
    if (!file_is_here(path, &t->bytes)) return fail(cx, E_IO, "%s is gone", path);
    tell(f, i, .3, t->form->name);
    TRY(likeness(cx, f->expected, path, &t->like));
    tell(f, i, .5, t->form->name);
    TRY(run_all(cx, f, path, t));
    tell(f, i, .9, t->form->name);
    TRY(run_engine(cx, f, path, prompt, false, g));
    t->engine_tok_s = series_at(&g->prefill, .5);
    return OK;
}

/* ---- the forms, one by one -------------------------------------------------------- */

static Str form_path(Ctx *cx, const Fit *f, size_t i)
{
    return i == 0 ? f->source : ctx_printf(cx, "%s/%zu.gguf", f->at.work.p, i);
}

/* Whether form i is the one before it with another head. */
static bool only_head(const Fit *f, size_t i)
{
    const char *blocks = f->try[i].form->blocks;
    return i > 1 && blocks == f->try[i - 1].form->blocks;
}

/* Blocks that the form before has as well are taken from there. */
static Status make_form(Ctx *cx, const Fit *f, size_t i, const char *path)
{
    const FitForm *form = f->try[i].form;
    Step step = { f, i, ctx_printf(cx, "writing %s", form->name) };
    QuantizeOptions opt = { form->blocks, form->head, f->threads, on_written, &step };
    Str from = only_head(f, i) ? form_path(cx, f, i - 1) : f->original;
    if (!step.what.p || !from.p) return E_MEMORY;
    return quantize_file(cx, from.p, path, &opt);
}

static Status drop_form(Ctx *cx, const Fit *f, size_t i)
{
    Str path = form_path(cx, f, i);
    TRY_NEW(path.p);
    if (i > 0) unlink(path.p);
    return OK;
}

/* Whether form i cannot lose little enough: its blocks do already. */
static bool is_hopeless(const Fit *f, size_t i)
{
    return only_head(f, i) && (f->try[i - 1].runs == 0 || !f->try[i - 1].within);
}

/* Of the files made so far the best one stays, and the last one, for the next form. */
static Status try_form(Ctx *cx, Fit *f, size_t i, size_t *best)
{
    Str path = form_path(cx, f, i);
    TRY_NEW(path.p);
    tell(f, i, 0, f->try[i].form->name);
    if (i > 0) TRY(make_form(cx, f, i, path.p));
    if (i > 0 && i - 1 != *best) TRY(drop_form(cx, f, i - 1));
    TRY(measure(cx, f, i, path.p));
    size_t now = fit_pick(&f->rule, f->try, i + 1), old = *best;
    *best = now;
    return now != old ? drop_form(cx, f, old) : OK;
}

static Status try_all(Ctx *cx, Fit *f, size_t *best)
{
    *best = 0;
    for (size_t i = 0; i < f->n; i++)
        if (!is_hopeless(f, i)) TRY(try_form(cx, f, i, best));
    return OK;
}

/* Attention two ways, for when libllama reads and writes: with an adapter, say. */
static Status try_flash(Ctx *cx, Fit *f, size_t best)
{
    BenchGenerator *g = ctx_new(cx, BenchGenerator, 1);
    Str path = form_path(cx, f, best);
    if (!g || !path.p) return E_MEMORY;
    for (int with = 0; with < 2; with++) {
        tell(f, f->n, .5 * with, with ? "flash attention" : "plain attention");
        TRY(run_engine(cx, f, path.p, f->rule.prompt, with, g));
        f->flash_ms[with] = fit_answer_ms(&f->rule, g);
    }
    return OK;
}

/* ---- the whole -------------------------------------------------------------------- */

static Status keep(Ctx *cx, const Fit *f, size_t best, char **json)
{
    json_t *j = fit_record(cx, f, best);
    char *text = j ? json_dumps(j, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : NULL;
    Str from = form_path(cx, f, best);
    Status st = text && from.p ? OK : fail(cx, E_MEMORY, "out of memory for JSON");
    if (st == OK && best > 0) st = file_commit(cx, from.p, f->at.model.p);
    if (st == OK) st = file_write(cx, f->at.record.p, str_z(text));
    if (st == OK && best == 0) unlink(f->at.model.p);       // of an earlier fit
    if (st == OK) *json = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (st == OK && !*json) st = fail(cx, E_MEMORY, "out of memory for JSON");
    free(text);
    json_decref(j);
    return st;
}

static Status measure_machine(Ctx *cx, Fit *f)
{
    Series s = { .n = READS };
    tell(f, 0, 0, "memory");
    TRY(read_speed(cx, (size_t)f->threads, s.n, s.at));
    f->gb_s = series_at(&s, .5);
    return OK;
}

static Status fit_locked(Ctx *cx, Fit *f, char **json)
{
    size_t best;
    TRY(folder_remove(cx, f->at.work.p));
    TRY(folder_make(cx, f->at.work.p));
    TRY(measure_machine(cx, f));
    TRY(expected_open(cx, f->original.p, f->threads, f->texts, f->n_texts, &f->expected));
    TRY(try_all(cx, f, &best));
    TRY(try_flash(cx, f, best));
    return keep(cx, f, best, json);
}

static Status fit(Ctx *cx, Fit *f, char **json)
{
    const FitForm *form = fit_forms(&f->n);
    int lock = -1;
    TRY(find_model(cx, f));
    TRY(find_original(cx, f));
    TRY(find_texts(cx, f));
    TRY_NEW(f->try = ctx_new(cx, FitTry, f->n));
    for (size_t i = 0; i < f->n; i++) f->try[i].form = &form[i];
    TRY(folder_make(cx, f->at.folder.p));
    TRY(file_lock(cx, f->at.lock.p, "another process fits a model just now", &lock));
    Status st = fit_locked(cx, f, json);
    Ctx gone = CTX_INIT;
    if (folder_remove(&gone, f->at.work.p) != OK && st == OK)
        st = fail(cx, E_IO, "%s", gone.reason);
    ctx_end(&gone);
    close(lock);
    return st;
}

static Status read_rule(Ctx *cx, const pith_fit_options *o, FitRule *r)
{
    *r = (FitRule){ o->prompt_tokens ? o->prompt_tokens : PROMPT,
                    o->answer_tokens ? o->answer_tokens : ANSWER,
                    o->max_loss > 0 ? o->max_loss : .05 };
    if (r->prompt < PROMPT_LEAST || r->prompt > LIMIT || r->answer < 2
        || r->answer > LIMIT)
        return fail(cx, E_ARG, "a prompt of %d tokens and an answer of %d: %d and 2 are "
                    "the least", r->prompt, r->answer, PROMPT_LEAST);
    if (!(o->max_loss >= 0)) return fail(cx, E_ARG, "a loss below zero");
    return OK;
}

int pith_model_fit(const pith_options *open, const pith_fit_options *opt, char **json,
                   pith_error *why)
{
    static const pith_options open_none = { 0 };
    static const pith_fit_options none = { 0 };
    Ctx cx = CTX_INIT;
    Fit f = { .open = open ? open : &open_none, .opt = opt ? opt : &none };
    *json = NULL;
    cx.cancelled = ask_owner;
    cx.cancel_arg = (void *)(uintptr_t)f.open;
    f.threads = f.open->threads > 0 ? f.open->threads : machine_cores();
    Status st = read_rule(&cx, f.opt, &f.rule);
    if (st == OK) st = fit(&cx, &f, json);
    expected_close(f.expected);
    pith_results_free(f.sample);
    int code = error_out(&cx, st, why);
    ctx_end(&cx);
    return code;
}

static Status paths_of(Ctx *cx, const char *model, FittedPaths *at)
{
    Str name, source;
    TRY(resolve(cx, model, &name, &source));
    return fitted_paths(cx, source.p, at);
}

static Status show(Ctx *cx, const char *model, char **json)
{
    FittedPaths at;
    json_t *j;
    TRY(paths_of(cx, model, &at));
    TRY(fitted_read(cx, &at, &j));
    if (!j) return OK;
    const char *stale = fitted_stale(cx, &at, j);
    json_object_set_new(j, "stale", stale ? json_string(stale) : json_null());
    *json = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(j);
    return *json ? OK : fail(cx, E_MEMORY, "out of memory for JSON");
}

int pith_model_fitted(const char *model, char **json, pith_error *why)
{
    Ctx cx = CTX_INIT;
    *json = NULL;
    int code = error_out(&cx, show(&cx, model, json), why);
    ctx_end(&cx);
    return code;
}

int pith_model_unfit(const char *model, int *removed, pith_error *why)
{
    Ctx cx = CTX_INIT;
    FittedPaths at;
    bool was = false;
    Status st = paths_of(&cx, model, &at);
    if (st == OK) st = fitted_remove(&cx, &at, &was);
    if (removed) *removed = was;
    int code = error_out(&cx, st, why);
    ctx_end(&cx);
    return code;
}
