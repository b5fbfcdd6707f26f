/* fit.h -- the forms that a generator's weights can take, and the rule by which
 * `pith model fit` picks one. */
#ifndef PITH_API_FIT_H
#define PITH_API_FIT_H

#include "api/bench.h"
#include "api/fitted.h"
#include "model/likeness.h"

/* A way to write the weights; blocks NULL: as the file is. */
typedef struct FitForm {
    const char *name, *blocks, *head;
} FitForm;

/* All of them, the file as it is first; *n of them. Static memory. */
const FitForm *fit_forms(size_t *n);

enum { FIT_RUNS = 8 };

/* A form measured with so many threads. */
typedef struct FitRun {
    int threads;
    BenchGenerator figures;
    double share;               // of the machine's reading; 0: not known
    double answer_ms;           // a whole answer
} FitRun;

typedef struct FitTry {
    const FitForm *form;
    uint64_t bytes;             // of the file
    Likeness like;
    bool within;                // the bound on what is lost
    FitRun run[FIT_RUNS];
    int runs, best;             // best: the run with the shortest answer
    double engine_tok_s;        // prompts read by libllama
} FitTry;

typedef struct FitRule {
    int prompt, answer;         // tokens
    double max_loss;            // nats a token, beyond what the file that is named loses
} FitRule;

/* Thread counts to try: 1, 2, 4, ... and all, at most FIT_RUNS. */
int fit_threads(int most, int out[FIT_RUNS]);

/* Milliseconds of a whole answer at these rates. */
double fit_answer_ms(const FitRule *rule, const BenchGenerator *g);

/* Sets within and best of each, and gives the index of the one to use; try[0] is the file
 * as it is, which stays unless another takes at most 95 % of its time. */
size_t fit_pick(const FitRule *rule, FitTry *try, size_t n);

/* A run of pith_model_fit. */
typedef struct Fit {
    const pith_options *open;
    const pith_fit_options *opt;
    FitRule rule;
    Str name, source, original; // the model; its file; the best file there is of it
    FittedPaths at;
    const Str *texts;
    size_t n_texts;
    const char *texts_from;
    pith_results *sample;       // owns the texts; NULL: the library does
    int threads;
    double gb_s;
    Expected *expected;
    FitTry *try;
    size_t n;
    double flash_ms[2];         // of a whole answer by libllama: without, with
} Fit;

/* What was found, the form try[best] being the one to use; NULL: no memory. */
json_t *fit_record(Ctx *cx, const Fit *f, size_t best);

/* Texts to measure with where there is no store. Static memory. */
const Str *fit_texts(size_t *n);

#endif
