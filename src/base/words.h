/* words.h -- the words and the sentences of a text, in any script.
 *
 * One analyser serves the lexical index, the filter and the citations, so that a word
 * means the same everywhere: ICU finds its borders (UAX #29), NFKC case folding and the
 * removal of combining accents make it comparable, libstemmer (Snowball) cuts its ending:
 * that of the script's language, and in Latin script that of the language spoken, which
 * is English until words_speak says otherwise. Han, Kana and Hangul come as overlapping
 * pairs of characters; Thai and its neighbours in the words of ICU's dictionary.
 *
 * An analyser belongs to one thread. Bytes that are no UTF-8 separate words. */
#ifndef PITH_BASE_WORDS_H
#define PITH_BASE_WORDS_H

#include "base/ctx.h"
#include "base/language.h"
#include "base/sentences.h"

typedef struct Words Words;

typedef struct Word {
    Str stem;            // folded and stemmed; borrowed until the next call on Words
    size_t start, end;   // bytes of the word as written, in the text
    bool stop;           // a function word ("the", "of"); worthless as a query term
    bool spoken;         // in Latin script: another language may have another stem
    bool single;         // one character of a run of pairs; see words_singles
    bool whole;          // of 3 characters or more, or a pair within one word: that no
                         // text has it tells something
} Word;

/* E_MEMORY, E_INTERNAL: ICU's data is absent. *out is NULL then. */
MUST_USE Status words_open(Ctx *cx, Words **out);
void words_close(Words *w);

/* Starts on text, which must outlive the walk. E_LIMIT: 2 GiB or more. */
MUST_USE Status words_begin(Ctx *cx, Words *w, Str text);
/* The next word; false at the end. Words longer than 64 characters are cut there. */
bool words_next(Words *w, Word *out);
/* Behind a walk. E_MEMORY: a word was left out, or came without its stem. */
MUST_USE Status words_end(Ctx *cx, const Words *w);

/* The language of text, as language.h finds it. */
Language words_language(const Words *w, Str text);
/* From the next words_begin on, words in Latin script are taken for words of l; English
 * (the default) where l is of another script. */
void words_speak(Words *w, Language l);
/* Whether the characters of Han and Hangul come alone as well, behind the pairs that
 * begin with them: for an index in which one character is to be found. Off at first. */
void words_singles(Words *w, bool on);

/* The language that text is written in: that of the script of most of its letters; where
 * they are Latin, as language.h finds it, and the one spoken where it finds none. */
Language words_written(const Words *w, Str text);
/* The same of a question, which has few words; LANGUAGE_NONE where nothing tells it. */
Language words_asked(const Words *w, Str question);
/* The sentences of text, as sentences.h cuts them in the language it is written in. */
MUST_USE Status words_sentences(Ctx *cx, Words *w, Str text, Span **out, size_t *n);

#endif
