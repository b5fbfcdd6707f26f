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

static int run_vocab(Cli *cli, const Command *self, int argc, char **argv)
{
    return cli_listing(cli, self, argc, argv, &(Listing){ pith_vocab, print_vocab });
}

const Command command_vocab = {
    "vocab", run_vocab, "how the models' tokenizers break your words", "",
    "  pith vocab\n"
    "  pith vocab --json --embedder bge-small-en-v1.5\n",
};
