/* route_fit.c -- learns the router's weights from questions that both models answered.
 *
 * The target of a question is (1 + large - small) / 2 of the answers' quality, so that
 * .5 says that nothing is gained; files weigh alike, however long. Each question is a
 * sample twice, with its draft and with the draft's features as usual, since the router
 * weighs a question before there is a draft, too. What is told of the fit is measured on
 * questions that it has not seen: of each file in turn by the others (a router can learn
 * where a question comes from instead of how hard it is), of a single one by fifths.
 *
 * A promise of risk is one about the very scores that will decide: the weights learn from
 * every second question, and the threshold comes from the others. */
#include "base/file.h"
#include "eval/curve.h"
#include "eval/logistic.h"
#include "eval/pair.h"
#include "eval/route_figures.h"
#include "eval/route_rows.h"
#include "eval/trial.h"
#include "eval/verbs.h"

#include <math.h>
#include <string.h>

enum { FOLDS = 5 };
/* What is left out beside a part: nothing; every second question. */
#define NONE SIZE_MAX
#define SECOND (SIZE_MAX - 1)
#define PENALTY .1
#define KEEP .95

/* One question of a file, and in which part it is left out. */
typedef struct Fit {
    const Job *job;
    Routed *file;           // (n_files)
    const char **name;
    size_t n_files, width, n;   // features; questions of all files
    bool wanted[LOGISTIC_MAX];  // --features
    double **unseen;        // (n_files, n of the file) scores by fits without it
    size_t *single;         // (n_files) best single feature of the others
} Fit;

static size_t part_of(const Fit *f, size_t file, size_t i)
{
    return f->n_files > 1 ? file : i % FOLDS;
}

static bool is_out(const Fit *f, size_t without, size_t file, size_t i)
{
    return without == SECOND ? i % 2 == 1 : part_of(f, file, i) == without;
}

static bool is_draft(size_t feature)
{
    return strncmp(pith_route_feature((int)feature), "draft_", 6) == 0;
}

/* ---- samples ----------------------------------------------------------------------- */

/* The usual value of each feature of the draft: over all questions but those left out. */
static void usual_draft(const Fit *f, size_t without, double *usual)
{
    memset(usual, 0, f->width * sizeof *usual);
    for (size_t d = 0; d < f->width; d++) {
        double files = 0;
        for (size_t k = 0; k < f->n_files; k++) {
            double sum = 0, n = 0;
            for (size_t i = 0; i < f->file[k].of.n; i++)
                if (!is_out(f, without, k, i)) sum += f->file[k].feature[d][i], n++;
            if (n > 0) usual[d] += sum / n, files++;
        }
        if (files > 0) usual[d] /= files;
    }
}

/* A feature that is not wanted stands at 0: it never varies and weighs nothing. */
static void put_row(const Fit *f, size_t k, size_t i, const double *usual, double *x)
{
    for (size_t d = 0; d < f->width; d++)
        x[d] = !f->wanted[d] ? 0
             : usual && is_draft(d) ? usual[d] : f->file[k].feature[d][i];
}

/* All questions but those of the part `without`. */
static Status train(const Fit *f, size_t without, Logistic *out)
{
    Ctx *cx = f->job->cx;
    double usual[LOGISTIC_MAX], *x = ctx_new(cx, double, 2 * f->n * f->width);
    double *y = ctx_new(cx, double, 2 * f->n), *times = ctx_new(cx, double, 2 * f->n);
    double penalty = f->job->opt->penalty > 0 ? f->job->opt->penalty : PENALTY;
    size_t n = 0;
    TRY_NEW(x);
    TRY_NEW(y);
    TRY_NEW(times);
    usual_draft(f, without, usual);
    for (size_t k = 0; k < f->n_files; k++)
        for (size_t i = 0; i < f->file[k].of.n; i++) {
            if (is_out(f, without, k, i)) continue;
            for (int masked = 0; masked < 2; masked++, n++) {
                put_row(f, k, i, masked ? usual : NULL, x + n * f->width);
                y[n] = (1 + f->file[k].of.large[i] - f->file[k].of.small[i]) / 2;
                times[n] = 1 / (double)f->file[k].of.n;
            }
        }
    return logistic_fit(cx, &(Samples){ n, f->width, x, y, times }, penalty, out);
}

/* ---- on questions unseen ----------------------------------------------------------- */

/* The feature that does best by itself on the files other than k; on the only file, on
 * that one, which flatters it. */
static Status best_single(const Fit *f, size_t k, size_t *out)
{
    double best = -INFINITY;
    *out = 0;
    for (size_t d = 0; d < f->width; d++) {
        double gain = 0;
        for (size_t o = 0; o < f->n_files; o++) {
            Curve one, chance;
            if (o == k && f->n_files > 1) continue;
            TRY(curve_make(f->job->cx, &f->file[o].of, f->file[o].feature[d], &one));
            TRY(curve_make(f->job->cx, &f->file[o].of, NULL, &chance));
            gain += curve_auc(&one) - curve_auc(&chance);
        }
        if (gain > best) best = gain, *out = d;
    }
    return OK;
}

static Status score_unseen(Fit *f)
{
    size_t parts = f->n_files > 1 ? f->n_files : FOLDS;
    double x[LOGISTIC_MAX];
    for (size_t part = 0; part < parts; part++) {
        Logistic m;
        TRY(train(f, part, &m));
        for (size_t k = 0; k < f->n_files; k++)
            for (size_t i = 0; i < f->file[k].of.n; i++) {
                if (part_of(f, k, i) != part) continue;
                put_row(f, k, i, NULL, x);
                f->unseen[k][i] = logistic_predict(&m, x);
            }
    }
    for (size_t k = 0; k < f->n_files; k++) TRY(best_single(f, k, &f->single[k]));
    return OK;
}

/* ---- the threshold ----------------------------------------------------------------- */

/* Questions of all files as one curve: of `without` those that are out, by the weights;
 * of NONE all, by their unseen scores. */
static Status pool(const Fit *f, size_t without, const Logistic *m, Curve *out)
{
    Ctx *cx = f->job->cx;
    double *small = ctx_new(cx, double, f->n), *large = ctx_new(cx, double, f->n);
    double *score = ctx_new(cx, double, f->n), x[LOGISTIC_MAX];
    size_t n = 0;
    TRY_NEW(small);
    TRY_NEW(large);
    TRY_NEW(score);
    for (size_t k = 0; k < f->n_files; k++)
        for (size_t i = 0; i < f->file[k].of.n; i++) {
            if (without != NONE && !is_out(f, without, k, i)) continue;
            small[n] = f->file[k].of.small[i];
            large[n] = f->file[k].of.large[i];
            put_row(f, k, i, NULL, x);
            score[n++] = without == NONE ? f->unseen[k][i] : logistic_predict(m, x);
        }
    return curve_make(cx, &(Outcomes){ n, small, large }, score, out);
}

/* Between the last score that is escalated and the first that is not. */
static double threshold_at(const Curve *c, double share)
{
    size_t k = (size_t)llround(share * (double)c->of.n);
    if (k == 0) return 1.01;        // above every score
    if (k >= c->of.n) return 0;
    return (c->score[c->order[k - 1]] + c->score[c->order[k]]) / 2;
}

/* The weights, the threshold, the curve it was chosen on and what is escalated by it. */
typedef struct Fitted {
    Logistic model;
    Curve curve;
    double threshold, share;
} Fitted;

static Status check_wishes(const Fit *f)
{
    const EvalOptions *o = f->job->opt;
    if ((o->share > 0) + (o->risk > 0) + (o->keep > 0) > 1)
        return fail(f->job->cx, E_ARG, "--keep, --share and --risk exclude each other");
    if (o->share > 1 || o->keep > 1)
        return fail(f->job->cx, E_ARG, "--keep and --share are shares: 0 to 1");
    if (o->confidence > 0 && !(o->risk > 0))
        return fail(f->job->cx, E_ARG, "--confidence goes with --risk");
    return OK;
}

static Status fit_to_promise(const Fit *f, Fitted *out)
{
    Promise p;
    TRY(trials_promise(f->job, &p));
    TRY(train(f, SECOND, &out->model));
    TRY(pool(f, SECOND, &out->model, &out->curve));
    TRY(route_promise(f->job->cx, &out->curve, &p, &out->threshold, &out->share));
    if (out->share == 1)
        job_warn(f->job, "%zu questions do not suffice to promise that at most a share "
                 "of %g of the small model's answers is wrong: all are escalated",
                 out->curve.of.n, p.risk);
    return OK;
}

/* As was asked for: --share, --risk or --keep. */
static Status fit(const Fit *f, Fitted *out)
{
    const EvalOptions *o = f->job->opt;
    if (o->risk > 0) return fit_to_promise(f, out);
    double keep = o->keep > 0 ? o->keep : KEEP;
    TRY(train(f, NONE, &out->model));
    TRY(pool(f, NONE, NULL, &out->curve));
    out->share = o->share > 0 ? o->share
               : curve_share(&out->curve, keep * curve_quality(&out->curve, 1));
    out->threshold = threshold_at(&out->curve, out->share);
    return OK;
}

/* ---- what is written and told ------------------------------------------------------ */

static json_t *weights_json(const Fit *f, const Logistic *m)
{
    json_t *all = json_object();
    for (size_t d = 0; d < m->width; d++)
        if (f->wanted[d])
            json_object_set_new(all, pith_route_feature((int)d),
                                json_pack("{sf sf sf}", "weight", m->weight[d], "usual",
                                          m->mean[d], "scale", m->scale[d]));
    return all;
}

static Status write_model(const Fit *f, const Logistic *m, double threshold,
                          const char **path)
{
    Ctx *cx = f->job->cx;
    Str folder, usual;
    if (!(*path = f->job->opt->out)) {
        TRY(folder_config(cx, &folder));
        TRY(folder_make(cx, folder.p));
        TRY(path_join(cx, folder, STR("route.json"), &usual));
        *path = usual.p;
    }
    json_t *j = json_pack("{ss sf sf so sI sO}", "about",
                          "weights of pith's router: see pith-route(1)", "bias", m->bias,
                          "threshold", threshold, "features", weights_json(f, m),
                          "questions", (json_int_t)f->n, "unseen",
                          json_object_get(f->job->result, "files"));
    char *text = j ? json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    Status st = text ? file_write(cx, *path, str_z(text))
                     : fail(cx, E_MEMORY, "no memory for the weights");
    free(text);
    json_decref(j);
    return st;
}

static Status tell_files(const Fit *f)
{
    json_t *files = json_object();
    json_object_set_new(f->job->result, "files", files);
    for (size_t k = 0; k < f->n_files; k++) {
        json_t *one = json_object();
        json_object_set_new(files, f->name[k], one);
        json_object_set_new(one, "questions", json_integer((json_int_t)f->file[k].of.n));
        TRY(routed_tell(f->job->cx, &f->file[k], f->unseen[k], f->single[k], one));
        json_object_set_new(one, "best_single",
                            json_string(pith_route_feature((int)f->single[k])));
    }
    return OK;
}

static Status finish(const Fit *f)
{
    Fitted got;
    const char *path;
    TRY(tell_files(f));
    TRY(fit(f, &got));
    TRY(write_model(f, &got.model, got.threshold, &path));
    job_count(f->job, "questions", f->n);
    job_figure(f->job, "threshold", got.threshold);
    job_figure(f->job, "share", got.share);
    job_figure(f->job, "quality", curve_quality(&got.curve, got.share));
    job_figure(f->job, "quality_large", curve_quality(&got.curve, 1));
    json_object_set_new(f->job->result, "features", weights_json(f, &got.model));
    json_object_set_new(f->job->result, "out", json_string(path));
    return routed_curve(f->job->cx, &got.curve, f->job->result);
}

static size_t named(Str name)
{
    size_t d = 0;
    while (pith_route_feature((int)d) &&
           !str_eq(name, str_z(pith_route_feature((int)d)))) d++;
    return d;
}

static Status read_wanted(Fit *f)
{
    Str list = str_z(f->job->opt->features);
    for (size_t d = 0; d < f->width; d++) f->wanted[d] = list.n == 0;
    while (list.n) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma ? (size_t)(comma - list.p) : list.n;
        size_t d = named((Str){ list.p, n });
        if (d >= f->width)
            return fail(f->job->cx, E_ARG, "--features: the router has no feature "
                        "\"%.*s\": see pith-route(1)", (int)n, list.p);
        f->wanted[d] = true;
        n += comma != NULL;
        list = (Str){ list.p + n, list.n - n };
    }
    return OK;
}

static Status read_files(Fit *f)
{
    Ctx *cx = f->job->cx;
    for (size_t k = 0; k < f->n_files; k++) {
        Table t;
        f->name[k] = f->job->opt->operand[k];
        TRY(rows_of(f->job, f->name[k], &t));
        TRY(routed_of(cx, &t, &f->file[k]));
        if (f->file[k].of.n == 0)
            return fail(cx, E_FORMAT, "%s: all questions were refused", f->name[k]);
        TRY_NEW(f->unseen[k] = ctx_new(cx, double, f->file[k].of.n));
        f->n += f->file[k].of.n;
        f->width = f->file[k].features;
        TRY(job_per_query(f->job, &t));
    }
    if (f->n < 2 * FOLDS)
        return fail(cx, E_FORMAT, "%zu questions: at least %d are wanted, 100 are better",
                    f->n, 2 * FOLDS);
    return OK;
}

Status eval_route_fit(const Job *j)
{
    Fit f = { .job = j, .n_files = (size_t)j->opt->n_operands };
    if (j->opt->per_query && f.n_files > 1)
        return fail(j->cx, E_ARG, "--per-query goes with one file");
    TRY_NEW(f.file = ctx_new(j->cx, Routed, f.n_files));
    TRY_NEW(f.name = ctx_new(j->cx, const char *, f.n_files));
    TRY_NEW(f.unseen = ctx_new(j->cx, double *, f.n_files));
    TRY_NEW(f.single = ctx_new(j->cx, size_t, f.n_files));
    TRY(check_wishes(&f));
    TRY(read_files(&f));
    TRY(read_wanted(&f));
    TRY(score_unseen(&f));
    return finish(&f);
}
