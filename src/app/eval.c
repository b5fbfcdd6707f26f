/* eval.c -- pith eval: hands its words to the evaluation, with our way to tell. */
#include "app/cli.h"
#include "app/term.h"
#include "eval/eval.h"

#include <stdio.h>
#include <string.h>

static void on_progress(void *arg, double done, double total, const char *unit,
                        const char *note)
{
    progress_show(arg, done, total, unit, note);
}

static void on_message(void *arg, const char *message)
{
    progress_clear(arg);
    fprintf(stderr, "pith: %s\n", message);
}

int cli_evaluate(const Cli *cli, int n, char **words)
{
    Progress progress;
    progress_begin(&progress, cli->quiet);
    EvalEnv env = { .open = cli->open, .json = cli->json, .out = stdout,
                    .on_progress = on_progress, .on_message = on_message,
                    .arg = &progress };
    int status = eval_main(n, words, &env);
    progress_clear(&progress);
    return status;
}

static int run_eval(Cli *cli, const Command *self, int argc, char **argv)
{
    int n = options_take_global(cli, argc, argv);
    if (n < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        options_help(self, NULL);
        return n < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    argv[n] = NULL;
    return cli_evaluate(cli, n - 1, argv + 1);
}

static int run_calibrate(Cli *cli, const Command *self, int argc, char **argv)
{
    char name[] = "calibrate";
    (void)self;
    int n = options_take_global(cli, argc, argv);
    argv[0] = name;
    argv[n] = NULL;
    return cli_evaluate(cli, n, argv);
}

static int run_route(Cli *cli, const Command *self, int argc, char **argv)
{
    char fit[] = "route-fit", report[] = "route-report";
    int n = options_take_global(cli, argc, argv);
    bool fits = n > 1 && strcmp(argv[1], "fit") == 0;
    if (!fits && !(n > 1 && strcmp(argv[1], "report") == 0)) {
        options_help(self, NULL);
        return n > 1 && strcmp(argv[1], "--help") == 0 ? EXIT_DONE : EXIT_USAGE;
    }
    argv[1] = fits ? fit : report;
    argv[n] = NULL;
    return cli_evaluate(cli, n - 1, argv + 1);
}

const Command command_eval = {
    "eval", run_eval, "measure retrieval, reranking, filtering, answers and refusals",
    "retrieve|rerank|filter|answer|abstain|route|questions|compare|report ...",
    "  pith eval retrieve data/scifact --mode hybrid\n"
    "  pith eval answer data/nq --limit 100 --oracle --json\n"
    "  pith eval answer --help\n",
};
const Command command_calibrate = {
    "calibrate", run_calibrate, "fit the threshold of refusal, with a promise of errors",
    "[FILE | DIR] [OPTIONS]",
    "  pith calibrate my-questions.jsonl --risk 0.05\n",
};
const Command command_route = {
    "route", run_route, "the router: fit its weights, see its accounts",
    "fit FILE... | report [FILE]",
    "  pith route fit questions.jsonl --remote http://127.0.0.1:8378/v1\n"
    "  pith route report --json\n"
    "  pith route fit --help\n",
};
