/* likeness.c -- see likeness.h. A place is a token that is foretold: the second of a text
 * is the first. */
#include "model/likeness.h"

#include "model/engine.h"

#include <llama.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 64, STEP = 32, PLACES_LEAST = 16 };   // STEP: tokens computed at a time

/* What the original expects at a place: its likeliest tokens, best first. */
typedef struct Place {
    int32_t token[KEPT];
    float logprob[KEPT];
    float said;                 // log-probability of the token that stands there
} Place;

typedef struct Text {
    int32_t token[LIKENESS_TOKENS];
    size_t n;
    Place *place;               // (n - 1)
} Text;

struct Expected {
    Ctx memory;
    int threads, vocab;
    Text *text;
    size_t n, places;
};

/* ---- a model, and what it says ---------------------------------------------------- */

typedef struct Reader {
    struct llama_model *model;
    struct llama_context *talk;
    int vocab;
} Reader;

static void reader_close(Reader *r)
{
    if (r->talk) llama_free(r->talk);
    if (r->model) llama_model_free(r->model);
}

static Status reader_open(Ctx *cx, const char *path, int threads, Reader *r)
{
    struct llama_model_params mp = llama_model_default_params();
    struct llama_context_params p = llama_context_default_params();
    *r = (Reader){ 0 };
    engine_start();
    engine_reason_clear();
    if (!(r->model = llama_model_load_from_file(path, mp)))
        return fail(cx, E_MODEL, "%s: %s", path, engine_reason());
    p.n_ctx = LIKENESS_TOKENS;
    p.n_batch = p.n_ubatch = STEP;
    p.n_threads = p.n_threads_batch = threads;
    p.no_perf = true;
    r->talk = llama_init_from_model(r->model, p);
    r->vocab = llama_vocab_n_tokens(llama_model_get_vocab(r->model));
    if (r->talk && r->vocab > KEPT) return OK;
    reader_close(r);
    *r = (Reader){ 0 };
    return fail(cx, E_MODEL, "%s: cannot be read with: %s", path, engine_reason());
}

/* Computes some tokens of a text, the logits behind each. */
static Status read_some(Ctx *cx, const Reader *r, const Text *t, size_t at, size_t n)
{
    TRY(ctx_check(cx));
    struct llama_batch b = llama_batch_init(STEP, 0, 1);
    for (size_t i = 0; i < n; i++) {
        b.token[i] = t->token[at + i];
        b.pos[i] = (llama_pos)(at + i);
        b.n_seq_id[i] = 1;
        b.seq_id[i][0] = 0;
        b.logits[i] = true;
    }
    b.n_tokens = (int32_t)n;
    int rc = llama_decode(r->talk, b);
    llama_batch_free(b);
    return rc == 0 ? OK : fail(cx, E_MODEL, "computing %zu tokens ended with %d", n, rc);
}

/* The logarithm by which logits become log-probabilities. */
static double log_sum(const float *logit, int n)
{
    float most = logit[0];
    double others = -1;         // the largest itself is counted with them
    for (int i = 1; i < n; i++) most = fmaxf(most, logit[i]);
    for (int i = 0; i < n; i++) others += (double)expf(logit[i] - most);
    return (double)most + log1p(others);
}

/* Calls each(arg, text, place, logits) for all places of a text. */
typedef void (*OnPlace)(void *arg, Text *t, size_t place, const float *logit);

static Status read_text(Ctx *cx, const Reader *r, Text *t, OnPlace each, void *arg)
{
    llama_memory_clear(llama_get_memory(r->talk), true);
    for (size_t at = 0, n; at + 1 < t->n; at += n) {
        n = t->n - 1 - at < STEP ? t->n - 1 - at : STEP;
        TRY(read_some(cx, r, t, at, n));
        for (size_t i = 0; i < n; i++)
            each(arg, t, at + i, llama_get_logits_ith(r->talk, (int)i));
    }
    return OK;
}

/* ---- the original ----------------------------------------------------------------- */

/* The likeliest KEPT, by insertion into a short sorted list, which most logits do not
 * pass. */
static void keep(void *arg, Text *t, size_t at, const float *logit)
{
    const Reader *r = arg;
    Place *p = &t->place[at];
    size_t n = 0;
    double z = log_sum(logit, r->vocab);
    for (int i = 0; i < r->vocab; i++) {
        if (n == KEPT && logit[i] <= p->logprob[KEPT - 1]) continue;
        size_t k = n < KEPT ? n++ : KEPT - 1;
        for (; k > 0 && p->logprob[k - 1] < logit[i]; k--) {
            p->logprob[k] = p->logprob[k - 1];
            p->token[k] = p->token[k - 1];
        }
        p->logprob[k] = logit[i];
        p->token[k] = i;
    }
    for (size_t k = 0; k < KEPT; k++) p->logprob[k] -= (float)z;
    p->said = logit[t->token[at + 1]] - (float)z;
}

static Status tokenize(Ctx *cx, const Reader *r, Expected *e, Str text)
{
    const struct llama_vocab *vocab = llama_model_get_vocab(r->model);
    Text *t = &e->text[e->n];
    size_t bytes = text.n < 8 * LIKENESS_TOKENS ? text.n : 8 * LIKENESS_TOKENS;
    int32_t *all = ctx_new(cx, int32_t, bytes + 8);
    TRY_NEW(all);
    int got = llama_tokenize(vocab, text.p, (int)bytes, all, (int)bytes + 8, true, false);
    if (got < 2) return OK;
    t->n = got < LIKENESS_TOKENS ? (size_t)got : LIKENESS_TOKENS;
    memcpy(t->token, all, t->n * sizeof *all);
    if (!(t->place = ctx_new(&e->memory, Place, t->n - 1)))
        return fail(cx, E_MEMORY, "no memory for %zu places", t->n - 1);
    e->places += t->n - 1;
    e->n++;
    return OK;
}

static Status read_original(Ctx *cx, Reader *r, const Str *texts, size_t n, Expected *e)
{
    e->vocab = r->vocab;
    if (!(e->text = ctx_new(&e->memory, Text, n)))
        return fail(cx, E_MEMORY, "no memory for %zu texts", n);
    for (size_t i = 0; i < n; i++) TRY(tokenize(cx, r, e, texts[i]));
    if (e->places < PLACES_LEAST)
        return fail(cx, E_ARG, "%zu tokens of text are too few to compare models by; %d "
                    "are wanted", e->places, PLACES_LEAST);
    for (size_t i = 0; i < e->n; i++) TRY(read_text(cx, r, &e->text[i], keep, r));
    return OK;
}

Status expected_open(Ctx *cx, const char *path, int threads, const Str *texts, size_t n,
                     Expected **out)
{
    Reader r = { 0 };
    Expected *e = calloc(1, sizeof *e);
    *out = NULL;
    if (!e) return fail(cx, E_MEMORY, "no memory to compare models");
    e->threads = threads;
    Status st = reader_open(cx, path, threads, &r);
    if (st == OK) st = read_original(cx, &r, texts, n, e);
    reader_close(&r);
    if (st == OK) *out = e;
    else expected_close(e);
    return st;
}

void expected_close(Expected *e)
{
    if (!e) return;
    ctx_end(&e->memory);
    free(e);
}

/* ---- another form of it ----------------------------------------------------------- */

typedef struct Sums {
    int vocab;
    double said, original, divergence;
    size_t same;
} Sums;

static void compare(void *arg, Text *t, size_t at, const float *logit)
{
    Sums *s = arg;
    const Place *p = &t->place[at];
    double z = log_sum(logit, s->vocab), rest_p = 1, rest_q = 1;
    int top = 0;
    for (int i = 1; i < s->vocab; i++)
        if (logit[i] > logit[top]) top = i;
    for (size_t k = 0; k < KEPT; k++) {
        double lp = (double)p->logprob[k], lq = (double)logit[p->token[k]] - z;
        s->divergence += exp(lp) * (lp - lq);
        rest_p -= exp(lp);
        rest_q -= exp(lq);
    }
    if (rest_p > 1e-6 && rest_q > 1e-6) s->divergence += rest_p * log(rest_p / rest_q);
    s->same += top == p->token[0];
    s->said += (double)logit[t->token[at + 1]] - z;
    s->original += (double)p->said;
}

Status likeness(Ctx *cx, const Expected *e, const char *path, Likeness *out)
{
    Reader r;
    Sums s = { .vocab = e->vocab };
    *out = (Likeness){ 0 };
    TRY(reader_open(cx, path, e->threads, &r));
    Status st = r.vocab == e->vocab ? OK
              : fail(cx, E_MODEL, "%s: its vocabulary is another", path);
    for (size_t i = 0; i < e->n && st == OK; i++)
        st = read_text(cx, &r, &e->text[i], compare, &s);
    reader_close(&r);
    TRY(st);
    double n = (double)e->places;
    *out = (Likeness){ e->places, exp(-s.said / n), exp(-s.original / n),
                       fmax(s.divergence / n, 0), (double)s.same / n };
    if (isfinite(out->perplexity) && isfinite(out->divergence)) return OK;
    return fail(cx, E_MODEL, "%s: its logits are not finite", path);
}
