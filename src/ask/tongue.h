/* tongue.h -- in which language to answer: in that of the question.
 *
 * Models write in the language of most of what they read, the passages; where the
 * question is of another one they are told which is wanted. Qwen2.5-Coder-0.5B, untold,
 * answered 26 of 26 questions in the language that question and passages had in common,
 * and 3 of 12 in the question's where the passages were English; told, 11 of 12. */
#ifndef PITH_ASK_TONGUE_H
#define PITH_ASK_TONGUE_H

#include "ask/passage.h"

/* What ends an instruction to answer ("in German"), "" where nothing is to be told:
 * both are of one language, or nothing tells the question's. Errors are words_open's. */
MUST_USE Status tongue_of(Ctx *cx, const Passages *ps, Str question, const char **out);

#endif
