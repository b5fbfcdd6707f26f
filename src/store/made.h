/* made.h -- text and vectors drawn at random, to measure a store of any size with.
 *
 * The words follow Zipf's law or come as whole sentences from a text of the caller's; a
 * seed gives the same again. Vectors say nothing of their texts: a search costs as much,
 * and finds by words alone. */
#ifndef PITH_STORE_MADE_H
#define PITH_STORE_MADE_H

#include "store/write.h"

enum { MADE_CHUNKS = 10 };   // of a document

typedef struct Made {
    uint64_t random;        // the seed; then the state
    int words;              // of a chunk, about; > 0
    const Str *sentence;    // (n_sentences) to draw from; NULL: words by Zipf's law
    size_t n_sentences;
    EmbedderId by;          // whom the vectors shall seem to be from
} Made;

/* 31 bits. */
uint32_t made_draw(Made *m);
/* A chunk's text into b, which is emptied first. Borrowed from b. */
Str made_text(Made *m, Buf *b);
/* 5 to 20 words in a row from a random place of text; borrowed from it. */
Str made_query(Made *m, Str text);
/* A unit vector (by.dim). */
void made_vector(Made *m, float *v);
/* Puts a document of MADE_CHUNKS chunks, replacing the one of that number. *ms grows by
 * what this took the store alone. */
MUST_USE Status made_put(Ctx *cx, Store *s, Made *m, size_t number, double *ms);

#endif
