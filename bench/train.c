/* train.c -- what a row of training costs a thread, beside what the CPU could do, and how
 * exact it is.
 *
 *     bench_train MODEL.gguf DATA.jsonl [TOKENS [TURNS [RANK [FOLDER]]]]
 *
 * The first row of TOKENS from DATA that is nearly full goes forward and backward, with
 * its own tokens to learn and then with all; the best of some turns, by the thread's
 * own clock, which tells on a busy machine too. The share is of a bare loop of the
 * instruction that products rest on. Then the derivatives are compared with those in
 * f32. Into FOLDER, which is there, goes what another program needs to do the same: see
 * bench/peers/train_exact.py. */
#include "peak.h"

#include "base/file.h"
#include "base/random.h"
#include "model/machine.h"
#include "tune/examples.h"
#include "tune/tape.h"

#include <math.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Bench {
    Ctx cx;
    Lm *lm;
    Tape *tape;
    LoraShape lora;
    const char *model, *data, *folder;
    size_t tokens, turns;
    Examples all;
    Sample row;
    int32_t *token;
    uint8_t *learn;
    uint32_t *begin;
    float *p, *grad;
} Bench;

static double thread_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Multiplications and additions that a row takes, causal attention counted by what it
 * sees, nothing that is computed again. */
static double work(const Bench *b, size_t learned)
{
    const LmShape *s = &b->lm->shape;
    double T = (double)b->row.n, linear = 0, seen = 0;
    for (size_t q = 0; q < b->row.n_sequences; q++) {
        double n = b->begin[q + 1] - b->begin[q];
        seen += n * (n + 1) / 2;
    }
    for (Linear l = 0; l < LINEARS; l++)
        linear += (double)lm_in(s, l) * (double)lm_out(s, l);
    double layers = 4 * T * linear * (double)s->layers;
    double adapters = 6 * T * (double)lora_count(s, b->lora.rank);
    double attention = (4 + 8) * seen * (double)lm_in(s, LIN_O) * (double)s->layers;
    return layers + adapters + attention
         + 4 * (double)learned * (double)s->vocab * (double)s->dim;
}

static Status read_row(Bench *b)
{
    Model *words = NULL;
    Packer packer;
    ModelOptions mo = { .words_only = true };
    TRY(model_open(&b->cx, b->model, &mo, &words));
    Status st = examples_read(&b->cx, b->data, words, b->tokens, &b->all);
    model_close(words);
    TRY(st);
    TRY(packer_open(&b->cx, &b->all, b->tokens, 1, &packer));
    do packer_row(&packer, b->token, b->learn, b->begin, &b->row);
    while (packer.epoch == 0 && b->row.n < b->tokens * 19 / 20);
    packer_close(&packer);
    return OK;
}

/* As train.c has them. */
static float *numbers(size_t n)
{
    size_t bytes = (n + 16) * sizeof(float) / 64 * 64 + 64;
    float *p = aligned_alloc(64, bytes);
    if (!p) return NULL;
    machine_large_pages(p, bytes);
    return memset(p, 0, bytes);
}

static Status prepare(Bench *b, size_t rank)
{
    TRY(lm_open(&b->cx, b->model, gemm_best_frozen(), &b->lm));
    b->lora = (LoraShape){ rank, 2 };
    size_t n = lora_count(&b->lm->shape, rank);
    TRY(tape_open(&b->cx, b->lm, b->lora, b->tokens, &b->tape));
    b->token = calloc(b->tokens, sizeof *b->token);
    b->learn = calloc(b->tokens, 1);
    b->begin = calloc(b->tokens + 1, sizeof *b->begin);
    b->p = numbers(n);
    b->grad = numbers(n);
    if (!b->token || !b->learn || !b->begin || !b->p || !b->grad)
        return fail(&b->cx, E_MEMORY, "no memory");
    uint64_t state = 1;
    for (size_t i = 0; i < n; i++)
        b->p[i] = ((float)(random_next(&state) >> 40) / (1 << 23) - 1) * 0.02f;
    return read_row(b);
}

static bool derive(Bench *b, Tape *t, float *grad, double *forward, double *all,
                   double *loss)
{
    memset(grad, 0, lora_count(&b->lm->shape, b->lora.rank) * sizeof *grad);
    double t0 = thread_s();
    *loss = 0;
    if (!tape_forward(t, b->p, &b->row)) return false;
    *forward = thread_s() - t0;
    if (!tape_backward(t, b->p, &b->row, 1, loss, grad)) return false;
    *all = thread_s() - t0;
    return true;
}

static bool measure(Bench *b)
{
    double forward = 1e9, all = 1e9, loss = 0;
    for (size_t i = 0; i < b->turns; i++) {
        double f, a;
        if (!derive(b, b->tape, b->grad, &f, &a, &loss)) return false;
        forward = fmin(forward, f);
        all = fmin(all, a);
    }
    size_t learned = sample_targets(&b->row), n = b->row.n;
    double rate = work(b, learned) / all * 1e-9, most = peak(MATMUL_BF16, 1);
    printf("%4zu of %zu learned, %zu sequences: %6.1f ms (forward %5.1f), %5.0f tok/s a "
           "thread, %4.0f GFLOP/s, %.0f %% of %.0f; loss %.5f\n", learned, n,
           b->row.n_sequences, all * 1e3, forward * 1e3, (double)n / all, rate,
           most > 0 ? 100 * rate / most : 0, most, loss / (double)learned);
    return true;
}

static Status write_numbers(Bench *b, const char *name, const float *x)
{
    Str path, bytes = { (const char *)x, lora_count(&b->lm->shape, b->lora.rank) * 4 };
    TRY(path_join(&b->cx, str_z(b->folder), str_z(name), &path));
    return file_write(&b->cx, path.p, bytes);
}

/* row.json, and flat arrays as tape.h has them: p.f32, and the derivatives in f32 and as
 * trained. */
static Status write_folder(Bench *b, const float *exact, double loss)
{
    Buf j = BUF(1 << 24);
    Str path;
    buf_addf(&j, "{\"arch\":\"%s\",\"rank\":%zu,\"scale\":%g,\"loss\":%.9g,\"begin\":[",
             b->lm->arch, b->lora.rank, (double)b->lora.scale, loss);
    for (size_t i = 0; i <= b->row.n_sequences; i++)
        buf_addf(&j, "%s%u", i ? "," : "", b->begin[i]);
    buf_addf(&j, "],\"token\":[");
    for (size_t i = 0; i < b->row.n; i++) buf_addf(&j, "%s%d", i ? "," : "", b->token[i]);
    buf_addf(&j, "],\"learn\":[");
    for (size_t i = 0; i < b->row.n; i++) buf_addf(&j, "%s%d", i ? "," : "", b->learn[i]);
    buf_addf(&j, "]}\n");
    Status st = path_join(&b->cx, str_z(b->folder), STR("row.json"), &path);
    if (st == OK) st = file_write(&b->cx, path.p, buf_str(&j));
    if (st == OK) st = write_numbers(b, "p.f32", b->p);
    if (st == OK) st = write_numbers(b, "exact.f32", exact);
    if (st == OK) st = write_numbers(b, "trained.f32", b->grad);
    buf_free(&j);
    return st;
}

/* The same row and adapters in f32. */
static Status compare(Bench *b)
{
    size_t n = lora_count(&b->lm->shape, b->lora.rank);
    Lm *lm = NULL;
    Tape *t = NULL;
    double f, a, loss, off = 0, size = 0, both = 0, ours = 0;
    float *want = calloc(n + 16, sizeof *want);
    Status st = want ? lm_open(&b->cx, b->model, GEMM_WAY_F32, &lm)
                     : fail(&b->cx, E_MEMORY, "no memory");
    if (st == OK) st = tape_open(&b->cx, lm, b->lora, b->tokens, &t);
    if (st == OK && !derive(b, t, want, &f, &a, &loss))
        st = fail(&b->cx, E_MEMORY, "no product");
    for (size_t i = 0; st == OK && i < n; i++) {
        double x = want[i], y = b->grad[i];
        off += (x - y) * (x - y), size += x * x, both += x * y, ours += y * y;
    }
    if (st == OK)
        printf("f32: loss %.5f; derivatives off by %.2e of their length, cosine %.6f\n",
               loss / (double)sample_targets(&b->row), sqrt(off / size),
               both / sqrt(size * ours));
    if (st == OK && b->folder) st = write_folder(b, want, loss);
    tape_close(t);
    lm_close(lm);
    free(want);
    return st;
}

int main(int argc, char **argv)
{
    Bench b = { .tokens = argc > 3 ? (size_t)atol(argv[3]) : 256,
                .turns = argc > 4 ? (size_t)atol(argv[4]) : 5 };
    size_t rank = argc > 5 ? (size_t)atol(argv[5]) : 8;
    if (argc < 3 || b.tokens < 8 || b.turns < 1 || rank < 1 || rank > 256) {
        fprintf(stderr, "bench_train MODEL.gguf DATA.jsonl [TOKENS [TURNS [RANK "
                        "[FOLDER]]]]\n");
        return 2;
    }
    b.model = argv[1];
    b.data = argv[2];
    b.folder = argc > 6 ? argv[6] : NULL;
    Status st = prepare(&b, rank);
    if (st == OK)
        printf("%s, rank %zu, %s, a tape of %.0f MB, weights of %.0f\n", b.lm->name, rank,
               gemm_name(b.lm->way),
               (double)tape_bytes(&b.lm->shape, b.lm->way, rank, b.tokens) / (1 << 20),
               (double)b.lm->bytes / (1 << 20));
    if (st == OK && !measure(&b)) st = fail(&b.cx, E_MEMORY, "no product");
    if (st == OK) st = compare(&b);
    for (size_t q = 0; st == OK && q < b.row.n_sequences; q++)
        for (size_t i = b.begin[q] + 1; i < b.begin[q + 1]; i++) b.learn[i] = 1;
    if (st == OK && !measure(&b)) st = fail(&b.cx, E_MEMORY, "no product");
    if (st != OK) fprintf(stderr, "bench_train: %s\n", b.cx.reason);
    tape_close(b.tape);
    lm_close(b.lm);
    examples_free(&b.all);
    free(b.token), free(b.learn), free(b.begin), free(b.p), free(b.grad);
    ctx_end(&b.cx);
    return st == OK ? 0 : 1;
}
