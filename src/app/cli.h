/* cli.h -- what all commands share: options, the open handle, messages, exit statuses. */
#ifndef PITH_APP_CLI_H
#define PITH_APP_CLI_H

#include "pith.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

typedef struct Cli {
    pith_options open;      // store, models, threads
    bool json, quiet;
    bool color;             // standard output is a terminal that shows colours
} Cli;

typedef struct Command {
    const char *name;
    int (*run)(Cli *cli, const struct Command *self, int argc, char **argv);
    const char *summary;    // one line
    const char *usage;      // what stands behind the name: "PATH..."
    const char *examples;   // lines, indented by two
} Command;

/* ---- options ---------------------------------------------------------------------- */

typedef enum OptionKind {
    OPTION_FLAG,
    OPTION_INT,
    OPTION_LONG,
    OPTION_REAL,
    OPTION_TEXT,
    OPTION_CHOICE
} OptionKind;

typedef struct Option {
    const char *name;
    char letter;                 // 0: none
    OptionKind kind;
    void *value;                 // bool, int, long, double, const char *, int
    const char *metavar;         // "N"; NULL for a flag
    const char *help;
    double low, high;            // of a number
    const char *const *choices;  // of a choice, NULL-ended; *value is the index
} Option;

/* Reads the options of a command and the global ones, wherever they stand; what is left
 * is moved to argv[0..n) and counted. own ends with an entry without a name; NULL: none.
 * Returns n, or -1 with *status set: --help was printed (0), or a mistake told (2). */
int options_read(Cli *cli, const Command *self, const Option *own, int argc, char **argv,
                 int *status);
/* Takes the global options out of argv, for a command that reads the rest itself. Returns
 * how many words are left. */
int options_take_global(Cli *cli, int argc, char **argv);
void options_help(const Command *self, const Option *own);

/* ---- running ---------------------------------------------------------------------- */

/* Opens the handle of this command; NULL when that is not possible, which was told. */
pith *cli_open(Cli *cli);
/* Tells an error on standard error and gives the exit status for it. */
int cli_fail(const pith_error *why);
int cli_usage(const Command *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints a string of JSON and a line end, frees it. */
int cli_json(char *json);
/* What a handle tells as JSON, and how it is shown to people. */
typedef struct Listing {
    int (*fetch)(pith *p, char **json, pith_error *why);
    void (*print)(const json_t *j);
} Listing;
/* Fetches it from the store, and prints as --json asks. The exit status. */
int cli_show(Cli *cli, const Listing *l);
/* A command that takes no words: fetches, and prints as --json asks. */
int cli_listing(Cli *cli, const Command *self, int argc, char **argv, const Listing *l);
/* Runs the evaluation that words[0] names; words[n] is NULL. The exit status. */
int cli_evaluate(const Cli *cli, int n, char **words);
/* True once the user pressed Ctrl-C. */
int cli_interrupted(void *arg);

extern const Command command_add, command_sync, command_ls, command_rm, command_status,
    command_reembed, command_search, command_ask, command_chat, command_model,
    command_doctor, command_eval, command_calibrate, command_tune, command_serve,
    command_mcp, command_route, command_bench, command_vocab, command_watch,
    command_warm;

#endif
