/* tune_data.c -- `pith tune data`: examples to train on, from the store's own passages.
 *
 * Three files, a line for each passage tried: FILE.jsonl to learn from, FILE.dev.jsonl
 * to judge by, from documents held out, and FILE.rejected.jsonl with the check that
 * failed. Lines are written as they come; the next run goes on behind them, and leaves
 * what people changed as it is. Several hands work at a time (hands.h), so the order of
 * lines depends on who was faster; what is made of a passage does not. */
#include "eval/example.h"
#include "eval/hands.h"
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
    pith *p;
    QuestionSet asked;
    Pool pool;
    Kept *file[FILES];
    Str path[FILES];
    json_t *side;           // documents that a file has: TRAIN or DEV
    int hands;
    size_t wanted, tried;
    double ends;            // of now_ms; INFINITY: when all is done
    size_t before;          // examples that there were
    Maker like;             // what the hands' own are made after
    size_t next;            // passage of the pool
    pthread_mutex_t lock;   // of files, side, tried and next, while hands work
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
static Status learn(Making *m, const Maker *reader, int f)
{
    const char *key;
    json_t *line;
    json_object_foreach(kept_all(m->file[f]), key, line) {
        const char *question = text_at(line, "question");
        const char *document = text_at(line, "document");
        if (question) (void)example_is_new(reader, str_z(question));
        if (document && f != REJECTED)
            json_object_set_new(m->side, document, json_integer(f));
    }
    return m->job->cx->status;
}

static Status open_files(Making *m)
{
    Maker reader = { .job = m->job, .asked = &m->asked };
    TRY(name_files(m));
    TRY(words_open(m->job->cx, &reader.words));
    Status st = OK;
    for (int f = 0; f < FILES && st == OK; f++) {
        st = kept_open(m->job->cx, m->path[f].p, &m->file[f]);
        if (st == OK) st = learn(m, &reader, f);
    }
    words_close(reader.words);
    return st;
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

/* ---- the hands --------------------------------------------------------------------- */

/* Keeps what came of a passage; a hand that comes last may bring one more than is wanted,
 * which the next run makes again. */
static Status keep(Making *m, Ctx *cx, const pith_passage *from, const char *key,
                   Check check, json_t *line)
{
    m->tried++;
    if (made(m) >= m->wanted) return json_decref(line), OK;
    int to = check == CHECK_PASSED ? side_of(m, from->document) : REJECTED;
    return kept_add(cx, m->file[to], key, line);
}

static bool is_first(Making *m, const char *key)
{
    pthread_mutex_lock(&m->lock);
    bool first = !is_done(m, key);
    pthread_mutex_unlock(&m->lock);
    return first;
}

static Status try_passage(void *arg, const Hand *h, size_t item)
{
    Making *m = arg;
    Ctx *cx = h->job->cx;
    const pith_passage *from = m->pool.at[item];
    Maker maker = m->like;
    Check check;
    json_t *line;
    maker.job = h->job;
    maker.p = h->p;
    maker.words = h->words;
    Str key = example_key(cx, from);
    TRY_NEW(key.p);
    if (!is_first(m, key.p)) return OK;
    TRY(example_make(&maker, from, &check, &line));
    pthread_mutex_lock(&m->lock);
    Status st = keep(m, cx, from, key.p, check, line);
    pthread_mutex_unlock(&m->lock);
    return st;
}

static bool take(void *arg, size_t *item)
{
    Making *m = arg;
    if (m->next == m->pool.n || made(m) >= m->wanted || now_ms() > m->ends) return false;
    job_progress(m->job, made(m) - m->before, m->wanted - m->before, "examples");
    *item = m->next++;
    return true;
}

static Status run(Making *m)
{
    HandsWork work = { m->hands, &m->lock, m, take, try_passage };
    m->before = made(m);
    Status st = hands_run(m->job, m->p, &work);
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
    if (o->unanswerable > 1 || o->agree > 1)
        return fail(cx, E_ARG, "--unanswerable and --agree are shares, at most 1");
    return OK;
}

static Status make(Making *m, const EvalOptions *o)
{
    uint64_t seed = (uint64_t)o->seed;
    m->like = (Maker){ m->job, NULL, NULL, &m->asked,
                       o->passages ? (size_t)o->passages : PASSAGES,
                       o->unanswerable > 0 ? o->unanswerable : unanswerable,
                       o->agree > 0 ? o->agree : agree, seed };
    TRY(pool_open(m->job, m->p, seed, &m->pool));
    TRY(open_files(m));
    TRY(run(m));
    tell(m);
    return OK;
}

static void close_all(Making *m)
{
    for (int f = 0; f < FILES; f++) kept_close(m->file[f]);
    pool_free(&m->pool);
    question_set_close(&m->asked);
    json_decref(m->side);
    pthread_mutex_destroy(&m->lock);
    pith_close(m->p);
}

Status eval_tune_data(const Job *j)
{
    const EvalOptions *o = j->opt;
    EvalEnv plain = *j->env;
    Job job = *j;
    Making m = { .job = &job,
                 .wanted = o->count ? (size_t)o->count : COUNT,
                 .ends = o->minutes > 0 ? now_ms() + o->minutes * 60e3 : INFINITY };
    job.env = &plain;
    plain.open.adapter = "none";    // the writer is the model as it came
    TRY(check_options(o, j->cx));
    TRY(hands_count(&job, &m.hands));
    plain.open = hands_options(&job, m.hands);
    m.side = json_object();
    pthread_mutex_init(&m.lock, NULL);
    Status st = question_set_open(j->cx, &m.asked);
    if (st == OK) st = job_open(&job, plain.open.store, &m.p);
    if (st == OK) st = make(&m, o);
    close_all(&m);
    return st;
}
