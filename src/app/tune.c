/* tune.c -- pith tune: a small model, trained on examples. */
#include "app/cli.h"
#include "app/term.h"

#include <stdio.h>
#include <string.h>

typedef struct Live {
    const Cli *cli;
    Progress progress;
} Live;

static void on_step(void *arg, const pith_tune_step *s)
{
    Live *live = arg;
    char note[64];
    if (live->cli->json) {
        printf("{\"step\":%llu,\"loss\":%.6g,\"tok_per_s\":%.1f,\"lr\":%.4g}\n",
               (unsigned long long)s->step, s->loss, s->tok_per_s, s->lr);
        fflush(stdout);
        return;
    }
    snprintf(note, sizeof note, "loss %.3f, %.0f tok/s, %.0f s left", s->loss,
             s->tok_per_s, s->left_s);
    progress_show(&live->progress, (double)s->step, (double)s->steps, "steps", note);
}

static void on_note(void *arg, const char *text)
{
    Live *live = arg;
    if (live->cli->quiet || live->cli->json) return;
    progress_clear(&live->progress);
    fprintf(stderr, "pith: %s\n", text);
}

static void print_json_text(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') printf("\\%c", *s);
        else if ((unsigned char)*s < 0x20) printf("\\u%04x", (unsigned char)*s);
        else putchar(*s);
    }
    putchar('"');
}

static void report(const Cli *cli, const pith_tune_result *r)
{
    if (cli->json) {
        printf("{\"steps\":%llu,\"loss_first\":%.6g,\"loss_last\":%.6g,"
               "\"tok_per_s\":%.1f,\"peak_mb\":%.0f,\"finished\":%s,\"adapter\":",
               (unsigned long long)r->steps,
               r->loss_first, r->loss_last, r->tok_per_s, r->peak_mb,
               r->finished ? "true" : "false");
        print_json_text(r->adapter);
        puts("}");
        return;
    }
    printf("%llu steps, loss %.3f -> %.3f, %.0f tok/s, %.0f MB at most\n%s\n",
           (unsigned long long)r->steps, r->loss_first, r->loss_last, r->tok_per_s,
           r->peak_mb, r->adapter);
    if (!r->finished) puts("The time is over; the same command goes on from here.");
}

static int tune_train(Cli *cli, const Command *self, int argc, char **argv)
{
    pith_tune_options o = { .on_step = on_step, .on_note = on_note,
                            .cancelled = cli_interrupted };
    int seed = 0, status;
    const Option own[] = {
        { "data", 0, OPTION_TEXT, &o.data, "FILE", "JSONL of conversations or questions",
          0, 0, NULL },
        { "model", 0, OPTION_TEXT, &o.model, "MODEL", "name or GGUF file", 0, 0, NULL },
        { "out", 0, OPTION_TEXT, &o.out, "FOLDER", "where the adapter goes", 0, 0, NULL },
        { "rank", 0, OPTION_INT, &o.rank, "N", "of the adapter: 8", 1, 256, NULL },
        { "alpha", 0, OPTION_REAL, &o.alpha, "X", "its weight times rank: twice the rank",
          1e-3, 1e4, NULL },
        { "seq", 0, OPTION_INT, &o.seq, "N", "tokens of a row: 256", 16, 16384, NULL },
        { "batch", 0, OPTION_INT, &o.batch, "N", "rows of a step: 4", 1, 4096, NULL },
        { "steps", 0, OPTION_INT, &o.steps, "N", "once over the data, unless --minutes",
          1, 1e9, NULL },
        { "minutes", 0, OPTION_REAL, &o.minutes, "T", "stop after so long; goes on later",
          0.01, 1e6, NULL },
        { "lr", 0, OPTION_REAL, &o.lr, "X", "peak learning rate: 5e-4", 1e-8, 0.9, NULL },
        { "save-every", 0, OPTION_INT, &o.save_every, "N",
          "steps between checkpoints: 50", 1, 1e9, NULL },
        { "max-mb", 0, OPTION_INT, &o.max_mb, "N", "memory it may take", 1, 1e9, NULL },
        { "seed", 0, OPTION_INT, &seed, "N", "order and start: 0", 0, 2e9, NULL },
        { 0 },
    };
    int n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0) return cli_usage(self, "'%s' is one word too many", argv[0]);
    if (!o.model) o.model = cli->open.generator;
    if (!o.data || !o.model || !o.out)
        return cli_usage(self, "--data, --model and --out are wanted");
    Live live = { .cli = cli };
    pith_tune_result r;
    pith_error why;
    o.seed = (uint64_t)seed;
    o.threads = cli->open.threads;
    o.arg = &live;
    progress_begin(&live.progress, cli->quiet || cli->json);
    int code = pith_tune_train(&o, &r, &why);
    progress_clear(&live.progress);
    if (code) return cli_fail(&why);
    report(cli, &r);
    return EXIT_DONE;
}

static int run_tune(Cli *cli, const Command *self, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "train") == 0) {
            memmove(argv + i, argv + i + 1, (size_t)(argc - i - 1) * sizeof *argv);
            return tune_train(cli, self, argc - 1, argv);
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return tune_train(cli, self, argc, argv);
        }
    return cli_usage(self, "what to do is missing: train");
}

const Command command_tune = {
    "tune", run_tune, "train a small model on examples: a LoRA adapter, on the CPU",
    "train --data FILE --model MODEL --out FOLDER [OPTIONS]",
    "  pith tune train --data qa.jsonl --model smollm2-135m --out tuned --minutes 60\n"
    "  pith ask --generator smollm2-135m --adapter tuned/adapter.gguf \"...\"\n",
};
