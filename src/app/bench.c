/* bench.c -- pith bench: what this machine does in a second. */
#include "app/cli.h"
#include "app/term.h"

#include <jansson.h>
#include <stdio.h>

static void on_step(void *arg, const char *what)
{
    const Progress *p = arg;
    if (p->quiet || !p->terminal) return;
    progress_clear(p);
    fprintf(stderr, "measuring: %s", what);
    fflush(stderr);
}

static double real(const json_t *j, const char *key)
{
    return json_number_value(json_object_get(j, key));
}

static const char *text(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "-";
}

/* A rate right-aligned, or a dash where nothing was measured. */
static void cell(const json_t *value, int width, const char *format)
{
    char s[32] = "-";
    if (json_is_number(value)) snprintf(s, sizeof s, format, json_number_value(value));
    printf("%*s", width, s);
}

static void line(const char *name, const json_t *all, const char *key, const char *format,
                 const char *unit)
{
    const json_t *range = json_object_get(json_object_get(all, "spread"), key);
    printf("%-24s", name);
    cell(json_object_get(all, key), 9, format);
    printf(" %s", unit);
    if (json_is_array(range)) {
        fputs("  (", stdout);
        cell(json_array_get(range, 0), 0, format);
        fputs(" to ", stdout);
        cell(json_array_get(range, 1), 0, format);
        putchar(')');
    }
    putchar('\n');
}

static void print_machine(const json_t *m)
{
    char memory[16];
    term_bytes((uint64_t)real(m, "memory_bytes"), memory);
    printf("%s, %.0f cores, %.0f threads, %s\n%s\n\n", text(m, "cpu"), real(m, "cores"),
           real(m, "threads"), memory, text(m, "features"));
}

static void print_models(const json_t *models)
{
    size_t i;
    json_t *m;
    if (json_array_size(models) == 0) return;
    printf("\n%-36s %-6s %13s %13s %10s\n", "generator", "", "reads tok/s",
           "writes tok/s", "bandwidth");
    json_array_foreach(models, i, m) {
        const json_t *share = json_object_get(m, "bandwidth_share");
        printf("%-36.36s %-6s", text(m, "name"), text(m, "quant"));
        cell(json_object_get(m, "prefill_tok_s"), 14, "%.0f");
        cell(json_object_get(m, "decode_tok_s"), 14, "%.1f");
        if (json_is_number(share)) printf("%9.0f %%", 100 * json_number_value(share));
        printf("  prompts read by %s\n", text(m, "reader"));
    }
    putchar('\n');
}

static void print_searches(const json_t *all)
{
    const char *size;
    json_t *p50;
    json_object_foreach(json_object_get(all, "search_ms"), size, p50) {
        char name[32];
        snprintf(name, sizeof name, "search, %.16s chunks", size);
        printf("%-24s", name);
        cell(p50, 9, "%.2f");
        fputs(" ms, p99 ", stdout);
        cell(json_object_get(json_object_get(all, "search_p99_ms"), size), 0, "%.2f");
        puts(" ms");
    }
}

static void print_asks(const json_t *all)
{
    const json_t *ask = json_object_get(all, "ask_ms");
    const json_t *spread = json_object_get(json_object_get(all, "spread"), "ask_ms");
    json_t *cold = json_pack("{sO s{sO}}", "cold", json_object_get(ask, "cold"),
                             "spread", "cold", json_object_get(spread, "cold"));
    json_t *warm = json_pack("{sO s{sO}}", "warm", json_object_get(ask, "warm"),
                             "spread", "warm", json_object_get(spread, "warm"));
    line("answer, models not loaded", cold, "cold", "%.0f", "ms");
    line("answer, another question", warm, "warm", "%.0f", "ms");
    json_decref(cold);
    json_decref(warm);
}

static void print_all(const json_t *all)
{
    print_machine(json_object_get(all, "machine"));
    line("memory", all, "read_gb_s", "%.1f", "GB/s");
    print_models(json_object_get(all, "models"));
    line("embedding", all, "embed_chunks_s", "%.0f", "chunks/s");
    line("reranking", all, "rerank_pairs_s", "%.0f", "pairs/s");
    print_searches(all);
    print_asks(all);
}

static void warn_if_busy(const json_t *machine)
{
    if (json_is_true(json_object_get(machine, "busy")))
        fprintf(stderr, "pith: the machine was busy (load %.1f of %.0f cores): these "
                "figures are too low, close other programs\n", real(machine, "load"),
                real(machine, "cores"));
}

static int report(const Cli *cli, char *text_)
{
    json_t *all = json_loads(text_, 0, NULL);
    if (!cli->json) print_all(all);
    fflush(stdout);
    if (!cli->quiet) warn_if_busy(json_object_get(all, "machine"));
    json_decref(all);
    if (cli->json) return cli_json(text_);
    pith_string_free(text_);
    return EXIT_DONE;
}

static int run_bench(Cli *cli, const Command *self, int argc, char **argv)
{
    Progress progress;
    pith_bench_options o = { .on_step = on_step, .arg = &progress };
    bool quick = false, full = false;
    int chunks = 0, status;
    const Option own[] = {
        { "quick", 0, OPTION_FLAG, &quick, NULL, "a minute at most: the default", 0, 0,
          NULL },
        { "full", 0, OPTION_FLAG, &full, NULL,
          "all generators, a million chunks, more repeats", 0, 0, NULL },
        { "chunks", 0, OPTION_INT, &chunks, "N", "of the store searched: 100000", 100,
          1e6, NULL },
        { 0 },
    };
    pith_error why;
    char *json;
    int n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0) return cli_usage(self, "'%s' is one word too many", argv[0]);
    if (quick && full) return cli_usage(self, "--quick and --full exclude each other");
    o.full = full;
    o.chunks = chunks;
    progress_begin(&progress, cli->quiet);
    int code = pith_bench(&cli->open, &o, &json, &why);
    progress_clear(&progress);
    return code ? cli_fail(&why) : report(cli, json);
}

const Command command_bench = {
    "bench", run_bench, "what this machine does in a second, with the models you use",
    "[--quick | --full] [--chunks N]",
    "  pith bench\n"
    "  pith bench --json > before.json\n"
    "  pith bench --full --threads 4\n",
};
