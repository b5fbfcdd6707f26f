/* encode.c -- how fast texts become vectors, or pairs become scores.
 *
 *     bench_encode MODEL.gguf [TEXTS [WAYS]]
 *
 * For an embedder texts of 140 tokens, for a reranker a question with texts of 150 each;
 * random words, all cores, by all ways of multiplying or the fastest WAYS. The ratio is
 * to libllama on the same file in the same run; the share is of what a bare loop of the
 * same instruction does. */
#include "peak.h"
#include "took.h"

#include "model/encoder.h"
#include "model/machine.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 140, PAIR_TOKENS = 150, RUNS = 5, PLAIN_TEXTS = 40 };
static const char question[] = "how long is the warranty of the battery";

/* ---- texts ------------------------------------------------------------------------ */

/* n texts of `tokens` tokens: words that are one token each, and two markers. */
static Str *make_texts(Ctx *cx, size_t n, int tokens)
{
    static const char *const word[] = { "the", "contract", "of", "battery", "years",
        "and", "water", "engine", "reports", "revenue", "growth", "supply", "not", "from",
        "two", "because", "damage", "was" };
    Str *texts = ctx_new(cx, Str, n);
    uint32_t seed = 1;
    for (size_t i = 0; texts && i < n; i++) {
        Buf b = BUF(1 << 16);
        for (int k = 0; k < tokens - 2; k++) {
            seed = seed * 1664525u + 1013904223u;
            buf_addf(&b, "%s ", word[(seed >> 16) % (sizeof word / sizeof *word)]);
        }
        texts[i] = ctx_dup(cx, buf_str(&b));
        buf_free(&b);
    }
    return texts;
}

/* Multiplications and additions that a text costs, the last layer's shortcut left out. */
static double work(const BertShape *s, int tokens)
{
    double h = (double)s->hidden, n = tokens, f = (double)s->ffn;
    return (double)s->layers * n * (8 * h * h + 4 * h * f + 4 * h * n);
}

/* ---- the runs --------------------------------------------------------------------- */

typedef struct Run {
    Model *m;
    const Str *texts;
    size_t n;
    float *out;
} Run;

static Status once(Ctx *cx, const Run *r)
{
    Ctx one = CTX_INIT;
    Status st = model_info(r->m)->can & CAN_SCORE
        ? model_score(&one, r->m, STR(question), r->texts, r->n, r->out)
        : model_embed(&one, r->m, EMBED_PASSAGE, r->texts, r->n, r->out);
    if (st != OK) fail(cx, st, "%s", one.reason);
    ctx_end(&one);
    return st;
}

/* Texts a second, by the clock and by the processor time of all threads: the second holds
 * on a machine that others work on. */
typedef struct Rate {
    double wall, cpu;
} Rate;

/* The best of some runs. */
static Status rate(Ctx *cx, const Run *r, int runs, Rate *best)
{
    *best = (Rate){ 0 };
    TRY(once(cx, r));
    for (int i = 0; i < runs; i++) {
        double begin = now_ms(), cpu = cpu_ms(), n = (double)r->n * 1e3;
        TRY(once(cx, r));
        best->wall = fmax(best->wall, n / (now_ms() - begin));
        best->cpu = fmax(best->cpu, n / (cpu_ms() - cpu));
    }
    return OK;
}

static void print_split(const EncoderTimes *t)
{
    static const char *const name[] = { "products", "attention", "norm", "GELU" };
    double all = t->tokenize * machine_cores();
    for (int i = 0; i < BERT_PARTS; i++) all += t->part[i];
    printf("  time:");
    for (int i = 0; i < BERT_PARTS; i++)
        printf(" %s %.0f %%,", name[i], 100 * t->part[i] / all);
    printf(" tokens %.1f %%\n", 100 * t->tokenize * machine_cores() / all);
}

static Status plain_rate(Ctx *cx, const char *path, Run r, Rate *out)
{
    ModelOptions opt = { .plain = true };
    if (r.n > PLAIN_TEXTS) r.n = PLAIN_TEXTS;
    TRY(model_open(cx, path, &opt, &r.m));
    Status st = rate(cx, &r, 1, out);
    model_close(r.m);
    return st;
}

static Status bench_way(Ctx *cx, const char *path, MatmulWay way, Run *r, int tokens,
                        Rate plain)
{
    Rate now = { 0 };
    double most = peak(way, machine_cores());
    BertFile f;
    TRY(bert_file_open(cx, path, &f));
    double each = work(&f.shape, tokens);
    bert_file_close(&f);
    TRY(encoder_open_way(cx, path, NULL, way, &r->m));
    Status st = rate(cx, r, RUNS, &now);
    if (st == OK) {
        EncoderTimes t = encoder_times(r->m);
        printf("%s: %.1f/s, %.1f a CPU second, %.1f x libllama's %.1f/s, %.0f GOP/s",
               matmul_name(way), now.wall, now.cpu, now.wall / plain.wall, plain.wall,
               now.wall * each * 1e-9);
        printf(most > 0 ? ", %.0f %% of the CPU's %.0f\n" : "\n",
               100 * now.wall * each * 1e-9 / most, most);
        print_split(&t);
    }
    model_close(r->m);
    return st;
}

static Status is_ranker(Ctx *cx, const char *path, bool *out)
{
    Model *m;
    TRY(model_open(cx, path, NULL, &m));
    *out = model_info(m)->can & CAN_SCORE;
    model_close(m);
    return OK;
}

static Status bench(Ctx *cx, const char *path, size_t n, long ways)
{
    bool pairs;
    Rate plain;
    TRY(is_ranker(cx, path, &pairs));
    int tokens = pairs ? PAIR_TOKENS : TOKENS;
    Run r = { .texts = make_texts(cx, n, tokens), .n = n,
              .out = ctx_new(cx, float, n * 4096) };
    if (!r.texts || !r.out) return cx->status;
    printf("%s: %zu %s of %d tokens, %d cores\n", path, n,
           pairs ? "pairs, the second" : "texts", tokens, machine_cores());
    TRY(plain_rate(cx, path, r, &plain));
    for (MatmulWay way = MATMUL_INT8; way > MATMUL_PLAIN; way--)
        if (matmul_can(way) && ways-- > 0)
            TRY(bench_way(cx, path, way, &r, tokens, plain));
    return OK;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_encode MODEL.gguf [TEXTS [WAYS]]\n");
        return 2;
    }
    Ctx cx = CTX_INIT;
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
    Status st = bench(&cx, argv[1], n, argc > 3 ? strtol(argv[3], NULL, 10) : LONG_MAX);
    if (st != OK) fprintf(stderr, "bench_encode: %s\n", cx.reason);
    ctx_end(&cx);
    return st != OK;
}
