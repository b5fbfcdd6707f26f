/* draft.c -- what drafts from the context are worth.
 *
 *     bench_draft MODEL.gguf THREADS TOKENS DOCUMENT...
 *
 * Asks for a passage of each document word for word, and an ordinary question about it;
 * each is answered three times on the same prompt: by libllama alone, by us token by
 * token, and by us with drafts. Rates are of writing alone, by the clock and by the
 * processor time of all threads, which tells more on a busy machine (with THREADS = 1).
 * The tokens with and without drafts must be the same: else the run ends with an error.
 * At the end a second turn of the conversation tells what of it was read again, and the
 * last line is a row for table.sh. */
#include "took.h"

#include "base/file.h"
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_TEXT = 3000, DOCUMENT_MAX = 1 << 20 };    // bytes; of a passage, of a file

typedef struct Sum {
    Took took;
    int tokens, drafted, accepted;
} Sum;

typedef struct Bench {
    Ctx cx;
    Model *theirs, *ours;
    int tokens;
    double cpu_first;        // when the first token was said
} Bench;

static bool first_word(void *arg, Str piece)
{
    Bench *b = arg;
    (void)piece;
    if (b->cpu_first == 0) b->cpu_first = cpu_ms();
    return true;
}

static Status write_answer(Bench *b, Model *m, Str question, bool drafts, Sum *sum,
                           Generated *g)
{
    const Message msg[] = {
        { "system", STR("You answer from the passage that you are given.") },
        { "user", question },
    };
    GenerateOptions opt = { .max_tokens = b->tokens, .no_drafts = !drafts,
                            .on_text = first_word, .arg = b };
    b->cpu_first = 0;
    TRY(model_generate(&b->cx, m, msg, 2, &opt, g));
    sum->took.wall += g->decode_ms;
    sum->took.cpu += cpu_ms() - b->cpu_first;
    sum->tokens += g->tokens;
    sum->drafted += g->drafted;
    sum->accepted += g->accepted;
    return OK;
}

/* By each of the three; the answer of the last is compared with that of the second. */
static Status ask(Bench *b, Str question, Sum sum[3], int *same_as_libllama)
{
    Generated g[3];
    TRY(write_answer(b, b->theirs, question, false, &sum[0], &g[0]));
    TRY(write_answer(b, b->ours, question, false, &sum[1], &g[1]));
    TRY(write_answer(b, b->ours, question, true, &sum[2], &g[2]));
    if (!str_eq(g[1].text, g[2].text) || g[1].tokens != g[2].tokens)
        return fail(&b->cx, E_INTERNAL, "drafts changed an answer: \"%s\" became \"%s\"",
                    g[1].text.p, g[2].text.p);
    *same_as_libllama += str_eq(g[0].text, g[1].text);
    return OK;
}

/* Tokens a second by the clock. */
static double rate(const Sum *s)
{
    return s->tokens / s->took.wall * 1e3;
}

static void print(const char *who, const Sum *s, const Sum *base)
{
    double cpu = s->tokens / s->took.cpu * 1e3;
    printf("  %-22s %6.1f tok/s (%.2fx); of processors %6.1f tok/s (%.2fx)", who, rate(s),
           rate(s) / rate(base), cpu, cpu / (base->tokens / base->took.cpu * 1e3));
    if (s->drafted) printf("; %d of %d guesses right", s->accepted, s->drafted);
    printf("\n");
}

/* sum: of libllama, of us token by token, and with drafts; zeros at first. */
static Status compare(Bench *b, const char *what, const char *order, const Str *text,
                      int n, Sum sum[3])
{
    int same = 0;
    for (int i = 0; i < n; i++) {
        Str q = ctx_printf(&b->cx, "%.*s\n\n%s", (int)text[i].n, text[i].p, order);
        TRY_NEW(q.p);
        TRY(ask(b, q, sum, &same));
    }
    printf("%s: %d answers, %d tokens; the same with and without drafts, %d of them as "
           "libllama's\n", what, n, sum[2].tokens, same);
    print("libllama", &sum[0], &sum[0]);
    print("ours, token by token", &sum[1], &sum[0]);
    print("ours, with drafts", &sum[2], &sum[0]);
    return OK;
}

/* A question, its answer, and another question. */
static Status converse(Bench *b, Str text)
{
    Message msg[] = { { "system", STR("You answer from the passage.") },
                      { "user", text }, { "assistant", { NULL, 0 } },
                      { "user", STR("And in five words?") } };
    GenerateOptions opt = { .max_tokens = b->tokens };
    Generated first, second;
    TRY(model_generate(&b->cx, b->ours, msg, 2, &opt, &first));
    msg[2].content = first.text;
    TRY(model_generate(&b->cx, b->ours, msg, 4, &opt, &second));
    printf("second turn: %d of %d tokens were there; read in %.0f ms, the first in "
           "%.0f\n",
           second.reused_tokens, second.prompt_tokens, second.prefill_ms,
           first.prefill_ms);
    return OK;
}

static Status run(Bench *b, char **path, int n)
{
    Sum quoted[3] = { 0 }, own[3] = { 0 };
    Str *text = ctx_new(&b->cx, Str, (size_t)n);
    TRY_NEW(text);
    for (int i = 0; i < n; i++) {
        TRY(file_read(&b->cx, path[i], DOCUMENT_MAX, &text[i]));
        if (text[i].n > MOST_TEXT) text[i].n = MOST_TEXT;
        while (text[i].n && text[i].p[text[i].n - 1] != '\n') text[i].n--;
    }
    TRY(compare(b, "extractive", "Quote the text above word for word, from its "
                "beginning.", text, n, quoted));
    TRY(compare(b, "ordinary", "In your own words: what would a newcomer need to know "
                "about this, and why?", text, n, own));
    TRY(converse(b, text[0]));
    printf("= %.0f tokens/s, in its own words %.0f | llama.cpp %.0f, %.0f | %.1f; %.1f\n",
           rate(&quoted[2]), rate(&own[2]), rate(&quoted[0]), rate(&own[0]),
           rate(&quoted[2]) / rate(&quoted[0]), rate(&own[2]) / rate(&own[0]));
    return OK;
}

int main(int argc, char **argv)
{
    Bench b = { .tokens = argc > 3 ? atoi(argv[3]) : 96 };
    ModelOptions ours = { .threads = argc > 2 ? atoi(argv[2]) : 0 }, plain = ours;
    plain.plain = true;
    if (argc < 5 || b.tokens < 1) {
        fprintf(stderr, "bench_draft MODEL.gguf THREADS TOKENS DOCUMENT...\n");
        return 2;
    }
    Status st = model_open(&b.cx, argv[1], &plain, &b.theirs);
    if (st == OK) st = model_open(&b.cx, argv[1], &ours, &b.ours);
    if (st == OK) st = run(&b, argv + 4, argc - 4);
    if (st != OK) fprintf(stderr, "bench_draft: %s\n", b.cx.reason);
    model_close(b.theirs);
    model_close(b.ours);
    ctx_end(&b.cx);
    return st != OK;
}
