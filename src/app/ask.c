/* ask.c -- pith ask and pith chat: streamed, cited answers. */
#include "app/cli.h"
#include "app/remote.h"
#include "app/term.h"
#include "base/ctx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const modes[] = { "hybrid", "words", "vectors", NULL };
static const char *const routes[] = { "auto", "slm", "llm", NULL };

typedef struct AskArgs {
    pith_ask_options ask;
    double temperature;
    int seed;
    bool explain, strict, no_rerank, no_filter, no_abstain, rewrite, decompose, hyde;
    bool quote, whole;
    const char *budget;
} AskArgs;

enum { N_ASK = 22, N_OWN = REMOTE_OPTIONS + N_ASK };

static void own_options(Cli *cli, AskArgs *a, Option own[N_OWN])
{
    const Option all[N_ASK] = {
        { "context", 0, OPTION_INT, &a->ask.context_tokens, "N",
          "tokens of passages in the prompt (default 1200)", 64, 131072, NULL },
        { "remote-context", 0, OPTION_INT, &a->ask.remote_context_tokens, "N",
          "the same for the large model (default: the same)", 64, 1048576, NULL },
        { "max-tokens", 0, OPTION_INT, &a->ask.max_tokens, "N",
          "longest answer (default 256)", 1, 32768, NULL },
        { "mode", 0, OPTION_CHOICE, &a->ask.mode, "MODE",
          "hybrid (default), words or vectors", 0, 0, modes },
        { "temperature", 0, OPTION_REAL, &a->temperature, "T",
          "0 (default) gives the same answer each time", 0, 10, NULL },
        { "seed", 0, OPTION_INT, &a->seed, "N", "for a temperature above 0", 0,
          2147483647, NULL },
        { "explain", 0, OPTION_FLAG, &a->explain, NULL,
          "show every stage with its figures", 0, 0, NULL },
        { "strict", 0, OPTION_FLAG, &a->strict, NULL,
          "exit status 1 when the documents do not say", 0, 0, NULL },
        { "no-rerank", 0, OPTION_FLAG, &a->no_rerank, NULL, "leave the reranker out", 0,
          0, NULL },
        { "rerank", 0, OPTION_INT, &a->ask.rerank, "N",
          "let the reranker read the best N (default 20)", 1, 1000, NULL },
        { "rerank-ms", 0, OPTION_REAL, &a->ask.rerank_ms, "MS",
          "as many of them as it can in this time", 1, 3600000, NULL },
        { "no-filter", 0, OPTION_FLAG, &a->no_filter, NULL,
          "give the model whole passages, weak sentences included", 0, 0, NULL },
        { "whole", 0, OPTION_FLAG, &a->whole, NULL,
          "drop weak passages, but no sentence of the others", 0, 0, NULL },
        { "kv", 0, OPTION_INT, &cli->open.kv_mib, "MIB",
          "disk for passages read before, which are then given whole (default 0)", 0,
          1048576, NULL },
        { "no-abstain", 0, OPTION_FLAG, &a->no_abstain, NULL,
          "let the model try even when nothing fits", 0, 0, NULL },
        { "rewrite", 0, OPTION_FLAG, &a->rewrite, NULL,
          "search in a document's words as well", 0, 0, NULL },
        { "decompose", 0, OPTION_FLAG, &a->decompose, NULL,
          "search for the parts of the question as well", 0, 0, NULL },
        { "hyde", 0, OPTION_FLAG, &a->hyde, NULL,
          "search by a passage made up as well", 0, 0, NULL },
        { "budget", 0, OPTION_TEXT, &a->budget, "TIME",
          "an answer within this time: 3s, 1500ms", 0, 0, NULL },
        { "quote", 0, OPTION_FLAG, &a->quote, NULL,
          "quote the documents, word for word", 0, 0, NULL },
        { "route", 0, OPTION_CHOICE, &a->ask.route, "WHO",
          "auto (default), slm or llm: who writes, where that is allowed", 0, 0, routes },
        { 0 },
    };
    remote_options(cli, own);
    memcpy(own + REMOTE_OPTIONS, all, sizeof all);
}

/* For the policy "ask": a person at the terminal says y, anything else is no. */
static int may_send(void *arg, const char *why)
{
    char line[16] = "";
    (void)arg;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) return 0;
    fprintf(stderr, "pith: %s. Send the question and its passages to the remote model? "
            "[y/N] ", why);
    return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int show_piece(void *arg, const char *piece, size_t n)
{
    (void)arg;
    fwrite(piece, 1, n, stdout);
    return fflush(stdout) != 0;   // nobody reads any more: stop
}

static void show_quotes(const pith_answer *a)
{
    for (size_t i = 0; i < a->n_quotes; i++) {
        const pith_quote *q = &a->quotes[i];
        printf("%s\"%.40s%s\"  %s, bytes %zu-%zu\n", i ? "" : "\nQuoted:\n", q->text,
               strlen(q->text) > 40 ? "..." : "", a->passages[q->passage].document,
               q->start, q->end);
    }
}

/* The words cited; those that the answer has word for word stand out. */
static void show_words(const Cli *cli, const pith_answer *a, const pith_citation *c)
{
    unsigned char *bright = calloc(1, strlen(c->text) + 1);
    for (size_t i = 0; bright && i < a->n_quotes; i++) {
        const pith_quote *q = &a->quotes[i];
        const char *at = q->passage == c->passage ? strstr(c->text, q->text) : NULL;
        if (at) memset(bright + (at - c->text), 1, strlen(q->text));
    }
    term_paragraph(c->text, 4, cli->color, bright);
    free(bright);
}

static void show_sources(const Cli *cli, const pith_answer *a)
{
    const char *dim = cli->color ? "\033[2m" : "", *plain = cli->color ? "\033[0m" : "";
    for (size_t i = 0; i < a->n_citations; i++) {
        const pith_citation *c = &a->citations[i];
        const pith_passage *p = &a->passages[c->passage];
        printf("\n[%d] ", c->n);
        term_place(p);
        printf("%s, bytes %zu-%zu%s\n", dim, c->start, c->end, plain);
        show_words(cli, a, c);
    }
    if (!a->abstained || a->n_passages == 0) return;
    puts("\nNearest passages:");
    for (size_t i = 0; i < a->n_passages; i++) {
        fputs("  ", stdout);
        term_place(&a->passages[i]);
        printf(", bytes %zu-%zu\n", a->passages[i].start, a->passages[i].end);
    }
}

static void show_remarks(const pith_answer *a)
{
    if (a->caution) fprintf(stderr, "pith: %s\n", a->caution);
    if (a->fallback)
        fprintf(stderr, "pith: the small model answered instead of the remote one: %s\n",
                a->fallback);
    if (a->left_out)
        fprintf(stderr, "pith: %zu passages did not fit the context and were left out "
                "(--context)\n", a->left_out);
    if (a->finish_length)
        fputs("pith: the answer was cut at its longest (--max-tokens, --budget)\n",
              stderr);
    if (a->misquoted)
        fprintf(stderr, "pith: %zu quotations stand in no passage\n", a->misquoted);
    if (a->unsupported)
        fprintf(stderr, "pith: %zu claims without [n] have no source in the passages\n",
                a->unsupported);
}

/* Each feature with its weight's say in logits, against a question as usual. */
static void show_router(const pith_answer *a)
{
    for (size_t i = 0; i < a->n_route_reasons; i++)
        printf("%-10s %s\n", i ? "" : "because", a->route_reasons[i]);
    if (a->n_route_features == 0) return;
    printf("score      %.3f", a->route_score);
    if (!isnan(a->draft_score)) printf(", %.3f with the draft", a->draft_score);
    for (size_t i = 0; i < a->n_route_features; i++) {
        const pith_feature *f = &a->route_features[i];
        printf("%s%s %.2f (%+.2f)", i % 4 ? ", " : "\n           ", f->name, f->value,
               f->weight * (f->value - f->usual));
    }
    printf("\nanswer     logprob %.3f, lowest %.3f, support %.2f\n", a->mean_logprob,
           a->min_logprob, a->support);
}

static void show_stages(const pith_answer *a)
{
    printf("\nquestion   %s\nmodel      %s (%s), confidence %.2f\n", a->question,
           a->model, a->route, a->confidence);
    show_router(a);
    if (a->budget) printf("budget     %s\n", a->budget);
    for (size_t i = 0; i < a->n_stages; i++) {
        const pith_stage *s = &a->stages[i];
        printf("%-10s %8.1f ms ", s->name, s->ms);
        for (int f = 0; f < s->n_figures; f++)
            printf(" %s=%.6g", s->figure[f].name, s->figure[f].value);
        putchar('\n');
    }
    printf("%-10s %8.1f ms  first_token=%.1f\n", "total", a->total_ms, a->first_token_ms);
}

/* One question: streams the answer, shows its sources. */
static int ask_once(const Cli *cli, pith *p, const AskArgs *args, const char *question,
                    pith_answer **out)
{
    pith_ask_options opt = args->ask;
    pith_error why;
    if (!cli->json) opt.on_text = show_piece;
    if (pith_ask(p, question, &opt, out, &why)) {
        if (why.code == PITH_E_CANCELLED && !cli->json) putchar('\n');
        return cli_fail(&why);
    }
    const pith_answer *a = *out;
    if (cli->json) {
        cli_json(pith_answer_json(a));
    } else {
        putchar('\n');
        show_sources(cli, a);
        if (args->ask.quote) show_quotes(a);
        if (args->explain) show_stages(a);
        fflush(stdout);
        if (!cli->quiet) show_remarks(a);
    }
    return a->abstained && args->strict ? EXIT_REFUSED : EXIT_DONE;
}

/* "3s", "1.5s", "1500ms", "3" in seconds. */
static bool read_time(const char *text, double *ms)
{
    char *end;
    double v = strtod(text, &end);
    bool seconds = *end == '\0' || strcmp(end, "s") == 0;
    *ms = v * (seconds ? 1000 : 1);
    return end != text && (seconds || strcmp(end, "ms") == 0) && *ms >= 1 && *ms <= 3.6e6;
}

static int read_args(Cli *cli, const Command *self, AskArgs *args, int argc, char **argv,
                     int *status)
{
    Option own[N_OWN];
    own_options(cli, args, own);
    cli->open.may_send = may_send;
    int n = options_read(cli, self, own, argc, argv, status);
    args->ask.temperature = (float)args->temperature;
    args->ask.seed = (uint64_t)args->seed;
    args->ask.no_rerank = args->no_rerank;
    args->ask.no_filter = args->no_filter;
    args->ask.no_abstain = args->no_abstain;
    args->ask.rewrite = args->rewrite;
    args->ask.decompose = args->decompose;
    args->ask.hyde = args->hyde;
    args->ask.quote = args->quote;
    args->ask.whole = args->whole;
    if (n >= 0 && args->budget && !read_time(args->budget, &args->ask.budget_ms)) {
        *status = cli_usage(self, "--budget %s: a time from 1ms to 3600s is wanted",
                            args->budget);
        return -1;
    }
    return n;
}

static int run_ask(Cli *cli, const Command *self, int argc, char **argv)
{
    AskArgs args = { 0 };
    pith_answer *a = NULL;
    int status, n = read_args(cli, self, &args, argc, argv, &status);
    if (n < 0) return status;
    if (n != 1)
        return cli_usage(self,
                         n ? "the question is one argument: quote it" : "no question");
    pith *p = cli_open(cli);
    if (!p) return EXIT_FAILED;
    status = ask_once(cli, p, &args, argv[0], &a);
    pith_answer_free(a);
    pith_close(p);
    return status;
}

/* ---- chat ------------------------------------------------------------------------- */

enum { MAX_TURNS = 64 };

typedef struct Talk {
    pith_message turn[MAX_TURNS];   // the oldest first
    size_t n;
    Ctx own;                        // their texts, until the talk ends
} Talk;

/* Copies; the oldest question and its answer make room. A turn for which there is no
 * memory is left out of the history. */
static void talk_add(Talk *t, const char *role, const char *content)
{
    if (t->n == MAX_TURNS) {
        t->n -= 2;
        memmove(t->turn, t->turn + 2, t->n * sizeof *t->turn);
    }
    Str copy = ctx_dup(&t->own, str_z(content));
    if (copy.p) t->turn[t->n++] = (pith_message){ role, copy.p };
}

static int chat(const Cli *cli, pith *p, AskArgs *args)
{
    Talk talk = { .own = CTX_INIT };
    char *line = NULL;
    size_t cap = 0;
    bool person = isatty(STDIN_FILENO) && !cli->json;
    int status = EXIT_DONE;
    if (person) puts("Ask, and end with Ctrl-D.");
    for (;;) {
        pith_answer *a = NULL;
        if (person) fputs("> ", stdout), fflush(stdout);
        if (cli_interrupted(NULL) || getline(&line, &cap, stdin) < 0) break;
        line[strcspn(line, "\r\n")] = '\0';
        if (line[strspn(line, " \t")] == '\0') continue;
        args->ask.history = talk.turn;
        args->ask.n_history = talk.n;
        int one = ask_once(cli, p, args, line, &a);
        if (one) status = one;
        if (a) talk_add(&talk, "user", line), talk_add(&talk, "assistant", a->text);
        pith_answer_free(a);
        if (!cli->json) putchar('\n');
    }
    args->ask.history = NULL;
    args->ask.n_history = 0;
    ctx_end(&talk.own);
    free(line);
    return status;
}

static int run_chat(Cli *cli, const Command *self, int argc, char **argv)
{
    AskArgs args = { 0 };
    int status, n = read_args(cli, self, &args, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0)
        return cli_usage(self, "'%s' is one word too many: questions are typed", argv[0]);
    pith *p = cli_open(cli);
    if (!p) return EXIT_FAILED;
    status = chat(cli, p, &args);
    pith_close(p);
    return status;
}

const Command command_ask = {
    "ask", run_ask, "answer a question from the documents, with citations", "QUESTION",
    "  pith ask \"How long is the warranty?\"\n"
    "  pith ask \"Who signs off a release?\" --explain\n"
    "  pith ask \"When does the pool open?\" --budget 3s\n"
    "  pith ask \"What does the warranty leave out?\" --quote\n"
    "  pith ask \"Is IPv6 supported?\" --json --strict\n",
};
const Command command_chat = {
    "chat", run_chat, "a conversation: each question may lean on those before", "",
    "  pith chat\n",
};
