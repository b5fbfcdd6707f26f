/* tune.c -- pith tune: a small model, trained on examples from the owner's documents.
 *
 * `pith tune` alone is data, train and gate in one folder. Each leaves files behind by
 * which the next call knows how far it came: examples, then the state of the training,
 * then the report. */
#include "app/cli.h"
#include "app/term.h"
#include "base/spark.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Live {
    const Cli *cli;
    Progress progress;
    Spark curve;             // of this call's losses
} Live;

/* "40 s", "12 min", "3.5 h" */
static const char *duration(double s, char out[16])
{
    if (s < 120) snprintf(out, 16, "%.0f s", s);
    else if (s < 7200) snprintf(out, 16, "%.0f min", s / 60);
    else snprintf(out, 16, "%.1f h", fmin(s / 3600, 1e6));
    return out;
}

/* The curve, where a terminal shows it; step, loss, speed and time left. */
static void show_step(Live *live, const pith_tune_step *s)
{
    char line[256], curve[SPARK_BYTES] = "", of[24] = "", left[16];
    if (live->progress.terminal) spark_draw(&live->curve, term_utf8(), curve);
    if (s->steps) snprintf(of, sizeof of, "/%llu", (unsigned long long)s->steps);
    snprintf(line, sizeof line, "%s%sstep %llu%s, loss %.3f, %.0f tok/s, %s left", curve,
             *curve ? "  " : "", (unsigned long long)s->step, of, s->loss, s->tok_per_s,
             duration(s->left_s, left));
    progress_line(&live->progress, line);
}

static void on_step(void *arg, const pith_tune_step *s)
{
    Live *live = arg;
    spark_add(&live->curve, s->loss);
    if (live->cli->json) {
        printf("{\"step\":%llu,\"loss\":%.6g,\"tok_per_s\":%.1f,\"lr\":%.4g}\n",
               (unsigned long long)s->step, s->loss, s->tok_per_s, s->lr);
        fflush(stdout);
        return;
    }
    show_step(live, s);
}

static void on_note(void *arg, const char *text)
{
    Live *live = arg;
    if (live->cli->quiet || live->cli->json) return;
    progress_clear(&live->progress);
    fprintf(stderr, "pith: %s\n", text);
}

static void print_json_text(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') printf("\\%c", *s);
        else if ((unsigned char)*s < 0x20) printf("\\u%04x", (unsigned char)*s);
        else putchar(*s);
    }
    putchar('"');
}

static void report(const Cli *cli, const pith_tune_result *r)
{
    if (cli->json) {
        printf("{\"steps\":%llu,\"loss_first\":%.6g,\"loss_last\":%.6g,"
               "\"tok_per_s\":%.1f,\"peak_mb\":%.0f,\"finished\":%s,\"adapter\":",
               (unsigned long long)r->steps,
               r->loss_first, r->loss_last, r->tok_per_s, r->peak_mb,
               r->finished ? "true" : "false");
        print_json_text(r->adapter);
        puts("}");
        return;
    }
    printf("%llu steps, loss %.3f -> %.3f, %.0f tok/s, %.0f MB at most\n%s\n",
           (unsigned long long)r->steps, r->loss_first, r->loss_last, r->tok_per_s,
           r->peak_mb, r->adapter);
}

static int learn(const Cli *cli, const pith_tune_options *opt, pith_tune_result *r)
{
    Live live = { .cli = cli };
    pith_tune_options o = *opt;
    pith_error why;
    o.on_step = on_step;
    o.on_note = on_note;
    o.cancelled = cli_interrupted;
    o.threads = cli->open.threads;
    o.arg = &live;
    progress_begin(&live.progress, cli->quiet || cli->json);
    int code = pith_tune_train(&o, r, &why);
    progress_clear(&live.progress);
    if (code) return cli_fail(&why);
    report(cli, r);
    return EXIT_DONE;
}

static int tune_train(Cli *cli, const Command *self, int argc, char **argv)
{
    pith_tune_options o = { 0 };
    int seed = 0, status;
    const Option own[] = {
        { "data", 0, OPTION_TEXT, &o.data, "FILE", "JSONL of conversations or questions",
          0, 0, NULL },
        { "model", 0, OPTION_TEXT, &o.model, "MODEL", "name or GGUF file", 0, 0, NULL },
        { "out", 0, OPTION_TEXT, &o.out, "FOLDER", "where the adapter goes", 0, 0, NULL },
        { "rank", 0, OPTION_INT, &o.rank, "N", "of the adapter: 8", 1, 256, NULL },
        { "alpha", 0, OPTION_REAL, &o.alpha, "X", "its weight times rank: twice the rank",
          1e-3, 1e4, NULL },
        { "seq", 0, OPTION_INT, &o.seq, "N", "tokens of a row: 256", 16, 16384, NULL },
        { "batch", 0, OPTION_INT, &o.batch, "N", "rows of a step: 4", 1, 4096, NULL },
        { "steps", 0, OPTION_INT, &o.steps, "N", "once over the data, unless --minutes",
          1, 1e9, NULL },
        { "minutes", 0, OPTION_REAL, &o.minutes, "T", "stop after so long; goes on later",
          0.01, 1e6, NULL },
        { "lr", 0, OPTION_REAL, &o.lr, "X", "peak learning rate: 5e-4", 1e-8, 0.9, NULL },
        { "save-every", 0, OPTION_INT, &o.save_every, "N",
          "steps between checkpoints: 50", 1, 1e9, NULL },
        { "max-mb", 0, OPTION_INT, &o.max_mb, "N", "memory it may take", 1, 1e9, NULL },
        { "seed", 0, OPTION_INT, &seed, "N", "order and start: 0", 0, 2e9, NULL },
        { 0 },
    };
    int n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0) return cli_usage(self, "'%s' is one word too many", argv[0]);
    if (!o.model) o.model = cli->open.generator;
    if (!o.data || !o.model || !o.out)
        return cli_usage(self, "--data, --model and --out are wanted");
    o.seed = (uint64_t)seed;
    pith_tune_result r;
    if ((status = learn(cli, &o, &r)) != EXIT_DONE) return status;
    if (!r.finished && !cli->json)
        puts("The time is over; the same command goes on from here.");
    return EXIT_DONE;
}

/* Data and gate are evaluations: they read the rest of the words themselves. */
static int evaluate(Cli *cli, char *name, int argc, char **argv)
{
    argv[0] = name;
    argv[argc] = NULL;
    return cli_evaluate(cli, argc, argv);
}

/* ---- all in one -------------------------------------------------------------------- */

enum { EPOCHS = 3, SEQ = 1024, BATCH = 4, STEPS_LEAST = 20, TOKEN_BYTES = 4 };
static const double data_share = 0.4, gate_share = 0.2;     // of the minutes, at most

typedef struct Whole {
    const char *model, *out;
    int count, seed, seq, batch, rank;
    double minutes, begun;
    char folder[PATH_MAX - 64];
    char generator[256];        // the default, where no model was named
} Whole;

static void say(const Cli *cli, const char *text)
{
    if (!cli->quiet) fprintf(stderr, "pith: %s\n", text);
}

static void in_folder(const Whole *w, const char *name, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", w->folder, name);
}

/* Bytes of a file in the folder; 0: it is not there. */
static double bytes_of(const Whole *w, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    in_folder(w, name, path);
    return stat(path, &st) == 0 ? (double)st.st_size : 0;
}

static double minutes_left(const Whole *w)
{
    return w->minutes - (term_now_ms() - w->begun) / 60e3;
}

/* The generator that a handle of this store has, and the folder beside the store. */
static int find_names(Cli *cli, Whole *w)
{
    pith *p = cli_open(cli);
    pith_error why;
    char *text = NULL;
    size_t i;
    json_t *one;
    if (!p) return EXIT_FAILED;
    int code = pith_status(p, &text, &why);
    pith_close(p);
    if (code) return cli_fail(&why);
    json_t *j = json_loads(text, 0, NULL);
    const char *store = json_string_value(json_object_get(j, "store"));
    snprintf(w->folder, sizeof w->folder, "%s%s", w->out ? w->out : store ? store : "",
             w->out ? "" : ".tune");
    json_array_foreach(json_object_get(j, "models"), i, one) {
        const char *role = json_string_value(json_object_get(one, "role"));
        const char *name = json_string_value(json_object_get(one, "name"));
        if (role && name && strcmp(role, "generator") == 0)
            snprintf(w->generator, sizeof w->generator, "%s", name);
    }
    json_decref(j);
    pith_string_free(text);
    if (!w->model) w->model = cli->open.generator ? cli->open.generator : w->generator;
    return EXIT_DONE;
}

static int make_data(Cli *cli, const Whole *w)
{
    char path[PATH_MAX], count[16], seed[16], minutes[32];
    in_folder(w, "examples.jsonl", path);
    snprintf(count, sizeof count, "%d", w->count);
    snprintf(seed, sizeof seed, "%d", w->seed);
    snprintf(minutes, sizeof minutes, "%.3f", w->minutes * data_share);
    char *words[] = { "tune-data", "--out", path, "--count", count, "--minutes", minutes,
                      "--seed", seed, NULL };
    mkdir(w->folder, 0700);     // where it cannot be made, the first file says why
    say(cli, "1 of 3: questions and answers from your documents");
    int status = cli_evaluate(cli, w->seed ? 9 : 7, words);
    if (status != EXIT_DONE) return status;
    if (bytes_of(w, "examples.jsonl") > 0 && bytes_of(w, "examples.dev.jsonl") > 0)
        return EXIT_DONE;
    fputs("pith: too few examples to learn from and to judge by: more documents, more "
          "--minutes or another --generator would help\n", stderr);
    return EXIT_FAILED;
}

static int train_on_it(const Cli *cli, const Whole *w, pith_tune_result *r)
{
    char data[PATH_MAX], out[PATH_MAX];
    double tokens = bytes_of(w, "examples.jsonl") / TOKEN_BYTES;
    double left = minutes_left(w) - w->minutes * gate_share;
    pith_tune_options o = { .data = data, .model = w->model, .out = out, .rank = w->rank,
                            .seq = w->seq, .batch = w->batch, .seed = (uint64_t)w->seed,
                            .minutes = left > 0.1 ? left : 0.1 };
    o.steps = (int)(EPOCHS * tokens / ((double)w->seq * w->batch));
    if (o.steps < STEPS_LEAST) o.steps = STEPS_LEAST;
    in_folder(w, "examples.jsonl", data);
    in_folder(w, "run", out);
    say(cli, "2 of 3: training");
    return learn(cli, &o, r);
}

static int judge_it(Cli *cli, const Whole *w, const char *adapter)
{
    char data[PATH_MAX];
    Cli tuned = *cli;
    in_folder(w, "examples.dev.jsonl", data);
    char *words[] = { "tune-gate", "--data", data, NULL };
    tuned.open.generator = w->model;
    tuned.open.adapter = adapter;
    say(cli, "3 of 3: does it win on documents that it has not seen?");
    return cli_evaluate(&tuned, 3, words);
}

static int run_whole(Cli *cli, Whole *w)
{
    pith_tune_result r;
    int status = find_names(cli, w);
    w->begun = term_now_ms();
    if (status != EXIT_DONE) return status;
    if (bytes_of(w, "run/report.json") + bytes_of(w, "run/rejected/report.json") > 0) {
        fprintf(stderr, "pith: %s/run was judged already, see the report there: remove "
                "it to train anew, or name another --out\n", w->folder);
        return EXIT_FAILED;
    }
    if (bytes_of(w, "run/state") > 0) say(cli, "examples are there; training goes on");
    else if ((status = make_data(cli, w)) != EXIT_DONE) return status;
    if ((status = train_on_it(cli, w, &r)) != EXIT_DONE) return status;
    return judge_it(cli, w, r.adapter);
}

static int tune_whole(Cli *cli, const Command *self, int argc, char **argv)
{
    Whole w = { .count = 200, .minutes = 60, .seq = SEQ, .batch = BATCH };
    int status;
    const Option own[] = {
        { "model", 0, OPTION_TEXT, &w.model, "MODEL",
          "to be trained: the generator, which writes the questions", 0, 0, NULL },
        { "minutes", 0, OPTION_REAL, &w.minutes, "T", "for all of it: 60", 0.1, 1e6,
          NULL },
        { "count", 0, OPTION_INT, &w.count, "N", "examples: 200", 1, 1e6, NULL },
        { "out", 0, OPTION_TEXT, &w.out, "FOLDER", "STORE.tune", 0, 0, NULL },
        { "rank", 0, OPTION_INT, &w.rank, "N", "of the adapter: 8", 1, 256, NULL },
        { "seq", 0, OPTION_INT, &w.seq, "N", "tokens of a row: 1024", 16, 16384, NULL },
        { "batch", 0, OPTION_INT, &w.batch, "N", "rows of a step: 4", 1, 4096, NULL },
        { "seed", 0, OPTION_INT, &w.seed, "N", "of every draw: 0", 0, 2e9, NULL },
        { 0 },
    };
    int n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0)
        return cli_usage(self, "'%s' is none of data, train, gate and retrieval",
                         argv[0]);
    return run_whole(cli, &w);
}

static int run_tune(Cli *cli, const Command *self, int argc, char **argv)
{
    char data[] = "tune-data", gate[] = "tune-gate", search[] = "tune-retrieval";
    int n = options_take_global(cli, argc, argv);
    const char *what = n > 1 ? argv[1] : "";
    if (strcmp(what, "data") == 0) return evaluate(cli, data, n - 1, argv + 1);
    if (strcmp(what, "gate") == 0) return evaluate(cli, gate, n - 1, argv + 1);
    if (strcmp(what, "retrieval") == 0) return evaluate(cli, search, n - 1, argv + 1);
    if (strcmp(what, "train") == 0) return tune_train(cli, self, n - 1, argv + 1);
    return tune_whole(cli, self, n, argv);
}

const Command command_tune = {
    "tune", run_tune, "a small model that knows your documents, kept only if it wins",
    "[data | train | gate | retrieval] [OPTIONS]",
    "  pith tune --generator smollm2-135m --minutes 60\n"
    "  pith tune data --out qa.jsonl --count 500\n"
    "  pith tune train --data qa.jsonl --model smollm2-135m --out run --minutes 30\n"
    "  pith tune gate --generator smollm2-135m --adapter run/adapter.gguf "
    "--data qa.dev.jsonl\n",
};
