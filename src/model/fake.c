/* fake.c -- a model without a file, for tests: deterministic, and good enough at all
 * three jobs that what is built on models can be tested without one.
 *
 * A token is a word. Vectors count words in hashed buckets, scores are the share of the
 * query's words that a text has, and an answer is the sentence of the last message that
 * shares most words with its last line, between quotation marks where its caller allows
 * it in no other way. With an adapter, whatever its file says, it has
 * learned that a question is no answer.
 *
 * "fake:dim=64,window=4096" are the defaults. To misbehave: "nan=1" gives vectors and
 * scores that are not finite, "fail=embed" ("score", "generate") lets that call fail,
 * "slow_ms=5" sleeps before each text and each word. */
#include "base/ascii.h"
#include "model/impl.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Fake {
    Model base;
    char path[256], fingerprint[33], fails[16];
    int nan, slow_ms;
    bool tuned;              // an adapter was named
} Fake;

/* ---- words and sentences ---------------------------------------------------------- */

/* Takes the next word off *text; false at the end. */
static bool next_word(Str *text, Str *word)
{
    size_t i = 0, n;
    while (i < text->n && !in_word(text->p[i])) i++;
    for (n = i; n < text->n && in_word(text->p[n]);) n++;
    *word = (Str){ text->p + i, n - i };
    *text = (Str){ text->p + n, text->n - n };
    return word->n > 0;
}

static int count_words(Str text)
{
    int n = 0;
    for (Str w; next_word(&text, &w);) n++;
    return n;
}

/* A word that says what a text is about. */
static bool has_weight(Str word)
{
    static const char *const light[] = { "the", "and", "for", "are", "was", "what", "how",
        "who", "when", "where", "which", "why", "does", "did", "with", "that", "this",
        "from", "has", "have", "question", "answer" };
    for (size_t i = 0; i < sizeof light / sizeof *light; i++)
        if (str_ieq(word, str_z(light[i]))) return false;
    return word.n > 2;
}

static bool has_word(Str text, Str word)
{
    for (Str w; next_word(&text, &w);)
        if (str_ieq(w, word)) return true;
    return false;
}

/* How many words of weight in `of` stand in text too; *all, which may be NULL, counts
 * them all. */
static int overlap(Str of, Str text, int *all)
{
    int shared = 0, n = 0;
    for (Str w; next_word(&of, &w);) {
        if (!has_weight(w)) continue;
        n++;
        shared += has_word(text, w);
    }
    if (all) *all = n;
    return shared;
}

static bool is_stop(char c)
{
    return c == '.' || c == '!' || c == '?';
}

/* Takes the next sentence off *text: up to a line break, or a stop before a space. */
static bool next_sentence(Str *text, Str *sentence)
{
    *text = str_trim(*text);
    size_t n = 0;
    for (; n < text->n && text->p[n] != '\n'; n++)
        if (is_stop(text->p[n]) && n + 1 < text->n && text->p[n + 1] == ' ') {
            n++;
            break;
        }
    *sentence = (Str){ text->p, n };
    *text = (Str){ text->p + n, text->n - n };
    return n > 0;
}

/* ---- the three jobs --------------------------------------------------------------- */

static Status work(Ctx *cx, const Fake *f, const char *job)
{
    TRY(ctx_check(cx));
    if (f->slow_ms) usleep((unsigned)f->slow_ms * 1000);
    if (strcmp(f->fails, job) == 0)
        return fail(cx, E_MODEL, "%s: told to fail at %s", f->path, job);
    return OK;
}

static unsigned bucket(Str word, int dim)    // FNV-1a over the folded word
{
    unsigned h = 2166136261u;
    for (size_t i = 0; i < word.n; i++)
        h = (h ^ (unsigned char)to_lower(word.p[i])) * 16777619u;
    return h % (unsigned)dim;
}

static void embed_one(const Fake *f, Str text, float *out)
{
    int dim = f->base.info.dim, left = f->base.info.window;
    double sum = 0;
    memset(out, 0, (size_t)dim * sizeof *out);
    for (Str w; left-- > 0 && next_word(&text, &w);)
        if (has_weight(w)) out[bucket(w, dim)] += 1;
    for (int i = 0; i < dim; i++) sum += (double)out[i] * out[i];
    if (sum == 0) out[0] = 1, sum = 1;       // nothing said: still a direction
    for (int i = 0; i < dim; i++) out[i] = f->nan ? NAN : out[i] / (float)sqrt(sum);
}

static Status fake_embed(Ctx *cx, Model *m, EmbedKind kind, const Str *texts, size_t n,
                         float *out)
{
    (void)kind;
    for (size_t i = 0; i < n; i++) {
        TRY(work(cx, (Fake *)m, "embed"));
        embed_one((Fake *)m, texts[i], out + i * (size_t)m->info.dim);
    }
    return OK;
}

static Status fake_score(Ctx *cx, Model *m, Str query, const Str *texts, size_t n,
                         float *out)
{
    const Fake *f = (Fake *)m;
    for (size_t i = 0; i < n; i++) {
        int all;
        TRY(work(cx, f, "score"));
        int shared = overlap(query, texts[i], &all);
        out[i] = f->nan ? NAN : 10 * (float)shared / (float)(all ? all : 1) - 5;
    }
    return OK;
}

static Status fake_count(Ctx *cx, Model *m, Str text, int *n)
{
    (void)cx, (void)m;
    *n = count_words(text);
    return OK;
}

static Status fake_count_chat(Ctx *cx, Model *m, const Message *msg, size_t n,
                              int *tokens)
{
    (void)cx, (void)m;
    *tokens = 1;                             // the opening of the assistant's turn
    for (size_t i = 0; i < n; i++) *tokens += 1 + count_words(msg[i].content);
    return OK;
}

/* The answer to the last line of a message, from its other lines. */
static Str extract(Str message, bool tuned)
{
    Str all = str_trim(message), answer = STR("The documents do not say.");
    size_t n = all.n;
    while (n > 0 && all.p[n - 1] != '\n') n--;
    Str question = { all.p + n, all.n - n }, rest = { all.p, n };
    int most = 0;
    for (Str s; next_sentence(&rest, &s);) {
        int shared = tuned && s.p[s.n - 1] == '?' ? 0 : overlap(question, s, NULL);
        if (shared > most) most = shared, answer = s;
    }
    return answer;
}

/* Gives answer out word by word, each with what stands before it. */
static Status speak(Ctx *cx, const Fake *f, Str answer, const GenerateOptions *opt,
                    Generated *out)
{
    Str rest = answer, word;
    out->finish = FINISH_STOP;
    while (next_word(&rest, &word)) {
        const char *from = answer.p + out->text.n;
        bool last = count_words(rest) == 0;
        Str piece = { from, (size_t)((last ? rest.p + rest.n : rest.p) - from) };
        if (out->tokens == opt->max_tokens) return out->finish = FINISH_LENGTH, OK;
        if (opt->allows && !opt->allows(opt->arg, piece)) return OK;
        TRY(work(cx, f, "generate"));
        out->tokens++;
        out->text = (Str){ answer.p, out->text.n + piece.n };
        out->mean_logprob = out->min_logprob = -0.1f;
        if (opt->on_text && !opt->on_text(opt->arg, piece))
            return out->finish = FINISH_CALLER, OK;
    }
    return OK;
}

static Status fake_generate(Ctx *cx, Model *m, const Message *msg, size_t n,
                            const GenerateOptions *opt, Generated *out)
{
    *out = (Generated){ .text = STR("") };
    if (n == 0 || opt->max_tokens <= 0)
        return fail(cx, E_ARG, "%zu messages and %d tokens: at least 1 of each is wanted",
                    n, opt->max_tokens);
    double start = now_ms();
    TRY(fake_count_chat(cx, m, msg, n, &out->prompt_tokens));
    if (out->prompt_tokens > m->info.window - opt->max_tokens)
        return fail(cx, E_LIMIT, "%d tokens of prompt and %d of answer, the model's "
                    "window has %d: ask for less context", out->prompt_tokens,
                    opt->max_tokens, m->info.window);
    const Fake *f = (Fake *)m;
    Str said = extract(msg[n - 1].content, f->tuned);
    const char *mark = opt->allows && !opt->allows(opt->arg, said) ? "\"" : "";
    Str answer = ctx_printf(cx, "%s%.*s%s", mark, (int)said.n, said.p, mark);
    TRY_NEW(answer.p);
    out->text = (Str){ answer.p, 0 };
    Status st = speak(cx, f, answer, opt, out);
    out->decode_ms = now_ms() - start;
    return st;
}

/* ---- open and close --------------------------------------------------------------- */

static void fake_close(Model *m)
{
    free(m);
}

static Status set_option(Ctx *cx, Fake *f, char *option)
{
    char *value = strchr(option, '='), *end = "";
    long n = 0;
    if (value) *value++ = '\0', n = strtol(value, &end, 10);
    bool number = value && *value && !*end && n > 0 && n <= 1 << 20;
    if (value && strcmp(option, "fail") == 0 && strlen(value) < sizeof f->fails) {
        memcpy(f->fails, value, strlen(value) + 1);
    } else if (number && strcmp(option, "dim") == 0) {
        f->base.info.dim = (int)n;
    } else if (number && strcmp(option, "window") == 0) {
        f->base.info.window = (int)n;
    } else if (number && strcmp(option, "nan") == 0) {
        f->nan = 1;
    } else if (number && strcmp(option, "slow_ms") == 0) {
        f->slow_ms = (int)n;
    } else {
        return fail(cx, E_ARG, "%s: no option \"%s\" with such a value; dim=, window=, "
                    "nan=, fail= and slow_ms= are known", f->path, option);
    }
    return OK;
}

static Status read_spec(Ctx *cx, Fake *f, const char *spec)
{
    Str copy = ctx_dup(cx, str_z(spec));
    TRY_NEW(copy.p);
    if (copy.n >= sizeof f->path || !str_starts(copy, STR("fake:")))
        return fail(cx, E_ARG, "\"%.40s\" names no test model: \"fake:\" and at most %zu "
                    "bytes of options are wanted", spec, sizeof f->path - 6);
    memcpy(f->path, copy.p, copy.n + 1);
    char *save, *rest = (char *)copy.p + strlen("fake:");
    for (char *o = strtok_r(rest, ",", &save); o; o = strtok_r(NULL, ",", &save))
        TRY(set_option(cx, f, o));
    return OK;
}

Status fake_open(Ctx *cx, const char *spec, const ModelOptions *opt, Model **out)
{
    static const ModelImpl impl = { .close = fake_close, .count = fake_count,
        .embed = fake_embed, .score = fake_score, .count_chat = fake_count_chat,
        .generate = fake_generate };
    uint8_t hash[16];
    *out = NULL;
    Fake *f = calloc(1, sizeof *f);
    if (!f) return fail(cx, E_MEMORY, "no memory for a model");
    f->tuned = opt && opt->adapter && *opt->adapter;
    f->base.impl = &impl;
    f->base.info = (ModelInfo){ .name = STR("fake"), .arch = STR("fake"),
        .engine = STR("fake"), .can = CAN_EMBED | CAN_SCORE | CAN_GENERATE, .dim = 64,
        .window = 4096 };
    Status st = read_spec(cx, f, spec);
    if (st != OK) {
        free(f);
        return st;
    }
    crypto_generichash(hash, sizeof hash, (uint8_t *)f->path, strlen(f->path), NULL, 0);
    sodium_bin2hex(f->fingerprint, sizeof f->fingerprint, hash, sizeof hash);
    f->base.info.path = str_z(f->path);
    f->base.info.fingerprint = str_z(f->fingerprint);
    *out = &f->base;
    return OK;
}
