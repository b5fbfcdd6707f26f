/* standalone.h -- a question that leans on the conversation, made to stand alone. */
#ifndef PITH_ASK_STANDALONE_H
#define PITH_ASK_STANDALONE_H

#include "model/model.h"

/* Rewrites question with the help of the turns before it, by the small model. Where it
 * gives nothing usable (empty, a refusal, far too long), the last question of the user
 * and this one are joined. Without history, *out is question itself. */
MUST_USE Status standalone(Ctx *cx, Model *writer, const Message *history, size_t n,
                           Str question, Str *out);

#endif
