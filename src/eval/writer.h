/* writer.h -- the small model as the author of questions: what self-made sets share. */
#ifndef PITH_EVAL_WRITER_H
#define PITH_EVAL_WRITER_H

#include "eval/job.h"

/* What the generator says to a user's words behind an instruction, without any search;
 * trimmed, in the job's arena; n = 0 where it did not come to an end. */
MUST_USE Status writer_say(const Job *j, pith *p, const char *instruction,
                           const char *words, int max_tokens, Str *out);
/* One question that the passage answers; out->n = 0 where the model wrote none. */
MUST_USE Status writer_question(const Job *j, pith *p, const pith_passage *from,
                                Str *out);
/* The few words of the passage that answer, first line only; n = 0: none came. */
MUST_USE Status writer_words(const Job *j, pith *p, const pith_passage *from,
                             Str question, Str *out);
/* One sentence, first line only, that answers; n = 0: none came. */
MUST_USE Status writer_answer(const Job *j, pith *p, const pith_passage *from,
                              Str question, Str *out);

#endif
