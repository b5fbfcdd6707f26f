/* bench.h -- what the parts of `pith bench` share.
 *
 * bench.c runs the parts and tells their figures, bench_models.c measures models alone,
 * bench_store.c searches and answers in temporary stores, bench_text.c writes the text
 * that is read. A figure is the median of a series; its spread is the least and most. */
#ifndef PITH_API_BENCH_H
#define PITH_API_BENCH_H

#include "api/handle.h"

#include <jansson.h>

enum { SERIES_MAX = 400 };

typedef struct Series {
    double at[SERIES_MAX];
    size_t n;
} Series;

void series_add(Series *s, double value);
/* The value below which a share q of [0,1] lies, between two neighbours by a straight
 * line; 0 of an empty series. */
double series_at(const Series *s, double q);
/* Four digits of a figure; a series' median, and its least and most: null where empty. */
json_t *bench_number(double v);
json_t *series_median_json(const Series *s);
json_t *series_spread_json(const Series *s);

typedef struct Bench {
    const pith_options *open;           // models, threads, cancellation
    const pith_bench_options *opt;
    Str folder;                         // temporary, for stores
    int threads;
} Bench;

/* Tells the owner what is measured now. */
void bench_step(const Bench *b, const char *what);
int bench_repeats(const Bench *b, int quick, int full);
/* A handle of the owner's models over a store of that name in the folder. */
MUST_USE Status bench_open(Ctx *cx, const Bench *b, const char *store, pith **out);

/* About n tokens of English by m's tokenizer, at least one sentence; the same seed gives
 * the same. In cx's arena. */
MUST_USE Status bench_text(Ctx *cx, Model *m, int n, unsigned seed, Str *out);
/* The i-th question that these texts answer; NUL-terminated, in the arena. */
Str bench_question(Ctx *cx, unsigned i);

/* How a generator is measured. */
typedef struct BenchPlan {
    ModelOptions model;         // threads; with whose reading
    int repeats, prompt, written;   // tokens of each
    const Str *texts;           // what the prompt is made of; NULL: text without end
    size_t n_texts;
} BenchPlan;

typedef struct BenchGenerator {
    Str name;
    const char *quant;          // NULL: the model is no file
    uint64_t weight_bytes;      // read for each token; 0 likewise
    uint64_t step_bytes;        // the same as the one who writes has them
    bool ours;                  // prompts are read by our own pass, not libllama's
    bool we_write;              // answers are written by it
    Series prefill, decode;     // tokens/s; drafts and all
    Series step;                // steps/s: tokens one by one
} BenchGenerator;

MUST_USE Status bench_generator(Ctx *cx, const char *path, const BenchPlan *plan,
                                BenchGenerator *out);
/* The share of the machine's reading that a token written takes; 0: not known. */
double bench_bandwidth(const BenchGenerator *g, double gb_s);
/* Passages of 150 tokens a second. No role "none": series stay empty. */
MUST_USE Status bench_embed(Ctx *cx, const Bench *b, pith *p, Series *out);
MUST_USE Status bench_rerank(Ctx *cx, const Bench *b, pith *p, Series *out);

/* Milliseconds of hybrid searches over that many chunks. */
MUST_USE Status bench_search(Ctx *cx, const Bench *b, size_t chunks, Series *out);
MUST_USE Status bench_ask(Ctx *cx, const Bench *b, Series *cold, Series *warm);

#endif
