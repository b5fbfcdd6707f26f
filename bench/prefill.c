/* prefill.c -- how fast a generator reads a prompt, and whether it has read the same.
 *
 *     bench_prefill MODEL.gguf TEXT [TOKENS [THREADS]]
 *
 * libllama's prefill and ours on the same tokens of TEXT in one run, the best of some
 * turns each: by the clock, and by the processor time of all threads, which tells more on
 * a busy machine (with THREADS = 1; waiting threads of libllama spin). Then both caches
 * are continued by libllama over the tokens that follow, and the distributions of each
 * next token are compared: with one another, and with those behind keys and values that
 * oneDNN computed in f32 from the same weights. The last line is a row for table.sh. */
#include "peak.h"
#include "took.h"

#include "base/file.h"
#include "model/engine.h"
#include "model/lm_file.h"
#include "model/machine.h"
#include "model/prefill_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CONTINUE = 300, TURNS = 3, TEXT_MAX = 16 << 20, BATCH = 512 };

typedef struct Bench {
    Ctx cx;
    const char *path;
    struct llama_model *model;
    struct llama_context *talk;
    const struct llama_vocab *vocab;
    int32_t *token;
    size_t n, behind;        // tokens to read; and to continue with
    int threads;
} Bench;

static int die(const Bench *b, const char *what)
{
    fprintf(stderr, "bench_prefill: %s: %s %s\n", what, b->cx.reason, engine_reason());
    return 1;
}

static Status load(Bench *b, const char *text_path, size_t n)
{
    Str text;
    struct llama_model_params mp = llama_model_default_params();
    engine_start();
    TRY(file_read(&b->cx, text_path, TEXT_MAX, &text));
    b->model = llama_model_load_from_file(b->path, mp);
    if (!b->model) return fail(&b->cx, E_MODEL, "%s: not loaded", b->path);
    b->vocab = llama_model_get_vocab(b->model);
    b->token = malloc((text.n + 8) * sizeof *b->token);
    int got = llama_tokenize(b->vocab, text.p, (int)text.n, b->token, (int)text.n + 8,
                             true, false);
    if (!b->token || got < (int)(n + CONTINUE))
        return fail(&b->cx, E_ARG, "%s has %d tokens, %zu are wanted", text_path, got,
                    n + CONTINUE);
    b->n = n;
    b->behind = CONTINUE;
    struct llama_context_params p = llama_context_default_params();
    p.n_ctx = (uint32_t)(n + CONTINUE + 64);
    p.n_batch = p.n_ubatch = BATCH;
    p.n_threads = p.n_threads_batch = b->threads;
    p.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    b->talk = llama_init_from_model(b->model, p);
    return b->talk ? OK : fail(&b->cx, E_MEMORY, "no context");
}

/* Tokens first .. first + n, the logits of each to out (n, vocab) unless NULL. */
static bool decode(Bench *b, size_t first, size_t n, float *out)
{
    size_t width = (size_t)llama_vocab_n_tokens(b->vocab);
    for (size_t at = 0; at < n; at += BATCH) {
        size_t some = n - at < BATCH ? n - at : BATCH;
        struct llama_batch batch = llama_batch_init(BATCH, 0, 1);
        for (size_t i = 0; i < some; i++) {
            batch.token[i] = b->token[first + at + i];
            batch.pos[i] = (llama_pos)(first + at + i);
            batch.n_seq_id[i] = 1;
            batch.seq_id[i][0] = 0;
            batch.logits[i] = out != NULL || at + i + 1 == n;
        }
        batch.n_tokens = (int32_t)some;
        int rc = llama_decode(b->talk, batch);
        llama_batch_free(batch);
        if (rc != 0) return false;
        for (size_t i = 0; out && i < some; i++)
            memcpy(out + (at + i) * width, llama_get_logits_ith(b->talk, (int)i),
                   width * sizeof *out);
    }
    return true;
}

static Status read_by_libllama(Bench *b, int turns, Took *best)
{
    for (int i = 0; i < turns; i++) {
        llama_memory_clear(llama_get_memory(b->talk), true);
        Took begin = took_begin();
        if (!decode(b, 0, b->n, NULL)) return fail(&b->cx, E_MODEL, "no decode");
        took_end(begin, best);
    }
    return OK;
}

/* Packed weights, and what was read with them. */
typedef struct Ours {
    Prefill *weights;
    PrefillSeq *seq;
} Ours;

static void ours_close(Ours o)
{
    prefill_seq_close(o.seq);
    prefill_close(o.weights);
}

static Status packed(Bench *b, MatmulWay way, Ours *out)
{
    PrefillOptions opt = { .way = way, .threads = b->threads, .max_bytes = UINT64_MAX };
    TRY(prefill_open(&b->cx, b->path, &opt, &out->weights));
    TRY(prefill_seq_open(&b->cx, out->weights, &out->seq));
    llama_memory_clear(llama_get_memory(b->talk), true);
    if (!decode(b, 0, PREFILL_PROBE, NULL)) return fail(&b->cx, E_MODEL, "no decode");
    TRY(prefill_run(&b->cx, out->seq, b->token, 0, PREFILL_PROBE));
    return prefill_agree(&b->cx, out->seq, b->talk);
}

/* The last token is libllama's: its logits are wanted. */
static Status read_by_us(Bench *b, Ours o, int turns, Took *compute, Took *all)
{
    for (int i = 0; i < turns; i++) {
        Took begin = took_begin();
        TRY(prefill_run(&b->cx, o.seq, b->token, 0, b->n - 1));
        took_end(begin, compute);
        TRY(prefill_hand_over(&b->cx, o.seq, b->talk));
        if (!decode(b, b->n - 1, 1, NULL)) return fail(&b->cx, E_MODEL, "no decode");
        took_end(begin, all);
    }
    return OK;
}

/* ---- distributions ---------------------------------------------------------------- */

typedef struct Distance {
    double kl, worst;
    size_t same_top;
} Distance;

static double log_sum(const float *x, size_t n, float *max)
{
    double sum = 0;
    *max = x[0];
    for (size_t i = 1; i < n; i++) *max = fmaxf(*max, x[i]);
    for (size_t i = 0; i < n; i++) sum += exp((double)(x[i] - *max));
    return log(sum) + (double)*max;
}

static size_t top(const float *x, size_t n)
{
    size_t at = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[at]) at = i;
    return at;
}

/* KL(p || q) of rows of logits. */
static Distance distance(const float *p, const float *q, size_t rows, size_t n)
{
    Distance d = { 0 };
    for (size_t r = 0; r < rows; r++, p += n, q += n) {
        float max;
        double zp = log_sum(p, n, &max), zq = log_sum(q, n, &max), kl = 0;
        for (size_t i = 0; i < n; i++) {
            double lp = (double)p[i] - zp;
            if (lp > -30) kl += exp(lp) * (lp - ((double)q[i] - zq));
        }
        d.kl += kl / (double)rows;
        d.worst = fmax(d.worst, kl);
        d.same_top += top(p, n) == top(q, n);
    }
    return d;
}

static void print(const char *what, Distance d, size_t rows)
{
    printf("  %-34s mean KL %.5f, worst %.4f, same best token %.1f %%\n", what, d.kl,
           d.worst, 100.0 * (double)d.same_top / (double)rows);
}

static Status compare(Bench *b, Ours p)
{
    size_t width = (size_t)llama_vocab_n_tokens(b->vocab), rows = b->behind;
    float *theirs = malloc(rows * width * sizeof *theirs);
    float *ours = malloc(rows * width * sizeof *ours);
    float *exact = malloc(rows * width * sizeof *exact);
    Ours f32 = { 0 };
    Took unused = { 0 };
    Status st = theirs && ours && exact ? OK : fail(&b->cx, E_MEMORY, "no memory");
    if (st == OK) st = read_by_libllama(b, 1, &unused);
    if (st == OK && !decode(b, b->n, rows, theirs))
        st = fail(&b->cx, E_MODEL, "no decode");
    if (st == OK) st = read_by_us(b, p, 1, &unused, &unused);
    if (st == OK && !decode(b, b->n, rows, ours)) st = fail(&b->cx, E_MODEL, "no decode");
    printf("the %zu tokens behind:\n", rows);
    if (st == OK)
        print("libllama against ours", distance(theirs, ours, rows, width), rows);
    if (st == OK && matmul_can(MATMUL_F32)) {
        st = packed(b, MATMUL_F32, &f32);
        if (st == OK) st = read_by_us(b, f32, 1, &unused, &unused);
        if (st == OK && !decode(b, b->n, rows, exact))
            st = fail(&b->cx, E_MODEL, "no decode");
        if (st == OK) print("f32 against ours", distance(exact, ours, rows, width), rows);
        if (st == OK)
            print("f32 against libllama", distance(exact, theirs, rows, width), rows);
    }
    ours_close(f32);
    free(theirs);
    free(ours);
    free(exact);
    return st;
}

/* Multiplications and additions of weights with one token; the last block's half and the
 * head, which a prompt does not need, left out. */
static Status work(Bench *b, double *ops)
{
    LmFile f;
    TRY(lm_file_open(&b->cx, b->path, &f));
    const LmShape *s = &f.shape;
    double q = (double)(s->heads * s->head_dim), kv = (double)(s->kv_heads * s->head_dim);
    double first = q + 2 * kv, second = q + 3 * (double)s->ffn, n = (double)s->layers;
    *ops = 2 * (double)s->dim * (n * first + (n - 1) * second);
    lm_file_close(&f);
    return OK;
}

static void print_times(const Bench *b, const char *who, Took t)
{
    double n = (double)b->n;
    printf("  %-10s %7.0f ms  %6.0f tok/s; of processors %7.0f ms  %6.0f tok/s\n", who,
           t.wall, n / t.wall * 1e3, t.cpu, n / t.cpu * 1e3);
}

static void print_row(const Bench *b, MatmulWay way, double share, Took ours, Took theirs)
{
    double n = (double)b->n * 1e3;
    printf("= %.0f tokens/s", n / ours.wall);
    if (share > 0) printf(", %.0f %% of what the CPU can compute in %s", share,
                          matmul_name(way));
    printf(" | llama.cpp %.0f tokens/s | %.1f\n", n / theirs.wall,
           theirs.wall / ours.wall);
}

static Status run(Bench *b)
{
    MatmulWay way;
    Ours p = { 0 };
    Took pack = { 0 }, theirs = { 0 }, compute = { 0 }, ours = { 0 };
    double ops = 0;
    if (!prefill_way(&way)) return fail(&b->cx, E_MODEL, "no fast products here");
    TRY(work(b, &ops));
    Took begin = took_begin();
    Status st = packed(b, way, &p);
    took_end(begin, &pack);
    if (st == OK) st = read_by_libllama(b, TURNS, &theirs);
    if (st == OK) st = read_by_us(b, p, TURNS, &compute, &ours);
    if (st == OK) {
        double most = peak(way, 1), rate = ops * (double)b->n / compute.cpu * 1e-6;
        double share = most > 0 ? 100 * rate / most : 0;
        printf("%zu tokens, %d threads, %s\n", b->n, b->threads, matmul_name(way));
        print_times(b, "libllama", theirs);
        print_times(b, "ours", ours);
        print_times(b, "computing", compute);
        print_times(b, "packing", pack);
        printf("  ratio %.2f, of processors %.2f; %.0f GOP/s a thread, %.0f %% of %.0f; "
               "%.0f MiB\n", theirs.wall / ours.wall, theirs.cpu / ours.cpu, rate,
               share, most, (double)prefill_bytes(p.weights) / (1 << 20));
        st = compare(b, p);
        if (st == OK) print_row(b, way, share, ours, theirs);
    }
    ours_close(p);
    return st;
}

int main(int argc, char **argv)
{
    Bench b = { .path = argv[1], .threads = argc > 4 ? atoi(argv[4]) : machine_cores() };
    size_t n = argc > 3 ? (size_t)atol(argv[3]) : 1024;
    if (argc < 3 || n < PREFILL_PROBE || b.threads < 1) {
        fprintf(stderr, "bench_prefill MODEL.gguf TEXT [TOKENS [THREADS]]\n");
        return 2;
    }
    Status st = load(&b, argv[2], n);
    if (st == OK) st = run(&b);
    int rc = st == OK ? 0 : die(&b, b.path);
    if (b.talk) llama_free(b.talk);
    if (b.model) llama_model_free(b.model);
    free(b.token);
    ctx_end(&b.cx);
    return rc;
}
