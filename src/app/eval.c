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

static int run_eval(Cli *cli, const Command *self, int argc, char **argv)
{
    Progress progress;
    int n = options_take_global(cli, argc, argv);
    if (n < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        options_help(self, NULL);
        return n < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    progress_begin(&progress, cli->quiet);
    EvalEnv env = { .open = cli->open, .json = cli->json, .out = stdout,
                    .on_progress = on_progress, .on_message = on_message,
                    .arg = &progress };
    argv[n] = NULL;
    int status = eval_main(n - 1, argv + 1, &env);
    progress_clear(&progress);
    return status;
}

const Command command_eval = {
    "eval", run_eval, "measure retrieval, reranking, filtering, answers and refusals",
    "retrieve|rerank|filter|answer|abstain|questions|compare|report ...",
    "  pith eval retrieve data/scifact --mode hybrid\n"
    "  pith eval answer data/nq --limit 100 --oracle --json\n"
    "  pith eval answer --help\n",
};
