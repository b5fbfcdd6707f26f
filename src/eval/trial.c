/* trial.c -- see trial.h. */
#include "eval/trial.h"

#include "base/random.h"
#include "eval/asking.h"
#include "eval/squad.h"

#include <math.h>

const char *const trial_name[N_TRIAL] = { "score", "wrong", "masked" };

Status trials_new(Ctx *cx, size_t max, Table *out)
{
    return table_new(cx, trial_name, N_TRIAL, max, out);
}

bool trial_is_masked(size_t i)
{
    uint64_t state = i * RANDOM_STEP;     // as after i draws from 0
    return random_next(&state) & 1;
}

/* ---- one question ------------------------------------------------------------------ */

/* The logit of a confidence, as pith_calibration defines it. */
static double logit(double c)
{
    double p = fmin(fmax(c, 1e-6), 1 - 1e-6);
    return log(p / (1 - p));
}

static bool is_right_document(const Trial *t, Str uri)
{
    for (size_t i = 0; i < t->n_right && !t->mask; i++)
        if (document_is(uri, t->right[i])) return true;
    return false;
}

static Status find_answer(Ctx *cx, const Trial *t, const pith_answer *a, bool *found)
{
    const Question *q = t->question;
    *found = false;
    for (size_t i = 0; i < a->n_passages && !*found && !q->unanswerable; i++) {
        Answered in;
        *found = is_right_document(t, str_z(a->passages[i].document));
        if (*found || q->n_answers == 0) continue;
        TRY(squad_score(cx, str_z(a->passages[i].read), q->answers, q->n_answers, &in));
        *found = in.contains > 0;
    }
    return OK;
}

Status trial_run(const Job *j, pith *p, const Trial *t, double *row)
{
    pith_ask_options o = asking_options(j);
    pith_answer *a = NULL;
    pith_error why;
    bool found = false;
    const char **without = ctx_new(j->cx, const char *, t->n_right);
    TRY_NEW(without);
    for (size_t i = 0; i < t->n_right; i++) without[i] = t->right[i].p;
    o.context_only = o.no_abstain = o.no_calibration = 1;
    o.without = without;
    o.n_without = t->mask ? t->n_right : 0;
    if (pith_ask(p, t->question->text.p, &o, &a, &why) != PITH_OK)
        return job_why(j, &why);
    Ctx scratch = CTX_INIT;
    Status st = find_answer(&scratch, t, a, &found);
    if (st != OK) fail(j->cx, st, "%s", scratch.reason);
    ctx_end(&scratch);
    row[TRIAL_SCORE] = logit(a->confidence);
    row[TRIAL_WRONG] = !found;
    row[TRIAL_MASKED] = t->mask;
    pith_answer_free(a);
    return st;
}

/* ---- sets -------------------------------------------------------------------------- */

/* The documents that answer a question: those judged relevant, and the one it names. */
static Status right_documents(Ctx *cx, const Qrels *all, const Question *q, Trial *t)
{
    Qrels of = qrels_of(all, q->id);
    Str *right = ctx_new(cx, Str, of.n + 1);
    TRY_NEW(right);
    for (size_t i = 0; i < of.n; i++) {
        if (of.at[i].grade <= 0) continue;
        TRY_NEW((right[t->n_right++] = ctx_dup(cx, of.at[i].doc)).p);
    }
    if (q->document.n) right[t->n_right++] = q->document;
    t->right = right;
    return OK;
}

static Status run_all(const Job *j, pith *p, const Questions *qs, const Qrels *qrels,
                      Table *t)
{
    for (size_t i = 0; i < qs->n; i++) {
        const Question *q = &qs->at[i];
        Trial one = { .question = q };
        job_progress(j, i, qs->n, "questions");
        TRY(right_documents(j->cx, qrels, q, &one));
        if (!q->unanswerable && q->n_answers == 0 && one.n_right == 0) continue;
        one.mask = j->opt->masked && !q->unanswerable && one.n_right
                   && trial_is_masked(i);
        Status st = trial_run(j, p, &one, table_row(t, q->id));
        if (st != OK) return t->n--, st;    // a row that is not filled is none
    }
    if (t->n == 0)
        return fail(j->cx, E_FORMAT, "of no question it is known whether it has an "
                    "answer: \"answers\", \"document\", a type or judgements are wanted");
    return OK;
}

Status trials_of_folder(const Job *j, const char *dir, Table *out)
{
    Set s;
    pith *p = NULL;
    *out = (Table){ 0 };
    EvalOptions opt = *j->opt;
    Job one = *j;
    opt.operand[0] = dir;
    opt.n_operands = 1;
    one.opt = &opt;
    TRY(job_read(&one, false, &s));
    TRY(trials_new(j->cx, s.questions.n, out));
    TRY(job_store(&one, &s.corpus, true, &p));
    Status st = run_all(&one, p, &s.questions, &s.qrels, out);
    pith_close(p);
    return st;
}

Status trials_of_file(const Job *j, pith *p, const char *path, Table *out)
{
    Questions qs;
    const Qrels none = { 0 };
    TRY(questions_read(j->cx, path, &qs));
    TRY(job_cut(j, &qs));
    TRY(trials_new(j->cx, qs.n, out));
    return run_all(j, p, &qs, &none, out);
}

Status trials_scored(Ctx *cx, const Table *t, Scored **out)
{
    Scored *s = ctx_new(cx, Scored, t->n);
    TRY_NEW(s);
    for (size_t i = 0; i < t->n; i++) {
        const double *row = t->at + i * t->width;
        s[i] = (Scored){ row[TRIAL_SCORE], row[TRIAL_WRONG] > 0 };
        if (!isfinite(s[i].score))
            return fail(cx, E_FORMAT, "question %.*s has a score that is not finite",
                        (int)t->id[i].n, t->id[i].p);
    }
    *out = s;
    return OK;
}

Status trials_promise(const Job *j, Promise *out)
{
    const EvalOptions *o = j->opt;
    *out = (Promise){ o->risk > 0 ? o->risk : .1,
                      o->confidence > 0 ? o->confidence : .95 };
    if (out->risk < 1 && out->confidence < 1) return OK;
    return fail(j->cx, E_ARG, "--risk and --confidence are shares between 0 and 1");
}
