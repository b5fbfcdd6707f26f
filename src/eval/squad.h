/* squad.h -- is this text the answer? As SQuAD's evaluation script decides it
 * (Rajpurkar et al., 2016): lower case, ASCII punctuation and the articles a, an, the
 * taken out, then words compared. */
#ifndef PITH_EVAL_SQUAD_H
#define PITH_EVAL_SQUAD_H

#include "base/ctx.h"

typedef struct Answered {
    double em;         // 1: the same words
    double f1;         // [0,1]: harmonic mean of precision and recall of the words
    double contains;   // 1: all words of an answer stand in the text, in one row
} Answered;

/* text in SQuAD's normal form, words with one space between; .p is NULL on failure,
 * which is recorded. Bytes that are no UTF-8 become U+FFFD. */
Str squad_normal(Ctx *cx, Str text);

/* The best of each over n accepted answers; zeros for n = 0. Also tells with `contains`
 * whether a context holds an answer at all. */
MUST_USE Status squad_score(Ctx *cx, Str text, const Str *answers, size_t n,
                            Answered *out);

/* The text without its citation marks: [1], [2, 3], and the spaces before them. In cx;
 * .p is NULL on E_MEMORY. */
Str squad_without_marks(Ctx *cx, Str text);

#endif
