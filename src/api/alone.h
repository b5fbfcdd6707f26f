/* alone.h -- which meanings stand in documents that lack their term: only there does a
 * question that has the term need to be told. */
#ifndef PITH_API_ALONE_H
#define PITH_API_ALONE_H

#include "store/store.h"

#include <jansson.h>

/* Of a term and its meaning, folded (acronyms.c); both counts are filled. */
typedef struct Alone {
    const char *term, *fold;
    size_t without, with;           // documents that have the meaning
    size_t seen, term_seen;         // the last with the meaning, with the term; from 1
    bool both;                      // of `seen`
} Alone;

/* Counts for n entries, each term once, in one reading of the store. */
MUST_USE Status alone_count(Ctx *cx, Store *s, Alone *at, size_t n);

/* Folds text as meanings are: small letters, one space for white space and hyphens. to
 * has text.n + 1 bytes; the length. */
size_t alone_fold(Str text, char *to);

#endif
