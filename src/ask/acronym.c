/* acronym.c -- see acronym.h. Brackets and sayings are looked at as the text has them;
 * nothing is allocated. */
#include "ask/acronym.h"

#include "ask/term.h"
#include "base/ascii.h"

#include <string.h>

enum { TERM_LEAST = 2, TERM_MOST = 10, WINDOW = 160 };

static size_t count_words(Str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += !is_space(s.p[i]) && (i == 0 || is_space(s.p[i - 1]));
    return n;
}

/* ---- the two sides ----------------------------------------------------------------- */

/* As an abbreviation is written. Some cut off what is no part of it: "TLRs", "ACS;". */
static bool is_term(Str *s)
{
    size_t capitals = 0, digits = 0;
    Str t = str_trim(*s);
    if (t.n > TERM_LEAST && t.p[t.n - 1] == 's' && is_upper(t.p[t.n - 2])) t.n--;
    if (t.n < TERM_LEAST || t.n > TERM_MOST || !in_word(t.p[0])) return false;
    for (size_t i = 0; i < t.n; i++) {
        if (!in_word(t.p[i]) && !str_one_of(t.p[i], "-/&.+")) return false;
        capitals += is_upper(t.p[i]);
        digits += is_digit(t.p[i]);
    }
    *s = t;
    return capitals > 0 && capitals + digits > 1 && in_word(t.p[t.n - 1]);
}

/* The end of text that the term stands for; n = 0: none of it. */
static Str meaning_in(Str text, Str term)
{
    size_t t = term.n, i = text.n;
    while (t > 0) {
        char c = to_lower(term.p[t - 1]);
        if (!in_word(c)) {
            t--;
            continue;
        }
        do {
            if (i == 0) return (Str){ text.p, 0 };
            i--;
        } while (to_lower(text.p[i]) != c || (t == 1 && i > 0 && in_word(text.p[i - 1])));
        t--;
    }
    while (i > 0 && !is_space(text.p[i - 1]) && text.p[i - 1] != '(') i--;
    return (Str){ text.p + i, text.n - i };
}

/* No half of a pair of brackets, no mark, no end of a sentence. */
static bool is_plain(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (str_one_of(s.p[i], "()[]{}|=<>\"*$`")) return false;
        bool stop = str_one_of(s.p[i], ".;:?!");
        if (stop && i + 1 < s.n && is_space(s.p[i + 1])) return false;
    }
    return true;
}

static bool is_meaning(Str meaning, Str term)
{
    size_t words = count_words(meaning);
    size_t most = 2 * term.n < term.n + 5 ? 2 * term.n : term.n + 5;
    return meaning.n > term.n && words > 0 && words <= most && in_word(meaning.p[0])
        && is_plain(meaning) && !term_is_in(meaning, term, true)
        && !str_starts(meaning, term);
}

/* ---- the ways of saying ------------------------------------------------------------ */

/* At most WINDOW bytes before i, begun at a letter. */
static Str before(Str text, size_t i)
{
    size_t from = i > WINDOW ? i - WINDOW : 0;
    while (from > 0 && from < i && !is_space(text.p[from - 1])) from++;
    return str_trim((Str){ text.p + from, i - from });
}

/* The last word of s. */
static Str last_word(Str s)
{
    size_t n = s.n;
    while (n > 0 && !is_space(s.p[n - 1])) n--;
    return (Str){ s.p + n, s.n - n };
}

static bool pair_of(Str term, Str text, bool whole, Acronym *out)
{
    if (!is_term(&term)) return false;
    Str meaning = meaning_in(text, term);
    if (!is_meaning(meaning, term) || (whole && meaning.p != text.p)) return false;
    *out = (Acronym){ term, meaning };
    return true;
}

/* The bracket opens at i: "long form (TERM" or "TERM (long form". */
static bool in_brackets(Str text, size_t i, Acronym *out)
{
    size_t end = i + 1;
    while (end < text.n && end - i < WINDOW && !str_one_of(text.p[end], "(),;")) end++;
    if (end == text.n || text.p[end] == '(') return false;
    Str inside = str_trim((Str){ text.p + i + 1, end - i - 1 }), left = before(text, i);
    return pair_of(inside, left, false, out)
        || (text.p[end] == ')' && pair_of(last_word(left), inside, true, out));
}

/* From `from` to the next mark, without quotation marks. */
static Str clause(Str text, size_t from)
{
    size_t end = from;
    while (end < text.n && end - from < WINDOW && !str_one_of(text.p[end], ".,;:()\n"))
        end++;
    while (from < end && !in_word(text.p[from])) from++;
    while (end > from && !in_word(text.p[end - 1])) end--;
    return (Str){ text.p + from, end - from };
}

/* "TERM stands for long form": the saying begins at i. */
static bool in_words(Str text, size_t i, Acronym *out)
{
    static const char *const sayings[] = { " stands for ", ", short for ",
                                           " is short for ", " is an abbreviation for ",
                                           " is an acronym for " };
    Str rest = { text.p + i, text.n - i };
    for (size_t k = 0; k < sizeof sayings / sizeof *sayings; k++) {
        Str saying = str_z(sayings[k]);
        if (str_starts(rest, saying))
            return pair_of(last_word(before(text, i)), clause(text, i + saying.n), true,
                           out);
    }
    return false;
}

bool acronym_next(Str text, size_t *at, Acronym *out)
{
    while (*at < text.n) {
        size_t i = (*at)++;
        char c = text.p[i];
        if (c == '(' && in_brackets(text, i, out)) return true;
        if ((c == ' ' || c == ',') && in_words(text, i, out)) return true;
    }
    return false;
}
