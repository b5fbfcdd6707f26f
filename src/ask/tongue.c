/* tongue.c -- see tongue.h. */
#include "ask/tongue.h"

#include <string.h>

static const char *const names[LANGUAGES] = {
    [LANGUAGE_EN] = "in English",    [LANGUAGE_CA] = "in Catalan",
    [LANGUAGE_DA] = "in Danish",     [LANGUAGE_DE] = "in German",
    [LANGUAGE_ES] = "in Spanish",    [LANGUAGE_FI] = "in Finnish",
    [LANGUAGE_FR] = "in French",     [LANGUAGE_HU] = "in Hungarian",
    [LANGUAGE_ID] = "in Indonesian", [LANGUAGE_IT] = "in Italian",
    [LANGUAGE_NL] = "in Dutch",      [LANGUAGE_NO] = "in Norwegian",
    [LANGUAGE_PT] = "in Portuguese", [LANGUAGE_RO] = "in Romanian",
    [LANGUAGE_SV] = "in Swedish",    [LANGUAGE_TR] = "in Turkish",
    [LANGUAGE_AR] = "in Arabic",     [LANGUAGE_EL] = "in Greek",
    [LANGUAGE_HI] = "in Hindi",      [LANGUAGE_HY] = "in Armenian",
    [LANGUAGE_RU] = "in Russian",    [LANGUAGE_TA] = "in Tamil",
    [LANGUAGE_TH] = "in Thai",       [LANGUAGE_ZH] = "in Chinese",
};
static const char unnamed[] = "in the language of the question";

static bool has_any(Str s, const char *letters)
{
    for (const char *p = letters; *p; p += 2)       // of two bytes each
        if (memmem(s.p, s.n, p, 2)) return true;
    return false;
}

/* Whether s has a character of three bytes from first to last, in the order of bytes. */
static bool has_between(Str s, const char *first, const char *last)
{
    for (size_t i = 0; i + 3 <= s.n; i++)
        if (memcmp(s.p + i, first, 3) >= 0 && memcmp(s.p + i, last, 3) <= 0) return true;
    return false;
}

/* The name of l, which a script stands for, where the letters are not of another
 * language that is written in it: Ukrainian, Persian, Japanese. */
static const char *name_of(Language l, Str s)
{
    if (l == LANGUAGE_RU && has_any(s, "іїєґўћђјљњџІЇЄҐЎЋЂЈЉЊЏ")) return unnamed;
    if (l == LANGUAGE_AR && has_any(s, "پچژگکیٹڈںے")) return unnamed;
    if (l == LANGUAGE_ZH && has_between(s, "ぁ", "ヿ")) return "in Japanese";
    if (l == LANGUAGE_ZH && has_between(s, "가", "힣")) return "in Korean";
    return names[l];
}

static Language of_passages(const Words *w, const Passages *ps)
{
    size_t votes[LANGUAGES] = { 0 };
    Language most = LANGUAGE_EN;
    for (size_t i = 0; i < ps->n; i++) {
        Language l = words_written(w, ps->at[i].chunk.text);
        if (++votes[l] > votes[most]) most = l;
    }
    return most;
}

Status tongue_of(Ctx *cx, const Passages *ps, Str question, const char **out)
{
    Words *w;
    TRY(words_open(cx, &w));
    Language asked = words_asked(w, question), read = of_passages(w, ps);
    *out = asked == LANGUAGE_NONE || asked == read ? "" : name_of(asked, question);
    words_close(w);
    return OK;
}
