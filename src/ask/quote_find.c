/* quote_find.c -- the quotations of a finished answer: those between marks, and what it
 * repeats of the passages without any. */
#include "ask/quote_impl.h"

#include <ctype.h>

/* So many words in a row are no accident. */
enum { QUOTES_MOST = 512, COPIED_WORDS = 5, CLAIM_WORDS = 2 };

static Quote quote_of(const Quoter *q, const Start *s, size_t n)
{
    const Chunk *k = &q->ps->at[s->passage].chunk;
    size_t from = (size_t)(s->p - k->text.p);
    Span at = passage_source(k, (Span){ from, from + n });
    return (Quote){ s->passage, at.start, at.end, { s->p, n } };
}

Status quoter_find(Ctx *cx, const Quoter *q, Str text, Quotes *out)
{
    Place at = { 0 };
    *out = (Quotes){ 0 };
    TRY_NEW(out->at = ctx_new(cx, Quote, QUOTES_MOST));
    while (text.n > 0) {
        Str c = quote_first_char(text);
        bool closes = at.marks && str_eq(c, at.marks->close);
        const Start *s = closes ? quoter_ending(q, &at) : NULL;
        if (s && out->n < QUOTES_MOST) out->at[out->n++] = quote_of(q, s, at.depth);
        out->unfounded += closes && !s;
        (void)quoter_step(q, &at, c);
        text = (Str){ text.p + c.n, text.n - c.n };
    }
    out->unfounded += at.marks != NULL;
    return OK;
}

bool quote_is_open(Str text)
{
    static const Quoter none = { 0 };
    Place at = { 0 };
    size_t begun = 0;
    for (size_t i = 0; i < text.n;) {
        Str c = quote_first_char((Str){ text.p + i, text.n - i });
        if (!at.marks) begun = i;
        (void)quoter_step(&none, &at, c);
        i += c.n;
    }
    return at.marks && text.n - begun <= QUOTE_MOST + 8;
}

/* ---- what is repeated ------------------------------------------------------------- */

/* A text and the places of its words, which overlap in scripts without spaces. */
typedef struct Said {
    Str text;
    Span *word;
    size_t n;
} Said;

/* Words n from the i-th on that stand in a row in a passage, at `where`. */
typedef struct Run {
    const Start *where;
    size_t n;
} Run;

static Status read_said(Ctx *cx, Words *w, Str text, Said *out)
{
    *out = (Said){ .text = text };
    TRY_NEW(out->word = ctx_new(cx, Span, text.n));
    TRY(words_begin(cx, w, text));
    for (Word x; out->n < text.n && words_next(w, &x);)
        out->word[out->n++] = (Span){ x.start, x.end };
    return words_end(cx, w);
}

/* Whether words [i, j) are all of a claim but for its last points. */
static bool is_claim(const Said *s, size_t i, size_t j)
{
    size_t from = s->word[i].start, to = s->word[j - 1].end;
    while (from > 0 && s->text.p[from - 1] == ' ') from--;
    while (to < s->text.n && s->text.p[to] != '[' && s->text.p[to] != '\n'
           && (ispunct((unsigned char)s->text.p[to]) || s->text.p[to] == ' '))
        to++;
    bool begins = from == 0 || s->text.p[from - 1] == '\n' || s->text.p[from - 1] == ']';
    bool ends = to == s->text.n || s->text.p[to] == '\n' || s->text.p[to] == '[';
    return begins && ends;
}

/* The longest run from word i on that is worth telling. */
static Run longest(const Quoter *q, const Said *s, size_t i)
{
    Place at = { .hi = q->n };
    Run best = { NULL, 0 };
    size_t from = s->word[i].start;
    for (size_t j = i; j < s->n; j++) {
        size_t to = s->word[j].end, n = j + 1 - i;
        if (to > from && !quoter_narrow(q, &at, (Str){ s->text.p + from, to - from }))
            break;
        if (to > from) from = to;
        if (n < COPIED_WORDS && (n < CLAIM_WORDS || !is_claim(s, i, j + 1))) continue;
        const Start *where = quoter_ending(q, &at);
        if (where) best = (Run){ where, n };
    }
    return best;
}

static Status find_copied(Ctx *cx, const Quoter *q, Words *w, Str text, Quotes *out)
{
    Said s;
    TRY(read_said(cx, w, text, &s));
    for (size_t i = 0; i < s.n && out->n < QUOTES_MOST; i++) {
        Run r = longest(q, &s, i);
        if (r.n == 0) continue;
        size_t start = s.word[i].start, end = s.word[i + r.n - 1].end;
        out->at[out->n++] = quote_of(q, r.where, end - start);
        while (i + 1 < s.n && s.word[i + 1].start < end) i++;
    }
    return OK;
}

Status quoter_copied(Ctx *cx, const Quoter *q, Str text, Quotes *out)
{
    Words *w;
    *out = (Quotes){ 0 };
    TRY_NEW(out->at = ctx_new(cx, Quote, QUOTES_MOST));
    TRY(words_open(cx, &w));
    Status st = find_copied(cx, q, w, text, out);
    words_close(w);
    return st;
}
