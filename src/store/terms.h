/* terms.h -- a query's words as lists of postings.
 *
 * A word may stand in several lists: under its stem in each language that the store has
 * texts in, and under compounds that it is a part of. Together they count as one word of
 * the query. */
#ifndef PITH_STORE_TERMS_H
#define PITH_STORE_TERMS_H

#include "store/store.h"

typedef struct Key {
    Str at;             // of postings.h
    float weight;       // what an occurrence counts; 1 for the word itself
} Key;

typedef struct Term {
    Key *key;           // distinct
    size_t n, cap;
    float times;        // in the query
    bool stop;          // a function word
    bool telling;       // that no chunk has it says something
    uint32_t stop_in;   // the languages in which it is one
    size_t start, end;  // bytes of the query
} Term;

/* The distinct words of the query; function words only where there is nothing else. They
 * are told by the language of the query, if it is one of the store's. Within a view. */
MUST_USE Status terms_of(Ctx *cx, Store *s, Str query, Term **out, size_t *n);

/* Adds the compounds that the word is a part of, and the parts that it is made of where
 * the store has no such compound: in the languages that write them as one word. */
MUST_USE Status terms_compounds(Ctx *cx, Store *s, Str query, Term *t);

#endif
