/* kv.c -- what passages cost that were read before, and what joining them changes.
 *
 *     bench_kv MODEL.gguf TEXT [PASSAGES [TOKENS [THREADS]]]
 *
 * TEXT is cut into passages of TOKENS. Each is read behind an instruction, and, but for
 * the prompt's first, behind two more passages that stand for those before it; taken out,
 * and put back where it stands in a prompt of all of them, in another order, with heads
 * of several lengths read anew. The prompt ends with words of one passage, which
 * what follows them there continues: who attends to passages well knows it. The
 * distributions over those tokens are compared with plain reading's. Times are the best
 * of some turns, by the clock and by the processors' time of all threads. */
#include "base/file.h"
#include "model/engine.h"
#include "model/kv_store.h"
#include "model/machine.h"
#include "model/prefill.h"
#include "took.h"

#include <llama.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 16 << 20, TURNS = 3, CUE = 24, FOLLOW = 48, MOST = 16, BEFORE = 2,
       KEPT = 256 };         // tokens of an entry of the store

static const char instruction[] = "Answer the question using the passages. Reply with "
                                  "one short sentence.\nPassage 1:\n";

typedef struct Bench {
    Ctx cx;
    struct llama_model *model;
    const struct llama_vocab *vocab;
    size_t width;            // of the vocabulary
    Prefill *weights;
    PrefillSeq *seq;
    int32_t *token;          // of the text
    size_t n_text, home, passages, each;
    int32_t prompt[MOST * 1024 + 1024];
    size_t n;                // of the prompt, with the cue
    size_t at[MOST];         // where passages stand
    size_t from[MOST];       // and where in the text
    uint16_t *data[MOST];
    int32_t follow[FOLLOW];
} Bench;

/* ---- the prompt ------------------------------------------------------------------- */

static size_t words(Bench *b, const char *text, size_t n, int32_t *out, size_t most)
{
    int got = llama_tokenize(b->vocab, text, (int)n, out, (int)most, false, false);
    return got < 0 ? 0 : (size_t)got;
}

/* Passages in another order than the text's, then a cue from the middle of the last but
 * one. */
static void compose(Bench *b)
{
    size_t stride = b->passages % 3 ? 3 : 2, whose = 0;
    b->n = b->home = words(b, instruction, sizeof instruction - 1, b->prompt, 512);
    for (size_t i = 0; i < b->passages; i++) {
        b->from[i] = i * stride % b->passages * b->each;
        b->at[i] = b->n;
        memcpy(b->prompt + b->n, b->token + b->from[i], b->each * sizeof *b->prompt);
        b->n += b->each;
        if (i + 2 == b->passages) whose = b->from[i];
    }
    size_t cue = whose + b->each / 2;
    b->n += words(b, "\nAgain: ", 8, b->prompt + b->n, 16);
    memcpy(b->prompt + b->n, b->token + cue, CUE * sizeof *b->prompt);
    b->n += CUE;
    memcpy(b->follow, b->token + cue + CUE, FOLLOW * sizeof *b->follow);
}

static Status load(Bench *b, const char *model, const char *text, int threads)
{
    Str all;
    PrefillOptions opt = { .threads = threads, .max_bytes = UINT64_MAX,
                           .step_percent = 400 };
    engine_start();
    TRY(file_read(&b->cx, text, TEXT_MAX, &all));
    b->model = llama_model_load_from_file(model, llama_model_default_params());
    if (!b->model) return fail(&b->cx, E_MODEL, "%s: not loaded", model);
    b->vocab = llama_model_get_vocab(b->model);
    b->width = (size_t)llama_vocab_n_tokens(b->vocab);
    TRY_NEW(b->token = ctx_new(&b->cx, int32_t, all.n));
    b->n_text = words(b, all.p, all.n, b->token, all.n);
    if (b->n_text < (b->passages + BEFORE) * b->each || b->each < 2 * (CUE + FOLLOW))
        return fail(&b->cx, E_ARG, "%zu tokens in %s", b->n_text, text);
    if (!prefill_way(&opt.way)) return fail(&b->cx, E_MODEL, "no fast products here");
    TRY(prefill_open(&b->cx, model, &opt, &b->weights));
    TRY(prefill_seq_open(&b->cx, b->weights, &b->seq));
    compose(b);
    return OK;
}

/* ---- reading ---------------------------------------------------------------------- */

/* Where a passage of the prompt stood when it was taken out. */
static size_t home_of(const Bench *b, size_t i)
{
    return b->home + (i ? BEFORE * b->each : 0);
}

/* Each passage behind the instruction, and what stands for passages. */
static Status take_all(Bench *b)
{
    size_t values = prefill_values(b->weights, b->each);
    TRY(prefill_run(&b->cx, b->seq, b->prompt, 0, b->home));
    for (size_t i = 0; i < b->passages; i++) {
        size_t at = home_of(b, i);
        TRY_NEW(b->data[i] = ctx_new(&b->cx, uint16_t, values));
        if (i == 1)
            TRY(prefill_run(&b->cx, b->seq, b->token + b->passages * b->each, b->home,
                            at - b->home));
        TRY(prefill_run(&b->cx, b->seq, b->token + b->from[i], at, b->each));
        prefill_take_out(b->seq, at, b->each, b->data[i]);
    }
    return OK;
}

/* The whole prompt but its last token; head SIZE_MAX: plainly. */
static Status read_prompt(Bench *b, size_t head)
{
    PrefillKnown known[MOST];
    size_t n = head == SIZE_MAX ? 0 : b->passages;
    for (size_t i = 0; i < n; i++) {
        size_t skip = i ? head : 0;
        known[i] = (PrefillKnown){ b->data[i], b->each, home_of(b, i), skip,
                                   b->at[i] + skip };
    }
    PrefillText text = { b->prompt, 0, b->n - 1, known, n };
    return prefill_read(&b->cx, b->seq, &text);
}

/* Logits (FOLLOW, vocab) behind the prompt and those that continue it. */
static Status follow(Bench *b, float *out)
{
    int32_t token[FOLLOW] = { b->prompt[b->n - 1] };
    memcpy(token + 1, b->follow, (FOLLOW - 1) * sizeof *token);
    for (size_t at = 0; at < FOLLOW; at += PREFILL_STEP) {
        size_t n = FOLLOW - at < PREFILL_STEP ? FOLLOW - at : PREFILL_STEP;
        PrefillPart part = { b->seq, token + at, n, NULL };
        TRY(prefill_step(&b->cx, b->weights, &part, 1));
        memcpy(out + at * b->width, part.logits, n * b->width * sizeof *out);
    }
    return OK;
}

/* ---- distributions ---------------------------------------------------------------- */

static size_t top(const float *x, size_t n)
{
    size_t at = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[at]) at = i;
    return at;
}

static double log_sum(const float *x, size_t n)
{
    double sum = 0;
    float most = x[top(x, n)];
    for (size_t i = 0; i < n; i++) sum += exp((double)(x[i] - most));
    return log(sum) + (double)most;
}

/* Mean KL(p || q), the same best token, and the mean log-likelihood of what follows. */
static void compare(const Bench *b, const float *p, const float *q, const char *what)
{
    double kl = 0, likely = 0;
    size_t same = 0, n = b->width;
    for (size_t r = 0; r < FOLLOW; r++, p += n, q += n) {
        double zp = log_sum(p, n), zq = log_sum(q, n);
        for (size_t i = 0; i < n; i++) {
            double lp = (double)p[i] - zp;
            if (lp > -30) kl += exp(lp) * (lp - ((double)q[i] - zq)) / FOLLOW;
        }
        same += top(p, n) == top(q, n);
        likely += ((double)q[b->follow[r]] - zq) / FOLLOW;
    }
    printf("  %-22s KL %.5f, same best token %5.1f %%, what follows %.3f nats\n", what,
           kl, 100.0 * (double)same / FOLLOW, -likely);
}

static Status measure(Bench *b)
{
    static const size_t head[] = { 0, 8, 16, 32, 64 };
    float *plain = malloc(FOLLOW * b->width * sizeof *plain);
    float *other = malloc(FOLLOW * b->width * sizeof *other);
    Status st = plain && other ? OK : fail(&b->cx, E_MEMORY, "no memory for logits");
    if (st == OK) st = read_prompt(b, SIZE_MAX);
    if (st == OK) st = follow(b, plain);
    if (st == OK) compare(b, plain, plain, "plain");
    for (size_t i = 0; st == OK && i < sizeof head / sizeof *head; i++) {
        char what[32];
        snprintf(what, sizeof what, "heads of %zu", head[i]);
        st = read_prompt(b, head[i]);
        if (st == OK) st = follow(b, other);
        if (st == OK) compare(b, plain, other, what);
    }
    /* What the passages are worth at all: the cue alone. */
    size_t n = b->n - (b->at[b->passages - 1] + b->each);
    if (st == OK) st = prefill_run(&b->cx, b->seq, b->prompt, 0, b->home);
    if (st == OK) st = prefill_run(&b->cx, b->seq, b->prompt + b->n - n, b->home, n - 1);
    if (st == OK) st = follow(b, other);
    if (st == OK) compare(b, plain, other, "without passages");
    free(plain);
    free(other);
    return st;
}

/* ---- times ------------------------------------------------------------------------ */

static Status time_reading(Bench *b, size_t head, const char *what)
{
    Took best = { 0 };
    for (int i = 0; i < TURNS; i++) {
        TRY(prefill_run(&b->cx, b->seq, NULL, 0, 0));
        Took begin = took_begin();
        TRY(read_prompt(b, head));
        PrefillPart part = { b->seq, b->prompt + b->n - 1, 1, NULL };
        TRY(prefill_step(&b->cx, b->weights, &part, 1));
        took_end(begin, &best);
    }
    printf("  %-22s %7.0f ms, of processors %7.0f ms, to the first token\n", what,
           best.wall, best.cpu);
    return OK;
}

/* KEPT tokens out of the store, checked, turned and put in place. */
static Status time_store(Bench *b)
{
    char folder[] = "/tmp/pith-bench-kv-XXXXXX";
    Took find = { 0 }, all = { 0 };
    size_t bytes = prefill_values(b->weights, KEPT) * sizeof(uint16_t);
    KvStore *s = NULL;
    Blake2bHex key = blake2b_bytes(STR("bench"));
    uint16_t *data = ctx_alloc(&b->cx, bytes, 1);
    TRY_NEW(data);
    TRY(prefill_run(&b->cx, b->seq, b->token, 0, KEPT));
    prefill_take_out(b->seq, 0, KEPT, data);
    if (!mkdtemp(folder)) return fail(&b->cx, E_IO, "%s", folder);
    Status st = kv_store_open(&b->cx, folder, UINT64_MAX, &s);
    if (st == OK && kv_store_put(s, &(KvNew){ key, data, bytes, 1, false }) != KV_KEPT)
        st = fail(&b->cx, E_IO, "%s: not kept", folder);
    for (int i = 0; st == OK && i < 5 * TURNS; i++) {
        KvEntry e = { 0 };
        Took begin = took_begin();
        if (!kv_store_find(s, key, bytes, &e)) st = fail(&b->cx, E_IO, "not found");
        took_end(begin, &find);
        PrefillKnown known = { e.data, KEPT, 0, 0, 100 };
        PrefillText text = { b->token, 100, KEPT, &known, 1 };
        if (st == OK) st = prefill_read(&b->cx, b->seq, &text);
        took_end(begin, &all);
        kv_entry_close(&e);
    }
    if (st == OK)
        printf("  %d tokens, %.1f MiB: %.2f ms to find and check, %.2f ms with putting "
               "in place (of processors %.2f)\n", KEPT, (double)bytes / (1 << 20),
               find.wall, all.wall, all.cpu);
    kv_store_close(s);
    Status gone = folder_remove(&b->cx, folder);
    return st == OK ? gone : st;
}

static Status run(Bench *b, int threads)
{
    printf("%zu passages of %zu tokens, a prompt of %zu, %d threads\n", b->passages,
           b->each, b->n, threads);
    if (!prefill_can_step(b->weights))
        return fail(&b->cx, E_MODEL, "this machine does not write by our own pass");
    TRY(take_all(b));
    TRY(measure(b));
    TRY(time_reading(b, SIZE_MAX, "plain"));
    TRY(time_reading(b, 16, "known, heads of 16"));
    TRY(time_reading(b, 64, "known, heads of 64"));
    return time_store(b);
}

int main(int argc, char **argv)
{
    static Bench b;
    int threads = argc > 5 ? atoi(argv[5]) : machine_cores();
    b.passages = argc > 3 ? (size_t)atol(argv[3]) : 5;
    b.each = argc > 4 ? (size_t)atol(argv[4]) : KEPT;
    if (argc < 3 || b.passages < 2 || b.passages > MOST || b.each > 1024 || threads < 1) {
        fprintf(stderr, "bench_kv MODEL.gguf TEXT [PASSAGES [TOKENS [THREADS]]]\n");
        return 2;
    }
    Status st = load(&b, argv[1], argv[2], threads);
    if (st == OK) st = run(&b, threads);
    if (st != OK) fprintf(stderr, "bench_kv: %s %s\n", b.cx.reason, engine_reason());
    prefill_seq_close(b.seq);
    prefill_close(b.weights);
    if (b.model) llama_model_free(b.model);
    ctx_end(&b.cx);
    return st == OK ? 0 : 1;
}
