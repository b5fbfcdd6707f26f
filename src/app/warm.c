/* warm.c -- pith warm: passages read before anybody asks. */
#include "app/cli.h"
#include "app/term.h"
#include "base/ctx.h"

#include <stdio.h>

enum { USUAL_MIB = 2048 };

static void on_progress(void *arg, const pith_warmed *now)
{
    progress_show(arg, (double)(now->read + now->before + now->left),
                  (double)now->passages, "passages", "");
}

static void print_warmed(const Cli *cli, const pith_warmed *w, double ms)
{
    if (cli->json)
        printf("{\"passages\":%zu,\"read\":%zu,\"before\":%zu,\"left\":%zu,"
               "\"ms\":%.0f}\n", w->passages, w->read, w->before, w->left, ms);
    else if (!cli->quiet)
        printf("%zu passages: %zu read in %.1f s, %zu were there, %zu left\n",
               w->passages, w->read, ms / 1e3, w->before, w->left);
}

static int run_warm(Cli *cli, const Command *self, int argc, char **argv)
{
    const Option own[] = {
        { "kv", 0, OPTION_INT, &cli->open.kv_mib, "MIB",
          "disk for what is read (default 2048); tell ask and serve too", 1, 1048576,
          NULL },
        { 0 },
    };
    Progress progress;
    pith_warmed done;
    pith_error why;
    int status, n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0) return cli_usage(self, "'%s' is one word too many", argv[0]);
    if (cli->open.kv_mib == 0) cli->open.kv_mib = USUAL_MIB;
    pith *p = cli_open(cli);
    if (!p) return EXIT_FAILED;
    progress_begin(&progress, cli->quiet);
    double begun = now_ms();
    int code = pith_warm(p, on_progress, &progress, &done, &why);
    progress_clear(&progress);
    if (code == PITH_OK || done.read > 0) print_warmed(cli, &done, now_ms() - begun);
    status = code ? cli_fail(&why) : EXIT_DONE;
    pith_close(p);
    return status;
}

const Command command_warm = {
    "warm", run_warm, "let the generator read the passages ahead", "",
    "  pith warm\n"
    "  pith warm --kv 500 && pith ask \"When does the pool open?\" --kv 500\n",
};
