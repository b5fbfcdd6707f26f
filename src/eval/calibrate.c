/* calibrate.c -- a threshold with a promise, for the owner's store.
 *
 * Of the questions that pass it, at most a share `risk` has no passage that answers, with
 * the confidence named (risk.h), as long as questions come of the same kind and in the
 * same mix as those it was fitted on. What pith refuses later, because no claim of its
 * answer has a source, is not counted as passed over: the promise is about the passages
 * that are handed to the model. */
#include "eval/trial.h"
#include "eval/verbs.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

enum { SELF_MADE = 200 };

/* ---- the questions ----------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static Status try_all(const Job *j, pith *p, Table *t, Str *source)
{
    const EvalOptions *o = j->opt;
    const char *from = o->n_operands ? o->operand[0] : NULL;
    *source = ctx_printf(j->cx, "%s%s", from ? from : "questions made from the store",
                         from && o->masked ? ", every second one without its documents"
                                           : "");
    TRY_NEW(source->p);
    if (!from)
        return trials_self_made(j, p, o->limit ? (size_t)o->limit : SELF_MADE, t);
    return is_folder(from) ? trials_of_folder(j, from, t) : trials_of_file(j, p, from, t);
}

/* ---- what is found ----------------------------------------------------------------- */

static size_t count_wrong(const Scored *s, size_t n)
{
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong += s[i].wrong;
    return wrong;
}

/* No threshold: too few questions, or too many wrong among the surest. */
static Status no_promise(const Job *j, size_t n, const Promise *p, const Chosen *c)
{
    size_t least = risk_least(p);
    if (n < 2 * least)
        return fail(j->cx, E_LIMIT, "%zu questions are too few for a risk of %g with "
                    "confidence %g: %zu must pass without one wrong, so ask %zu or more",
                    n, p->risk, p->confidence, least, 4 * least);
    return fail(j->cx, E_LIMIT, "no threshold keeps the risk within %g: of the surest "
                "%zu among %zu questions %zu have no passage that answers, which allows "
                "for a risk of %.3f; more questions or a larger --risk would help",
                p->risk, c->kept, n, c->wrong, c->upper);
}

static double probability(const Platt *l, double score)
{
    return 1 / (1 + exp(-(l->bias + l->slope * score)));
}

static Status fit(const Job *j, const Table *t, const Promise *promise,
                  pith_calibration *out)
{
    Scored *s;
    TRY(trials_scored(j->cx, t, &s));
    const size_t wrong = count_wrong(s, t->n);
    Chosen c = risk_choose(s, t->n, promise);
    if (!c.held) return no_promise(j, t->n, promise, &c);
    Platt l = risk_fit(s, t->n);
    if (!(l.slope > 1e-3))
        return fail(j->cx, E_MODEL, "confidence does not rise with what is right in "
                    "these %zu questions: it cannot be calibrated on them", t->n);
    *out = (pith_calibration){
        .bias = l.bias, .slope = l.slope,
        .threshold = isfinite(c.above) ? probability(&l, c.above) : 0,
        .risk = promise->risk, .confidence = promise->confidence,
        .questions = t->n, .unanswerable = wrong, .kept = c.kept, .wrong = c.wrong,
        .refused_answerable = t->n - wrong - (c.kept - c.wrong), .upper = c.upper,
    };
    return OK;
}

static void tell(const Job *j, const pith_calibration *c)
{
    size_t answerable = c->questions - c->unanswerable;
    size_t refused = c->questions - c->kept - c->refused_answerable;
    job_figure(j, "threshold", c->threshold);
    job_figure(j, "bias", c->bias);
    job_figure(j, "slope", c->slope);
    job_figure(j, "risk", c->risk);
    job_figure(j, "confidence", c->confidence);
    job_figure(j, "risk_upper", c->upper);
    job_count(j, "questions", c->questions);
    job_count(j, "unanswerable", c->unanswerable);
    job_count(j, "kept", c->kept);
    job_count(j, "wrong", c->wrong);
    if (c->unanswerable == 0)
        job_warn(j, "every question has a passage that answers: nothing was learned of "
                 "those without one; add some with empty \"answers\", or use --masked");
    if (answerable)
        job_figure(j, "kept_answerable",
                   1 - (double)c->refused_answerable / (double)answerable);
    if (c->unanswerable)
        job_figure(j, "refused_unanswerable", (double)refused / (double)c->unanswerable);
}

/* ---- the verb ---------------------------------------------------------------------- */

static Status show(const Job *j, pith *p)
{
    char *text = NULL;
    pith_error why;
    if (pith_calibration_json(p, &text, &why) != PITH_OK) return job_why(j, &why);
    if (!text) return job_warn(j, "no calibration: `pith calibrate` makes one"), OK;
    json_t *file = json_loads(text, 0, NULL);
    json_object_update(j->result, file);
    json_decref(file);
    pith_string_free(text);
    return OK;
}

static Status reset(const Job *j, pith *p)
{
    int removed = 0;
    pith_error why;
    if (pith_calibration_reset(p, &removed, &why) != PITH_OK) return job_why(j, &why);
    job_warn(j, removed ? "the calibration is removed" : "there was no calibration");
    return OK;
}

static Status calibrate(const Job *j, pith *p)
{
    Promise promise;
    pith_calibration c = { 0 };
    pith_error why;
    Table t;
    Str source;
    TRY(trials_promise(j, &promise));
    TRY(try_all(j, p, &t, &source));
    TRY(job_per_query(j, &t));
    TRY(fit(j, &t, &promise, &c));
    c.source = source.p;
    if (pith_calibration_set(p, &c, &why) != PITH_OK) return job_why(j, &why);
    tell(j, &c);
    return OK;
}

Status eval_calibrate(const Job *j)
{
    pith *p = NULL;
    if (j->opt->show && j->opt->reset)
        return fail(j->cx, E_ARG, "--show and --reset exclude each other");
    TRY(job_open(j, j->env->open.store, &p));
    Status st = j->opt->show ? show(j, p) : j->opt->reset ? reset(j, p) : calibrate(j, p);
    pith_close(p);
    return st;
}
