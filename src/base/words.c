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

enum { ENGLISH, RUSSIAN, GREEK, ARABIC, HINDI, LANGUAGES };
static const char *const language[LANGUAGES] = { "english", "russian", "greek", "arabic",
                                                 "hindi" };

struct Words {
    UBreakIterator *words, *sentences;
    const UNormalizer2 *fold, *apart, *together;   // ICU's own, never freed
    struct sb_stemmer *stemmer[LANGUAGES];
    Str text;
    size_t at;                    // all before was told
    size_t stretch;               // where the stretch in work ends
    size_t icu;                   // where the one in ICU's hands began
    bool in_icu;
    size_t pairs, pairs_end;      // the run of Han, Kana, Hangul in work
    size_t part, part_end;        // the identifier being taken apart
    UChar a[WORD_UNITS], b[WORD_UNITS];
    char stem[STEM_BYTES];
};

/* ---- characters ------------------------------------------------------------------- */

static inline bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_letter(char c) { return is_lower(c) || is_upper(c); }
static inline bool is_core(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
static inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline bool is_ascii(char c) { return (unsigned char)c < 0x80; }

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

/* ---- function words --------------------------------------------------------------- */

/* Lucene's 33 and the words that questions are made of; sorted. */
static const char stop_words[][8] = {
    "a", "about", "am", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can",
    "could", "did", "do", "does", "for", "from", "had", "has", "have", "how", "i", "if",
    "in", "into", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our",
    "she", "should", "such", "that", "the", "their", "them", "then", "there", "these",
    "they", "this", "to", "was", "we", "were", "what", "when", "where", "which", "who",
    "whom", "whose", "why", "will", "with", "would", "you", "your",
};

static bool is_stop(Str s)
{
    size_t lo = 0, hi = sizeof stop_words / sizeof *stop_words;
    if (s.n >= sizeof *stop_words) return false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(s, str_z(stop_words[mid]));
        if (c == 0) return true;
        if (c < 0) hi = mid;
        else lo = mid + 1;
    }
    return false;
}

/* ---- folding and stemming --------------------------------------------------------- */

static int language_of(UChar32 c)
{
    UErrorCode e = U_ZERO_ERROR;
    switch (uscript_getScript(c, &e)) {
    case USCRIPT_LATIN:      return ENGLISH;
    case USCRIPT_CYRILLIC:   return RUSSIAN;
    case USCRIPT_GREEK:      return GREEK;
    case USCRIPT_ARABIC:     return ARABIC;
    case USCRIPT_DEVANAGARI: return HINDI;
    default:                 return -1;
    }
}

static void stem(Words *w, int lang, Word *out)
{
    out->stop = lang == ENGLISH && is_stop(out->stem);
    if (lang < 0) return;
    const sb_symbol *s = sb_stemmer_stem(w->stemmer[lang], (const sb_symbol *)out->stem.p,
                                         (int)out->stem.n);
    int n = sb_stemmer_length(w->stemmer[lang]);
    if (s && n > 0) out->stem = (Str){ (const char *)s, (size_t)n };
}

static Str lower(Words *w, Str s)
{
    if (s.n > WORD_CHARS) s.n = WORD_CHARS;
    for (size_t i = 0; i < s.n; i++)
        w->stem[i] = is_upper(s.p[i]) ? (char)(s.p[i] + 32) : s.p[i];
    return (Str){ w->stem, s.n };
}

/* Drops the accents of decomposed Latin, Greek and Cyrillic; in other scripts the marks
 * are vowels. The breve of the Cyrillic short i stays: it is a letter of its own. */
static int32_t drop_accents(UChar *s, int32_t n)
{
    int32_t kept = 0;
    int lang = -1;
    for (int32_t i = 0; i < n; i++) {
        bool mark = u_charType(s[i]) == U_NON_SPACING_MARK;
        bool short_i = s[i] == 0x306 && kept && s[kept - 1] == 0x438;
        if (mark && lang >= 0 && lang <= GREEK && !short_i) continue;
        if (!mark) lang = language_of(s[i]);
        s[kept++] = s[i] == 0x2019 ? '\'' : s[i];
    }
    return kept;
}

/* The folded form of a word that is not ASCII; the word itself where ICU refuses. */
static Str fold(Words *w, Str word, int *lang)
{
    UErrorCode e = U_ZERO_ERROR;
    int32_t n = 0, bytes = 0;
    size_t end = 0;
    for (int chars = 0; end < word.n && chars < WORD_CHARS; chars++)
        step(word, &end, word.n);
    word.n = end;
    u_strFromUTF8WithSub(w->a, WORD_UNITS, &n, word.p, (int32_t)word.n, 0xFFFD, NULL, &e);
    n = unorm2_normalize(w->fold, w->a, n, w->b, WORD_UNITS, &e);
    n = unorm2_normalize(w->apart, w->b, n, w->a, WORD_UNITS, &e);
    if (U_SUCCESS(e)) n = drop_accents(w->a, n);
    n = unorm2_normalize(w->together, w->a, n, w->b, WORD_UNITS, &e);
    u_strToUTF8(w->stem, STEM_BYTES, &bytes, w->b, n, &e);
    if (U_FAILURE(e) || bytes <= 0) {
        *lang = -1;
        return word;
    }
    Str s = { w->stem, (size_t)bytes };
    end = 0;
    *lang = language_of(step(s, &end, s.n));
    return s;
}

static void tell(Words *w, size_t start, size_t end, Word *out)
{
    Str word = { w->text.p + start, end - start };
    bool ascii = true;
    int lang = ENGLISH;
    for (size_t i = 0; i < word.n && ascii; i++) ascii = is_ascii(word.p[i]);
    *out = (Word){ .start = start, .end = end };
    out->stem = ascii ? lower(w, word) : fold(w, word, &lang);
    stem(w, lang, out);
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

static bool next_pair(Words *w, Word *out)
{
    size_t start = w->pairs, second = start, end;
    step(w->text, &second, w->pairs_end);
    end = second;
    if (end < w->pairs_end) step(w->text, &end, w->pairs_end);
    w->pairs = end < w->pairs_end ? second : w->pairs_end;
    tell(w, start, end, out);
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
            w->pairs = start;
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
    if (w->pairs < w->pairs_end) return next_pair(w, out);
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
    w->in_icu = false;
    return OK;
}

/* ---- sentences -------------------------------------------------------------------- */

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

static Span trimmed(Str t, size_t start, size_t end)
{
    while (start < end && is_space(t.p[start])) start++;
    while (end > start && is_space(t.p[end - 1])) end--;
    return (Span){ start, end };
}

/* Abbreviations that ICU takes for the end of a sentence when a capital follows. */
static bool goes_on(Str t, Span s)
{
    static const char *const short_for[] = { "Dr.", "Fig.", "Figs.", "Eq.", "Sec.",
                                             "e.g.", "i.e.", "cf.", "et al.", "St.",
                                             "vs." };
    Str said = { t.p + s.start, s.end - s.start };
    for (size_t i = 0; i < sizeof short_for / sizeof *short_for; i++) {
        Str x = str_z(short_for[i]);
        if (!str_ends(said, x)) continue;
        if (said.n == x.n || !is_core(said.p[said.n - x.n - 1])) return true;
    }
    return false;
}

/* Between the two lies white space without a blank line. */
static bool same_paragraph(Str t, size_t end, size_t start)
{
    int lines = 0;
    for (size_t i = end; i < start; i++) lines += t.p[i] == '\n';
    return lines < 2;
}

Status words_sentences(Ctx *cx, Words *w, Str text, Span **out, size_t *n)
{
    UErrorCode e = U_ZERO_ERROR;
    UText u = UTEXT_INITIALIZER;
    size_t count = 0, cap = 0;
    Span *at = NULL;
    if (text.n > INT32_MAX)
        return fail(cx, E_LIMIT, "a text of %zu bytes; less than 2 GiB is read", text.n);
    char *flat = unwrapped(cx, text);
    TRY_NEW(flat);
    utext_openUTF8(&u, flat, (int64_t)text.n, &e);
    ubrk_setUText(w->sentences, &u, &e);
    utext_close(&u);
    if (U_FAILURE(e)) return fail(cx, E_INTERNAL, "ICU, sentences: %s", u_errorName(e));
    int32_t start = ubrk_first(w->sentences), end;
    while ((end = ubrk_next(w->sentences)) != UBRK_DONE) {
        Span s = trimmed(text, (size_t)start, (size_t)end);
        start = end;
        if (s.start == s.end) continue;
        Span *last = count ? &at[count - 1] : NULL;
        if (last && goes_on(text, *last) && same_paragraph(text, last->end, s.start)) {
            last->end = s.end;
            continue;
        }
        if (count == cap) {
            Span *more = ctx_new(cx, Span, cap = cap ? 2 * cap : 16);
            TRY_NEW(more);
            if (count) memcpy(more, at, count * sizeof *at);
            at = more;
        }
        at[count++] = s;
    }
    *out = at;
    *n = count;
    return OK;
}

/* ---- open and close --------------------------------------------------------------- */

Status words_open(Ctx *cx, Words **out)
{
    UErrorCode e = U_ZERO_ERROR;
    Words *w = *out = NULL;
    bool all = true;
    w = calloc(1, sizeof *w);
    if (!w) return fail(cx, E_MEMORY, "no memory for the analyser");
    w->words = ubrk_open(UBRK_WORD, "", NULL, 0, &e);
    w->sentences = ubrk_open(UBRK_SENTENCE, "en@ss=standard", NULL, 0, &e);
    w->fold = unorm2_getNFKCCasefoldInstance(&e);
    w->apart = unorm2_getNFDInstance(&e);
    w->together = unorm2_getNFCInstance(&e);
    for (int i = 0; i < LANGUAGES; i++)
        all &= (w->stemmer[i] = sb_stemmer_new(language[i], NULL)) != NULL;
    if (U_SUCCESS(e) && all) {
        *out = w;
        return OK;
    }
    words_close(w);
    if (U_SUCCESS(e)) return fail(cx, E_INTERNAL, "libstemmer lacks a language of ours");
    return fail(cx, E_INTERNAL, "ICU's data is absent or broken: %s", u_errorName(e));
}

void words_close(Words *w)
{
    if (!w) return;
    if (w->words) ubrk_close(w->words);
    if (w->sentences) ubrk_close(w->sentences);
    for (int i = 0; i < LANGUAGES; i++)
        if (w->stemmer[i]) sb_stemmer_delete(w->stemmer[i]);
    free(w);
}
