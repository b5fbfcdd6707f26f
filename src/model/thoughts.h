/* thoughts.h -- an answer without what a model thinks aloud before it.
 *
 * Some models begin with <think>...</think>, and those who were asked not to may do so
 * all the same. Their thoughts are no part of the answer: nobody sees or cites them. Text
 * that only might begin so is held back until it is known. */
#ifndef PITH_MODEL_THOUGHTS_H
#define PITH_MODEL_THOUGHTS_H

#include "base/str.h"

typedef struct Thoughts {
    Buf head;                // what came, until it is known what it is
    bool past;               // the answer has begun
} Thoughts;

/* An answer of which nothing came yet. */
Thoughts thoughts_open(void);
void thoughts_close(Thoughts *t);
/* The part of the answer that is known by the next piece of text: mostly the piece. Valid
 * until the next call. */
Str thoughts_pass(Thoughts *t, Str piece);
/* Whether the next piece will be a thought too; else *held is the text held back that it
 * will stand behind. */
bool thoughts_go_on(const Thoughts *t, Str *held);
/* Behind the last piece: what was held back and is no thought. A thought without an end
 * leaves nothing. */
Str thoughts_rest(Thoughts *t);

#endif
