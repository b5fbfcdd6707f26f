/* options.c -- options from tables: one table reads them, checks them and prints help. */
#include "app/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 48, FIRST_CODE = 256, HELP_CODE = FIRST_CODE + MAX_OPTIONS };

/* The global options, as one table over *cli. */
static size_t global_options(Cli *cli, Option *out)
{
    const Option all[] = {
        { "store", 0, OPTION_TEXT, &cli->open.store, "FILE", "the store to use", 0, 0,
          NULL },
        { "json", 0, OPTION_FLAG, &cli->json, NULL, "print JSON", 0, 0, NULL },
        { "generator", 0, OPTION_TEXT, &cli->open.generator, "MODEL", "name or GGUF file",
          0, 0, NULL },
        { "embedder", 0, OPTION_TEXT, &cli->open.embedder, "MODEL", "name or GGUF file",
          0, 0, NULL },
        { "reranker", 0, OPTION_TEXT, &cli->open.reranker, "MODEL",
          "name, GGUF file or none", 0, 0, NULL },
        { "adapter", 0, OPTION_TEXT, &cli->open.adapter, "FILE",
          "LoRA adapter of the generator", 0, 0, NULL },
        { "threads", 0, OPTION_INT, &cli->open.threads, "N", "one per core by default", 1,
          1024, NULL },
        { "quiet", 'q', OPTION_FLAG, &cli->quiet, NULL, "no progress, no remarks", 0, 0,
          NULL },
    };
    memcpy(out, all, sizeof all);
    return sizeof all / sizeof *all;
}

static size_t all_options(Cli *cli, const Option *own, Option *out)
{
    size_t n = 0;
    while (own && own[n].name) out[n] = own[n], n++;
    return n + global_options(cli, out + n);
}

static bool read_choice(const Option *o, const char *text)
{
    for (int i = 0; o->choices[i]; i++)
        if (strcmp(o->choices[i], text) == 0) return *(int *)o->value = i, true;
    fprintf(stderr, "pith: --%s %s: one of", o->name, text);
    for (int i = 0; o->choices[i]; i++)
        fprintf(stderr, "%s %s", i ? "," : "", o->choices[i]);
    fputs(" was expected\n", stderr);
    return false;
}

static bool read_number(const Option *o, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    bool whole = o->kind == OPTION_REAL || v == (double)(long)v;
    if (end == text || *end || !whole || !(v >= o->low && v <= o->high)) {
        fprintf(stderr, "pith: --%s %s: a%s number from %g to %g was expected\n", o->name,
                text, o->kind == OPTION_REAL ? "" : " whole", o->low, o->high);
        return false;
    }
    if (o->kind == OPTION_INT) *(int *)o->value = (int)v;
    else if (o->kind == OPTION_LONG) *(long *)o->value = (long)v;
    else *(double *)o->value = v;
    return true;
}

static bool read_one(const Option *o, const char *text)
{
    switch (o->kind) {
    case OPTION_FLAG:   return *(bool *)o->value = true;
    case OPTION_TEXT:   return *(const char **)o->value = text, true;
    case OPTION_CHOICE: return read_choice(o, text);
    default:            return read_number(o, text);
    }
}

static void print_options(const char *head, const Option *o, size_t n)
{
    if (n) printf("\n%s\n", head);
    for (size_t i = 0; i < n; i++) {
        char left[64] = "";
        int at = snprintf(left, sizeof left, o[i].letter ? "-%c, " : "    ", o[i].letter);
        snprintf(left + at, sizeof left - (size_t)at, "--%s %s", o[i].name,
                 o[i].metavar ? o[i].metavar : "");
        printf("  %-28s %s\n", left, o[i].help);
    }
}

void options_help(const Command *self, const Option *own)
{
    Cli none = { 0 };
    Option global[16];
    size_t n = 0, n_global = global_options(&none, global);
    while (own && own[n].name) n++;
    printf("pith %s %s\n\n%s\n", self->name, self->usage, self->summary);
    print_options("Options:", own, n);
    print_options("Global options:", global, n_global);
    printf("\nExamples:\n%s", self->examples);
}

/* Fills the tables that getopt_long reads. */
static void to_getopt(const Option *o, size_t n, struct option *longs, char *shorts)
{
    char *s = shorts;
    *s++ = ':';
    for (size_t i = 0; i < n; i++) {
        int takes = o[i].kind == OPTION_FLAG ? no_argument : required_argument;
        longs[i] = (struct option){ o[i].name, takes, NULL, FIRST_CODE + (int)i };
        if (!o[i].letter) continue;
        *s++ = o[i].letter;
        if (takes) *s++ = ':';
    }
    longs[n] = (struct option){ "help", no_argument, NULL, HELP_CODE };
    longs[n + 1] = (struct option){ 0 };
    *s++ = 'h';
    *s = '\0';
}

static const Option *find_option(const Option *o, size_t n, int code)
{
    if (code >= FIRST_CODE && code < FIRST_CODE + (int)n) return &o[code - FIRST_CODE];
    for (size_t i = 0; i < n; i++)
        if (o[i].letter == code) return &o[i];
    return NULL;
}

/* getopt found no such option, or no value for it. */
static int mistake(const Command *self, int code, char **argv)
{
    const char *what = argv[optind - 1];
    if (code == ':') return cli_usage(self, "%s wants a value", what);
    return cli_usage(self, "%s is not an option of `pith %s`", what, self->name);
}

int options_read(Cli *cli, const Command *self, const Option *own, int argc, char **argv,
                 int *status)
{
    Option o[MAX_OPTIONS];
    struct option longs[MAX_OPTIONS + 2];
    char shorts[2 * MAX_OPTIONS + 4];
    size_t n = all_options(cli, own, o);
    to_getopt(o, n, longs, shorts);
    optind = 0;   // GNU: start over
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1; ) {
        const Option *found = find_option(o, n, code);
        if (code == HELP_CODE || code == 'h') {
            options_help(self, own);
            return *status = EXIT_DONE, -1;
        }
        if (!found) return *status = mistake(self, code, argv), -1;
        if (!read_one(found, optarg)) return *status = EXIT_USAGE, -1;
    }
    memmove(argv, argv + optind, (size_t)(argc - optind) * sizeof *argv);
    return argc - optind;
}

/* "--name", or "-n" where the option has a letter. */
static bool names_option(const char *word, const Option *o)
{
    if (strncmp(word, "--", 2) == 0) return strcmp(word + 2, o->name) == 0;
    return o->letter && word[0] == '-' && word[1] == o->letter && word[2] == '\0';
}

int options_take_global(Cli *cli, int argc, char **argv)
{
    Option global[16];
    size_t n_global = global_options(cli, global);
    int kept = 1;            // argv[0] is where the command's name stood
    for (int i = 1; i < argc; i++) {
        const Option *o = NULL;
        for (size_t g = 0; g < n_global; g++)
            if (names_option(argv[i], &global[g])) o = &global[g];
        bool takes = o && o->kind != OPTION_FLAG;
        if (!o || (takes && i + 1 == argc) || !read_one(o, takes ? argv[i + 1] : NULL))
            argv[kept++] = argv[i];
        else
            i += takes;
    }
    return kept;
}

int cli_usage(const Command *self, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("pith: ", stderr);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\nusage: pith %s %s\n`pith %s --help` says more\n", self->name,
            self->usage, self->name);
    return EXIT_USAGE;
}
