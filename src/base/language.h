/* language.h -- which languages the analyser knows, and which one a text is in.
 *
 * Script decides where it can (Cyrillic is stemmed as Russian, Arabic as Arabic). Texts
 * in Latin script are told apart by their function words, of which a third or more of
 * any running text consists, by other frequent words, by letters that few languages write
 * and by how words end: no model, no data file, and silent about texts that have none of
 * it (a table, code), for which English is assumed. */
#ifndef PITH_BASE_LANGUAGE_H
#define PITH_BASE_LANGUAGE_H

#include "base/ctx.h"

/* Those in Latin script come first. Stores keep the numbers' codes, not the numbers. */
typedef enum Language {
    LANGUAGE_EN, LANGUAGE_CA, LANGUAGE_DA, LANGUAGE_DE, LANGUAGE_ES, LANGUAGE_FI,
    LANGUAGE_FR, LANGUAGE_HU, LANGUAGE_ID, LANGUAGE_IT, LANGUAGE_NL, LANGUAGE_NO,
    LANGUAGE_PT, LANGUAGE_RO, LANGUAGE_SV, LANGUAGE_TR,
    LATIN_LANGUAGES,
    LANGUAGE_AR = LATIN_LANGUAGES, LANGUAGE_EL, LANGUAGE_HI, LANGUAGE_HY, LANGUAGE_RU,
    LANGUAGE_TA, LANGUAGE_TH,
    LANGUAGE_ZH,        // Han, Kana and Hangul: pairs of characters
    LANGUAGES,
    LANGUAGE_NONE = LANGUAGES   // digits, and scripts of which we know nothing
} Language;

typedef struct LanguageFacts {
    char code[3];               // ISO 639-1
    const char *stemmer;        // of libstemmer; NULL: words stay as they are
    const char *function_words; // folded, a space between them
    bool elides;                // l'hôpital, dell'acqua
    const char *particles;      // of a language that writes compounds as one word: what
                                // begins a word without being its first part; else NULL
} LanguageFacts;

extern const LanguageFacts language_facts[LANGUAGES];

typedef struct FunctionWords FunctionWords;

/* NULL: no memory. */
FunctionWords *function_words_new(void);
void function_words_free(FunctionWords *f);
/* The languages in which the folded word is a function word, a bit each. */
uint32_t function_words_find(const FunctionWords *f, Str word);

/* The language of a text in Latin script; LANGUAGE_EN where nothing speaks for another
 * one. It reads the first 4 KiB, and takes no notice of other scripts. */
Language language_of_text(const FunctionWords *f, Str text);
/* The same of a few words, of which less is asked; LANGUAGE_NONE where nothing speaks for
 * any. */
Language language_of_question(const FunctionWords *f, Str text);

#endif
