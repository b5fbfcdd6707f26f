/* fit.c -- see fit.h. */
#include "app/fit.h"

#include "app/term.h"

#include <stdio.h>
#include <string.h>

static double real(const json_t *j, const char *key)
{
    return json_number_value(json_object_get(j, key));
}

static const char *text(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "-";
}

/* A line for each count of threads; what the form itself is stands in the first. */
static void print_candidate(const json_t *c)
{
    size_t i;
    json_t *run;
    char bytes[16];
    term_bytes((uint64_t)real(c, "bytes"), bytes);
    json_array_foreach(json_object_get(c, "runs"), i, run) {
        if (i == 0)
            printf("%-17s %8s %6.3f %4.0f %% %s", text(c, "form"), bytes,
                   real(c, "divergence"), 100 * real(c, "same"),
                   json_is_true(json_object_get(c, "within")) ? "  " : "no");
        else printf("%-41s", "");
        printf(" %7.0f %8.0f %9.1f %9.0f %% %8.0f ms\n", real(run, "threads"),
               real(run, "prefill_tok_s"), real(run, "decode_tok_s"),
               100 * real(run, "bandwidth_share"), real(run, "answer_ms"));
    }
}

static void print_result(const json_t *j)
{
    size_t i;
    json_t *c;
    const json_t *stale = json_object_get(j, "stale");
    const json_t *rule = json_object_get(j, "rule");
    printf("%s on %s, %.0f cores, memory %.1f GB/s; texts of %s\n\n", text(j, "model"),
           text(j, "cpu"), real(j, "cores"), real(j, "read_gb_s"), text(j, "texts"));
    printf("%-17s %8s %6s %6s    %7s %8s %9s %11s %11s\n", "form", "size", "loss", "same",
           "threads", "reads/s", "writes/s", "bandwidth", "answer");
    json_array_foreach(json_object_get(j, "candidates"), i, c) print_candidate(c);
    printf("\n\"no\": loses more than %.3g nats a token. libllama alone, whole answer: "
           "%.0f ms with flash attention, %.0f without.\n", real(rule, "max_loss"),
           real(json_object_get(j, "flash_ms"), "with"),
           real(json_object_get(j, "flash_ms"), "without"));
    printf("Chosen: %s, %.0f threads: %s.\n", text(j, "chosen"), real(j, "threads"),
           text(j, "why"));
    if (json_is_string(stale))
        printf("Not in use: %s. `pith model fit` measures again.\n",
               json_string_value(stale));
}

static int report(const Cli *cli, char *json)
{
    if (cli->json) return cli_json(json);
    json_t *j = json_loads(json, 0, NULL);
    print_result(j);
    json_decref(j);
    pith_string_free(json);
    return EXIT_DONE;
}

static int reset(const Cli *cli, const char *model)
{
    pith_error why;
    int removed = 0;
    if (pith_model_unfit(model, &removed, &why)) return cli_fail(&why);
    if (cli->json) printf("{\"removed\":%s}\n", removed ? "true" : "false");
    else puts(removed ? "The file is used as it came." : "It was not fitted.");
    return EXIT_DONE;
}

static int show(const Cli *cli, const char *model)
{
    pith_error why;
    char *json;
    if (pith_model_fitted(model, &json, &why)) return cli_fail(&why);
    if (json) return report(cli, json);
    if (cli->json) puts("null");
    else puts("It was not fitted: `pith model fit` does it.");
    return EXIT_DONE;
}

static void on_step(void *arg, const char *what, double share)
{
    progress_show(arg, 100 * share, 100, "%", what);
}

int cli_fit(const Cli *cli, const FitWish *wish)
{
    Progress progress;
    pith_error why;
    char *json;
    const char *model = wish->model ? wish->model : cli->open.generator;
    pith_fit_options o = { .model = model, .prompt_tokens = wish->prompt,
                           .answer_tokens = wish->answer, .max_loss = wish->loss,
                           .on_step = on_step, .arg = &progress };
    if (wish->reset) return reset(cli, model);
    if (wish->show) return show(cli, model);
    progress_begin(&progress, cli->quiet);
    int code = pith_model_fit(&cli->open, &o, &json, &why);
    progress_clear(&progress);
    return code ? cli_fail(&why) : report(cli, json);
}
