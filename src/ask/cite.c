/* cite.c -- see cite.h.
 *
 * Text comes in pieces; `pending` is the claim in work, of which `shown` bytes have been
 * passed on. White space at its end is held back, so that a mark can go before it, and
 * so is a bracket that may turn out to be a mark of the model's own.
 *
 * Invariant: what was passed on is a prefix of the final text; it is empty while `held`.
 */
#include "ask/cite.h"
#include "ask/quantity.h"
#include "ask/quote.h"
#include "ask/stems.h"
#include "base/words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLAIM_WORDS = 96, CLAIM_SOURCES = 3, MAX_ANSWER = 1 << 20, MAX_CITATIONS = 512 };

/* A content word of a claim, or a number of it. */
typedef struct Term {
    uint64_t hash;          // of the stem; of the number's value
    const Quantity *number; // NULL: a word
    float weight;
    bool asked;             // the question has it
} Term;

/* A sentence that the model read, its content words and its numbers. */
typedef struct Unit {
    size_t passage;
    Span span;              // in the passage's text
    Stems words;
    Quantities numbers;
} Unit;

struct Citer {
    Ctx *cx;
    const Passages *ps;
    CiteOptions opt;
    Words *words;
    Stems asked;            // content words of the question
    Quantities asked_numbers;
    Unit *units;
    size_t n_units;
    Buf text, pending;
    size_t shown;
    size_t passed;          // bytes of text that went to on_text
    bool held, stopped;
    Citation *made;
    size_t n_made, unsupported;
};

static Status read_units(Citer *c)
{
    size_t cap = 0;
    for (size_t p = 0; p < c->ps->n; p++) cap += c->ps->at[p].chunk.text.n / 2 + 1;
    TRY_NEW(c->units = ctx_new(c->cx, Unit, cap));
    for (size_t p = 0; p < c->ps->n; p++) {
        Str text = c->ps->at[p].chunk.text;
        Span *span = c->ps->at[p].kept;
        size_t n = c->ps->at[p].n_kept;
        if (!span) TRY(passage_sentences(c->cx, c->words, text, &span, &n));
        for (size_t i = 0; i < n && c->n_units < cap; i++) {
            Unit *u = &c->units[c->n_units++];
            Str sentence = { text.p + span[i].start, span[i].end - span[i].start };
            *u = (Unit){ .passage = p, .span = span[i] };
            TRY(stems_content(c->cx, c->words, sentence, &u->words));
            TRY(quantities_read(c->cx, c->words, sentence, &u->numbers));
        }
    }
    return OK;
}

Status citer_open(Ctx *cx, const Passages *ps, Str question, const CiteOptions *opt,
                  Citer **out)
{
    *out = NULL;
    Citer *c = ctx_new(cx, Citer, 1);
    TRY_NEW(c);
    *c = (Citer){ .cx = cx, .ps = ps, .opt = *opt, .text = BUF(MAX_ANSWER),
                  .pending = BUF(MAX_ANSWER) };
    if (c->opt.min_support <= 0) c->opt.min_support = 0.5f;
    c->held = opt->hold && ps->n > 0;
    TRY_NEW(c->made = ctx_new(cx, Citation, MAX_CITATIONS));
    TRY(words_open(cx, &c->words));
    passages_speak(c->words, ps);
    Status st = stems_content(cx, c->words, question, &c->asked);
    if (st == OK) st = quantities_read(cx, c->words, question, &c->asked_numbers);
    if (st == OK) st = read_units(c);
    if (st == OK) *out = c;
    else citer_close(c);
    return st;
}

void citer_close(Citer *c)
{
    if (!c) return;
    words_close(c->words);
    buf_free(&c->text);
    buf_free(&c->pending);
}

/* ---- support ---------------------------------------------------------------------- */

/* Whether the sentence says it: the word, or the number of the same thing. */
static bool says(const Unit *u, const Term *t)
{
    return t->number ? quantities_say(&u->numbers, t->number)
                     : stems_have(&u->words, t->hash);
}

static bool is_asked(const Citer *c, const Term *t)
{
    return t->number ? quantities_name(&c->asked_numbers, t->hash)
                     : stems_have(&c->asked, t->hash);
}

/* How much the term says: rare words and numbers much, words of the question little. */
static float weigh(const Citer *c, const Term *t)
{
    size_t df = 0;
    for (size_t i = 0; i < c->n_units; i++)
        df += t->number ? quantities_name(&c->units[i].numbers, t->hash)
                        : stems_have(&c->units[i].words, t->hash);
    float w = logf(1 + (float)(c->n_units + 1) / ((float)df + 0.5f));
    return t->asked ? 0.3f * w : t->number ? 3 * w : w;
}

/* The number of a list's item, "2. The lamp ...", claims nothing. */
static bool is_label(Str claim, const Quantity *q)
{
    size_t i = q->start;
    for (size_t k = 0; k < i; k++)
        if (!isspace((unsigned char)claim.p[k])) return false;
    while (i < claim.n && isdigit((unsigned char)claim.p[i])) i++;
    return i > q->start && i + 1 < claim.n && (claim.p[i] == '.' || claim.p[i] == ')')
        && isspace((unsigned char)claim.p[i + 1]);
}

static Status read_claim(Citer *c, Str claim, Term *term, size_t *n)
{
    Quantities numbers;
    size_t next = 0;
    *n = 0;
    TRY(quantities_read(c->cx, c->words, claim, &numbers));
    TRY(words_begin(c->cx, c->words, claim));
    for (Word w; *n < CLAIM_WORDS && words_next(c->words, &w); ) {
        Term t = { .hash = str_hash(w.stem) };
        while (next < numbers.n && numbers.at[next].start < w.start) next++;
        if (next < numbers.n && numbers.at[next].start == w.start) {
            t.number = &numbers.at[next++];
            t.hash = t.number->value;
        }
        if (t.number ? is_label(claim, t.number) : w.stop) continue;
        t.asked = is_asked(c, &t);
        t.weight = weigh(c, &t);
        term[(*n)++] = t;
    }
    return words_end(c->cx, c->words);
}

static float covered(const Unit *u, const Term *term, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        if (says(u, &term[i])) sum += term[i].weight;
    return sum;
}

/* Takes the words that u holds out of the claim. */
static size_t without(const Unit *u, Term *term, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!says(u, &term[i])) term[kept++] = term[i];
    return kept;
}

static const Unit *best_unit(const Citer *c, const Term *term, size_t n, float *sum)
{
    const Unit *best = NULL;
    *sum = 0;
    for (size_t i = 0; i < c->n_units; i++) {
        float s = covered(&c->units[i], term, n);
        if (s > *sum) *sum = s, best = &c->units[i];
    }
    return best;
}

/* Moves what has to have a source to the front, numbers that the question does not have,
 * and tells how many there are. */
static size_t numbers_first(Term *term, size_t n)
{
    size_t front = 0;
    for (size_t i = 0; i < n; i++) {
        Term t = term[i];
        if (!t.number || t.asked) continue;
        term[i] = term[front];
        term[front++] = t;
    }
    return front;
}

/* The sentences that a claim rests on. */
typedef struct Sources {
    const Unit *at[CLAIM_SOURCES];
    size_t n;
    float share;            // of the claim's weight found there, [0,1]
    bool number_missing;
} Sources;

/* Whether a sentence brings no more than words of the question. */
static bool only_asked(const Unit *u, const Term *term, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!term[i].asked && says(u, &term[i])) return false;
    return true;
}

/* The sentence that covers most of the claim, then others while they cover much of what
 * is left, or a number in it. One that brings only words of the question is no further
 * source of a claim that has one. */
static Sources find_sources(const Citer *c, Term *term, size_t n, float all)
{
    Sources s = { 0 };
    size_t numbers = numbers_first(term, n);
    while (s.n < CLAIM_SOURCES && n > 0) {
        float sum, least = (s.n ? 0.2f : 0.01f) * all;
        const Unit *u = best_unit(c, term, n, &sum);
        if (sum < least) u = best_unit(c, term, numbers, &sum);
        if (!u || (s.share >= c->opt.min_support && only_asked(u, term, n))) break;
        s.at[s.n++] = u;
        s.share += sum / all;
        n = without(u, term, n);
        numbers = numbers_first(term, n);
    }
    s.number_missing = numbers > 0;
    return s;
}

/* ---- marks ------------------------------------------------------------------------ */

/* The citation of u, made once. */
static const Citation *cite_unit(Citer *c, const Unit *u, float support)
{
    const Chunk *k = &c->ps->at[u->passage].chunk;
    Span at = passage_source(k, u->span);
    Citation x = {
        .n = (int)c->n_made + 1, .passage = u->passage, .support = support,
        .start = at.start, .end = at.end,
        .text = { k->text.p + u->span.start, u->span.end - u->span.start },
    };
    for (size_t i = 0; i < c->n_made; i++)
        if (c->made[i].text.p == x.text.p) return &c->made[i];
    if (c->n_made == MAX_CITATIONS) return NULL;
    c->made[c->n_made] = x;
    return &c->made[c->n_made++];
}

static void pass_on(Citer *c)
{
    Str s = { c->text.p + c->passed, c->text.n - c->passed };
    if (c->held || c->stopped || s.n == 0) return;
    c->passed = c->text.n;
    if (c->opt.on_text) c->stopped = !c->opt.on_text(c->opt.arg, s);
}

static void emit(Citer *c, Str s)
{
    buf_add(&c->text, s);
    pass_on(c);
}

static void release(Citer *c)
{
    c->held = false;
    pass_on(c);
}

/* Puts the marks of a finished claim. A number without a source takes all of them away,
 * however much of the claim is covered: it is what the reader looks for. */
static Status cite_claim(Citer *c, Str claim)
{
    Term term[CLAIM_WORDS];
    size_t n;
    float all = 0;
    TRY(read_claim(c, claim, term, &n));
    for (size_t i = 0; i < n; i++) all += term[i].weight;
    if (all <= 0) return release(c), OK;   // "Yes." claims nothing to look up
    Sources s = find_sources(c, term, n, all);
    if (s.share < c->opt.min_support || s.number_missing) {
        c->unsupported++;
        return OK;
    }
    for (size_t i = 0; i < s.n; i++) {
        const Citation *x = cite_unit(c, s.at[i], s.share);
        char mark[16];
        if (!x) break;
        int len = snprintf(mark, sizeof mark, "%s[%d]", i ? "" : " ", x->n);
        emit(c, (Str){ mark, (size_t)len });
    }
    release(c);
    return OK;
}

/* ---- stream ----------------------------------------------------------------------- */

/* Removes complete marks "[12]" of the model's own, with a space before them. */
static void strip_marks(Buf *b, size_t from)
{
    for (size_t i = from; i < b->n; i++) {
        size_t j = i + 1;
        if (b->p[i] != '[') continue;
        while (j < b->n && (isdigit((unsigned char)b->p[j]) || b->p[j] == ',')) j++;
        if (j == i + 1 || j == b->n || b->p[j] != ']') continue;
        size_t start = i > from && b->p[i - 1] == ' ' ? i - 1 : i;
        memmove(b->p + start, b->p + j + 1, b->n - j);   // the NUL too
        b->n -= j + 1 - start;
        i = start ? start - 1 : 0;
    }
}

/* How much of pending may be shown now. */
static size_t presentable(const Buf *b)
{
    size_t n = b->n, i = n;
    while (i > 0 && n - i < 8 &&
           (isdigit((unsigned char)b->p[i - 1]) || b->p[i - 1] == ','))
        i--;
    if (i > 0 && b->p[i - 1] == '[') n = i - 1;
    while (n > 0 && isspace((unsigned char)b->p[n - 1])) n--;
    return n;
}

/* Whether a claim may end behind s: no mark goes into a quotation. */
static bool may_cut(const Citer *c, Str s)
{
    return !c->opt.quotes || !quote_is_open(s);
}

static const char *line_end(const Citer *c, Str s)
{
    const char *at = s.n ? memchr(s.p, '\n', s.n) : NULL;
    while (at && !may_cut(c, (Str){ s.p, (size_t)(at - s.p) }))
        at = memchr(at + 1, '\n', (size_t)(s.p + s.n - at) - 1);
    return at;
}

/* The end of the first claim in pending, 0 while it is still growing. */
static Status claim_end(Citer *c, size_t *end)
{
    Str s = buf_str(&c->pending);
    size_t lead = 0, n;
    Span *span;
    *end = 0;
    while (lead < s.n && isspace((unsigned char)s.p[lead])) lead++;
    Str body = { s.p + lead, s.n - lead };
    const char *line = line_end(c, body);
    if (line) body.n = (size_t)(line - body.p);
    if (line) *end = lead + body.n;
    if (!memchr(body.p, ' ', body.n)) return OK;
    TRY(words_sentences(c->cx, c->words, body, &span, &n));
    for (size_t i = 0; i + 1 < n; i++)
        if (may_cut(c, (Str){ body.p, span[i].end }))
            return *end = lead + span[i].end, OK;
    return OK;
}

/* Passes on pending up to end, with the claim's marks, and forgets it. */
static Status close_claim(Citer *c, size_t end)
{
    Str rest = { c->pending.p + c->shown, end > c->shown ? end - c->shown : 0 };
    Str claim = { c->pending.p, end };
    emit(c, rest);
    if (c->ps->n) TRY(cite_claim(c, claim));
    memmove(c->pending.p, c->pending.p + end, c->pending.n - end + 1);
    c->pending.n -= end;
    c->shown = 0;
    return OK;
}

Status citer_feed(Citer *c, Str piece, bool *more)
{
    buf_add(&c->pending, piece);
    if (c->pending.failed) return fail(c->cx, E_LIMIT, "an answer passed 1 MiB");
    strip_marks(&c->pending, c->shown);
    for (size_t end = 1; end > 0 && !c->stopped; ) {
        TRY(claim_end(c, &end));
        if (end) TRY(close_claim(c, end));
    }
    size_t n = presentable(&c->pending);
    if (n > c->shown) {
        emit(c, (Str){ c->pending.p + c->shown, n - c->shown });
        c->shown = n;
    }
    *more = !c->stopped;
    return OK;
}

Status citer_finish(Citer *c, Cited *out)
{
    size_t end = c->pending.n;
    while (end > 0 && isspace((unsigned char)c->pending.p[end - 1])) end--;
    if (end) TRY(close_claim(c, end));
    if (c->text.failed) return fail(c->cx, E_LIMIT, "an answer passed 1 MiB");
    Str text = ctx_dup(c->cx, str_trim(buf_str(&c->text)));
    TRY_NEW(text.p);
    *out = (Cited){ text, c->made, c->n_made, c->unsupported, c->held && text.n > 0 };
    return OK;
}
