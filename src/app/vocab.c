/* vocab.c -- pith vocab: how the models' tokenizers break the words of the documents. */
#include "app/cli.h"

#include <jansson.h>
#include <stdio.h>

static double number(const json_t *j, const char *name)
{
    return json_number_value(json_object_get(j, name));
}

static void print_model(const json_t *m)
{
    size_t i;
    json_t *t;
    printf("\n%-10s %s\n", json_string_value(json_object_get(m, "role")),
           json_string_value(json_object_get(m, "name")));
    printf("  %.3f tokens a word; of the words %.1f %% in more than 2 pieces, %.1f %% in "
           "more than 4", number(m, "tokens_per_word"), 100 * number(m, "over_2"),
           100 * number(m, "over_4"));
    if (json_is_number(json_object_get(m, "unknown")))
        printf(", %.2f %% not known at all", 100 * number(m, "unknown"));
    putchar('\n');
    json_array_foreach(json_object_get(m, "worst"), i, t)
        printf("  %3d pieces, %5d times  %s\n", (int)number(t, "tokens"),
               (int)number(t, "count"), json_string_value(json_object_get(t, "word")));
}

static void print_vocab(const json_t *j)
{
    size_t i;
    json_t *m;
    printf("%.0f words, %.0f different ones\n", number(j, "words"),
           number(j, "distinct"));
    json_array_foreach(json_object_get(j, "models"), i, m) print_model(m);
}

static int proposals(pith *p, char **json, pith_error *why)
{
    return pith_glossary(p, 0, json, why);
}

static int additions(pith *p, char **json, pith_error *why)
{
    return pith_glossary(p, 1, json, why);
}

static const char *text_of(const json_t *j, const char *name)
{
    return json_string_value(json_object_get(j, name));
}

/* As the file has them, so that the output can become one. */
static void print_proposals(const json_t *j)
{
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(j, "entries"), i, e)
        printf("%s = %s\n", text_of(e, "term"), text_of(e, "meaning"));
}

static void print_additions(const json_t *j)
{
    printf("%.0f terms added to %s, which had %.0f of those in the documents\n",
           number(j, "written"), text_of(j, "file"), number(j, "known"));
}

static int run_vocab(Cli *cli, const Command *self, int argc, char **argv)
{
    bool glossary = false, write = false;
    int status;
    const Option own[] = {
        { "glossary", 0, OPTION_FLAG, &glossary, NULL,
          "abbreviations that the documents explain", 0, 0, NULL },
        { "write", 0, OPTION_FLAG, &write, NULL, "add those to STORE.glossary", 0, 0,
          NULL },
        { 0 },
    };
    int n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0) return cli_usage(self, "'%s' is one word too many", argv[0]);
    if (write && !glossary) return cli_usage(self, "--write goes with --glossary");
    const Listing words = { pith_vocab, print_vocab }, terms = { proposals,
        print_proposals }, added = { additions, print_additions };
    return cli_show(cli, write ? &added : glossary ? &terms : &words);
}

const Command command_vocab = {
    "vocab", run_vocab, "how the models' tokenizers break your words",
    "[--glossary [--write]]",
    "  pith vocab\n"
    "  pith vocab --json --embedder bge-small-en-v1.5\n"
    "  pith vocab --glossary --write\n",
};
