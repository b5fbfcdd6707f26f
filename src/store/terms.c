/* terms.c -- see terms.h.
 *
 * A compound is found by its end (Krankenhaus is a kind of Haus) where what stands before
 * can be a word, and by its beginning (Hausordnung) where what stands behind is one that
 * the store has, too, or the beginning is so long that it is none by chance. All lists
 * looked at hold living chunks, so that what a query finds does not depend on what the
 * store once had. */
#include "store/terms.h"

#include "store/impl.h"

#include <string.h>

enum { PART_MIN = 4, REST_MIN = 3, SPLIT_MIN = 2 * PART_MIN, LONG = 6 };    // bytes
static const float as_end = 0.7f, as_beginning = 0.5f;

/* ---- the words of a query --------------------------------------------------------- */

static Status add_key(Ctx *cx, Term *t, Str key, float weight)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->key[i].at, key)) return OK;
    TRY(ctx_grow(cx, &t->key, t->n, &t->cap, sizeof *t->key));
    t->key[t->n] = (Key){ ctx_dup(cx, key), weight };
    TRY_NEW(t->key[t->n].at.p);
    t->n++;
    return OK;
}

static void begin(Store *s, Language l)
{
    words_speak(s->words, l);
    words_singles(s->words, false);
}

/* All words in their order, as English has them. */
static Status read_words(Ctx *cx, Store *s, Str query, Term **out, size_t *n)
{
    Word w;
    Term *t = NULL;
    size_t count = 0, cap = 0;
    begin(s, LANGUAGE_EN);
    TRY(words_begin(cx, s->words, query));
    while (words_next(s->words, &w)) {
        TRY(ctx_grow(cx, &t, count, &cap, sizeof *t));
        t[count] = (Term){ .times = 1, .stop = w.stop, .telling = w.whole,
                           .stop_in = w.stop, .start = w.start, .end = w.end };
        TRY(add_key(cx, &t[count++], w.stem, 1));
    }
    *out = t;
    *n = count;
    return words_end(cx, s->words);
}

/* The same words, as language l has them. */
static Status read_again(Ctx *cx, Store *s, Str query, Language l, Term *t, size_t n)
{
    Word w;
    char room[KEY_BYTES];
    begin(s, l);
    TRY(words_begin(cx, s->words, query));
    for (size_t i = 0; i < n && words_next(s->words, &w); i++) {
        if (!w.spoken) continue;
        if (w.stop) t[i].stop_in |= 1u << l;
        else TRY(add_key(cx, &t[i], key_of(l, &w, room), 1));
    }
    return words_end(cx, s->words);
}

/* The language that most of the query's function words are of; English rather than
 * another one that has as many. */
static Language language_of_query(const Term *t, size_t n)
{
    int hits[LATIN_LANGUAGES] = { 0 };
    int best = LANGUAGE_EN;
    for (size_t i = 0; i < n; i++)
        for (int l = 0; l < LATIN_LANGUAGES; l++) hits[l] += t[i].stop_in >> l & 1;
    for (int l = 0; l < LATIN_LANGUAGES; l++)
        if (hits[l] > hits[best]) best = l;
    return (Language)best;
}

/* Each word once; without function words, if anything is left then. */
static size_t distinct(Term *t, size_t n)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        while (same < count && !str_eq(t[same].key->at, t[i].key->at)) same++;
        if (same < count) t[same].times++;
        else t[count++] = t[i];
    }
    for (size_t i = 0; i < count; i++)
        if (!t[i].stop) t[kept++] = t[i];
    return kept ? kept : count;
}

Status terms_of(Ctx *cx, Store *s, Str query, Term **out, size_t *n)
{
    Term *t;
    TRY(read_words(cx, s, query, &t, n));
    for (int l = LANGUAGE_EN + 1; l < LATIN_LANGUAGES; l++)
        if (s->languages >> l & 1)
            TRY(read_again(cx, s, query, (Language)l, t, *n));
    Language spoken = language_of_query(t, *n);
    for (size_t i = 0; spoken != LANGUAGE_EN && i < *n; i++)
        t[i].stop |= t[i].stop_in >> spoken & 1;
    *n = distinct(t, *n);
    *out = t;
    return OK;
}

/* ---- lists of living chunks ------------------------------------------------------- */

static bool has_living(const Matrix *m, sqlite3_stmt *q, int column)
{
    const uint8_t *p = sqlite3_column_blob(q, column);
    PostingReader r = { p, p ? p + sqlite3_column_bytes(q, column) : p, 0 };
    Posting post;
    while (postings_next(&r, &post) > 0) {
        size_t row = matrix_row(m, post.id, 0);
        if (row != SIZE_MAX && !matrix_gone(m, row)) return true;
    }
    return false;
}

/* Binds the lists whose keys begin with prefix. */
static Status lists_from(Ctx *cx, Store *s, Str prefix, sqlite3_stmt **q)
{
    Str last = ctx_printf(cx, "%.*s\xFF", (int)prefix.n, prefix.p);
    TRY_NEW(last.p);
    TRY(db_query(cx, s, Q_POSTINGS_FROM, q));
    sqlite3_bind_blob64(*q, 1, prefix.p, prefix.n, SQLITE_TRANSIENT);
    sqlite3_bind_blob64(*q, 2, last.p, last.n, SQLITE_TRANSIENT);
    return OK;
}

/* Whether a chunk has a word that begins with, or is, what the key tells. */
static Status is_known(Ctx *cx, Store *s, Str key, bool exactly, bool *known)
{
    sqlite3_stmt *q;
    bool more;
    *known = false;
    TRY(lists_from(cx, s, key, &q));
    while (!*known) {
        TRY(db_step(cx, s, q, &more));
        if (!more) return OK;
        bool same = (size_t)sqlite3_column_bytes(q, 0) == key.n;
        *known = (same || !exactly) && has_living(s->matrix, q, 1);
    }
    sqlite3_reset(q);
    return OK;
}

/* ---- compounds -------------------------------------------------------------------- */

/* A word in a language of compounds. */
typedef struct Part {
    Ctx *cx;
    Store *s;
    Language language;
    Term *term;
    Str stem;           // as it is at the end of a compound
} Part;

/* The key of a word as written; empty where it is none. */
static Status key_of_text(Part *p, Str text, Str *out)
{
    Word w;
    char room[KEY_BYTES];
    begin(p->s, p->language);
    *out = (Str){ "", 0 };
    TRY(words_begin(p->cx, p->s->words, text));
    bool found = words_next(p->s->words, &w) && w.spoken;
    TRY(words_end(p->cx, p->s->words));
    if (!found) return OK;
    *out = ctx_dup(p->cx, key_of(p->language, &w, room));
    TRY_NEW(out->p);
    return OK;
}

/* What is cut from a stem depends on the word's length: Ordnung stays, Hausordnung loses
 * its -ung. So the stem is taken from behind another word. */
static Status stem_at_the_end(Part *p, Str word)
{
    const Str before = STR("haupt");
    Str key, whole = ctx_printf(p->cx, "%s%.*s", before.p, (int)word.n, word.p);
    TRY_NEW(whole.p);
    TRY(key_of_text(p, whole, &key));
    bool long_enough = key.n >= KEY_PREFIX + before.n + PART_MIN;
    p->stem = long_enough ? (Str){ key.p + KEY_PREFIX + before.n,
                                   key.n - KEY_PREFIX - before.n } : (Str){ "", 0 };
    return OK;
}

static bool is_listed(const char *words, Str x)
{
    for (const char *p = words; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        if (str_eq((Str){ p, n }, x)) return true;
        p += n;
    }
    return false;
}

/* Whether x, which stands before the end of a longer word, can be its first part. */
static bool can_begin(Language l, Str x)
{
    bool vowel = false;
    for (size_t i = 0; i < x.n; i++) vowel |= strchr("aeiouy", x.p[i]) != NULL;
    return x.n >= REST_MIN && vowel && !is_listed(language_facts[l].particles, x);
}

/* Krankenhaus for Haus. */
static Status add_ends(Part *p)
{
    char room[KEY_BYTES];
    sqlite3_stmt *q;
    bool more;
    Status st = OK;
    Str back = key_backwards(p->language, p->stem, room);
    TRY(lists_from(p->cx, p->s, back, &q));
    while (st == OK) {
        TRY(db_step(p->cx, p->s, q, &more));
        if (!more) return OK;
        const char *at = sqlite3_column_blob(q, 0);
        size_t n = (size_t)sqlite3_column_bytes(q, 0), rest = n - back.n;
        char *before = ctx_alloc(p->cx, rest + 1, 1);
        if (!before) st = E_MEMORY;
        for (size_t i = 0; before && i < rest; i++) before[i] = at[n - 1 - i];
        if (before && can_begin(p->language, (Str){ before, rest }))
            st = add_key(p->cx, p->term, (Str){ at, n }, as_end);
    }
    sqlite3_reset(q);
    return st;
}

/* What may stand between two parts. */
static const char *const links[] = { "", "s", "es", "n", "en", "er", "e" };
enum { LINKS = sizeof links / sizeof *links };

/* Whether rest, less what links it, is the beginning of a word that the store has. */
static Status is_end(Part *p, Str rest, bool *yes)
{
    *yes = false;
    for (int i = 0; i < LINKS && !*yes; i++) {
        Str link = str_z(links[i]);
        if (!str_starts(rest, link) || rest.n < link.n + PART_MIN) continue;
        Str key = ctx_printf(p->cx, "%s>%.*s", language_facts[p->language].code,
                             (int)(rest.n - link.n), rest.p + link.n);
        TRY_NEW(key.p);
        TRY(is_known(p->cx, p->s, key, false, yes));
    }
    return OK;
}

typedef struct Names {
    Str *at;
    size_t n, cap;
} Names;

/* The keys that are longer than prefix, copied: the statement is needed meanwhile. */
static Status longer_keys(Part *p, Str prefix, Names *out)
{
    sqlite3_stmt *q;
    bool more;
    TRY(lists_from(p->cx, p->s, prefix, &q));
    for (;;) {
        TRY(db_step(p->cx, p->s, q, &more));
        if (!more) return OK;
        if (ctx_grow(p->cx, &out->at, out->n, &out->cap, sizeof *out->at) != OK) break;
        out->at[out->n] = db_text(p->cx, q, 0);
        if (!out->at[out->n].p) break;
        if (out->at[out->n].n >= prefix.n + PART_MIN) out->n++;
    }
    sqlite3_reset(q);
    return E_MEMORY;
}

/* Hausordnung for Haus. */
static Status add_beginnings(Part *p, Str key)
{
    Names longer = { 0 };
    bool yes;
    if (key.n < KEY_PREFIX + PART_MIN) return OK;
    TRY(longer_keys(p, key, &longer));
    for (size_t i = 0; i < longer.n; i++) {
        Str x = longer.at[i];
        TRY(ctx_check(p->cx));
        yes = key.n >= KEY_PREFIX + LONG;
        if (!yes) TRY(is_end(p, (Str){ x.p + key.n, x.n - key.n }, &yes));
        if (yes) TRY(add_key(p->cx, p->term, x, as_beginning));
    }
    return OK;
}

/* Whether the store has both parts of word cut at i, their keys then. */
static Status cut_at(Part *p, Str word, size_t i, Str key[2], bool *yes)
{
    *yes = false;
    TRY(key_of_text(p, (Str){ word.p + i, word.n - i }, &key[1]));
    TRY(is_known(p->cx, p->s, key[1], true, yes));
    if (!*yes) return OK;
    *yes = false;
    for (int k = 0; k < LINKS && !*yes; k++) {
        Str link = str_z(links[k]), first = { word.p, i };
        if (!str_ends(first, link) || first.n < link.n + PART_MIN) continue;
        first.n -= link.n;
        TRY(key_of_text(p, first, &key[0]));
        TRY(is_known(p->cx, p->s, key[0], true, yes));
    }
    return OK;
}

/* Garantie and Zeit for a Garantiezeit of which no text knows. */
static Status add_parts(Part *p, Str word)
{
    Str key[2];
    bool yes = false;
    for (size_t i = PART_MIN; i + PART_MIN <= word.n && !yes; i++) {
        if (((unsigned char)word.p[i] & 0xC0) == 0x80) continue;
        TRY(cut_at(p, word, i, key, &yes));
    }
    for (int k = 0; k < 2 && yes; k++) TRY(add_key(p->cx, p->term, key[k], as_beginning));
    return OK;
}

static Status compounds_in(Part *p, Str word)
{
    Str key;
    bool known;
    TRY(key_of_text(p, word, &key));
    if (key.n == 0) return OK;
    TRY(stem_at_the_end(p, word));
    if (p->stem.n) TRY(add_ends(p));
    TRY(add_beginnings(p, key));
    TRY(is_known(p->cx, p->s, key, true, &known));
    return known || word.n < SPLIT_MIN ? OK : add_parts(p, word);
}

Status terms_compounds(Ctx *cx, Store *s, Str query, Term *t)
{
    Str word = { query.p + t->start, t->end - t->start };
    for (int l = 0; l < LATIN_LANGUAGES; l++) {
        Part p = { .cx = cx, .s = s, .language = (Language)l, .term = t };
        bool compounds = s->languages >> l & 1 && language_facts[l].particles;
        if (compounds && !(t->stop_in >> l & 1)) TRY(compounds_in(&p, word));
    }
    return OK;
}
