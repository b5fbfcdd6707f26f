/* train.c -- see train.h. */
#include "tune/train.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "model/crew.h"
#include "model/lineage.h"
#include "model/machine.h"
#include "tune/adapter.h"
#include "tune/examples.h"
#include "model/rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MEGABYTE = 1 << 20, WARM_UP = 20, CURVE_MAX = 64 << 20, PIECES = 16 };

/* A thread's own: its pass and its derivatives. */
typedef struct Worker {
    Tape *tape;
    float *grad;
    const Sample *sample;
    double loss;
} Worker;

typedef struct Run {
    TrainOptions opt;
    Lm *lm;
    LoraShape lora;
    Blake2bHex lineage;
    Examples examples;
    Packer packer;
    int32_t *token;              // (batch, seq): of the step's rows
    uint8_t *learn;              // the same
    uint32_t *begin;             // (batch, seq + 1)
    Sample *sample;              // (batch), longest first
    Worker worker[CREW_MAX];
    size_t workers, n;           // n: trainable numbers
    float *p, *m, *v, *grad;
    float weight;                // 1 / learned tokens of this step
    size_t rows;                 // how many the workers have derived, to be added
    double square[PIECES];       // of the derivative, by piece
    Adam adam;
    TrainState state;
    Str state_path, adapter_path, peft_path, curve_path;
    Buf curve;                   // a line a step, as the file has it
    double begun, tokens;        // of this call
} Run;

/* ---- options ---------------------------------------------------------------------- */

static Status settle(Ctx *cx, TrainOptions *o)
{
    if (!o->data || !o->model || !o->out)
        return fail(cx, E_ARG,
                    "training needs data, a model and a folder for its outcome");
    if (o->rank == 0) o->rank = 8;
    if (o->alpha == 0) o->alpha = 2 * (float)o->rank;
    if (o->seq == 0) o->seq = 256;
    if (o->batch == 0) o->batch = 4;
    if (o->rate == 0) o->rate = 5e-4;
    if (o->save_every == 0) o->save_every = 50;
    if (o->threads == 0) o->threads = machine_cores();
    if (o->rank < 1 || o->rank > 256)
        return fail(cx, E_ARG, "rank %d; 1 to 256 is wanted", o->rank);
    if (o->seq < 16 || o->seq > 16384)
        return fail(cx, E_ARG, "rows of %d tokens; 16 to 16384 are wanted", o->seq);
    if (o->batch < 1 || o->batch > 4096 || o->steps < 0 || o->save_every < 1
        || o->threads < 1)
        return fail(cx, E_ARG, "a batch, steps or threads below 1");
    if (!(o->rate > 0 && o->rate < 1) || !(o->alpha > 0) || !(o->minutes >= 0))
        return fail(cx, E_ARG, "a learning rate of %g; above 0 and below 1 is wanted",
                    o->rate);
    return OK;
}

static double megabytes(double bytes)
{
    return bytes / MEGABYTE;
}

/* What the run will hold, before anything is read. */
static Status check_memory(Ctx *cx, const Run *r, const LmShape *s)
{
    const TrainOptions *o = &r->opt;
    double weights = lm_bytes(s, gemm_best_frozen());
    double n = (double)lora_count(s, (size_t)o->rank) * sizeof(float);
    double tape = (double)tape_bytes(s, gemm_best_frozen(), (size_t)o->rank,
                                     (size_t)o->seq);
    double rows = (double)o->batch * ((double)o->seq * 9 + sizeof(Sample));
    double need = megabytes(weights + 4 * n + rows + (double)r->workers * (n + tape))
                + 64;
    double room = megabytes((double)machine_free_bytes());
    if (o->max_mb > 0 && o->max_mb < room) room = o->max_mb;
    if (o->on_note) {
        Str note = ctx_printf(cx,
                              "training needs %.0f MB: %.0f for the weights, %.0f for "
                              "each of %zu threads", need, megabytes(weights),
                              megabytes(n + tape), r->workers);
        if (note.p) o->on_note(o->arg, note.p);
    }
    if (need <= room) return OK;
    return fail(cx, E_LIMIT,
                "training would take %.0f MB and %.0f are allowed: lower --seq or "
                "--threads (a thread takes %.0f MB), or take a smaller model", need, room,
                megabytes(n + tape));
}

/* ---- begin and end ---------------------------------------------------------------- */

static Status read_data(Ctx *cx, Run *r)
{
    Model *words = NULL;
    ModelOptions mo = { .words_only = true };
    TRY(model_open(cx, r->opt.model, &mo, &words));
    Status st = examples_read(cx, r->opt.data, words, (size_t)r->opt.seq, &r->examples);
    model_close(words);
    if (st != OK) return st;
    const Examples *e = &r->examples;
    for (size_t i = 0; i < e->n_tokens; i++)
        if (e->token[i] < 0 || (size_t)e->token[i] >= r->lm->shape.vocab)
            return fail(cx, E_FORMAT,
                        "%s: its vocabulary has token %d, its embedding %zu rows",
                        r->opt.model, e->token[i], r->lm->shape.vocab);
    Str note = ctx_printf(cx,
                          "%zu examples of %zu tokens; %zu longer than %d were cut, %zu "
                          "left out", e->n, e->n_tokens, e->cut, r->opt.seq, e->dropped);
    if (r->opt.on_note && note.p) r->opt.on_note(r->opt.arg, note.p);
    return packer_open(cx, e, (size_t)r->opt.seq, r->opt.seed, &r->packer);
}

/* A ~ U(-1, 1) / sqrt(in), B = 0: the adapter begins as nothing. */
static void initial(Run *r)
{
    const LmShape *s = &r->lm->shape;
    uint64_t state = r->opt.seed ^ 0xA0761D6478BD642Fu;
    for (size_t i = 0; i < s->layers; i++)
        for (Linear l = 0; l < LINEARS; l++) {
            float *a = r->p + lora_a(s, r->lora.rank, i, l);
            double size = 1 / sqrt((double)lm_in(s, l));
            for (size_t k = 0; k < r->lora.rank * lm_in(s, l); k++)
                a[k] = (float)(size * ((double)(random_next(&state) >> 11) * 0x1p-52
                                       - 1));
        }
}

/* Zeros, in large pages where there are any: a row goes through all of them. */
static float *numbers(size_t n)
{
    enum { LINE = 64 };
    size_t bytes = (n + 16) * sizeof(float);
    float *p = aligned_alloc(LINE, (bytes + LINE - 1) / LINE * LINE);
    if (!p) return NULL;
    machine_large_pages(p, bytes);
    return memset(p, 0, bytes);
}

static Status open_workers(Ctx *cx, Run *r)
{
    size_t seq = (size_t)r->opt.seq, batch = (size_t)r->opt.batch;
    r->n = lora_count(&r->lm->shape, r->lora.rank);
    r->p = numbers(r->n), r->m = numbers(r->n), r->v = numbers(r->n),
        r->grad = numbers(r->n);
    r->token = calloc(batch * seq, sizeof *r->token);
    r->learn = calloc(batch, seq);
    r->begin = calloc(batch * (seq + 1), sizeof *r->begin);
    r->sample = calloc(batch, sizeof *r->sample);
    bool ok = r->p && r->m && r->v && r->grad && r->token && r->learn && r->begin
           && r->sample;
    for (size_t i = 0; ok && i < r->workers; i++) {
        Worker *w = &r->worker[i];
        w->grad = numbers(r->n);
        ok = w->grad != NULL;
        if (ok) TRY(tape_open(cx, r->lm, r->lora, seq, &w->tape));
    }
    return ok ? OK : fail(cx, E_MEMORY, "no memory for %zu trainable numbers", r->n);
}

/* A hash over what a resumed run must share with the one before. */
static Status run_key(Ctx *cx, Run *r)
{
    const TrainOptions *o = &r->opt;
    Blake2bHex data;
    TRY(blake2b_file(cx, o->data, &data));
    Str all = ctx_printf(cx, "%s %s %s %d %a %d %d %d %a %llu", data.z, r->lineage.z,
                         gemm_name(r->lm->way), o->rank, (double)o->alpha, o->seq,
                             o->batch,
                         o->steps, o->rate, (unsigned long long)o->seed);
    TRY_NEW(all.p);
    memcpy(r->state.key, blake2b_bytes(all).z, sizeof r->state.key);
    r->state.n = r->n;
    return OK;
}

/* The losses up to the checkpoint; those of steps that are done again come again. */
static Status read_curve(Ctx *cx, Run *r)
{
    Str text;
    Status st = file_read(cx, r->curve_path.p, CURVE_MAX, &text);
    if (st == E_NOTFOUND) {
        ctx_forgive(cx);
        return OK;
    }
    TRY(st);
    size_t n = 0;
    for (uint64_t i = 0; i < r->state.step && n < text.n; i++) {
        const char *end = memchr(text.p + n, '\n', text.n - n);
        n = end ? (size_t)(end - text.p) + 1 : text.n;
    }
    buf_add(&r->curve, (Str){ text.p, n });
    return OK;
}

static Status resume(Ctx *cx, Run *r)
{
    TRY(run_key(cx, r));
    Status st = state_read(cx, r->state_path.p, &r->state,
                           (float *[]){ r->p, r->m, r->v });
    if (st == E_NOTFOUND) {
        ctx_forgive(cx);
        initial(r);
        return OK;
    }
    TRY(st);
    if (r->state.next >= r->examples.n)
        return fail(cx, E_FORMAT, "%s: it is at example %llu of %zu", r->state_path.p,
                    (unsigned long long)r->state.next, r->examples.n);
    r->packer.epoch = r->state.epoch;
    r->packer.next = r->state.next;
    TRY(read_curve(cx, r));
    Str note = ctx_printf(cx, "going on behind step %llu",
                          (unsigned long long)r->state.step);
    if (r->opt.on_note && note.p) r->opt.on_note(r->opt.arg, note.p);
    return OK;
}

static Status run_open(Ctx *cx, const TrainOptions *opt, Run *r)
{
    LmShape shape;
    r->opt = *opt;
    TRY(settle(cx, &r->opt));
    Str out = str_z(r->opt.out);
    r->lora = (LoraShape){ (size_t)r->opt.rank, r->opt.alpha / (float)r->opt.rank };
    r->workers = (size_t)(r->opt.threads < r->opt.batch ? r->opt.threads : r->opt.batch);
    if (r->workers > CREW_MAX) r->workers = CREW_MAX;
    TRY(lm_shape(cx, r->opt.model, &shape));
    if ((size_t)r->opt.seq > shape.window)
        return fail(cx, E_ARG, "rows of %d tokens; the model's window has %zu",
                    r->opt.seq,
                    shape.window);
    TRY(check_memory(cx, r, &shape));
    TRY(folder_make(cx, r->opt.out));
    TRY(path_join(cx, out, STR("state"), &r->state_path));
    TRY(path_join(cx, out, STR("adapter.gguf"), &r->adapter_path));
    TRY(path_join(cx, out, STR("peft"), &r->peft_path));
    TRY(path_join(cx, out, STR("curve.jsonl"), &r->curve_path));
    TRY(lineage_of(cx, r->opt.model, &r->lineage));
    TRY(lm_open(cx, r->opt.model, gemm_best_frozen(), &r->lm));
    TRY(read_data(cx, r));
    TRY(open_workers(cx, r));
    return resume(cx, r);
}

static void run_close(Run *r)
{
    for (size_t i = 0; i < r->workers; i++) {
        Worker *w = &r->worker[i];
        tape_close(w->tape);
        free(w->grad);
    }
    packer_close(&r->packer);
    examples_free(&r->examples);
    free(r->token);
    free(r->learn);
    free(r->begin);
    free(r->sample);
    free(r->p);
    free(r->m);
    free(r->v);
    free(r->grad);
    buf_free(&r->curve);
    lm_close(r->lm);
}

/* ---- a step ----------------------------------------------------------------------- */

static bool pass(void *arg, size_t thread, size_t i)
{
    Run *r = arg;
    Worker *w = &r->worker[i];
    (void)thread;
    w->loss = 0;
    memset(w->grad, 0, r->n * sizeof *w->grad);
    return tape_forward(w->tape, r->p, w->sample)
        && tape_backward(w->tape, r->p, w->sample, r->weight, &w->loss, w->grad);
}

static int longest_first(const void *a, const void *b)
{
    const Sample *x = a, *y = b;
    if (x->n != y->n) return x->n < y->n ? 1 : -1;
    return (x->token > y->token) - (x->token < y->token);
}

/* The step's rows, those of a length together, for threads wait for each other. Returns
 * how many tokens they learn. */
static size_t pack_rows(Run *r)
{
    size_t batch = (size_t)r->opt.batch, seq = (size_t)r->opt.seq, targets = 0;
    for (size_t i = 0; i < batch; i++) {
        packer_row(&r->packer, r->token + i * seq, r->learn + i * seq,
                   r->begin + i * (seq + 1), &r->sample[i]);
        targets += sample_targets(&r->sample[i]);
        r->tokens += (double)r->sample[i].n;
    }
    qsort(r->sample, batch, sizeof *r->sample, longest_first);
    return targets;
}

/* The trainable numbers are added and moved in pieces, which threads share; their number
 * is fixed, so that the sums are. */
static size_t piece_at(const Run *r, size_t i)
{
    enum { LINE = 16 };
    return i == PIECES ? r->n : r->n / LINE * i / PIECES * LINE;
}

static bool add_piece(void *arg, size_t thread, size_t i)
{
    Run *r = arg;
    size_t at = piece_at(r, i), n = piece_at(r, i + 1) - at;
    (void)thread;
    for (size_t w = 0; w < r->rows; w++)
        rows_add(n, r->worker[w].grad + at, r->grad + at);
    return true;
}

static bool square_piece(void *arg, size_t thread, size_t i)
{
    Run *r = arg;
    size_t at = piece_at(r, i);
    (void)thread;
    r->square[i] = rows_square(piece_at(r, i + 1) - at, r->grad + at);
    return true;
}

static bool move_piece(void *arg, size_t thread, size_t i)
{
    Run *r = arg;
    size_t at = piece_at(r, i);
    (void)thread;
    rows_adam(&r->adam, piece_at(r, i + 1) - at, r->grad + at, r->p + at, r->m + at,
              r->v + at);
    return true;
}

/* For pieces that cannot go wrong. */
static void each_piece(Run *r, bool (*job)(void *arg, size_t thread, size_t i))
{
    bool done = crew_run(r->workers, PIECES, job, r);
    assert(done);
    (void)done;
}

/* The mean loss of the batch, its derivative into r->grad, and the square of that. */
static Status derive(Ctx *cx, Run *r, double *loss, double *square)
{
    size_t batch = (size_t)r->opt.batch, targets = pack_rows(r);
    r->weight = 1 / (float)targets;
    memset(r->grad, 0, r->n * sizeof *r->grad);
    *loss = *square = 0;
    for (size_t done = 0; done < batch; done += r->rows) {
        r->rows = batch - done < r->workers ? batch - done : r->workers;
        for (size_t i = 0; i < r->rows; i++) r->worker[i].sample = &r->sample[done + i];
        if (!crew_run(r->workers, r->rows, pass, r))
            return fail(cx, E_MEMORY, "no memory for a matrix product");
        each_piece(r, add_piece);
        for (size_t i = 0; i < r->rows; i++)
            *loss += r->worker[i].loss / (double)targets;
    }
    each_piece(r, square_piece);
    for (size_t i = 0; i < PIECES; i++) *square += r->square[i];
    return OK;
}

/* Warm-up, then half a cosine (Loshchilov and Hutter, arXiv 1608.03983) to a tenth. */
static double rate_at(const Run *r, uint64_t step, double progress)
{
    double warm = fmin(1, (double)step / WARM_UP);
    double cosine = 0.5 * (1 + cos(M_PI * fmin(1, progress)));
    return r->opt.rate * warm * (0.1 + 0.9 * cosine);
}

static void move(Run *r, double rate, double square)
{
    double norm = sqrt(square), step = (double)r->state.step;
    r->adam = (Adam){ .rate = (float)rate, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f,
                      .decay = 0.01f, .scale = norm > 1 ? (float)(1 / norm) : 1,
                      .fix1 = (float)(1 / (1 - pow(0.9, step))),
                      .fix2 = (float)(1 / (1 - pow(0.999, step))) };
    each_piece(r, move_piece);
}

static Status save(Ctx *cx, Run *r)
{
    AdapterInfo info = { r->lora.rank, r->opt.alpha, r->lineage.z };
    r->state.epoch = r->packer.epoch;
    r->state.next = r->packer.next;
    if (r->curve.failed) return fail(cx, E_MEMORY, "no memory for the loss curve");
    TRY(file_write(cx, r->curve_path.p, buf_str(&r->curve)));
    TRY(adapter_write_gguf(cx, r->adapter_path.p, r->lm, &info, r->p));
    TRY(adapter_write_peft(cx, r->peft_path.p, r->lm, &info, r->p));
    return state_write(cx, r->state_path.p, &r->state, (float *[]){ r->p, r->m, r->v });
}

/* ---- the run ---------------------------------------------------------------------- */

static double elapsed_s(const Run *r)
{
    return (now_ms() - r->begun) / 1e3;
}

/* Steps of the whole run; 0: time alone decides. */
static uint64_t steps_wanted(const Run *r)
{
    const TrainOptions *o = &r->opt;
    if (o->steps > 0) return (uint64_t)o->steps;
    if (o->minutes > 0) return 0;
    size_t row = (size_t)o->seq * (size_t)o->batch;
    return (r->examples.n_tokens + row - 1) / row;
}

static void tell(Run *r, uint64_t steps, double loss, double rate)
{
    double took = elapsed_s(r), speed = r->tokens / fmax(took, 1e-3);
    double a_step = (double)r->opt.batch * r->opt.seq / speed;
    double by_steps = steps ? (double)(steps - r->state.step) * a_step : INFINITY;
    double by_time = r->opt.minutes > 0 ? r->opt.minutes * 60 - took : INFINITY;
    TrainStep now = { r->state.step, steps, loss, rate, speed,
                      fmax(0, fmin(by_steps, by_time)) };
    buf_addf(&r->curve, "{\"step\":%llu,\"loss\":%.6g,\"lr\":%.4g}\n",
             (unsigned long long)now.step, loss, rate);
    if (r->opt.on_step) r->opt.on_step(r->opt.arg, &now);
}

static Status not_finite(Ctx *cx, const Run *r)
{
    uint64_t kept =
        r->state.step / (uint64_t)r->opt.save_every * (uint64_t)r->opt.save_every;
    return fail(cx, E_MODEL,
                "the loss of step %llu is not finite: stopped; the checkpoint "
                "before it (step %llu or later) is kept. Try a lower --rate",
                (unsigned long long)r->state.step + 1, (unsigned long long)kept);
}

/* The owner stopped the run: what was learned is kept. */
static Status keep_work(Ctx *cx, Run *r)
{
    Ctx own = CTX_INIT;          // cx has its error already
    Status st = r->state.step ? save(&own, r) : OK;
    Str note = ctx_printf(&own, "stopped behind step %llu; %s",
                          (unsigned long long)r->state.step,
                          st == OK ? "the same command goes on from there" : own.reason);
    if (r->opt.on_note && note.p) r->opt.on_note(r->opt.arg, note.p);
    ctx_end(&own);
    return cx->status;
}

static Status run_steps(Ctx *cx, Run *r, bool *finished)
{
    uint64_t steps = steps_wanted(r);
    double limit = r->opt.minutes * 60;
    r->begun = now_ms();
    while (!steps || r->state.step < steps) {
        double loss, square, took = elapsed_s(r);
        if (limit > 0 && took >= limit) break;
        if (ctx_check(cx) != OK) return keep_work(cx, r);
        TRY(derive(cx, r, &loss, &square));
        if (!isfinite(loss) || !isfinite(square)) return not_finite(cx, r);
        double progress = steps ? (double)r->state.step / (double)steps : took / limit;
        double rate = rate_at(r, ++r->state.step, progress);
        move(r, rate, square);
        if (r->state.step == 1) r->state.loss_first = loss;
        r->state.loss_last = loss;
        tell(r, steps, loss, rate);
        if (r->state.step % (uint64_t)r->opt.save_every == 0) TRY(save(cx, r));
    }
    *finished = !steps || r->state.step >= steps;
    return save(cx, r);
}

Status train(Ctx *cx, const TrainOptions *opt, TrainResult *out)
{
    Run *r = calloc(1, sizeof *r);
    *out = (TrainResult){ 0 };
    if (!r) return fail(cx, E_MEMORY, "no memory for training");
    r->curve = BUF(CURVE_MAX);
    Status st = run_open(cx, opt, r);
    if (st == OK) st = run_steps(cx, r, &out->finished);
    if (st == OK) {
        struct rusage use;
        getrusage(RUSAGE_SELF, &use);
        out->steps = r->state.step;
        out->loss_first = r->state.loss_first;
        out->loss_last = r->state.loss_last;
        out->tok_per_s = r->tokens / fmax(elapsed_s(r), 1e-3);
        out->peak_mb = (double)use.ru_maxrss / 1024;
        out->adapter = r->adapter_path;
    }
    run_close(r);
    free(r);
    return st;
}
