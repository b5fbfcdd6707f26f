/* words.c -- see words.h.
 *
 * A text is walked in stretches. A stretch of plain ASCII is scanned by hand, by the
 * rules that UAX #29 has for ASCII; all else goes through ICU. Stretches part at ASCII
 * white space, where every rule of UAX #29 breaks, so the two ways together find what
 * ICU alone would find (tests/unit/words.c compares them on random texts).
 *
 * An identifier comes whole, then in its parts: `read_file`, `read`, `file`; the same
 * for `readFile` and `file.read`. Who asks for one of them finds the other. */
#include "base/words.h"

#include "base/ascii.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utext.h>

enum {
    WORD_CHARS = 64,              // longer words are cut there
    WORD_BYTES = 4 * WORD_CHARS,
    WORD_UNITS = 20 * WORD_CHARS, // NFKC makes 18 of U+FDFA
    STEM_BYTES = 3 * WORD_UNITS,
    ASCII_RUN = 32,               // so much of it leaves ICU again
};
static const size_t NONE = SIZE_MAX;

struct Words {
    UBreakIterator *words;
    Sentences *sentences;
    const UNormalizer2 *fold, *apart, *together;   // ICU's own, never freed
    FunctionWords *function_words;
    struct sb_stemmer *stemmer[LANGUAGES];         // made when first needed
    Language spoken;
    bool singles;
    bool starved;                 // no memory for a word of this walk
    Str text;
    size_t at;                    // all before was told
    size_t stretch;               // where the stretch in work ends
    size_t icu;                   // where the one in ICU's hands began
    bool in_icu;
    size_t pairs;                 // where the next pair begins in the run in work,
    size_t pairs_begin, pairs_end;    // which is of Han, Kana and Hangul
    size_t single;                // where the character to be told alone begins, or NONE
    size_t part, part_end;        // the identifier being taken apart
    UChar a[WORD_UNITS], b[WORD_UNITS];
    char stem[STEM_BYTES];
};

/* ---- characters ------------------------------------------------------------------- */

static inline bool is_core(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/* Written without spaces, so that pairs of characters stand for words. */
static bool is_paired(UChar32 c)
{
    if (c < 0x1100) return false;
    if (c == 0x30FC) return true;   // the long vowel of both Kana is of no script
    UErrorCode e = U_ZERO_ERROR;
    UScriptCode s = uscript_getScript(c, &e);
    return s == USCRIPT_HAN || s == USCRIPT_HIRAGANA || s == USCRIPT_KATAKANA ||
           s == USCRIPT_HANGUL;
}

/* The code point at *i, which moves past it; negative for a broken one. */
static UChar32 step(Str t, size_t *i, size_t end)
{
    int32_t at = 0, n = (int32_t)(end - *i < 4 ? end - *i : 4);
    const uint8_t *p = (const uint8_t *)t.p + *i;
    UChar32 c;
    U8_NEXT(p, at, n, c);
    *i += (size_t)at;
    return c;
}

/* ---- languages -------------------------------------------------------------------- */

static Language language_of(UChar32 c)
{
    UErrorCode e = U_ZERO_ERROR;
    switch (uscript_getScript(c, &e)) {
    case USCRIPT_LATIN:      return LANGUAGE_EN;    // or the one spoken
    case USCRIPT_CYRILLIC:   return LANGUAGE_RU;
    case USCRIPT_GREEK:      return LANGUAGE_EL;
    case USCRIPT_ARABIC:     return LANGUAGE_AR;
    case USCRIPT_DEVANAGARI: return LANGUAGE_HI;
    case USCRIPT_ARMENIAN:   return LANGUAGE_HY;
    case USCRIPT_TAMIL:      return LANGUAGE_TA;
    case USCRIPT_THAI:       return LANGUAGE_TH;
    default:                 return is_paired(c) ? LANGUAGE_ZH : LANGUAGE_NONE;
    }
}

Language words_language(const Words *w, Str text)
{
    return language_of_text(w->function_words, text);
}

void words_speak(Words *w, Language l)
{
    w->spoken = l < LATIN_LANGUAGES ? l : LANGUAGE_EN;
}

void words_singles(Words *w, bool on) { w->singles = on; }

/* ---- stemming --------------------------------------------------------------------- */

/* l'hôpital, dell'acqua: the word behind the article. */
static Str behind_article(Str s)
{
    static const char *const article[] = { "l'", "d'", "qu'", "s'", "n'", "c'", "j'",
                                           "m'", "t'", "un'", "all'", "dall'", "dell'",
                                           "nell'", "sull'", "quell'", "jusqu'",
                                           "lorsqu'" };
    for (size_t i = 0; i < sizeof article / sizeof *article; i++) {
        Str x = str_z(article[i]);
        if (s.n > x.n && str_starts(s, x)) return (Str){ s.p + x.n, s.n - x.n };
    }
    return s;
}

/* An Arabic word without its article and what is written together with it ("and", "by",
 * "as", "for"), as Larkey, Ballesteros and Connell, 2002, cut it. Snowball does it for
 * some of them, and then cuts other endings than it cuts without an article. What has
 * less than three letters behind the article may have none. */
static Str behind_al(Str s)
{
    static const char *const al[] = { "وال", "فال", "بال", "كال", "ولل", "فلل", "ال",
                                      "لل" };
    enum { LEAST = 3 * 2 };     // bytes
    for (size_t i = 0; i < sizeof al / sizeof *al; i++) {
        Str x = str_z(al[i]);
        if (s.n >= x.n + LEAST && str_starts(s, x)) return (Str){ s.p + x.n, s.n - x.n };
    }
    return s;
}

static struct sb_stemmer *stemmer_of(Words *w, Language l)
{
    const char *name = language_facts[l].stemmer;
    if (!w->stemmer[l] && name) {
        w->stemmer[l] = sb_stemmer_new(name, NULL);
        w->starved |= !w->stemmer[l];
    }
    return w->stemmer[l];
}

/* out->stem is folded; cuts it to its stem. */
static void stem(Words *w, Language l, Word *out)
{
    if (l == LANGUAGE_NONE) return;
    if (language_facts[l].elides) out->stem = behind_article(out->stem);
    if (l == LANGUAGE_AR) out->stem = behind_al(out->stem);
    out->stop = function_words_find(w->function_words, out->stem) >> l & 1;
    struct sb_stemmer *snowball = stemmer_of(w, l);
    if (!snowball) return;
    const sb_symbol *s = sb_stemmer_stem(snowball, (const sb_symbol *)out->stem.p,
                                         (int)out->stem.n);
    int n = sb_stemmer_length(snowball);
    w->starved |= !s;
    if (s && n > 0) out->stem = (Str){ (const char *)s, (size_t)n };
}

/* ---- folding ---------------------------------------------------------------------- */

static Str lower(Words *w, Str s)
{
    if (s.n > WORD_CHARS) s.n = WORD_CHARS;
    for (size_t i = 0; i < s.n; i++)
        w->stem[i] = is_upper(s.p[i]) ? (char)(s.p[i] + 32) : s.p[i];
    return (Str){ w->stem, s.n };
}

/* Letters of Latin that have their stroke or their missing dot built in. */
static UChar plain_letter(UChar c)
{
    switch (c) {
    case 0x131:  return 'i';
    case 0x142:  return 'l';
    case 0xF8:   return 'o';
    case 0x111:  return 'd';
    default:     return c;
    }
}

/* Drops the accents of decomposed Latin, Greek and Cyrillic; in other scripts the marks
 * are vowels. The breve of the Cyrillic short i stays: it is a letter of its own. */
static int32_t drop_accents(UChar *s, int32_t n)
{
    int32_t kept = 0;
    Language l = LANGUAGE_NONE;
    for (int32_t i = 0; i < n; i++) {
        bool mark = u_charType(s[i]) == U_NON_SPACING_MARK;
        bool short_i = s[i] == 0x306 && kept && s[kept - 1] == 0x438;
        bool accents = l == LANGUAGE_EN || l == LANGUAGE_RU || l == LANGUAGE_EL;
        if (mark && accents && !short_i) continue;
        if (!mark) l = language_of(s[i]);
        s[kept++] = plain_letter(s[i]);
    }
    return kept;
}

static int32_t units_of(Words *w, Str s, UErrorCode *e)
{
    int32_t n = 0;
    u_strFromUTF8WithSub(w->a, WORD_UNITS, &n, s.p, (int32_t)s.n, 0xFFFD, NULL, e);
    return n;
}

/* n units of w->a, with their accents or without, as UTF-8; .p is NULL where ICU
 * refuses. */
static Str composed(Words *w, int32_t n, bool accents, UErrorCode *e)
{
    int32_t bytes = 0;
    if (!accents) {
        n = unorm2_normalize(w->apart, w->a, n, w->b, WORD_UNITS, e);
        if (U_SUCCESS(*e)) n = drop_accents(w->b, n);
        if (U_SUCCESS(*e)) u_memcpy(w->a, w->b, n);
    }
    n = unorm2_normalize(w->together, w->a, n, w->b, WORD_UNITS, e);
    u_strToUTF8(w->stem, STEM_BYTES, &bytes, w->b, n, e);
    w->starved |= *e == U_MEMORY_ALLOCATION_ERROR;
    if (U_FAILURE(*e) || bytes <= 0) return (Str){ NULL, 0 };
    return (Str){ w->stem, (size_t)bytes };
}

/* The folded form of a word that is not ASCII; the word itself where ICU refuses.
 * Snowball wants the accents of the languages other than English; see tell. */
static Str fold(Words *w, Str word, Language *l)
{
    UErrorCode e = U_ZERO_ERROR;
    size_t end = 0, first = 0;
    for (int chars = 0; end < word.n && chars < WORD_CHARS; chars++)
        step(word, &end, word.n);
    word.n = end;
    *l = language_of(step(word, &first, word.n));
    int32_t n = units_of(w, word, &e);
    n = unorm2_normalize(w->fold, w->a, n, w->b, WORD_UNITS, &e);
    for (int32_t i = 0; U_SUCCESS(e) && i < n; i++)
        w->a[i] = w->b[i] == 0x2019 ? '\'' : w->b[i];
    bool accents = *l == LANGUAGE_EN && w->spoken != LANGUAGE_EN;
    Str s = composed(w, n, accents, &e);
    if (!s.p) return *l = LANGUAGE_NONE, word;
    end = 0;
    *l = language_of(step(s, &end, s.n));
    return s;
}

/* A stem without accents, for who types a query leaves them out. */
static Str without_accents(Words *w, Str s)
{
    UErrorCode e = U_ZERO_ERROR;
    Str plain = composed(w, units_of(w, s, &e), false, &e);
    return plain.p ? plain : s;
}

static bool has_characters(Str s, size_t n)
{
    for (size_t i = 0; i < s.n && n; i++) n -= ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n == 0;
}

static bool has_letter(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_letter(s.p[i])) return true;
    return false;
}

static void tell(Words *w, size_t start, size_t end, Word *out)
{
    Str word = { w->text.p + start, end - start };
    bool ascii = true;
    Language l = LANGUAGE_EN;
    for (size_t i = 0; i < word.n && ascii; i++) ascii = is_ascii(word.p[i]);
    *out = (Word){ .start = start, .end = end };
    if (ascii && !has_letter(word)) l = LANGUAGE_NONE;
    out->stem = ascii ? lower(w, word) : fold(w, word, &l);
    out->spoken = l == LANGUAGE_EN;
    stem(w, out->spoken ? w->spoken : l, out);
    if (!ascii && out->spoken && w->spoken != LANGUAGE_EN)
        out->stem = without_accents(w, out->stem);
    out->whole = has_characters(out->stem, 3);
}

/* ---- the walk --------------------------------------------------------------------- */

/* Where the part of an identifier that starts at i ends: before _ or ., and where a
 * capital follows a small letter. 3.14 is one part. */
static size_t part_end(Str t, size_t i, size_t end)
{
    for (size_t j = i + 1; j < end; j++) {
        if (t.p[j] == '_') return j;
        bool decimal = is_digit(t.p[j - 1]) && j + 1 < end && is_digit(t.p[j + 1]);
        if (t.p[j] == '.' && !decimal) return j;
        if (is_upper(t.p[j]) && is_lower(t.p[j - 1])) return j;
    }
    return end;
}

/* Parts of one character say nothing. */
static bool next_part(Words *w, Word *out)
{
    while (w->part < w->part_end) {
        size_t i = w->part;
        if (w->text.p[i] == '_' || w->text.p[i] == '.') {
            w->part++;
            continue;
        }
        w->part = part_end(w->text, i, w->part_end);
        if (w->part - i < 2) continue;
        tell(w, i, w->part, out);
        return true;
    }
    return false;
}

static bool whole(Words *w, size_t start, size_t end, Word *out)
{
    tell(w, start, end, out);
    if (part_end(w->text, start, end) < end) {
        w->part = start;
        w->part_end = end;
    }
    return true;
}

/* One character that is a word by itself often enough. */
static bool stands_alone(Str t, size_t i, size_t end)
{
    UErrorCode e = U_ZERO_ERROR;
    UScriptCode s = uscript_getScript(step(t, &i, end), &e);
    return s == USCRIPT_HAN || s == USCRIPT_HANGUL;
}

/* Whether a pair lies across two words of ICU's dictionary, or is of Hiragana (endings,
 * particles) or Hangul, whose words the dictionary does not know. */
static bool is_torn(Words *w, size_t start, size_t second, size_t end)
{
    if (ubrk_isBoundary(w->words, (int32_t)(second - w->icu))) return true;
    for (size_t i = start; i < end;) {
        UErrorCode e = U_ZERO_ERROR;
        UScriptCode s = uscript_getScript(step(w->text, &i, end), &e);
        if (s == USCRIPT_HIRAGANA || s == USCRIPT_HANGUL) return true;
    }
    return false;
}

static bool next_single(Words *w, Word *out)
{
    size_t start = w->single, end = start;
    w->single = NONE;
    if (start == NONE || !stands_alone(w->text, start, w->pairs_end)) return false;
    step(w->text, &end, w->pairs_end);
    tell(w, start, end, out);
    out->single = true;
    return true;
}

/* Each character of the run begins a pair, the last one only where it is alone. */
static bool next_pair(Words *w, Word *out)
{
    size_t start = w->pairs, second = start;
    if (next_single(w, out)) return true;
    if (start >= w->pairs_end) return false;
    step(w->text, &second, w->pairs_end);
    bool last = second == w->pairs_end, alone = last && start == w->pairs_begin;
    if (w->singles && !alone) w->single = start;
    w->pairs = second;
    if (last && !alone) return next_single(w, out);
    size_t end = second;
    if (!alone) step(w->text, &end, w->pairs_end);
    tell(w, start, end, out);
    out->whole = !alone && !w->singles && !is_torn(w, start, second, end);
    return true;
}

/* The end of the ASCII word at i (UAX #29, WB5-WB13b), i where none starts. Letters and
 * digits hold together, also across _; a full stop or quote between two letters or two
 * digits, and a comma or semicolon between two digits. */
static size_t ascii_end(Str t, size_t i, size_t end)
{
    bool said = false;
    size_t j = i;
    for (; j < end; j++) {
        char c = t.p[j], next = j + 1 < end ? t.p[j + 1] : ' ';
        if (is_core(c)) {
            said |= c != '_';
            continue;
        }
        if (j == i) break;
        char last = t.p[j - 1];
        bool letters = is_letter(last) && is_letter(next);
        bool digits = is_digit(last) && is_digit(next);
        if ((c == '.' || c == '\'') && (letters || digits)) continue;
        if ((c == ',' || c == ';') && digits) continue;
        break;
    }
    return said ? j : i;
}

/* Past the white space that ends the piece at i; *ascii: the piece is. */
static size_t piece_end(Str t, size_t i, bool *ascii)
{
    *ascii = true;
    while (i < t.n && !is_space(t.p[i])) *ascii &= is_ascii(t.p[i++]);
    return i < t.n ? i + 1 : i;
}

/* The end of the stretch at i: pieces that are ASCII, or pieces that are not together
 * with the few ASCII ones among them. */
static size_t stretch_end(Str t, size_t i, bool *ascii)
{
    bool plain;
    size_t j = piece_end(t, i, ascii), end = j;
    if (*ascii) {
        for (; j < t.n; end = j)
            if (j = piece_end(t, j, &plain), !plain) break;
        return end;
    }
    while (j < t.n && j - end < ASCII_RUN) {
        j = piece_end(t, j, &plain);
        if (!plain) end = j;
    }
    return end;
}

static void to_icu(Words *w, size_t start, size_t end)
{
    UErrorCode e = U_ZERO_ERROR;
    UText u = UTEXT_INITIALIZER;
    utext_openUTF8(&u, w->text.p + start, (int64_t)(end - start), &e);
    ubrk_setUText(w->words, &u, &e);
    utext_close(&u);
    w->icu = start;
    w->starved |= e == U_MEMORY_ALLOCATION_ERROR;
    w->in_icu = U_SUCCESS(e) && ubrk_first(w->words) == 0;
}

static bool next_ascii(Words *w, Word *out)
{
    Str t = { w->text.p, w->stretch };
    while (w->at < t.n) {
        size_t start = w->at, end = ascii_end(t, start, t.n);
        w->at = end > start ? end : start + 1;
        if (end > start) return whole(w, start, end, out);
    }
    return false;
}

/* Where the characters of one kind, paired or not, end; at an @ too, which ICU 72 alone
 * takes for a letter. */
static size_t kind_end(Str t, size_t i, size_t end, bool *paired)
{
    size_t j = i;
    *paired = is_paired(step(t, &j, end));
    for (size_t next = j; j < end; j = next)
        if (t.p[j] == '@' || is_paired(step(t, &next, end)) != *paired) break;
    return j;
}

/* What ICU takes for a word holds more than _. */
static bool says_something(Str t, size_t i, size_t end)
{
    while (i < end && t.p[i] == '_') i++;
    return i < end;
}

/* A run of paired characters is taken up to its end, whatever words ICU's dictionary
 * sees in it. */
static bool next_icu(Words *w, Word *out)
{
    while (w->at < w->stretch) {
        int32_t to = ubrk_following(w->words, (int32_t)(w->at - w->icu));
        size_t start = w->at, end = to == UBRK_DONE ? w->stretch : w->icu + (size_t)to;
        bool paired, word = to != UBRK_DONE;
        word = word && ubrk_getRuleStatus(w->words) >= UBRK_WORD_NONE_LIMIT &&
               says_something(w->text, start, end);
        size_t kind = kind_end(w->text, start, end, &paired);
        if (!word || w->text.p[start] == '@') {
            w->at = word ? start + 1 : end;
        } else if (paired) {
            w->pairs = w->pairs_begin = start;
            w->at = w->pairs_end = kind_end(w->text, start, w->stretch, &paired);
            return next_pair(w, out);
        } else {
            w->at = kind;
            return whole(w, start, kind, out);
        }
    }
    return false;
}

bool words_next(Words *w, Word *out)
{
    if (next_pair(w, out)) return true;
    if (next_part(w, out)) return true;
    for (;;) {
        if (w->in_icu ? next_icu(w, out) : next_ascii(w, out)) return true;
        if (w->stretch >= w->text.n) return false;
        bool ascii;
        w->at = w->stretch;
        w->stretch = stretch_end(w->text, w->at, &ascii);
        w->in_icu = false;
        if (!ascii) to_icu(w, w->at, w->stretch);
        if (!ascii && !w->in_icu) w->at = w->stretch;
    }
}

Status words_begin(Ctx *cx, Words *w, Str text)
{
    if (text.n > INT32_MAX)
        return fail(cx, E_LIMIT, "a text of %zu bytes; less than 2 GiB is read", text.n);
    w->text = text;
    w->at = w->stretch = 0;
    w->pairs = w->pairs_end = w->part = w->part_end = 0;
    w->single = NONE;
    w->in_icu = w->starved = false;
    return OK;
}

Status words_end(Ctx *cx, const Words *w)
{
    return w->starved ? fail(cx, E_MEMORY, "no memory for the words of a text") : OK;
}

/* ---- sentences -------------------------------------------------------------------- */

/* The language of the script of most letters of text; LANGUAGE_EN: Latin, or none. */
static Language of_script(Str text)
{
    enum { READ_MAX = 4096, SYLLABLE = 3 };     // letters that a character stands for
    size_t letters[LANGUAGES + 1] = { 0 };
    Language most = LANGUAGE_EN;
    for (size_t i = 0; i < text.n && i < READ_MAX;) {
        bool plain = is_ascii(text.p[i]), letter = is_letter(text.p[i]);
        Language l = plain ? LANGUAGE_EN : language_of(step(text, &i, text.n));
        if (plain) i++;
        if (plain && !letter) continue;
        letters[l] += l == LANGUAGE_ZH ? SYLLABLE : 1;
        if (letters[l] > letters[most] && l != LANGUAGE_NONE) most = l;
    }
    return most;
}

Language words_written(const Words *w, Str text)
{
    Language l = of_script(text);
    if (l == LANGUAGE_EN) l = words_language(w, text);
    return l == LANGUAGE_EN ? w->spoken : l;
}

Language words_asked(const Words *w, Str question)
{
    Language l = of_script(question);
    return l == LANGUAGE_EN ? language_of_question(w->function_words, question) : l;
}

Status words_sentences(Ctx *cx, Words *w, Str text, Span **out, size_t *n)
{
    return sentences_cut(cx, w->sentences, words_written(w, text), text, out, n);
}

/* ---- open and close --------------------------------------------------------------- */

Status words_open(Ctx *cx, Words **out)
{
    UErrorCode e = U_ZERO_ERROR;
    Words *w = *out = NULL;
    w = calloc(1, sizeof *w);
    if (!w) return fail(cx, E_MEMORY, "no memory for the analyser");
    w->words = ubrk_open(UBRK_WORD, "", NULL, 0, &e);
    w->sentences = sentences_new();
    w->fold = unorm2_getNFKCCasefoldInstance(&e);
    w->apart = unorm2_getNFDInstance(&e);
    w->together = unorm2_getNFCInstance(&e);
    w->function_words = function_words_new();
    if (U_SUCCESS(e) && w->words && w->function_words && w->sentences) {
        *out = w;
        return OK;
    }
    words_close(w);
    if (U_SUCCESS(e) || e == U_MEMORY_ALLOCATION_ERROR)
        return fail(cx, E_MEMORY, "no memory for the analyser");
    return fail(cx, E_INTERNAL, "ICU's data is absent or broken: %s", u_errorName(e));
}

void words_close(Words *w)
{
    if (!w) return;
    if (w->words) ubrk_close(w->words);
    sentences_free(w->sentences);
    for (int i = 0; i < LANGUAGES; i++)
        if (w->stemmer[i]) sb_stemmer_delete(w->stemmer[i]);
    function_words_free(w->function_words);
    free(w);
}
