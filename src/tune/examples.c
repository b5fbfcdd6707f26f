/* examples.c -- see examples.h. */
#include "tune/examples.h"

#include "ask/prompt.h"
#include "base/random.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MAX = 64, TOKENS_MAX = 1 << 30 };

/* One line on its way: messages point into the JSON, which lives as long as they do. */
typedef struct Talk {
    Message at[MESSAGES_MAX];
    size_t n;
} Talk;

static bool text_at(const json_t *j, const char *key, Str *out)
{
    const json_t *v = json_object_get(j, key);
    if (!json_is_string(v)) return false;
    *out = (Str){ json_string_value(v), json_string_length(v) };
    return true;
}

static Status from_messages(Ctx *cx, const json_t *list, Talk *t)
{
    size_t i;
    json_t *m;
    bool answered = false;
    if (json_array_size(list) > MESSAGES_MAX)
        return fail(cx, E_FORMAT, "more than %d messages", MESSAGES_MAX);
    json_array_foreach(list, i, m) {
        Str role, content;
        if (!text_at(m, "role", &role) || !text_at(m, "content", &content))
            return fail(cx, E_FORMAT, "message %zu lacks a role or a content", i + 1);
        t->at[t->n++] = (Message){ role.p, content };
        answered |= str_eq(role, STR("assistant"));
    }
    return answered ? OK
        : fail(cx, E_FORMAT, "no message of the assistant to learn from");
}

static Status from_question(Ctx *cx, const json_t *line, Talk *t)
{
    Str question, answer, context = { "", 0 };
    if (!text_at(line, "question", &question) || !text_at(line, "answer", &answer))
        return fail(cx, E_FORMAT, "neither \"messages\" nor \"question\" and \"answer\"");
    Passage passage = { 0 };
    Passages ps = { &passage, 0, 0, 0 };
    Prompt prompt;
    if (text_at(line, "context", &context) && context.n) {
        passage.chunk.text = context;
        ps.n = 1;
    }
    TRY(prompt_build(cx, &ps, question, PROMPT_PLAIN, &prompt));
    t->at[0] = prompt.message[0];
    t->at[1] = prompt.message[1];
    t->at[2] = (Message){ "assistant", answer };
    t->n = 3;
    return OK;
}

/* ---- the arrays ------------------------------------------------------------------- */

static bool grow(Examples *e, size_t tokens)
{
    if (e->n_tokens + tokens > e->cap_tokens) {
        size_t cap = 2 * (e->n_tokens + tokens);
        int32_t *token = realloc(e->token, cap * sizeof *token);
        if (token) e->token = token;
        uint8_t *learn = token ? realloc(e->learn, cap) : NULL;
        if (!learn) return false;
        e->learn = learn;
        e->cap_tokens = cap;
    }
    if (e->n + 2 > e->cap) {
        size_t cap = 2 * (e->n + 2), *begin = realloc(e->begin, cap * sizeof *begin);
        if (!begin) return false;
        e->begin = begin;
        e->cap = cap;
    }
    return true;
}

static Status keep(Ctx *cx, Examples *e, const ChatTokens *t, size_t seq)
{
    size_t n = t->n < seq ? t->n : seq;
    e->cut += t->n > seq;
    /* The first token is predicted by nothing. */
    if (n < 2 || !memchr(t->answer + 1, 1, n - 1)) return e->dropped++, OK;
    if (e->n_tokens > TOKENS_MAX)
        return fail(cx, E_LIMIT, "more than %d tokens", TOKENS_MAX);
    if (!grow(e, n)) return fail(cx, E_MEMORY, "no memory for the examples");
    memcpy(e->token + e->n_tokens, t->id, n * sizeof *t->id);
    memcpy(e->learn + e->n_tokens, t->answer, n);
    e->learn[e->n_tokens] = 0;
    e->begin[e->n++] = e->n_tokens;
    e->n_tokens += n;
    e->begin[e->n] = e->n_tokens;
    return OK;
}

static Status read_line(Ctx *cx, Model *words, Str line, size_t seq, Examples *e)
{
    json_error_t why;
    Talk talk = { .n = 0 };
    ChatTokens tokens;
    json_t *j = json_loadb(line.p, line.n, 0, &why),
        *list = json_object_get(j, "messages");
    Status st = OK;
    if (!json_is_object(j)) st = fail(cx, E_FORMAT, "not a JSON object: %s", why.text);
    if (st == OK) st = json_is_array(list) ? from_messages(cx, list, &talk)
                                           : from_question(cx, j, &talk);
    if (st == OK) st = model_chat_tokens(cx, words, talk.at, talk.n, &tokens);
    if (st == OK) st = keep(cx, e, &tokens, seq);
    json_decref(j);
    return st;
}

static Status read_all(Ctx *cx, const char *path, FILE *f, Model *words, size_t seq,
                       Examples *e)
{
    char *line = NULL;
    size_t cap = 0, number = 0;
    Status st = OK;
    for (ssize_t n; st == OK && (n = getline(&line, &cap, f)) >= 0; ) {
        Ctx one = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
        Str text = str_trim((Str){ line, (size_t)n });
        number++;
        if (text.n && (st = ctx_check(cx)) == OK
            && (st = read_line(&one, words, text, seq, e)) != OK)
            fail(cx, st, "%s, line %zu: %s", path, number, one.reason);
        ctx_end(&one);
    }
    free(line);
    if (st == OK && ferror(f)) st = fail(cx, E_IO, "%s: %s", path, strerror(errno));
    if (st == OK && e->n == 0 && e->dropped == 0)
        st = fail(cx, E_FORMAT, "%s: no example in it", path);
    if (st == OK && e->n == 0)
        st = fail(cx, E_FORMAT, "%s: all %zu answers begin behind token %zu: raise --seq",
                  path, e->dropped, seq);
    return st;
}

Status examples_read(Ctx *cx, const char *path, Model *words, size_t seq, Examples *out)
{
    *out = (Examples){ 0 };
    FILE *f = fopen(path, "rbe");
    if (!f) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
    Status st = read_all(cx, path, f, words, seq, out);
    fclose(f);
    if (st != OK) examples_free(out);
    return st;
}

void examples_free(Examples *e)
{
    free(e->token);
    free(e->learn);
    free(e->begin);
    *e = (Examples){ 0 };
}

/* ---- packing ---------------------------------------------------------------------- */

Status packer_open(Ctx *cx, const Examples *all, size_t seq, uint64_t seed, Packer *out)
{
    *out = (Packer){ .all = all, .seq = seq, .seed = seed };
    out->order = calloc(all->n, sizeof *out->order);
    out->drawn = calloc(all->n, sizeof *out->drawn);
    out->after = calloc(all->n, sizeof *out->after);
    if (out->order && out->drawn && out->after) return OK;
    packer_close(out);
    return fail(cx, E_MEMORY, "no memory for %zu examples", all->n);
}

void packer_close(Packer *p)
{
    free(p->order);
    free(p->drawn);
    free(p->after);
    p->order = p->drawn = p->after = NULL;
}

/* Fisher and Yates. */
static void shuffle(Packer *p)
{
    uint64_t state = p->seed ^ (p->epoch + 1) * 0xD1342543DE82EF95u;
    size_t n = p->all->n;
    for (size_t i = 0; i < n; i++) p->drawn[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        size_t j = random_next(&state) % i;
        uint32_t x = p->drawn[i - 1];
        p->drawn[i - 1] = p->drawn[j];
        p->drawn[j] = x;
    }
}

/* A row that is being filled: a list through p->after. */
typedef struct Bin {
    size_t used;             // tokens
    uint32_t first, last;    // examples
} Bin;

enum { BINS = 32, NONE = -1 };

static size_t size_of(const Packer *p, uint32_t example)
{
    return p->all->begin[example + 1] - p->all->begin[example];
}

static size_t fullest(const Bin *bin, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (bin[i].used > bin[best].used) best = i;
    return best;
}

/* The bin's examples to the end of p->order; *n are there. */
static void empty(Packer *p, const Bin *b, size_t *n)
{
    for (uint32_t e = b->first; e != (uint32_t)NONE; e = p->after[e])
        p->order[(*n)++] = e;
}

/* The fullest bin that has room for so many tokens; n: none has. */
static size_t fitting(const Packer *p, const Bin *bin, size_t n, size_t size)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (bin[i].used + size <= p->seq && (best == n || bin[i].used > bin[best].used))
            best = i;
    return best;
}

/* Best fit (Johnson et al., SIAM J. Comput. 3(4), 1974) over a few open rows: p->drawn to
 * p->order, rows one after another. */
static void fill_rows(Packer *p)
{
    Bin bin[BINS];
    size_t open = 0, n = 0;
    for (size_t i = 0; i < p->all->n; i++) {
        uint32_t e = p->drawn[i];
        size_t size = size_of(p, e), to = fitting(p, bin, open, size);
        p->after[e] = (uint32_t)NONE;
        if (to < open) {
            p->after[bin[to].last] = e;
            bin[to].used += size;
            bin[to].last = e;
            continue;
        }
        if (open < BINS) to = open++;
        else empty(p, &bin[to = fullest(bin, open)], &n);
        bin[to] = (Bin){ size, e, e };
    }
    for (size_t i = 0; i < open; i++) empty(p, &bin[i], &n);
    p->ordered = p->epoch + 1;
}

void packer_row(Packer *p, int32_t *token, uint8_t *learn, uint32_t *begin, Sample *out)
{
    const Examples *all = p->all;
    size_t used = 0, n = 0;
    if (p->ordered != p->epoch + 1) {
        shuffle(p);
        fill_rows(p);
    }
    for (; p->next < all->n; p->next++) {
        size_t at = all->begin[p->order[p->next]];
        size_t size = all->begin[p->order[p->next] + 1] - at;
        if (used + size > p->seq) break;
        memcpy(token + used, all->token + at, size * sizeof *token);
        memcpy(learn + used, all->learn + at, size);
        begin[n++] = (uint32_t)used;
        used += size;
    }
    begin[n] = (uint32_t)used;
    if (p->next == all->n) p->epoch++, p->next = 0;
    *out = (Sample){ token, learn, used, begin, n };
}
