/* main.c -- the command line: finds the command, keeps Ctrl-C and broken pipes civil. */
#include "app/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const Command *const commands[] = {
    &command_add, &command_sync, &command_watch, &command_ls, &command_rm,
    &command_status, &command_vocab, &command_reembed, &command_warm, &command_search,
    &command_ask, &command_chat, &command_model, &command_doctor, &command_bench,
    &command_eval, &command_calibrate, &command_tune, &command_route, &command_serve,
    &command_mcp,
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

int cli_interrupted(void *arg)
{
    (void)arg;
    return interrupted;
}

/* The first Ctrl-C asks the work to stop where nothing is lost; a second one ends it. */
static void civil_signals(void)
{
    struct sigaction stop = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);   // a file at its limit is an error of write(2)
}

static void print_help(void)
{
    puts("pith -- private, cited answers from your own documents\n"
         "\n"
         "usage: pith [--store FILE] [--json] COMMAND ...\n");
    for (int i = 0; i < N_COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n"
         "Examples:\n"
         "  pith add ~/docs\n"
         "  pith ask \"How long is the warranty?\"\n"
         "  pith search \"error 0x80\" -k 5 --json\n"
         "\n"
         "`pith COMMAND --help` says more. Documents stay on this machine: only\n"
         "`pith model pull` uses the network, unless you allow a remote model.");
}

static const Command *find_command(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

/* Where the command's name stands in argv: behind the global options. */
static int command_index(int argc, char **argv)
{
    static const char *const with_value[] = { "--store", "--generator", "--embedder",
                                              "--reranker", "--adapter",
                                              "--threads" };
    for (int i = 1; i < argc; i++) {
        bool takes = false;
        if (argv[i][0] != '-') return i;
        for (size_t w = 0; w < sizeof with_value / sizeof *with_value; w++)
            takes |= strcmp(argv[i], with_value[w]) == 0;
        i += takes;
    }
    return argc;
}

static bool shows_color(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(none && *none) && term && strcmp(term, "dumb") != 0;
}

/* Output that could not be written is a failure, unless the reader had enough. */
static int flushed(int status)
{
    bool bad = fflush(stdout) != 0 || ferror(stdout);
    if (!bad || errno == EPIPE) return status;
    fprintf(stderr, "pith: standard output: %s\n", strerror(errno));
    return EXIT_FAILED;
}

/* The engine's threads meet at some two hundred barriers a token, and by GNU OpenMP's
 * default one that waits there spins for milliseconds: on a busy machine it so takes the
 * time that the other needs to arrive (an answer beside 13 busy processes on 2 cores: 27
 * to 43 s so, 9 s with threads that soon sleep). OpenMP reads its environment before
 * main, so the program starts once more with the variable set. What the user set stays.
 */
static void wait_asleep(const Command *c, char **argv)
{
    static const Command *const generating[] = { &command_ask, &command_chat,
                                                 &command_serve, &command_mcp,
                                                 &command_eval, &command_calibrate,
                                                 &command_route, &command_tune,
                                                 &command_bench };
    bool generates = false;
    for (size_t i = 0; i < sizeof generating / sizeof *generating; i++)
        generates |= c == generating[i];
    if (!generates || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0) execv("/proc/self/exe", argv);
}

static int run(int argc, char **argv)
{
    int at = command_index(argc, argv);
    Cli cli = { .color = shows_color(), .open = { .cancelled = cli_interrupted } };
    for (int i = 1; i < at; i++) {
        if (strcmp(argv[i], "--version") == 0)
            return puts("pith " PITH_VERSION), EXIT_DONE;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return print_help(), EXIT_DONE;
    }
    if (at == argc || strcmp(argv[at], "help") == 0) {
        const Command *about = at + 1 < argc ? find_command(argv[at + 1]) : NULL;
        char *help[] = { argv[0], "--help", NULL };
        if (about) return about->run(&cli, about, 2, help);
        print_help();
        return at == argc ? EXIT_USAGE : EXIT_DONE;
    }
    const Command *c = find_command(argv[at]);
    if (!c) {
        fprintf(stderr, "pith: there is no command '%s': `pith --help` lists them\n",
                argv[at]);
        return EXIT_USAGE;
    }
    wait_asleep(c, argv);
    /* The command reads all options, those before its name included. */
    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof *argv);
    return c->run(&cli, c, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    civil_signals();
    return flushed(run(argc, argv));
}

pith *cli_open(Cli *cli)
{
    pith *p = NULL;
    pith_error why;
    if (pith_open(&cli->open, &p, &why)) cli_fail(&why);
    return p;
}

int cli_fail(const pith_error *why)
{
    fprintf(stderr, "pith: %s\n", why->message);
    return EXIT_FAILED;
}

int cli_json(char *json)
{
    if (!json) {
        fputs("pith: out of memory for JSON\n", stderr);
        return EXIT_FAILED;
    }
    puts(json);
    pith_string_free(json);
    return EXIT_DONE;
}

int cli_listing(Cli *cli, const Command *self, int argc, char **argv, const Listing *l)
{
    int status, n = options_read(cli, self, NULL, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0) return cli_usage(self, "'%s' is one word too many", argv[0]);
    return cli_show(cli, l);
}

int cli_show(Cli *cli, const Listing *l)
{
    char *json;
    pith_error why;
    pith *p = cli_open(cli);
    if (!p) return EXIT_FAILED;
    int code = l->fetch(p, &json, &why);
    pith_close(p);
    if (code) return cli_fail(&why);
    if (cli->json) return cli_json(json);
    json_t *j = json_loads(json, 0, NULL);
    l->print(j);
    json_decref(j);
    pith_string_free(json);
    return EXIT_DONE;
}
