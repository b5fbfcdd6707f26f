/* splits.c -- is a promise about errors kept? Trials are split in two at random, many
 * times: a threshold is chosen on one half, and the risk is counted on the other.
 *
 * The other half is a sample too: a threshold whose true risk is just within the promise
 * looks a little above it half of the time. So a split counts as kept in two ways: by the
 * bare share of wrong (`within`), and unless that share is, at the confidence promised,
 * above the promise (`not_refuted`). */
#include "eval/stats.h"
#include "eval/trial.h"
#include "eval/verbs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPLITS = 100, SEED = 2021 };

typedef struct Kept {
    size_t made, within, not_refuted;       // splits
    double coverage, kept_answerable, risk; // sums over the splits where one was made
} Kept;

static uint64_t random_next(uint64_t *state)    // SplitMix64
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void shuffle(Scored *s, size_t n, uint64_t *state)
{
    for (size_t i = n; i > 1; i--) {
        size_t other = random_next(state) % i;
        Scored swap = s[i - 1];
        s[i - 1] = s[other];
        s[other] = swap;
    }
}

/* What a threshold does on n questions that it has not seen. */
static void count_split(const Scored *s, size_t n, double above, const Promise *p,
                        Kept *k)
{
    size_t kept = 0, wrong = 0, right = 0;
    for (size_t i = 0; i < n; i++) {
        right += !s[i].wrong;
        if (!(s[i].score > above)) continue;
        kept++;
        wrong += s[i].wrong;
    }
    double risk = kept ? (double)wrong / (double)kept : 0;
    double luck = wrong ? 1 - stats_binomial(wrong - 1, kept, p->risk) : 1;
    k->made++;
    k->within += risk <= p->risk;
    k->not_refuted += luck > 1 - p->confidence;
    k->risk += risk;
    k->coverage += n ? (double)kept / (double)n : 0;
    k->kept_answerable += right ? (double)(kept - wrong) / (double)right : 0;
}

static json_t *split(Scored *s, size_t n, size_t splits, const Promise *p)
{
    Kept k = { 0 };
    uint64_t seed = SEED;
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong += s[i].wrong;
    for (size_t i = 0; i < splits; i++) {
        shuffle(s, n, &seed);
        Chosen c = risk_choose(s, n / 2, p);
        if (c.held) count_split(s + n / 2, n - n / 2, c.above, p, &k);
    }
    double made = k.made ? (double)k.made : 1;
    return json_pack("{sI sI sI sI sI sf sf sf}", "questions", (json_int_t)n,
        "unanswerable", (json_int_t)wrong, "made", (json_int_t)k.made,
        "within", (json_int_t)k.within, "not_refuted", (json_int_t)k.not_refuted,
        "risk", k.risk / made, "coverage", k.coverage / made,
        "kept_answerable", k.kept_answerable / made);
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
