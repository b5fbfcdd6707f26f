/* quantity.c -- see quantity.h. One walk over the words: a number takes the words behind
 * it, until there are QUANTITY_WORDS, another number, a function word other than "of" and
 * "the", or a punctuation mark. */
#include "ask/quantity.h"

#include <ctype.h>
#include <string.h>

/* ---- numbers ---------------------------------------------------------------------- */

/* "one" is seldom a number, and above twelve people write digits. */
static int spelled(Str stem)
{
    static const char *const name[] = { "two", "three", "four", "five", "six", "seven",
                                        "eight", "nine", "ten", "eleven", "twelv" };
    for (int i = 0; i < 11; i++)
        if (str_eq(stem, str_z(name[i]))) return i + 2;
    return 0;
}

static bool is_ordinal(Str rest)
{
    return str_eq(rest, STR("st")) || str_eq(rest, STR("nd")) || str_eq(rest, STR("rd"))
        || str_eq(rest, STR("th")) || str_eq(rest, STR("s"));
}

/* The digits of "1,200" and of "10km", whose letters are *rest; all of "5th", "1950s". */
static uint64_t value_of(Str word, Str *rest)
{
    char digit[64];
    size_t n = 0, i = 0;
    for (; i < word.n && n < sizeof digit; i++) {
        if (word.p[i] == ',') continue;
        if (!isdigit((unsigned char)word.p[i]) && word.p[i] != '.') break;
        digit[n++] = word.p[i];
    }
    *rest = (Str){ word.p + i, word.n - i };
    if (!is_ordinal(*rest)) return str_hash((Str){ digit, n });
    *rest = (Str){ "", 0 };
    return str_hash(word);
}

static bool is_number(Str stem, uint64_t *value, Str *rest)
{
    char digits[4];
    int n = spelled(stem);
    *rest = (Str){ "", 0 };
    if (n) {
        size_t len = 0;
        if (n > 9) digits[len++] = '1';
        digits[len++] = (char)('0' + n % 10);
        return *value = str_hash((Str){ digits, len }), true;
    }
    if (!stem.n || !isdigit((unsigned char)stem.p[0])) return false;
    return *value = value_of(stem, rest), true;
}

/* 1000 to 2099, "1950s" too. */
static bool is_year(Str word)
{
    if (word.n < 4 || word.n > 5 || (word.n == 5 && word.p[4] != 's')) return false;
    for (int i = 0; i < 4; i++)
        if (!isdigit((unsigned char)word.p[i])) return false;
    return word.p[0] == '1' || (word.p[0] == '2' && word.p[1] == '0');
}

/* ---- what is counted --------------------------------------------------------------- */

/* Stems and what they are short for; a word that is nothing's other name stays. */
static uint64_t counted(Str stem)
{
    static const char *const name[][2] = {
        { "min", "minut" }, { "hr", "hour" }, { "h", "hour" }, { "sec", "second" },
        { "yr", "year" }, { "km", "kilomet" }, { "kilometr", "kilomet" },
        { "m", "meter" }, { "metr", "meter" }, { "kg", "kilogram" }, { "lb", "pound" },
        { "ft", "foot" }, { "feet", "foot" }, { "usd", "dollar" }, { "pct", "percent" },
        { "cent", "percent" },      // "per cent"; a coin is seldom told from a share
    };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (str_eq(stem, str_z(name[i][0]))) return str_hash(str_z(name[i][1]));
    return str_hash(stem);
}

static bool joins(Str stem)
{
    return str_eq(stem, STR("of")) || str_eq(stem, STR("the"));
}

/* ---- between words ---------------------------------------------------------------- */

/* Whether what stands between two words parts them. */
static bool parts(Str gap)
{
    for (size_t i = 0; i < gap.n; i++) {
        unsigned char c = (unsigned char)gap.p[i];
        if (c && strchr(",;:.!?()[]{}\"|/\n\t", c)) return true;
        /* U+2000 to U+203F: dashes, quotes, bullets */
        if (i + 1 < gap.n && c == 0xe2 && gap.p[i + 1] == '\x80') return true;
    }
    return false;
}

static bool has(Str gap, const char *sign)
{
    size_t n = strlen(sign);
    for (size_t i = 0; i + n <= gap.n; i++)
        if (memcmp(gap.p + i, sign, n) == 0) return true;
    return false;
}

/* The stem of the word that a sign stands for; 0: there is none. */
static uint64_t sign_in(Str gap, bool ahead)
{
    static const struct { const char *sign, *stem; bool ahead; } signs[] = {
        { "$", "dollar", true }, { "\u20ac", "euro", true }, { "\u00a3", "pound", true },
        { "%", "percent", false }, { "\u20ac", "euro", false },
        { "\u00b0", "degre", false },
    };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i].ahead == ahead && has(gap, signs[i].sign))
            return str_hash(str_z(signs[i].stem));
    return 0;
}

/* ---- the walk --------------------------------------------------------------------- */

typedef struct Walk {
    Ctx *cx;
    Quantities *out;
    size_t room;            // of out
    size_t left;            // words that the last number still takes
    size_t last_end;        // of the word before
    uint64_t last;          // its stem, 0 for a function word
    bool last_is_number;
} Walk;

static void add_word(Quantity *q, uint64_t stem)
{
    if (stem && q->n_of < QUANTITY_WORDS + 1) q->of[q->n_of++] = stem;
}

static Status add_number(Walk *k, Str gap, const Word *w, uint64_t value, Str rest)
{
    TRY(ctx_grow(k->cx, &k->out->at, k->out->n, &k->room, sizeof *k->out->at));
    Quantity *q = &k->out->at[k->out->n++];
    *q = (Quantity){ .value = value, .before = parts(gap) ? 0 : k->last,
                     .start = w->start };
    add_word(q, rest.n ? counted(rest) : sign_in(gap, true));
    k->left = is_year(w->stem) ? 0 : QUANTITY_WORDS;
    return OK;
}

/* What stands between two words: a sign behind the number, a mark that ends its words. */
static void read_gap(Walk *k, Str gap)
{
    if (k->last_is_number)
        add_word(&k->out->at[k->out->n - 1], sign_in(gap, false));
    if (parts(gap)) k->left = 0;
}

static Status read_word(Walk *k, Str text, const Word *w)
{
    uint64_t value, stem = w->stop ? 0 : counted(w->stem);
    Str rest, gap = { text.p + k->last_end, w->start - k->last_end };
    read_gap(k, gap);
    bool number = is_number(w->stem, &value, &rest);
    if (number) TRY(add_number(k, gap, w, value, rest));
    else if (w->stop && !joins(w->stem)) k->left = 0;
    else if (k->left > 0) add_word(&k->out->at[k->out->n - 1], stem), k->left--;
    k->last = number ? 0 : stem;
    k->last_end = w->end;
    k->last_is_number = number;
    return OK;
}

Status quantities_read(Ctx *cx, Words *w, Str text, Quantities *out)
{
    Walk k = { .cx = cx, .out = out };
    *out = (Quantities){ 0 };
    TRY(words_begin(cx, w, text));
    for (Word x; words_next(w, &x);)
        if (x.start >= k.last_end)      // else a part of the word before
            TRY(read_word(&k, text, &x));
    read_gap(&k, (Str){ text.p + k.last_end, text.n - k.last_end });
    return words_end(cx, w);
}

/* ---- comparison ------------------------------------------------------------------- */

static bool counts(const Quantity *q, uint64_t stem)
{
    for (size_t i = 0; stem && i < q->n_of; i++)
        if (q->of[i] == stem) return true;
    return false;
}

static bool agree(const Quantity *a, const Quantity *b)
{
    if (a->value != b->value) return false;
    if (a->n_of == 0 || b->n_of == 0) return true;
    if (counts(a, b->before) || counts(b, a->before)) return true;
    for (size_t i = 0; i < a->n_of; i++)
        if (counts(b, a->of[i])) return true;
    return false;
}

bool quantities_say(const Quantities *all, const Quantity *q)
{
    for (size_t i = 0; i < all->n; i++)
        if (agree(q, &all->at[i])) return true;
    return false;
}

bool quantities_name(const Quantities *all, uint64_t value)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].value == value) return true;
    return false;
}
