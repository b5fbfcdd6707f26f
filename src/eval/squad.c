/* squad.c -- see squad.h. Words of a normal text are found by its spaces. */
#include "eval/squad.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucasemap.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* Lower case by the full Unicode mapping, as str.lower of Python. */
static Str lower(Ctx *cx, Str text)
{
    Str none = { NULL, 0 };
    UErrorCode e = U_ZERO_ERROR;
    if (text.n > INT32_MAX / 3) {
        fail(cx, E_LIMIT, "a text of %zu bytes is too long to be scored", text.n);
        return none;
    }
    int32_t cap = (int32_t)text.n * 3 + 1;   // no code point grows by more
    char *p = ctx_alloc(cx, (size_t)cap, 1);
    UCaseMap *map = p ? ucasemap_open("", 0, &e) : NULL;
    int32_t n = map ? ucasemap_utf8ToLower(map, p, cap, text.p, (int32_t)text.n, &e) : 0;
    ucasemap_close(map);
    if (!p) return none;
    if (U_FAILURE(e)) fail(cx, E_INTERNAL, "ICU: %s", u_errorName(e));
    return U_FAILURE(e) ? none : (Str){ p, (size_t)n };
}

static Str without_punctuation(Str s, char *to)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80 || !ispunct(c)) to[n++] = s.p[i];
    }
    return (Str){ to, n };
}

/* What Python's \w matches: letters, numbers and the underscore. */
static bool is_word(UChar32 c)
{
    return c == '_' || (c >= 0 && (U_MASK(u_charType(c)) & (U_GC_L_MASK | U_GC_N_MASK)));
}

static bool is_article(Str s)
{
    return str_eq(s, STR("a")) || str_eq(s, STR("an")) || str_eq(s, STR("the"));
}

/* One space for each run of white space and articles. */
typedef struct Squeezer {
    char *to;
    size_t n;
    bool gap;
} Squeezer;

static void put(Squeezer *z, Str s)
{
    if (s.n && z->gap && z->n) z->to[z->n++] = ' ';
    if (s.n) z->gap = false, memcpy(z->to + z->n, s.p, s.n);
    z->n += s.n;
}

/* Walks runs of word characters, which may be an article, and what lies between. */
static Str squeeze(Str s, char *to)
{
    Squeezer z = { 0 };
    z.to = to;
    int32_t n = (int32_t)s.n;
    for (int32_t i = 0, begun = 0; i < n; begun = i) {
        UChar32 c;
        U8_NEXT(s.p, i, n, c);
        if (!is_word(c)) {
            if (c >= 0 && u_isUWhiteSpace(c)) z.gap = true;
            else put(&z, (Str){ s.p + begun, (size_t)(i - begun) });
            continue;
        }
        for (int32_t next = i; next < n && is_word(c); ) {
            U8_NEXT(s.p, next, n, c);
            if (is_word(c)) i = next;
        }
        Str run = { s.p + begun, (size_t)(i - begun) };
        if (is_article(run)) z.gap = true;
        else put(&z, run);
    }
    return (Str){ to, z.n };
}

Str squad_normal(Ctx *cx, Str text)
{
    Str low = lower(cx, text);
    char *bare = low.p ? ctx_alloc(cx, low.n + 1, 1) : NULL;
    char *out = bare ? ctx_alloc(cx, low.n + 1, 1) : NULL;
    if (!out) return (Str){ NULL, 0 };
    return squeeze(without_punctuation(low, bare), out);
}

typedef struct Tokens {
    Str *at;
    size_t n;
} Tokens;

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

static Status split(Ctx *cx, Str s, Tokens *out)
{
    size_t words = s.n > 0;
    for (size_t i = 0; i < s.n; i++) words += s.p[i] == ' ';
    *out = (Tokens){ ctx_new(cx, Str, words), 0 };
    TRY_NEW(out->at);
    for (size_t begun = 0, i = 0; i <= s.n && s.n; i++) {
        if (i < s.n && s.p[i] != ' ') continue;
        out->at[out->n++] = (Str){ s.p + begun, i - begun };
        begun = i + 1;
    }
    return OK;
}

/* Words in both, each as often as it stands in both; a and b are sorted. */
static size_t common(const Tokens *a, const Tokens *b)
{
    size_t i = 0, j = 0, n = 0;
    while (i < a->n && j < b->n) {
        int order = str_cmp(a->at[i], b->at[j]);
        if (order == 0) n++;
        if (order <= 0) i++;
        if (order >= 0) j++;
    }
    return n;
}

static double f1_of(const Tokens *text, const Tokens *answer)
{
    size_t same = common(text, answer);
    if (text->n == 0 || answer->n == 0) return text->n == answer->n;
    return 2.0 * (double)same / (double)(text->n + answer->n);   // = 2PR / (P + R)
}

/* Whole words only: "3" does not stand in "13". */
static bool holds(Str text, Str answer)
{
    if (answer.n == 0) return text.n == 0;
    for (size_t i = 0; i + answer.n <= text.n; i++) {
        const char *hit = memmem(text.p + i, text.n - i, answer.p, answer.n);
        if (!hit) return false;
        i = (size_t)(hit - text.p);
        size_t end = i + answer.n;
        if ((i == 0 || text.p[i - 1] == ' ') && (end == text.n || text.p[end] == ' '))
            return true;
    }
    return false;
}

static double more(double a, double b)
{
    return a > b ? a : b;
}

Status squad_score(Ctx *cx, Str text, const Str *answers, size_t n, Answered *out)
{
    Tokens have, want;
    Answered best = { 0 };
    *out = best;
    Str said = squad_normal(cx, text);
    if (!said.p) return cx->status;
    TRY(split(cx, said, &have));
    qsort(have.at, have.n, sizeof *have.at, by_bytes);
    for (size_t i = 0; i < n; i++) {
        Str answer = squad_normal(cx, answers[i]);
        if (!answer.p) return cx->status;
        TRY(split(cx, answer, &want));
        qsort(want.at, want.n, sizeof *want.at, by_bytes);
        best.em = more(best.em, str_eq(said, answer));
        best.f1 = more(best.f1, f1_of(&have, &want));
        best.contains = more(best.contains, holds(said, answer));
    }
    *out = best;
    return OK;
}

/* Bytes of the mark at s, spaces before it included: " [1, 2]"; 0 where there is none. */
static size_t mark_at(Str s)
{
    size_t i = 0, digits = 0;
    while (i < s.n && s.p[i] == ' ') i++;
    if (i == s.n || s.p[i++] != '[') return 0;
    for (; i < s.n && (isdigit((unsigned char)s.p[i]) || strchr(", ", s.p[i])); i++) {
        if (s.p[i] == '\0') return 0;   // strchr finds the terminator too
        digits += isdigit((unsigned char)s.p[i]) != 0;
    }
    return digits && i < s.n && s.p[i] == ']' ? i + 1 : 0;
}

Str squad_without_marks(Ctx *cx, Str text)
{
    char *to = ctx_alloc(cx, text.n + 1, 1);
    size_t n = 0;
    for (size_t i = 0; to && i < text.n; ) {
        size_t mark = mark_at((Str){ text.p + i, text.n - i });
        if (mark) i += mark;
        else to[n++] = text.p[i++];
    }
    return (Str){ to, n };
}
