/* encoder.c -- the model of impl.h over the BERT of bert.h: texts in, vectors or scores
 * out.
 *
 * Texts become tokens, are sorted by length and packed into jobs of about PACK tokens,
 * longest first; each thread takes the next job. How texts share a job does not change
 * their vectors beyond rounding: no step looks across sequences.
 *
 * Invariant: a sequence has at least its two markers and at most the window. */
#include "model/encoder.h"

#include "model/crew.h"
#include "model/engine.h"
#include "model/gguf_file.h"
#include "model/machine.h"

#include <llama.h>
#include <stdlib.h>
#include <string.h>

enum {
    PACK = 512,               // tokens of a job, for which the weights are read once
    BYTES_PER_TOKEN = 128,    // text behind window * this is not even looked at
    MARKERS = 3,              // [CLS] query [SEP] text [SEP]
};

typedef struct Encoder {
    Model base;
    Ctx own;                  // its arena holds what lives as long as the model
    BertFile file;
    Bert *bert;
    MatmulWay way;
    struct llama_model *words;    // the vocabulary alone
    const struct llama_vocab *vocab;
    llama_token cls, sep;
    Str query_prefix;
    size_t threads;
    size_t room_tokens;
    BertRoom *room[CREW_MAX];     // made at the first use, one a thread
    double tokenize_ms;
} Encoder;

/* ---- tokens ----------------------------------------------------------------------- */

/* The head of a text that can matter, whole characters. */
static Str head_of(const Encoder *e, Str text)
{
    size_t max = (size_t)e->base.info.window * BYTES_PER_TOKEN;
    if (text.n <= max) return text;
    while (max > 0 && (text.p[max] & 0xC0) == 0x80) max--;
    return (Str){ text.p, max };
}

/* Tokens of text, no markers, into ids (max); the rest is dropped. room: (window *
 * BYTES_PER_TOKEN) ids. Returns how many. */
static size_t tokenize(const Encoder *e, Str text, llama_token *room, llama_token *ids,
                       size_t max)
{
    text = head_of(e, text);
    int cap = e->base.info.window * BYTES_PER_TOKEN;
    int n = 0;
    if (text.n)
        n = llama_tokenize(e->vocab, text.p, (int)text.n, room, cap, false, false);
    if (n < 0) n = 0;    // more tokens than bytes: no tokenizer does that
    size_t kept = (size_t)n < max ? (size_t)n : max;
    if (kept) memcpy(ids, room, kept * sizeof *ids);
    return kept;
}

static Status encoder_count(Ctx *cx, Model *base, Str text, int *n)
{
    const Encoder *e = (const Encoder *)base;
    if (text.n > INT32_MAX / 2)
        return fail(cx, E_LIMIT, "a text of %zu bytes is too long to count", text.n);
    int got = 0;
    if (text.n)
        got = llama_tokenize(e->vocab, text.p, (int)text.n, NULL, 0, false, false);
    *n = got < 0 ? -got : got;    // with no room for tokens: minus their number
    return OK;
}

/* ---- a call ----------------------------------------------------------------------- */

static Status encoder_unknown(Ctx *cx, Model *base, Str text, int *n)
{
    (void)cx;
    const Encoder *e = (const Encoder *)base;
    *n = engine_unknown(e->vocab, text.p, text.n);
    return OK;
}

/* Texts on their way to vectors. first: tokens that open each sequence, markers included;
 * all sequences end with [SEP]. */
typedef struct Call {
    Encoder *e;
    Ctx *cx;                  // of the calling thread: worker 0 alone may ask it
    const Str *texts;
    size_t n, n_first;
    const llama_token *first;
    bool pair;                // the text is a second part, of type 1
    llama_token *ids;         // (n, window): only as many as a text has are touched
    llama_token *room;        // (threads, window * BYTES_PER_TOKEN)
    Sequence *seq;            // (n), longest first
    size_t *job;              // (jobs + 1): where each job's sequences begin
    size_t jobs;
} Call;

static bool tokenize_one(void *arg, size_t worker, size_t i)
{
    Call *c = arg;
    const size_t window = (size_t)c->e->base.info.window;
    llama_token *ids = c->ids + i * window;
    llama_token *room = c->room + worker * window * BYTES_PER_TOKEN;
    memcpy(ids, c->first, c->n_first * sizeof *ids);
    size_t n = c->n_first;
    n += tokenize(c->e, c->texts[i], room, ids + n, window - n - 1);
    ids[n++] = c->e->sep;
    c->seq[i].ids = ids;
    c->seq[i].n = n;
    c->seq[i].second = c->pair ? c->n_first : n;
    return true;
}

static int longer_first(const void *a, const void *b)
{
    const Sequence *x = a, *y = b;
    if (x->n != y->n) return x->n < y->n ? 1 : -1;
    return (x->out > y->out) - (x->out < y->out);
}

/* Jobs of PACK tokens, or fewer where threads would have nothing to do. */
static void plan(Call *c)
{
    size_t total = 0, budget = c->e->room_tokens;
    for (size_t i = 0; i < c->n; i++) total += c->seq[i].n;
    size_t share = total / (c->e->threads * 2) + 1;
    if (share < budget) budget = share;
    for (size_t i = 0, used = budget; i < c->n; used += c->seq[i++].n)
        if (used + c->seq[i].n > budget) {
            c->job[c->jobs++] = i;
            used = 0;
        }
    c->job[c->jobs] = c->n;
}

static bool run_one(void *arg, size_t worker, size_t i)
{
    Call *c = arg;
    if (worker == 0 && ctx_check(c->cx) != OK) return false;
    return bert_run(c->e->bert, c->e->room[worker], c->seq + c->job[i],
                    c->job[i + 1] - c->job[i]);
}

static Status open_rooms(Ctx *cx, Encoder *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!e->room[i]) TRY(bert_room_open(cx, e->bert, e->room_tokens, &e->room[i]));
    return OK;
}

/* `width` floats of out for each text. c->ids and c->room are the caller's to free. */
static Status run_call(Call *c, float *out, size_t width)
{
    Encoder *e = c->e;
    double begin = now_ms();
    for (size_t i = 0; i < c->n; i++) c->seq[i].out = out + i * width;
    crew_run(c->n < 8 ? 1 : e->threads, c->n, tokenize_one, c);
    e->tokenize_ms += now_ms() - begin;
    qsort(c->seq, c->n, sizeof *c->seq, longer_first);
    plan(c);
    size_t workers = c->jobs < e->threads ? c->jobs : e->threads;
    TRY(open_rooms(c->cx, e, workers));
    if (crew_run(workers, c->jobs, run_one, c)) return OK;
    return fail(c->cx, E_INTERNAL, "%s: a matrix product was refused", e->file.path);
}

static Status encode(Ctx *cx, Call *c, float *out, size_t width)
{
    const size_t window = (size_t)c->e->base.info.window;
    if (c->n == 0) return OK;
    c->cx = cx;
    c->seq = ctx_new(cx, Sequence, c->n);
    c->job = ctx_new(cx, size_t, c->n + 1);
    TRY_NEW(c->seq);
    TRY_NEW(c->job);
    size_t ids, room = c->e->threads * window * BYTES_PER_TOKEN;
    if (__builtin_mul_overflow(c->n, window * sizeof *c->ids, &ids))
        return fail(cx, E_MEMORY, "%zu texts at once are too many", c->n);
    c->ids = malloc(ids);
    c->room = malloc(room * sizeof *c->room);
    Status st = c->ids && c->room ? run_call(c, out, width)
                                  : fail(cx, E_MEMORY, "no memory for %zu texts", c->n);
    free(c->ids);
    free(c->room);
    return st;
}

static Status encoder_embed(Ctx *cx, Model *base, EmbedKind kind, const Str *texts,
                            size_t n, float *out)
{
    Encoder *e = (Encoder *)base;
    size_t window = (size_t)base->info.window;
    llama_token *first = ctx_new(cx, llama_token, window);
    llama_token *room = ctx_new(cx, llama_token, window * BYTES_PER_TOKEN);
    TRY_NEW(first);
    TRY_NEW(room);
    first[0] = e->cls;
    Str prefix = kind == EMBED_QUERY ? e->query_prefix : STR("");
    Call c = { .e = e, .texts = texts, .n = n, .first = first };
    c.n_first = 1 + tokenize(e, prefix, room, first + 1, window / 2);
    return encode(cx, &c, out, (size_t)base->info.dim);
}

/* A query so long that it would leave the text no room is cut to half the window. */
static Status encoder_score(Ctx *cx, Model *base, Str query, const Str *texts, size_t n,
                            float *out)
{
    Encoder *e = (Encoder *)base;
    size_t window = (size_t)base->info.window;
    llama_token *first = ctx_new(cx, llama_token, window);
    llama_token *room = ctx_new(cx, llama_token, window * BYTES_PER_TOKEN);
    TRY_NEW(first);
    TRY_NEW(room);
    Call c = { .e = e, .texts = texts, .n = n, .first = first, .pair = true };
    first[0] = e->cls;
    c.n_first = 1 + tokenize(e, query, room, first + 1, (window - MARKERS) / 2);
    first[c.n_first++] = e->sep;
    return encode(cx, &c, out, 1);
}

/* ---- open and close --------------------------------------------------------------- */

static void encoder_close(Model *base)
{
    Encoder *e = (Encoder *)base;
    for (size_t i = 0; i < CREW_MAX; i++) bert_room_close(e->room[i]);
    bert_close(e->bert);
    if (e->words) llama_model_free(e->words);
    bert_file_close(&e->file);
    ctx_end(&e->own);
    free(e);
}

static Status open_words(Ctx *cx, Encoder *e)
{
    struct llama_model_params p = llama_model_default_params();
    p.vocab_only = true;
    engine_reason_clear();
    e->words = llama_model_load_from_file(e->file.path, p);
    if (!e->words)
        return fail(cx, E_MODEL, "%s: its vocabulary: %s", e->file.path, engine_reason());
    e->vocab = llama_model_get_vocab(e->words);
    e->cls = llama_vocab_bos(e->vocab);
    e->sep = llama_vocab_sep(e->vocab);
    if (e->cls < 0 || e->sep < 0)
        return fail(cx, E_MODEL, "%s: its vocabulary has no [CLS] or no [SEP]",
                    e->file.path);
    return OK;
}

static Status describe(Ctx *cx, Encoder *e, MatmulWay way)
{
    GgufFile file;
    TRY(gguf_file_check(cx, e->file.path, &file));
    const BertShape *s = &e->file.shape;
    Str name = bert_file_text(&e->file, "general.name");
    if (name.n == 0) {
        const char *slash = strrchr(e->file.path, '/');
        name = str_z(slash ? slash + 1 : e->file.path);
    }
    e->query_prefix = bert_file_text(&e->file, "pith.query_prefix");
    e->base.info = (ModelInfo){
        .name = ctx_dup(&e->own, name), .path = str_z(e->file.path), .arch = STR("bert"),
        .engine = ctx_dup(&e->own, str_z(matmul_name(way))),
        .fingerprint = ctx_dup(&e->own, str_z(file.fingerprint)),
        .file_bytes = file.bytes,
        .can = s->pooling == POOL_RANK ? CAN_SCORE : CAN_EMBED,
        .dim = s->pooling == POOL_RANK ? 0 : (int)s->hidden,
        .window = (int)s->window,
    };
    e->room_tokens = s->window > PACK ? s->window : PACK;
    if (e->own.status != OK) return fail(cx, E_MEMORY, "%s: no memory", e->file.path);
    return OK;
}

static Status open_all(Ctx *cx, Encoder *e, const char *path, MatmulWay way)
{
    Str own_path = ctx_dup(&e->own, str_z(path));
    if (!own_path.p) return fail(cx, E_MEMORY, "%s: no memory", path);
    TRY(bert_file_open(cx, own_path.p, &e->file));
    TRY(describe(cx, e, way));
    TRY(open_words(cx, e));
    return bert_open(cx, &e->file, way, &e->bert);
}

static const ModelImpl embedder = {
    .close = encoder_close, .count = encoder_count, .embed = encoder_embed,
    .unknown = encoder_unknown,
};

static const ModelImpl ranker = {
    .close = encoder_close, .count = encoder_count, .score = encoder_score,
};

static size_t threads_of(const ModelOptions *opt)
{
    int n = opt && opt->threads > 0 ? opt->threads : machine_cores();
    return n < 1 ? 1 : n > CREW_MAX ? CREW_MAX : (size_t)n;
}

Status encoder_open_way(Ctx *cx, const char *path, const ModelOptions *opt, MatmulWay way,
                        Model **out)
{
    *out = NULL;
    if (!matmul_can(way))
        return fail(cx, E_ARG, "this machine has no such way to multiply");
    engine_start();
    Encoder *e = calloc(1, sizeof *e);
    if (!e) return fail(cx, E_MEMORY, "%s: no memory", path);
    e->way = way;
    e->threads = threads_of(opt);
    Status st = open_all(cx, e, path, way);
    if (st != OK) {
        encoder_close(&e->base);
        return st;
    }
    e->base.impl = e->file.shape.pooling == POOL_RANK ? &ranker : &embedder;
    *out = &e->base;
    return OK;
}

Status encoder_open(Ctx *cx, const char *path, const ModelOptions *opt, Model **out)
{
    MatmulWay way = matmul_best();
    *out = NULL;
    if (way == MATMUL_PLAIN)
        return fail(cx, E_MODEL, "no fast matrix products here: no VNNI and no oneDNN");
    return encoder_open_way(cx, path, opt, way, out);
}

EncoderTimes encoder_times(const Model *m)
{
    const Encoder *e = (const Encoder *)m;
    EncoderTimes t = { .tokenize = e->tokenize_ms };
    for (size_t i = 0; i < CREW_MAX && e->room[i]; i++)
        for (int p = 0; p < BERT_PARTS; p++) t.part[p] += bert_room_times(e->room[i])[p];
    return t;
}
