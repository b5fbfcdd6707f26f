/* model.c -- pith model and pith doctor: models by name, and what this machine can do. */
#include "app/cli.h"
#include "app/fit.h"
#include "app/term.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "";
}

/* ---- model ls --------------------------------------------------------------------- */

static int list_models(const Cli *cli)
{
    char *json, size[16];
    pith_error why;
    size_t i;
    json_t *m;
    if (pith_models(&json, &why)) return cli_fail(&why);
    if (cli->json) return cli_json(json);
    json_t *all = json_loads(json, 0, NULL);
    json_array_foreach(all, i, m) {
        bool present = json_is_true(json_object_get(m, "present"));
        bool chosen = json_is_true(json_object_get(m, "default"));
        term_bytes((uint64_t)json_integer_value(json_object_get(m, "bytes")), size);
        printf("%c %-22s %-10s %8s  %-11s %s%s\n", present ? '*' : ' ',
               text_of(m, "name"), text_of(m, "role"), size, text_of(m, "licence"),
               text_of(m, "about"), chosen ? " (default)" : "");
    }
    puts("\n* is here. `pith model pull NAME` fetches one; `pith model pull` all "
         "defaults.");
    json_decref(all);
    pith_string_free(json);
    return EXIT_DONE;
}

/* ---- model pull ------------------------------------------------------------------- */

static void on_pull(void *arg, const char *what, uint64_t done, uint64_t total)
{
    progress_show(arg, (double)done / 1e6, (double)total / 1e6, "MB", what);
}

static int pull_one(const Cli *cli, const char *name, bool again)
{
    Progress progress;
    pith_error why;
    if (!cli->quiet) fprintf(stderr, "pith: pulling %s\n", name);
    progress_begin(&progress, cli->quiet);
    int code = pith_model_pull(name, again, on_pull, &progress, &why);
    progress_clear(&progress);
    if (code) return cli_fail(&why);
    if (!cli->quiet) fprintf(stderr, "pith: %s is here and its hash is right\n", name);
    return EXIT_DONE;
}

static int pull_defaults(const Cli *cli, bool again)
{
    char *json;
    pith_error why;
    size_t i;
    json_t *m;
    int status = EXIT_DONE;
    if (pith_models(&json, &why)) return cli_fail(&why);
    json_t *all = json_loads(json, 0, NULL);
    json_array_foreach(all, i, m)
        if (json_is_true(json_object_get(m, "default")) && status == EXIT_DONE)
            status = pull_one(cli, text_of(m, "name"), again);
    json_decref(all);
    pith_string_free(json);
    return status;
}

/* ---- model show, rm --------------------------------------------------------------- */

static void print_object(const json_t *j)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)j, key, v) {
        printf("%-14s ", key);
        if (json_is_string(v)) puts(json_string_value(v));
        else if (json_is_integer(v)) printf("%lld\n", (long long)json_integer_value(v));
        else if (json_is_boolean(v)) puts(json_is_true(v) ? "yes" : "no");
        else putchar('\n');
    }
}

static int show_model(const Cli *cli, const char *name)
{
    char *json;
    pith_error why;
    if (pith_model_show(name, &json, &why)) return cli_fail(&why);
    if (cli->json) return cli_json(json);
    json_t *j = json_loads(json, 0, NULL);
    print_object(j);
    json_decref(j);
    pith_string_free(json);
    return EXIT_DONE;
}

static int remove_model(const char *name)
{
    pith_error why;
    return pith_model_remove(name, &why) ? cli_fail(&why) : EXIT_DONE;
}

static int run_model(Cli *cli, const Command *self, int argc, char **argv)
{
    bool again = false;
    FitWish fit = { 0 };
    const Option own[] = {
        { "again", 0, OPTION_FLAG, &again, NULL, "pull even what is here", 0, 0, NULL },
        { "prompt", 0, OPTION_INT, &fit.prompt, "N", "fit: tokens that are read: 1200",
          64, 1 << 20, NULL },
        { "answer", 0, OPTION_INT, &fit.answer, "N", "fit: tokens that are written: 64",
          2, 1 << 20, NULL },
        { "loss", 0, OPTION_REAL, &fit.loss, "X",
          "fit: nats a token that may be lost: 0.05", 1e-6, 10, NULL },
        { "show", 0, OPTION_FLAG, &fit.show, NULL, "fit: what was found before", 0, 0,
          NULL },
        { "reset", 0, OPTION_FLAG, &fit.reset, NULL, "fit: back to the file as it came",
          0, 0, NULL },
        { 0 },
    };
    int status = EXIT_DONE, n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    const char *verb = n ? argv[0] : "ls";
    if (strcmp(verb, "ls") == 0 && n <= 1) return list_models(cli);
    if (strcmp(verb, "pull") == 0 && n == 1) return pull_defaults(cli, again);
    if (strcmp(verb, "pull") == 0) {
        for (int i = 1; i < n && status == EXIT_DONE; i++)
            status = pull_one(cli, argv[i], again);
        return status;
    }
    if (strcmp(verb, "show") == 0 && n == 2) return show_model(cli, argv[1]);
    if (strcmp(verb, "rm") == 0 && n == 2) return remove_model(argv[1]);
    if (strcmp(verb, "fit") == 0 && n <= 2) {
        fit.model = n == 2 ? argv[1] : NULL;
        return cli_fit(cli, &fit);
    }
    return cli_usage(self, "`pith model %s` with %d names is not known", verb, n - 1);
}

/* ---- doctor ----------------------------------------------------------------------- */

static int run_doctor(Cli *cli, const Command *self, int argc, char **argv)
{
    char *json;
    pith_error why;
    size_t i;
    json_t *p;
    int status, n = options_read(cli, self, NULL, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0) return cli_usage(self, "'%s' is one word too many", argv[0]);
    if (pith_doctor(&json, &why)) return cli_fail(&why);
    if (cli->json) return cli_json(json);
    json_t *j = json_loads(json, 0, NULL);
    print_object(j);
    json_array_foreach(json_object_get(j, "problems"), i, p)
        printf("\n! %s\n  %s\n", text_of(p, "what"), text_of(p, "cure"));
    if (json_array_size(json_object_get(j, "problems")) == 0) puts("\nNothing is wrong.");
    json_decref(j);
    pith_string_free(json);
    return EXIT_DONE;
}

const Command command_model = {
    "model", run_model, "list, fetch, fit, show and remove models",
    "[ls | pull [NAME...] | fit [NAME] | show NAME | rm NAME]",
    "  pith model ls\n"
    "  pith model pull\n"
    "  pith model show ~/models/any.gguf\n"
    "  pith model fit qwen2.5-coder-0.5b\n"
    "  pith model fit --reset qwen2.5-coder-0.5b\n",
};
const Command command_doctor = {
    "doctor", run_doctor, "what this machine has, what pith will use, and what is wrong",
    "",
    "  pith doctor\n",
};
