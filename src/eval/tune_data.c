/* tune_data.c -- `pith tune data`: examples to train on, from the store's own passages.
 *
 * Three files, a line for each passage tried: FILE.jsonl to learn from, FILE.dev.jsonl
 * to judge by, from documents held out, and FILE.rejected.jsonl with the check that
 * failed. Lines are written as they come; the next run goes on behind them, and leaves
 * what people changed as it is. */
#include "eval/example.h"
#include "eval/kept.h"
#include "eval/pool.h"
#include "eval/value.h"
#include "eval/verbs.h"

#include <math.h>
#include <string.h>

enum { COUNT = 200, PASSAGES = 3 };
static const double unanswerable = 0.2, agree = 0.5;

enum { TRAIN, DEV, REJECTED, FILES };

typedef struct Making {
    const Job *job;
    Maker maker;
    Pool pool;
    Kept *file[FILES];
    Str path[FILES];
    json_t *side;           // documents that a file has: TRAIN or DEV
    size_t wanted, tried;
    double ends;            // of now_ms; INFINITY: when all is done
} Making;

/* ---- files ------------------------------------------------------------------------- */

static Status name_files(Making *m)
{
    static const char *const ending[FILES] = { ".jsonl", ".dev.jsonl",
                                               ".rejected.jsonl" };
    Str out = str_z(m->job->opt->out ? m->job->opt->out : "tune.jsonl");
    if (str_ends(out, STR(".jsonl"))) out.n -= 6;
    for (int f = 0; f < FILES; f++) {
        m->path[f] = ctx_printf(m->job->cx, "%.*s%s", (int)out.n, out.p, ending[f]);
        TRY_NEW(m->path[f].p);
    }
    return OK;
}

/* What the lines there are say: the questions asked, and the sides of their documents. */
static Status learn(Making *m, int f)
{
    const char *key;
    json_t *line;
    json_object_foreach(kept_all(m->file[f]), key, line) {
        const char *question = text_at(line, "question");
        const char *document = text_at(line, "document");
        if (question) example_is_new(&m->maker, str_z(question));
        if (document && f != REJECTED)
            json_object_set_new(m->side, document, json_integer(f));
    }
    return m->job->cx->status;
}

static Status open_files(Making *m)
{
    TRY(name_files(m));
    for (int f = 0; f < FILES; f++) {
        TRY(kept_open(m->job->cx, m->path[f].p, &m->file[f]));
        TRY(learn(m, f));
    }
    return OK;
}

static size_t count_in(const Making *m, int file)
{
    return json_object_size(kept_all(m->file[file]));
}

static size_t made(const Making *m)
{
    return count_in(m, TRAIN) + count_in(m, DEV);
}

static bool is_done(const Making *m, const char *key)
{
    bool any = false;
    for (int f = 0; f < FILES; f++) any |= kept_find(m->file[f], key) != NULL;
    return any;
}

/* Where few examples are wanted the held-out documents may all be missed by the draw; one
 * of the others gives what to judge by then. */
static int side_of(const Making *m, const char *document)
{
    enum { TRAIN_FIRST = 4 };
    const json_t *known = json_object_get(m->side, document);
    if (known) return (int)json_integer_value(known);
    bool lacking = count_in(m, DEV) == 0 && count_in(m, TRAIN) >= TRAIN_FIRST;
    return lacking || pool_holds_out(&m->pool, document) ? DEV : TRAIN;
}

/* ---- the run ----------------------------------------------------------------------- */

/* One passage, in an arena of its own. */
static Status try_one(Making *m, const pith_passage *from)
{
    Ctx *cx = m->job->cx, scratch = { .cancelled = cx->cancelled,
                                      .cancel_arg = cx->cancel_arg };
    Job job = *m->job;
    Maker maker = m->maker;
    Check check;
    json_t *line;
    job.cx = &scratch;
    maker.job = &job;
    Str key = example_key(&scratch, from);
    Status st = key.p ? OK : E_MEMORY;
    if (st == OK && !is_done(m, key.p)) {
        st = example_make(&maker, from, &check, &line);
        int to = check == CHECK_PASSED ? side_of(m, from->document) : REJECTED;
        if (st == OK) st = kept_add(&scratch, m->file[to], key.p, line);
        m->tried++;
    }
    if (st != OK) fail(cx, st, "%s", scratch.reason);
    ctx_end(&scratch);
    return st;
}

static Status run(Making *m)
{
    size_t before = made(m);
    Status st = OK;
    for (size_t i = 0; i < m->pool.n && made(m) < m->wanted && st == OK; i++) {
        if (now_ms() > m->ends) break;
        job_progress(m->job, made(m) - before, m->wanted - before, "examples");
        st = try_one(m, m->pool.at[i]);
    }
    if (st != OK)
        job_warn(m->job, "%zu examples are kept; the same command goes on from there",
                 made(m));
    return st;
}

/* ---- what is told ------------------------------------------------------------------ */

static size_t count_kind(const Making *m, int f, const char *kind)
{
    const char *key, *is;
    json_t *line;
    size_t n = 0;
    json_object_foreach(kept_all(m->file[f]), key, line) {
        is = text_at(line, "kind");
        n += is && strcmp(is, kind) == 0;
    }
    return n;
}

static void tell(const Making *m)
{
    const Job *j = m->job;
    json_t *rejected = json_object();
    job_count(j, "examples", made(m));
    job_count(j, "train", count_in(m, TRAIN));
    job_count(j, "dev", count_in(m, DEV));
    job_count(j, "unanswerable", count_kind(m, TRAIN, "unanswerable")
                                 + count_kind(m, DEV, "unanswerable"));
    job_count(j, "tried_now", m->tried);
    job_count(j, "passages", m->pool.n);
    job_count(j, "passages_without_prose", m->pool.poor);
    json_object_set_new(j->result, "train_file", json_string(m->path[TRAIN].p));
    json_object_set_new(j->result, "dev_file", json_string(m->path[DEV].p));
    for (int c = CHECK_PASSED + 1; c < N_CHECKS; c++) {
        json_int_t n = (json_int_t)count_kind(m, REJECTED, check_name[c]);
        json_object_set_new(rejected, check_name[c], json_pack("{sI}", "rejected", n));
    }
    json_object_set_new(j->result, "checks", rejected);
    if (made(m) < m->wanted && m->ends > now_ms())
        job_warn(j, "the store has no more passages to try: %zu of %zu examples", made(m),
                 m->wanted);
}

static Status check_options(const EvalOptions *o, Ctx *cx)
{
    if (o->unanswerable <= 1 && o->agree <= 1) return OK;
    return fail(cx, E_ARG, "--unanswerable and --agree are shares, at most 1");
}

static Status make(Making *m, const EvalOptions *o)
{
    uint64_t seed = (uint64_t)o->seed;
    m->maker = (Maker){ m->job, m->maker.p, NULL, json_object(),
                        o->passages ? (size_t)o->passages : PASSAGES,
                        o->unanswerable > 0 ? o->unanswerable : unanswerable,
                        o->agree > 0 ? o->agree : agree, seed };
    TRY(words_open(m->job->cx, &m->maker.words));
    TRY(pool_open(m->job, m->maker.p, seed, &m->pool));
    TRY(open_files(m));
    TRY(run(m));
    tell(m);
    return OK;
}

static void close_all(Making *m)
{
    for (int f = 0; f < FILES; f++) kept_close(m->file[f]);
    pool_free(&m->pool);
    words_close(m->maker.words);
    json_decref(m->maker.asked);
    json_decref(m->side);
    pith_close(m->maker.p);
}

Status eval_tune_data(const Job *j)
{
    const EvalOptions *o = j->opt;
    EvalEnv plain = *j->env;
    Job job = *j;
    Making m = { .job = &job, .side = json_object(),
                 .wanted = o->count ? (size_t)o->count : COUNT,
                 .ends = o->minutes > 0 ? now_ms() + o->minutes * 60e3 : INFINITY };
    job.env = &plain;
    plain.open.adapter = "none";    // the writer is the model as it came
    Status st = check_options(o, j->cx);
    if (st == OK) st = job_open(&job, plain.open.store, &m.maker.p);
    if (st == OK) st = make(&m, o);
    close_all(&m);
    return st;
}
