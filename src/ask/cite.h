/* cite.h -- follow an answer as it streams, and put [n] behind each claim.
 *
 * Small models cite badly, so they are not asked to: whatever marks the model writes are
 * removed, and each finished sentence is matched against the sentences of the passages.
 * A claim's support is the share of its content words found there, weighted by how rare
 * a word is among the passages; numbers weigh most, words of the question little, for
 * repeating the question is no evidence. A claim with a number that no cited sentence
 * has, or has of something else (quantity.h), gets no mark at all. A mark can therefore
 * be missing, but it cannot point at words that are not in the source. */
#ifndef PITH_ASK_CITE_H
#define PITH_ASK_CITE_H

#include "ask/passage.h"

typedef struct Citer Citer;

typedef struct CiteOptions {
    float min_support;      // [0,1]; less is not cited; 0: 0.5
    bool hold;              // pass nothing on before a claim has found its source
    bool quotes;            // what stands between quotation marks is not cut by a mark
    bool (*on_text)(void *arg, Str piece);   // the text with its marks; may be NULL
    void *arg;
} CiteOptions;

typedef struct Citation {
    int n;                  // the mark, from 1 in order of appearance
    size_t passage;         // index into the passages
    size_t start, end;      // bytes of the document's source
    Str text;               // the words cited, as the passage has them
    float support;          // [0,1]
} Citation;

typedef struct Cited {
    Str text;               // the whole answer with its marks
    Citation *at;           // each n once, in order
    size_t n;
    size_t unsupported;     // claims without a source
    bool withheld;          // hold, and no claim found one: nothing was passed on
} Cited;

/* ps and question are borrowed until citer_close. What a Citer hands out is in cx. */
MUST_USE Status citer_open(Ctx *cx, const Passages *ps, Str question,
                           const CiteOptions *opt, Citer **out);
/* More text. *more is false when on_text wants no more. */
MUST_USE Status citer_feed(Citer *c, Str piece, bool *more);
/* The end of the text: the last claim is cited too. */
MUST_USE Status citer_finish(Citer *c, Cited *out);
void citer_close(Citer *c);

#endif
