/* documents.c -- add, sync, ls, rm, status, reembed: what the store holds. */
#include "app/cli.h"
#include "app/term.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- progress and problems -------------------------------------------------------- */

typedef struct Watch {
    Progress progress;
    size_t problems;
} Watch;

static void on_progress(void *arg, const pith_progress *now)
{
    Watch *w = arg;
    progress_show(&w->progress, (double)now->files_done, (double)now->files_total,
                  "files", now->current);
}

static void on_problem(void *arg, const char *path, const char *reason)
{
    Watch *w = arg;
    progress_clear(&w->progress);
    fprintf(stderr, "pith: %s: %s\n", path, reason);
    w->problems++;
}

static int print_report(const Cli *cli, const pith_report *r, double ms)
{
    if (cli->json) {
        printf("{\"added\":%zu,\"changed\":%zu,\"unchanged\":%zu,\"removed\":%zu,"
               "\"skipped\":%zu,\"failed\":%zu,\"chunks\":%zu,\"ms\":%.0f}\n", r->added,
               r->changed, r->unchanged, r->removed, r->skipped, r->failed, r->chunks,
               ms);
    } else if (!cli->quiet) {
        printf("%zu added, %zu changed, %zu unchanged, %zu removed, %zu skipped, %zu "
               "failed: %zu chunks in %.1f s", r->added, r->changed, r->unchanged,
               r->removed, r->skipped, r->failed, r->chunks, ms / 1e3);
        if (r->chunks) printf(" (%.0f/s)", (double)r->chunks / (ms / 1e3));
        putchar('\n');
    }
    return r->failed ? EXIT_FAILED : EXIT_DONE;
}

/* What add, sync and reembed share. job NULL: add the paths. */
typedef int (*Job)(pith *p, const pith_add_options *opt, pith_report *report,
                   pith_error *why);

typedef struct AddArgs {
    char **paths;
    int n;
    int chunk_tokens, max_mb;
} AddArgs;

static int run_job(Cli *cli, const AddArgs *args, Job job)
{
    Watch watch = { 0 };
    pith_add_options opt = {
        .chunk_tokens = args->chunk_tokens,
        .max_file_bytes = (uint64_t)args->max_mb << 20,
        .on_progress = on_progress, .on_problem = on_problem, .arg = &watch,
    };
    pith_report report = { 0 };
    pith_error why;
    pith *p = cli_open(cli);
    if (!p) return EXIT_FAILED;
    progress_begin(&watch.progress, cli->quiet);
    double begun = term_now_ms();
    int code = job ? job(p, &opt, &report, &why)
                   : pith_add(p, (const char *const *)args->paths, (size_t)args->n, &opt,
                              &report, &why);
    progress_clear(&watch.progress);
    pith_close(p);
    int status = print_report(cli, &report, term_now_ms() - begun);
    if (code == PITH_E_CANCELLED)
        fputs("pith: stopped; what was indexed so far is kept, run the same again to "
              "go on\n", stderr);
    else if (code) cli_fail(&why);
    return code ? EXIT_FAILED : status;
}

static int run_add(Cli *cli, const Command *self, int argc, char **argv)
{
    AddArgs args = { .max_mb = 0 };
    const Option own[] = {
        { "chunk-tokens", 0, OPTION_INT, &args.chunk_tokens, "N",
          "aim of a chunk's length (default 200)", 16, 450, NULL },
        { "max-file", 0, OPTION_INT, &args.max_mb, "MB",
          "refuse larger files (default 256)", 1, 1 << 20, NULL },
        { 0 },
    };
    int status, n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n == 0) return cli_usage(self, "which files or folders are to be added?");
    args.paths = argv;
    args.n = n;
    return run_job(cli, &args, NULL);
}

/* A command without options of its own and without arguments. */
static int run_plain(Cli *cli, const Command *self, int argc, char **argv, Job job)
{
    AddArgs none = { 0 };
    int status, n = options_read(cli, self, NULL, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0) return cli_usage(self, "'%s' is one word too many", argv[0]);
    return run_job(cli, &none, job);
}

static int run_sync(Cli *cli, const Command *self, int argc, char **argv)
{
    return run_plain(cli, self, argc, argv, pith_sync);
}

static int run_reembed(Cli *cli, const Command *self, int argc, char **argv)
{
    return run_plain(cli, self, argc, argv, pith_reembed);
}

/* ---- listing ---------------------------------------------------------------------- */

static void print_documents(const json_t *all)
{
    size_t i;
    json_t *d;
    json_array_foreach(all, i, d) {
        char size[16];
        term_bytes((uint64_t)json_integer_value(json_object_get(d, "bytes")), size);
        printf("%8s %6lld chunks  %s\n", size,
               (long long)json_integer_value(json_object_get(d, "chunks")),
               json_string_value(json_object_get(d, "document")));
    }
}

static const char *text_of(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "";
}

static void print_status(const json_t *s)
{
    char text[16], file[16];
    size_t i;
    json_t *m;
    term_bytes((uint64_t)json_integer_value(json_object_get(s, "text_bytes")), text);
    term_bytes((uint64_t)json_integer_value(json_object_get(s, "file_bytes")), file);
    printf("store      %s (%s)\n", text_of(s, "store"), file);
    printf("documents  %lld, %lld chunks, %s of text\n",
           (long long)json_integer_value(json_object_get(s, "documents")),
           (long long)json_integer_value(json_object_get(s, "chunks")), text);
    const char *by = text_of(s, "embedder");
    printf("embedded   by %s\n", *by ? by : "nothing yet");
    json_array_foreach(json_object_get(s, "models"), i, m)
        printf("%-10s %s%s\n", text_of(m, "role"), text_of(m, "name"),
               json_is_true(json_object_get(m, "present"))
                   ? "" : " (not here: pith model pull)");
}

static int run_ls(Cli *cli, const Command *self, int argc, char **argv)
{
    return cli_listing(cli, self, argc, argv, &(Listing){ pith_list, print_documents });
}

static int run_status(Cli *cli, const Command *self, int argc, char **argv)
{
    return cli_listing(cli, self, argc, argv, &(Listing){ pith_status, print_status });
}

/* By the name given, or by the full path of the file of that name. */
static int remove_one(pith *p, const char *word, size_t *removed)
{
    pith_error why;
    char *full = realpath(word, NULL);
    int code = pith_remove(p, word, removed, &why);
    if (code == PITH_E_NOTFOUND && full) code = pith_remove(p, full, removed, &why);
    free(full);
    return code ? cli_fail(&why) : EXIT_DONE;
}

static int run_rm(Cli *cli, const Command *self, int argc, char **argv)
{
    int status, n = options_read(cli, self, NULL, argc, argv, &status);
    size_t total = 0;
    if (n < 0) return status;
    if (n == 0) return cli_usage(self, "which documents or folders are to be removed?");
    pith *p = cli_open(cli);
    if (!p) return EXIT_FAILED;
    status = EXIT_DONE;
    for (int i = 0; i < n; i++) {
        size_t removed = 0;
        if (remove_one(p, argv[i], &removed)) status = EXIT_FAILED;
        total += removed;
    }
    pith_close(p);
    if (cli->json) printf("{\"removed\":%zu}\n", total);
    else if (!cli->quiet) printf("%zu removed\n", total);
    return status;
}

const Command command_add = {
    "add", run_add, "index files and folders", "PATH...",
    "  pith add ~/docs\n"
    "  pith add manual.docx mail.mbox sources.tar.gz --store work.db\n"
    "\n"
    "Formats: text, Markdown, HTML, reStructuredText, AsciiDoc, program source, CSV,\n"
    "JSON, PDF, Word, PowerPoint, Excel, OpenDocument, RTF, EPUB, e-mail (.eml, .mbox),\n"
    "and archives of these (.zip, .tar, .gz, .xz, .zst, .bz2): `man pith-add`.\n",
};
const Command command_sync = {
    "sync", run_sync, "revisit what was added: new, changed and deleted files", "",
    "  pith sync\n",
};
const Command command_ls = {
    "ls", run_ls, "list the documents", "",
    "  pith ls\n"
    "  pith ls --json\n",
};
const Command command_rm = {
    "rm", run_rm, "remove documents from the store; files stay", "DOCUMENT|FOLDER...",
    "  pith rm ~/docs/old\n",
};
const Command command_status = {
    "status", run_status, "what the store holds and which models are used", "",
    "  pith status\n",
};
const Command command_reembed = {
    "reembed", run_reembed, "make all vectors anew with another embedder", "",
    "  pith reembed --embedder ~/models/other.gguf\n",
};
