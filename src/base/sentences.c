/* sentences.c -- see sentences.h. */
#include "base/sentences.h"

#include "base/ascii.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

struct Sentences {
    UBreakIterator *icu[3];     // English, Greek, all others; opened when first needed
};

typedef struct Spans {
    Span *at;
    size_t n, cap;
} Spans;

/* What a full stop cuts short without ending the sentence: small letters, a space on both
 * sides. What as often ends one ("etc.", "usw.") is not here. English has ICU's and those
 * of goes_on. */
static const char *const abbreviations[LANGUAGES] = {
    [LANGUAGE_CA] = " art arts av cap cf dr dra fig figs núm pàg pàgs pl prof sr "
                    "sra sres st sta tel vol ",
    [LANGUAGE_DA] = " bl ca dir dr eks fig fx hr inkl jf kap maks min mht nr pga "
                    "prof sml stk str tlf vedr årh ",
    [LANGUAGE_DE] = " abb abs abschn allg anl anm art aufl bd bes bspw bzgl bzw "
                    "ca dipl dr einschl evtl exkl fa ff fig frl geb gegr ggf hl "
                    "hr hrsg ing inkl insb jh jhd kap lic mag max min mio mrd "
                    "mwst nr od pl prof ref rn sog std str tab tel urspr vgl vorm "
                    "zit zt ziff zzgl ",
    [LANGUAGE_EL] = " αρ βλ γεν δηλ δρ εκ καθ κεφ κκ π.χ σελ τηλ τομ χιλ ",
    [LANGUAGE_ES] = " art arts av avda cap cía col dr dra dras dres dña excmo fig "
                    "figs fra gral hnos ing lic máx mín mr mrs núm nº pág págs "
                    "párr pdte prof profa ref sr sra sras sres srta sta sto tel "
                    "trad ud uds uu ee vd vds vol ",
    [LANGUAGE_FI] = " dos esim fil klo ks kts lis maist mm nk nr ns os prof puh "
                    "synt toim tri ts vrt ",
    [LANGUAGE_FR] = " apr art arts av bd boul cf chap dr env fig figs hab max me "
                    "mgr min mlle mm mme mmes mr mrs nos obs pp pr prof réf resp "
                    "sq st ste suiv tél vol ",
    [LANGUAGE_HI] = " इं कु डा डॉ पं पृ प्रो ले मो श्री श्रीमती सं स्व ",
    [LANGUAGE_HU] = " dr id ifj ill kb ld lásd max min nr özv old prof sz szt tel "
                    "ún vö ",
    [LANGUAGE_ID] = " bpk dr drs hlm ir jl kab kec kel mr no prof rp sdr tel tgl "
                    "yth ",
    [LANGUAGE_IT] = " art artt avv cap cfr col dott dr fig figg geom gent ing "
                    "mons op pag pagg par prof ra rag sec seg segg sez sig sigg "
                    "ssa tab tel vol ",
    [LANGUAGE_NL] = " afb art bijv blz ca dhr dr drs evt fig gem hfst hr incl ing "
                    "ir jl max mevr min mr mw nr nrs pag prof resp st str tel vgl "
                    "vnl zgn ",
    [LANGUAGE_NO] = " bl ca dr eks fig hr inkl jf kap maks min nr pga prof stk "
                    "str tlf vedr årh ",
    [LANGUAGE_PT] = " art arts av cap dr dra dras drs eng exa excia exmo fig figs "
                    "gov ltda máx mín núm obs pág págs prof profa ref sr sra sras "
                    "srs sta sto tel vol ",
    [LANGUAGE_RO] = " art bd bul cap cca conf dl dna dr fig ing lect max min nr "
                    "obs pag par pct prof str tel vol ",
    [LANGUAGE_RU] = " акад гл гр доц ед зав изд им ин инж илл корп млн млрд напр "
                    "обл оз отд пер пл пос просп проф разд рис св см ср ст стр "
                    "табл тел тов тыс ул чел экз ",
    [LANGUAGE_SV] = " bl ca dir dr ex fig forts fr hr kap max min nr prof resp "
                    "sid st str tel vol ",
    [LANGUAGE_TA] = " எண் கி டாக்டர் திரு திருமதி மு ",
    [LANGUAGE_TR] = " alb av bkz cad çev doç dr hz kd mah max min no ör örn prof "
                    "sn sok tel yrd ",
};

/* Where a number with a full stop is an ordinal. */
static const uint32_t has_ordinals = 1u << LANGUAGE_DE | 1u << LANGUAGE_DA |
                                     1u << LANGUAGE_NO | 1u << LANGUAGE_FI |
                                     1u << LANGUAGE_HU | 1u << LANGUAGE_TR;

static bool is_core(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/* ---- where a sentence goes on ----------------------------------------------------- */

/* Abbreviations of any language that ICU takes for the end of a sentence when a capital
 * follows. */
static bool is_cut_short(Str said)
{
    static const char *const short_for[] = { "Dr.", "Fig.", "Figs.", "Eq.", "Sec.",
                                             "e.g.", "i.e.", "cf.", "et al.", "St.",
                                             "vs." };
    for (size_t i = 0; i < sizeof short_for / sizeof *short_for; i++) {
        Str x = str_z(short_for[i]);
        if (!str_ends(said, x)) continue;
        if (said.n == x.n || !is_core(said.p[said.n - x.n - 1])) return true;
    }
    return false;
}

/* The character before i; 0 at the beginning. */
static UChar32 before(Str s, size_t *i)
{
    if (*i == 0) return 0;
    UChar32 c;
    int32_t back = *i < 4 ? (int32_t)*i : 4, at = back;
    const uint8_t *p = (const uint8_t *)s.p + *i - back;
    U8_PREV(p, 0, at, c);
    *i -= (size_t)(back - at);
    return c;
}

static UChar32 first_of(Str s)
{
    int32_t at = 0, n = s.n < 4 ? (int32_t)s.n : 4;
    UChar32 c = 0;
    if (n) U8_NEXT((const uint8_t *)s.p, at, n, c);
    return c;
}

/* What stands before the full stop that ends a sentence, if it is one. */
typedef struct Tail {
    char word[32];          // in small letters, a space on both sides; "": none, too long
    UChar32 last;           // its last character
    int letters, digits;
    bool upper;             // all of it is
    UChar32 ahead;          // the character before it and white space
} Tail;

static bool is_of_word(UChar32 c)
{
    int8_t type = u_charType(c);
    return u_isalnum(c) || type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK;
}

static Tail tail_of(Str said)
{
    Tail t = { .upper = true };
    size_t i = said.n - 1, at, n = 1;       // said ends with a full stop
    for (at = i; at > 0;) {
        size_t back = at;
        UChar32 c = before(said, &back);
        if (!is_of_word(c)) break;
        if (t.last == 0) t.last = c;
        t.letters += u_isalpha(c) != 0;
        t.digits += u_isdigit(c) != 0;
        t.upper &= !u_islower(c);
        at = back;
    }
    for (size_t back = at; back > 0 && (t.ahead == 0 || u_isUWhiteSpace(t.ahead));)
        t.ahead = before(said, &back);
    if (i == at || i - at > sizeof t.word - 6) return t;
    t.word[0] = ' ';
    for (int32_t k = (int32_t)at; k < (int32_t)i;) {
        UChar32 c;
        U8_NEXT((const uint8_t *)said.p, k, (int32_t)i, c);
        if (n + 6 > sizeof t.word) return t.word[0] = '\0', t;
        U8_APPEND_UNSAFE(t.word, n, u_tolower(c));
    }
    t.word[n++] = ' ';
    t.word[n] = '\0';
    return t;
}

static bool is_roman(const Tail *t)
{
    return t->upper && t->letters > 1 && strspn(t->word, " ivxlc") == strlen(t->word);
}

/* One letter: an initial, or an abbreviation ("z. B."); behind a number the name of a
 * unit or of a year ("1990 г."), which may well be the last word. */
static bool is_initial(const Tail *t)
{
    if (t->letters != 1 || t->digits) return false;
    bool roman = t->ahead == 'I' || t->ahead == 'V' || t->ahead == 'X';
    return u_isupper(t->last) || !(roman || u_isdigit(t->ahead));
}

/* Whether said goes on with next, in another language than English. */
static bool goes_on_abroad(Str said, Str next, Language l)
{
    UChar32 c = first_of(next);
    if (u_islower(c)) return true;                  // „Wirklich?“ fragte er.
    if (l == LANGUAGE_ZH)
        return str_ends(said, STR("」")) && str_starts(next, STR("と"));
    if (!str_ends(said, STR("."))) return false;
    if (str_ends(said, STR("т. д.")) || str_ends(said, STR("т. п.")))
        return false;                               // "and so on" mostly ends it
    Tail t = tail_of(said);
    if (t.word[0] == '\0') return false;
    const char *known = abbreviations[l];
    if (known && strstr(known, t.word)) return true;
    if (is_initial(&t)) return true;
    bool ordinal = (t.digits > 0 && t.digits < 3 && t.letters == 0) || is_roman(&t);
    return ordinal && u_isalpha(c) && (has_ordinals >> l & 1);
}

static bool goes_on(Str said, Str next, Language l)
{
    if (is_cut_short(said)) return true;
    return l != LANGUAGE_EN && goes_on_abroad(said, next, l);
}

/* Between the two lies white space without a blank line. */
static bool same_paragraph(Str t, size_t end, size_t start)
{
    int lines = 0;
    for (size_t i = end; i < start; i++) lines += t.p[i] == '\n';
    return lines < 2;
}

/* ---- where one ends that ICU does not end ----------------------------------------- */

/* Whether the full stop at i, with a number behind it, ends a sentence: what stands
 * before is a whole word and none that is wont to be cut short before a number. */
static bool ends_before_number(Str t, size_t start, size_t i)
{
    static const char short_for[] =
        " abs abschn anm app approx apr art aug bd chap col dec est eqn eqs feb fig figs "
        "jan jul jun kap lit mar max min nos nov núm oct okt par pos pts ref refs sec "
        "sect sep sept ser sta tab vgl ver vol vols zit ";
    char word[24] = " ";
    size_t from = i, n = 1, digit = i + 1;
    while (digit < t.n && is_space(t.p[digit])) digit++;
    if (digit == i + 1 || digit == t.n || !is_digit(t.p[digit])) return false;
    while (from > start && (is_letter(t.p[from - 1]) || (signed char)t.p[from - 1] < 0))
        from--;
    if (i - from < 3 || (from > start && is_core(t.p[from - 1]))) return false;
    if (from > start && t.p[from - 1] == '.') return false;     // e.g. p.abs.
    if (i - from > sizeof word - 3) return true;
    for (size_t k = from; k < i; k++)
        word[n++] = is_upper(t.p[k]) ? (char)(t.p[k] + 32) : t.p[k];
    word[n++] = ' ';
    return memmem(short_for, sizeof short_for - 1, word, n) == NULL;
}

/* ---- the sentences ---------------------------------------------------------------- */

static Span trimmed(Str t, size_t start, size_t end)
{
    while (start < end && is_space(t.p[start])) start++;
    while (end > start && is_space(t.p[end - 1])) end--;
    return (Span){ start, end };
}

static Status add_span(Ctx *cx, Str text, Language l, Span s, Spans *out)
{
    Span *last = out->n ? &out->at[out->n - 1] : NULL;
    s = trimmed(text, s.start, s.end);
    if (s.start == s.end) return OK;
    Str next = { text.p + s.start, s.end - s.start };
    if (last && same_paragraph(text, last->end, s.start) &&
        goes_on((Str){ text.p + last->start, last->end - last->start }, next, l)) {
        last->end = s.end;
        return OK;
    }
    TRY(ctx_grow(cx, &out->at, out->n, &out->cap, sizeof *out->at));
    out->at[out->n++] = s;
    return OK;
}

/* What ICU takes for one sentence, for UAX #29 ends none before a number behind which
 * small letters follow: "It is kept for two years. 74 bicycles were found." */
static Status add_sentence(Ctx *cx, Str text, Language l, Span s, Spans *out)
{
    for (size_t i = s.start; i < s.end; i++) {
        if (text.p[i] != '.' || !ends_before_number(text, s.start, i)) continue;
        TRY(add_span(cx, text, l, (Span){ s.start, i + 1 }, out));
        s.start = i + 1;
    }
    return add_span(cx, text, l, s, out);
}

/* Where the next sentence begins, whose opening marks ICU leaves with the one before:
 * Chinese and Japanese have no space between 。 and 「. */
static size_t before_opening_marks(Str t, size_t start, size_t end)
{
    static const char *const mark[] = { "“", "‘", "「", "『", "（", "《", "〈", "【" };
    for (size_t i = 0; i < sizeof mark / sizeof *mark; i++) {
        Str m = str_z(mark[i]), said = { t.p + start, end - start };
        if (said.n <= m.n || !str_ends(said, m)) continue;
        end -= m.n;
        i = SIZE_MAX;       // perhaps there is another one before it
    }
    return end;
}

/* A copy in which a single line break is a space, for UAX #29 ends a sentence at every
 * line break; where a blank line follows it stays. Offsets are kept. */
static char *unwrapped(Ctx *cx, Str t)
{
    char *p = ctx_alloc(cx, t.n + 1, 1);
    for (size_t i = 0; p && i < t.n; i++) {
        size_t j = i + 1;
        p[i] = t.p[i];
        if (p[i] == '\r') p[i] = ' ';
        if (p[i] != '\n') continue;
        while (j < t.n && is_space(t.p[j]) && t.p[j] != '\n') j++;
        if (j < t.n && t.p[j] != '\n') p[i] = ' ';
        for (; i + 1 < j; i++) p[i + 1] = ' ';
    }
    return p;
}

/* ICU's iterator for l. Of CLDR's abbreviations only the English ones are of use: those
 * of German hold "er", the pronoun. */
static UBreakIterator *icu_of(Sentences *s, Language l, UErrorCode *e)
{
    UBreakIterator **icu = &s->icu[l == LANGUAGE_EN ? 0 : l == LANGUAGE_EL ? 1 : 2];
    const char *greek = l == LANGUAGE_EL ? "el" : "";
    const char *locale = l == LANGUAGE_EN ? "en@ss=standard" : greek;
    if (!*icu) *icu = ubrk_open(UBRK_SENTENCE, locale, NULL, 0, e);
    if (!*icu && U_SUCCESS(*e)) *e = U_MEMORY_ALLOCATION_ERROR;
    return *icu;
}

Status sentences_cut(Ctx *cx, Sentences *s, Language l, Str text, Span **out, size_t *n)
{
    UErrorCode e = U_ZERO_ERROR;
    UText u = UTEXT_INITIALIZER;
    Spans all = { 0 };
    if (text.n > INT32_MAX)
        return fail(cx, E_LIMIT, "a text of %zu bytes; less than 2 GiB is read", text.n);
    char *flat = unwrapped(cx, text);
    TRY_NEW(flat);
    UBreakIterator *icu = icu_of(s, l, &e);
    utext_openUTF8(&u, flat, (int64_t)text.n, &e);
    if (U_SUCCESS(e)) ubrk_setUText(icu, &u, &e);
    utext_close(&u);
    if (e == U_MEMORY_ALLOCATION_ERROR)
        return fail(cx, E_MEMORY, "no memory for the sentences of a text");
    if (U_FAILURE(e)) return fail(cx, E_INTERNAL, "ICU, sentences: %s", u_errorName(e));
    size_t start = 0;
    ubrk_first(icu);
    for (int32_t to; (to = ubrk_next(icu)) != UBRK_DONE;) {
        size_t end = (size_t)to;
        if (l == LANGUAGE_ZH && end < text.n)
            end = before_opening_marks(text, start, end);
        TRY(add_sentence(cx, text, l, (Span){ start, end }, &all));
        start = end;
    }
    if (start != text.n)        // without memory ICU ends where it is, and says nothing
        return fail(cx, E_MEMORY, "no memory for the sentences of a text");
    *out = all.at;
    *n = all.n;
    return OK;
}

Sentences *sentences_new(void) { return calloc(1, sizeof(Sentences)); }

void sentences_free(Sentences *s)
{
    if (!s) return;
    for (int i = 0; i < 3; i++)
        if (s->icu[i]) ubrk_close(s->icu[i]);
    free(s);
}
