/* windows.h -- a long document in pieces that a model can read at once. */
#ifndef PITH_EVAL_WINDOWS_H
#define PITH_EVAL_WINDOWS_H

#include "eval/collection.h"

/* About 380 tokens of English: with a question it fits the 512 of a cross-encoder. */
enum { WINDOW_BYTES = 1600, WINDOW_OVERLAP = 200 };

typedef struct Windows {
    const char **at;   // (n) "title. text", NUL-terminated
    size_t n;          // at least 1
} Windows;

/* The pieces of a document in cx, cut at white space where there is some, each but the
 * first beginning WINDOW_OVERLAP bytes before the end of the last; the title stands
 * before each. */
MUST_USE Status windows_of(Ctx *cx, const Doc *d, Windows *out);

#endif
