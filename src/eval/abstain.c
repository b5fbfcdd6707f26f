/* abstain.c -- does pith refuse what its documents do not answer, and only that?
 *
 * The positive class is "unanswerable": refusal's recall is refused_unanswerable. The
 * table of risk and coverage takes the confidence alone: answer the most confident share
 * of the questions, and see how many of those have no answer. In the rows of --per-query,
 * "right" is 1 for an unanswerable question refused and for another one answered. */
#include "eval/asking.h"
#include "eval/measures.h"
#include "eval/stats.h"
#include "eval/verbs.h"

#include <stdlib.h>
#include <string.h>

enum { DECIDED_RIGHT = N_ASKED, N_DECIDED };

typedef struct Decided {
    bool unanswerable, refused, read;   // read: the generator was run
    double confidence;
} Decided;

typedef struct Decisions {
    Decided *at;
    size_t n;
} Decisions;

static bool is_known(const Set *s, const Question *q)
{
    return q->unanswerable || q->n_answers > 0 || measure_counts(&s->qrels, q->id);
}

static Status decisions_new(Ctx *cx, size_t max, Table *out)
{
    const char **column = ctx_new(cx, const char *, N_DECIDED);
    TRY_NEW(column);
    memcpy(column, asked_name, sizeof asked_name);
    column[DECIDED_RIGHT] = "right";
    return table_new(cx, column, N_DECIDED, max, out);
}

static Status decide_all(const Job *j, pith *p, const Set *s, Decisions *d, Table *t)
{
    const pith_ask_options o = asking_options(j);
    for (size_t i = 0; i < s->questions.n; i++) {
        const Question *q = &s->questions.at[i];
        Asked asked;
        job_progress(j, i, s->questions.n, "questions");
        if (!is_known(s, q)) continue;
        double *row = table_row(t, q->id);
        Decided *now = &d->at[d->n++];
        TRY(asking_one(j, p, q, &o, row, &asked));
        TRY(table_tell(j->cx, t, q->text, asked.text));
        now->read = asked.read;
        now->unanswerable = q->unanswerable;
        now->refused = row[ASKED_REFUSED] > 0;
        now->confidence = row[ASKED_CONFIDENCE];
        row[DECIDED_RIGHT] = now->refused == now->unanswerable;
    }
    if (d->n == 0)
        return fail(j->cx, E_FORMAT, "of no question it is known whether it has an "
                    "answer: \"answers\", a type or judgements are wanted");
    return OK;
}

static size_t count(const Decisions *d, bool unanswerable, bool refused)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        n += d->at[i].unanswerable == unanswerable && d->at[i].refused == refused;
    return n;
}

/* A share, or null where there is nothing to have a share of. */
static void share(const Job *j, const char *name, size_t part, size_t whole)
{
    json_object_set_new(j->result, name,
                        whole ? json_real((double)part / (double)whole) : json_null());
}

static int most_confident_first(const void *a, const void *b)
{
    double x = ((const Decided *)a)->confidence, y = ((const Decided *)b)->confidence;
    return (x < y) - (x > y);
}

/* One line for each tenth of the questions. */
static Status risk_table(const Job *j, Decisions *d)
{
    json_t *lines = json_array();
    if (json_object_set_new(j->result, "risk_coverage", lines) != 0)
        return fail(j->cx, E_MEMORY, "no memory for the table of risks");
    qsort(d->at, d->n, sizeof *d->at, most_confident_first);
    for (size_t tenth = 1, wrong = 0, kept = 0; tenth <= 10; tenth++) {
        size_t until = (d->n * tenth + 9) / 10;
        for (; kept < until; kept++) wrong += d->at[kept].unanswerable;
        json_array_append_new(lines, json_pack("{sf sf sf sf}",
            "coverage", (double)kept / (double)d->n,
            "confidence", d->at[kept - 1].confidence,
            "risk", (double)wrong / (double)kept,
            "risk_upper_95", stats_upper_bound(wrong, kept, .95)));
    }
    return OK;
}

static Status tell(const Job *j, Decisions *d)
{
    size_t refused = count(d, true, true), missed = count(d, true, false);
    size_t kept = count(d, false, false), lost = count(d, false, true), unread = 0;
    for (size_t i = 0; i < d->n; i++) unread += d->at[i].refused && !d->at[i].read;
    share(j, "refused_unanswerable", refused, refused + missed);
    share(j, "kept_answerable", kept, kept + lost);
    share(j, "refusal_precision", refused, refused + lost);
    job_count(j, "unanswerable", refused + missed);
    job_count(j, "answerable", kept + lost);
    job_count(j, "refused", refused + lost);
    job_count(j, "refused_before_generation", unread);
    if (refused + missed == 0)
        job_warn(j, "no question is unanswerable: only half is measured");
    return risk_table(j, d);
}

Status eval_abstain(const Job *j)
{
    Set s;
    Table t;
    pith *p = NULL;
    TRY(job_read(j, false, &s));
    TRY(decisions_new(j->cx, s.questions.n, &t));
    Decisions d = { ctx_new(j->cx, Decided, s.questions.n), 0 };
    TRY_NEW(d.at);
    TRY(job_store(j, &s.corpus, true, &p));
    Status st = decide_all(j, p, &s, &d, &t);
    pith_close(p);
    TRY(st);
    TRY(job_per_query(j, &t));
    return tell(j, &d);
}
