/* search.c -- pith search: the passages, without an answer. */
#include "app/cli.h"
#include "app/term.h"

#include <math.h>
#include <stdio.h>

static const char *const modes[] = { "hybrid", "words", "vectors", NULL };

static void print_passage(const Cli *cli, const pith_passage *p)
{
    const char *bold = cli->color ? "\033[1m" : "", *plain = cli->color ? "\033[0m" : "";
    printf("%s%d. ", bold, p->rank);
    term_place(p);
    printf("%s  (%.3f, bytes %zu-%zu)\n", plain, p->score, p->start, p->end);
    term_paragraph(p->text, 3, false, NULL);
    putchar('\n');
}

static int print_results(const Cli *cli, const pith_results *r)
{
    if (cli->json) return cli_json(pith_results_json(r));
    for (size_t i = 0; i < r->n; i++) print_passage(cli, &r->at[i]);
    if (r->n == 0) fputs("pith: nothing found\n", stderr);
    else if (!cli->quiet) fprintf(stderr, "%zu passages in %.1f ms\n", r->n, r->ms);
    return EXIT_DONE;
}

static int run_search(Cli *cli, const Command *self, int argc, char **argv)
{
    pith_search_options opt = { 0 };
    bool rewrite = false, decompose = false, hyde = false;
    const Option own[] = {
        { "count", 'k', OPTION_INT, &opt.k, "N", "passages wanted (default 10)", 1, 10000,
          NULL },
        { "mode", 0, OPTION_CHOICE, &opt.mode, "MODE",
          "hybrid (default), words or vectors", 0, 0, modes },
        { "rerank", 0, OPTION_INT, &opt.rerank, "N", "let the reranker read the best N",
          0, 1000, NULL },
        { "rerank-ms", 0, OPTION_REAL, &opt.rerank_ms, "MS",
          "as many of them as it can in this time", 1, 3600000, NULL },
        { "rewrite", 0, OPTION_FLAG, &rewrite, NULL,
          "search in a document's words as well", 0, 0, NULL },
        { "decompose", 0, OPTION_FLAG, &decompose, NULL,
          "search for the parts of a question as well", 0, 0, NULL },
        { "hyde", 0, OPTION_FLAG, &hyde, NULL, "search by a passage made up as well", 0,
          0, NULL },
        { 0 },
    };
    pith_results *r;
    pith_error why;
    int status, n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n != 1)
        return cli_usage(self, n ? "the query is one argument: quote it" : "no query");
    opt.rewrite = rewrite;
    opt.decompose = decompose;
    opt.hyde = hyde;
    pith *p = cli_open(cli);
    if (!p) return EXIT_FAILED;
    int code = pith_search(p, argv[0], &opt, &r, &why);
    status = code ? cli_fail(&why) : print_results(cli, r);
    pith_results_free(r);
    pith_close(p);
    return status;
}

const Command command_search = {
    "search", run_search, "find passages", "QUERY",
    "  pith search \"restore a backup\" -k 3\n"
    "  pith search \"E1042\" --mode words --json\n",
};
