/* calibration.c -- see calibration.h. */
#include "api/calibration.h"

#include "api/beside.h"
#include "ask/abstain.h"
#include "base/file.h"

#include <math.h>
#include <string.h>

enum { MAX_FILE = 1 << 16 };

/* What the program's own weights make of an example with every score in it. */
static float probe(void)
{
    Passage p[2] = {
        { .words = 9, .vector = .8f, .fused = 1, .rerank = 2.5f, .sentence = 1.5f,
          .score = 1 },
        { .words = 4, .vector = .6f, .fused = .5f, .rerank = -3, .sentence = -5,
          .score = .4f },
    };
    return abstain_confidence(&(Passages){ .at = p, .n = 2, .unknown = 1 });
}

/* ---- reading ----------------------------------------------------------------------- */

static Status model_in(Ctx *cx, json_t *j, const char *role, Str *name, Str *print)
{
    json_t *of = json_object_get(j, role);
    json_t *n = json_object_get(of, "name"), *f = json_object_get(of, "fingerprint");
    if (!json_is_string(n) || !json_is_string(f))
        return fail(cx, E_FORMAT, "\"%s\" is to have a name and a fingerprint", role);
    *name = ctx_dup(cx, (Str){ json_string_value(n), json_string_length(n) });
    *print = ctx_dup(cx, (Str){ json_string_value(f), json_string_length(f) });
    return name->p && print->p ? OK : E_MEMORY;
}

static Status number_in(Ctx *cx, json_t *j, const char *key, double low, double high,
                        float *out)
{
    json_t *v = json_object_get(j, key);
    double x = json_number_value(v);
    if (!json_is_number(v) || !(x >= low && x <= high))
        return fail(cx, E_FORMAT, "\"%s\" is to be a number from %g to %g", key, low,
                    high);
    *out = (float)x;
    return OK;
}

static Status read_json(Ctx *cx, json_t *j, CalibrationFile *out)
{
    json_t *weights = json_object_get(j, "weights");
    TRY(number_in(cx, weights, "bias", -1e6, 1e6, &out->weights.bias));
    TRY(number_in(cx, weights, "slope", 1e-6, 1e6, &out->weights.slope));
    TRY(number_in(cx, j, "threshold", 0, 1, &out->threshold));
    TRY(number_in(cx, j, "probe", 0, 1, &out->probe));
    TRY(model_in(cx, j, "embedder", &out->embedder, &out->embedder_print));
    return model_in(cx, j, "reranker", &out->reranker, &out->reranker_print);
}

Status calibration_parse(Ctx *cx, const char *name, Str text, CalibrationFile *out)
{
    json_error_t e;
    json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &e);
    *out = (CalibrationFile){ 0 };
    if (!j) return fail(cx, E_FORMAT, "%s line %d: %s", name, e.line, e.text);
    Status st = read_json(cx, j, out);
    json_decref(j);
    if (st != E_FORMAT) return st;
    Str reason = ctx_dup(cx, str_z(cx->reason));
    TRY_NEW(reason.p);
    ctx_forgive(cx);
    return fail(cx, st, "%s: %s", name, reason.p);
}

static Status read_file(Ctx *cx, const pith *p, Str *text, CalibrationFile *out)
{
    Str path;
    TRY(beside_read(cx, p, BESIDE_CALIBRATION, MAX_FILE, &path, text));
    return calibration_parse(cx, path.p, *text, out);
}

/* ---- using ------------------------------------------------------------------------- */

static bool is_made_with(const Model *m, Str print)
{
    return m ? str_eq(model_info(m)->fingerprint, print) : print.n == 0;
}

static Str name_of(const Model *m)
{
    return m ? model_info(m)->name : STR("none");
}

/* Why the file is not for this question; n = 0: it is. .p is NULL on E_MEMORY. */
static Str misfit(Ctx *cx, const CalibrationFile *f, const Asker *a)
{
    Str now = name_of(a->ranker), then = f->reranker.n ? f->reranker : STR("none");
    if (!is_made_with(a->ranker, f->reranker_print))
        return ctx_printf(cx, "with another reranker (%.*s, now %.*s)", (int)then.n,
                          then.p, (int)now.n, now.p);
    if (a->embedder && !is_made_with(a->embedder, f->embedder_print))
        return ctx_printf(cx, "with another embedder (%.*s)", (int)f->embedder.n,
                          f->embedder.p);
    if (fabsf(probe() - f->probe) > 1e-4f)
        return STR("for other weights than this version of pith has");
    return STR("");
}

Status calibration_use(Ctx *cx, const pith *p, const Asker *a, AskOptions *opt,
                       Str *caution)
{
    Str text, why;
    CalibrationFile f;
    *caution = (Str){ 0 };
    Status st = read_file(cx, p, &text, &f);
    if (st == E_NOTFOUND) return ctx_forgive(cx), OK;
    if (st == E_MEMORY) return st;
    if (st == OK) {
        why = misfit(cx, &f, a);
        TRY_NEW(why.p);
        if (why.n == 0) {
            opt->calibration = f.weights;
            if (opt->abstain_below > 0) opt->abstain_below = f.threshold;
            return OK;
        }
        *caution = ctx_printf(cx,
                              "the calibration is not used, its promise does not hold: "
                              "it was made %.*s; run `pith calibrate` again",
                              (int)why.n, why.p);
    } else {
        *caution = ctx_printf(cx, "the calibration is not used: %s", cx->reason);
        ctx_forgive(cx);
    }
    return caution->p ? OK : E_MEMORY;
}

/* ---- writing ----------------------------------------------------------------------- */

static json_t *model_json(const Model *m)
{
    if (!m) return json_pack("{ss ss}", "name", "", "fingerprint", "");
    const ModelInfo *i = model_info(m);
    return json_pack("{ss# ss#}", "name", i->name.p, (int)i->name.n, "fingerprint",
                     i->fingerprint.p, (int)i->fingerprint.n);
}

static json_t *file_json(const pith_calibration *c, const Model *embedder,
                         const Model *ranker)
{
    json_t *j = beside_record();
    json_t *found = json_pack("{ss s{sf sf} sf s{sf sf} s{sI sI sI sI sI sf} so so sf}",
        "source", c->source ? c->source : "",
        "weights", "bias", c->bias, "slope", c->slope, "threshold", c->threshold,
        "promise", "risk", c->risk, "confidence", c->confidence,
        "questions", "all", (json_int_t)c->questions,
        "unanswerable", (json_int_t)c->unanswerable, "kept", (json_int_t)c->kept,
        "wrong", (json_int_t)c->wrong,
        "refused_answerable", (json_int_t)c->refused_answerable, "upper", c->upper,
        "embedder", model_json(embedder), "reranker", model_json(ranker),
        "probe", (double)probe());
    if (json_object_update_new(j, found) == 0) return j;
    json_decref(j);
    return NULL;
}

/* Checked by the reader, so that what is written can be read. */
static Status write_file(Ctx *cx, const char *path, json_t *j)
{
    CalibrationFile f;
    Str text;
    TRY(beside_text(cx, j, &text));
    TRY(calibration_parse(cx, "the calibration", text, &f));
    return file_write(cx, path, text);
}

static Status keep(Ctx *cx, pith *p, const pith_calibration *c)
{
    Model *embedder = NULL, *ranker = NULL;
    Str path;
    TRY(beside_writable(cx, p, BESIDE_CALIBRATION, &path));
    if (!isfinite(c->bias) || !(c->slope > 0) || !(c->threshold >= 0))
        return fail(cx, E_ARG, "a calibration has a finite bias, a slope above 0 and a "
                    "threshold of [0,1]");
    TRY(handle_model(cx, p, ROLE_EMBEDDER, &embedder));
    if (handle_model(cx, p, ROLE_RERANKER, &ranker) == E_NOTFOUND) ctx_forgive(cx);
    TRY(cx->status);
    const char *slash = strrchr(path.p, '/');
    Str folder = ctx_dup(cx, (Str){ path.p, slash ? (size_t)(slash - path.p) : 0 });
    TRY_NEW(folder.p);
    if (folder.n) TRY(folder_make(cx, folder.p));
    json_t *j = file_json(c, embedder, ranker);
    Status st = write_file(cx, path.p, j);
    json_decref(j);
    return st;
}

int pith_calibration_set(pith *p, const pith_calibration *c, pith_error *why)
{
    Ctx cx;
    call_begin(p, &cx);
    return call_end(p, &cx, keep(&cx, p, c), false, why);
}

static Status show(Ctx *cx, const pith *p, char **out)
{
    Str text;
    CalibrationFile f;
    Status st = read_file(cx, p, &text, &f);
    if (st == E_NOTFOUND) return ctx_forgive(cx), OK;
    TRY(st);
    *out = strndup(text.p, text.n);
    return *out ? OK : fail(cx, E_MEMORY, "out of memory for JSON");
}

int pith_calibration_json(pith *p, char **json, pith_error *why)
{
    Ctx cx;
    *json = NULL;
    call_begin(p, &cx);
    return call_end(p, &cx, show(&cx, p, json), false, why);
}

static Status forget(Ctx *cx, const pith *p, bool *removed)
{
    Str path;
    TRY(beside_writable(cx, p, BESIDE_CALIBRATION, &path));
    return file_remove(cx, path.p, removed);
}

int pith_calibration_reset(pith *p, int *removed, pith_error *why)
{
    Ctx cx;
    bool any = false;
    call_begin(p, &cx);
    Status st = forget(&cx, p, &any);
    if (removed) *removed = any;
    return call_end(p, &cx, st, false, why);
}
