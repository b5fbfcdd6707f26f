/* splits.c -- is the promise of `pith calibrate` kept? Trials are split in two at random,
 * many times: see halves.h. */
#include "eval/halves.h"
#include "eval/trial.h"
#include "eval/verbs.h"

#include <stdlib.h>
#include <string.h>

enum { SPLITS = 100 };

static json_t *split(Scored *s, size_t n, size_t splits, const Promise *p)
{
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong += s[i].wrong;
    Halves h = halves_of(s, n, splits, p);
    return json_pack("{sI sI sI sI sI sf sf sf}", "questions", (json_int_t)n,
        "unanswerable", (json_int_t)wrong, "made", (json_int_t)h.made,
        "within", (json_int_t)h.within, "not_refuted", (json_int_t)h.not_refuted,
        "risk", h.risk, "coverage", h.coverage, "kept_answerable", h.kept_right);
}

/* Trials from a folder, or from a file that --per-query wrote. */
static Status read_operand(const Job *j, const char *operand, Table *out)
{
    size_t n = strlen(operand);
    if (n < 4 || strcmp(operand + n - 4, ".tsv") != 0)
        return trials_of_folder(j, operand, out);
    TRY(table_read(j->cx, operand, out));
    bool ours = out->width == N_TRIAL;
    for (size_t i = 0; ours && i < N_TRIAL; i++)
        ours = strcmp(out->column[i], trial_name[i]) == 0;
    return ours ? OK : fail(j->cx, E_FORMAT, "%s: the columns score, wrong and masked "
                            "are wanted, as `pith eval risk --per-query` writes them",
                            operand);
}

static Status add_line(const Job *j, json_t *lines, const char *name, const Table *t,
                       const Promise *p)
{
    Scored *s;
    size_t splits = j->opt->splits ? (size_t)j->opt->splits : SPLITS;
    TRY(trials_scored(j->cx, t, &s));
    if (json_object_set_new(lines, name, split(s, t->n, splits, p)) != 0)
        return fail(j->cx, E_MEMORY, "no memory for the splits");
    return OK;
}

static Status append(Ctx *cx, const Table *from, Table *to)
{
    const size_t row = N_TRIAL * sizeof *to->at;
    Table all;
    TRY(trials_new(cx, to->n + from->n, &all));
    for (size_t i = 0; i < to->n; i++)
        memcpy(table_row(&all, to->id[i]), to->at + i * N_TRIAL, row);
    for (size_t i = 0; i < from->n; i++)
        memcpy(table_row(&all, from->id[i]), from->at + i * N_TRIAL, row);
    *to = all;
    return OK;
}

/* Stopped on request: what was done is kept, for a later call to go on from. */
static Status stopped(const Job *j, const Table *part, Table *all)
{
    if (part->n == 0 || !j->opt->per_query) return E_CANCELLED;
    TRY(append(j->cx, part, all));
    TRY(job_per_query(j, all));
    job_warn(j, "%zu questions were asked: %s has them", all->n, j->opt->per_query);
    return E_CANCELLED;
}

Status eval_risk(const Job *j)
{
    Promise promise;
    Table all;
    json_t *lines = json_object();
    TRY(trials_promise(j, &promise));
    job_figure(j, "promised_risk", promise.risk);
    job_figure(j, "confidence", promise.confidence);
    if (json_object_set_new(j->result, "splits", lines) != 0)
        return fail(j->cx, E_MEMORY, "no memory for the splits");
    TRY(trials_new(j->cx, 0, &all));
    for (int i = 0; i < j->opt->n_operands; i++) {
        Table t = { 0 };
        Status st = read_operand(j, j->opt->operand[i], &t);
        if (st == E_CANCELLED) return stopped(j, &t, &all);
        TRY(st);
        TRY(append(j->cx, &t, &all));
        const char *slash = strrchr(j->opt->operand[i], '/');
        TRY(add_line(j, lines, slash && slash[1] ? slash + 1 : j->opt->operand[i], &t,
                     &promise));
    }
    TRY(job_per_query(j, &all));
    return j->opt->n_operands > 1 ? add_line(j, lines, "all", &all, &promise) : OK;
}
