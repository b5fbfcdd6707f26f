/* tune_retrieval.c -- `pith tune retrieval`: a map of queries for this store, if it pays.
 *
 * The small model writes a question about each of some passages; a line of FILE.jsonl
 * each, so that the next run goes on behind them. The questions of each half of the
 * documents choose among a few maps, and those of the other half judge that choice: a map
 * is kept if the choices bring a question's own passage nearer to the top, by more than
 * chance. It is then the one that all questions like best. */
#include "eval/example.h"
#include "eval/hands.h"
#include "eval/kept.h"
#include "eval/pool.h"
#include "eval/stats.h"
#include "eval/value.h"
#include "eval/verbs.h"
#include "eval/verdict.h"
#include "eval/writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 300, DEPTH = 50, LEAST = 10 };

enum { NONE, N_MAPS = 4 };
static const pith_query_map candidates[N_MAPS] = {
    [NONE] = { 0, 0 }, { .1, .3 }, { .3, .5 }, { .5, .5 },
};

typedef struct Asked {
    const char *question, *document;
    size_t start;           // of its passage
} Asked;

typedef struct Fitting {
    const Job *job;
    pith *p;
    int hands;
    Pool pool;
    size_t wanted, next;    // questions; passage of the pool
    double ends;            // of now_ms
    QuestionSet asked;
    pthread_mutex_t lock;   // of file and next, while hands work
    Kept *file;
    Asked *half[2];         // each chooses for the other
    size_t n[2];
    double *rr[N_MAPS][2];  // of each map and half; [NONE]: without any
} Fitting;

/* ---- questions --------------------------------------------------------------------- */

static size_t written(const Fitting *f)
{
    const char *key;
    json_t *line;
    size_t n = 0;
    json_object_foreach(kept_all(f->file), key, line)
        n += text_at(line, "question") != NULL;
    return n;
}

static bool is_done(Fitting *f, const char *key)
{
    pthread_mutex_lock(&f->lock);
    bool done = kept_find(f->file, key) != NULL;
    pthread_mutex_unlock(&f->lock);
    return done;
}

static Status write_one(void *arg, const Hand *h, size_t item)
{
    Fitting *f = arg;
    Ctx *cx = h->job->cx;
    const pith_passage *from = f->pool.at[item];
    Maker maker = { .job = h->job, .words = h->words, .asked = &f->asked };
    Str question, key = example_key(cx, from);
    TRY_NEW(key.p);
    if (is_done(f, key.p)) return OK;
    TRY(writer_question(h->job, h->p, from, &question));
    bool new = question.n && example_is_new(&maker, question);
    json_t *line = json_pack("{ss sI}", "document", from->document, "start",
                             (json_int_t)from->start);
    if (new) json_object_set_new(line, "question", json_stringn(question.p, question.n));
    pthread_mutex_lock(&f->lock);
    Status st = kept_add(cx, f->file, key.p, line);
    pthread_mutex_unlock(&f->lock);
    return st;
}

static bool take(void *arg, size_t *item)
{
    Fitting *f = arg;
    size_t n = written(f);
    if (f->next == f->pool.n || n >= f->wanted || now_ms() > f->ends) return false;
    job_progress(f->job, n, f->wanted, "questions");
    *item = f->next++;
    return true;
}

static Status write_all(Fitting *f)
{
    HandsWork work = { f->hands, &f->lock, f, take, write_one };
    return hands_run(f->job, f->p, &work);
}

/* All questions there are, each document on one side. */
static Status split(Fitting *f)
{
    const char *key;
    json_t *line;
    size_t most = json_object_size(kept_all(f->file));
    for (int k = 0; k < 2; k++)
        TRY_NEW(f->half[k] = ctx_new(f->job->cx, Asked, most));
    json_object_foreach(kept_all(f->file), key, line) {
        const char *question = text_at(line, "question");
        const char *document = text_at(line, "document");
        double start = number_at(line, "start");
        if (!question || !document || !(start >= 0)) continue;
        uint64_t lot = str_hash(str_z(document)) ^ (uint64_t)f->job->opt->seed;
        size_t side = stats_random(&lot, 2);
        f->half[side][f->n[side]++] = (Asked){ question, document, (size_t)start };
    }
    if (f->n[0] >= LEAST && f->n[1] >= LEAST) return OK;
    return fail(f->job->cx, E_FORMAT, "%zu and %zu questions: at least %d are wanted to "
                "choose by and to judge by; more documents, --count or --minutes would "
                "help", f->n[0], f->n[1], LEAST);
}

/* ---- searching --------------------------------------------------------------------- */

/* 1 / the rank of the question's passage; 0: not among the first DEPTH. */
static Status reciprocal(const Fitting *f, const Asked *q, double *out)
{
    const pith_search_options o = { .k = DEPTH };
    pith_results *r;
    pith_error why;
    *out = 0;
    if (pith_search(f->p, q->question, &o, &r, &why) != PITH_OK)
        return job_why(f->job, &why);
    for (size_t i = 0; i < r->n && *out == 0; i++)
        if (r->at[i].start == q->start && strcmp(r->at[i].document, q->document) == 0)
            *out = 1 / (double)(i + 1);
    pith_results_free(r);
    return OK;
}

static Status measure_all(Fitting *f)
{
    pith_error why;
    Status st = OK;
    for (int m = 0; m < N_MAPS; m++) {
        const pith_query_map *map = m == NONE ? NULL : &candidates[m];
        job_progress(f->job, (size_t)m, N_MAPS, "maps");
        if (pith_query_map_use(f->p, map, &why) != PITH_OK) return job_why(f->job, &why);
        for (int h = 0; h < 2; h++) {
            TRY_NEW(f->rr[m][h] = ctx_new(f->job->cx, double, f->n[h]));
            for (size_t i = 0; i < f->n[h] && st == OK; i++)
                st = reciprocal(f, &f->half[h][i], &f->rr[m][h][i]);
            TRY(st);
        }
    }
    return OK;
}

/* The sum over the questions of one half, or of both for h = 2. */
static double sum_of(const Fitting *f, int m, int h)
{
    if (h == 2) return sum_of(f, m, 0) + sum_of(f, m, 1);
    return stats_mean(f->rr[m][h], f->n[h]) * (double)f->n[h];
}

/* The map that a half, or both, like best; NONE where none is better than none. */
static int choice_of(const Fitting *f, int h)
{
    int best = NONE;
    for (int m = 0; m < N_MAPS; m++)
        if (sum_of(f, m, h) > sum_of(f, best, h)) best = m;
    return best;
}

/* ---- the verdict ------------------------------------------------------------------- */

static Status keep(const Fitting *f, const pith_query_map *map)
{
    pith_error why;
    char *text = json_dumps(f->job->result, JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (!text) return fail(f->job->cx, E_MEMORY, "no memory for the figures");
    Status st = OK;
    if (pith_query_map_use(f->p, map, &why) != PITH_OK)
        st = job_why(f->job, &why);
    if (st == OK && pith_query_map_keep(f->p, text, &why) != PITH_OK)
        st = job_why(f->job, &why);
    free(text);
    if (st == OK)
        job_warn(f->job, map ? "the map won: searches of this store use it from now on; "
                                "--reset does without"
                              : "no map won: searches stay as they are");
    return st;
}

/* What each question says of the map that the other half chose. */
static Status judge(const Fitting *f)
{
    const Job *j = f->job;
    size_t n = f->n[0] + f->n[1];
    double *without = ctx_new(j->cx, double, n), *with = ctx_new(j->cx, double, n);
    if (!without || !with) return E_MEMORY;
    for (int h = 0; h < 2; h++) {
        size_t bytes = f->n[h] * sizeof *with, at = h ? f->n[0] : 0;
        memcpy(without + at, f->rr[NONE][h], bytes);
        memcpy(with + at, f->rr[choice_of(f, !h)][h], bytes);
    }
    int map = choice_of(f, 2);
    Paired d = stats_paired(without, with, n, STATS_SEED);
    bool wins = map != NONE && d.difference > 0 && d.p < VERDICT_P;
    json_object_set_new(j->result, "verdict", json_string(wins ? "win" : "lose"));
    job_figure(j, "whiten", candidates[map].whiten);
    job_figure(j, "center", candidates[map].center);
    job_figure(j, "mrr_without", stats_mean(without, n));
    job_figure(j, "mrr_with", stats_mean(with, n));
    job_figure(j, "difference", d.difference);
    job_figure(j, "low", d.low);
    job_figure(j, "high", d.high);
    job_figure(j, "p", d.p);
    return keep(f, wins ? &candidates[map] : NULL);
}

static Status fit(Fitting *f)
{
    const EvalOptions *o = f->job->opt;
    f->wanted = o->count ? (size_t)o->count : COUNT;
    f->ends = o->minutes > 0 ? now_ms() + o->minutes * 60e3 : INFINITY;
    TRY(kept_open(f->job->cx, o->out ? o->out : "retrieval.jsonl", &f->file));
    TRY(pool_open(f->job, f->p, (uint64_t)o->seed, &f->pool));
    TRY(write_all(f));
    TRY(split(f));
    job_count(f->job, "questions", f->n[0] + f->n[1]);
    TRY(measure_all(f));
    return judge(f);
}

/* ---- the verb ---------------------------------------------------------------------- */

static Status look(const Fitting *f)
{
    pith_error why;
    char *text = NULL;
    if (f->job->opt->reset) {
        if (pith_query_map_keep(f->p, NULL, &why) != PITH_OK)
            return job_why(f->job, &why);
        return job_warn(f->job, "the store has no map of queries from now on"), OK;
    }
    if (pith_query_map_json(f->p, &text, &why) != PITH_OK) return job_why(f->job, &why);
    if (!text) return job_warn(f->job, "the store has no map of queries"), OK;
    json_t *j = json_loads(text, 0, NULL);
    json_object_update(f->job->result, j);
    json_decref(j);
    pith_string_free(text);
    return OK;
}

Status eval_tune_retrieval(const Job *j)
{
    const EvalOptions *o = j->opt;
    EvalEnv env = *j->env;
    Job job = *j;
    Fitting f = { .job = &job };
    job.env = &env;
    TRY(hands_count(&job, &f.hands));
    env.open = hands_options(&job, f.hands);
    pthread_mutex_init(&f.lock, NULL);
    Status st = question_set_open(j->cx, &f.asked);
    if (st == OK) st = job_open(&job, env.open.store, &f.p);
    if (st == OK) st = o->show || o->reset ? look(&f) : fit(&f);
    kept_close(f.file);
    pool_free(&f.pool);
    question_set_close(&f.asked);
    pthread_mutex_destroy(&f.lock);
    pith_close(f.p);
    return st;
}
