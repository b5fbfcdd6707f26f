/* sound.h -- texts that any tokenizer bears: at a character behind U+10FFFF, which broken
 * bytes can spell, libllama's WordPiece throws, and the process would end. */
#ifndef PITH_MODEL_SOUND_H
#define PITH_MODEL_SOUND_H

#include "model/model.h"

/* *out is in itself where that is sound; else a copy in the arena, of the same length, in
 * which such a character begins with a space. E_MEMORY. */
MUST_USE Status sound_text(Ctx *cx, Str in, Str *out);
MUST_USE Status sound_texts(Ctx *cx, const Str *in, size_t n, const Str **out);
MUST_USE Status sound_messages(Ctx *cx, const Message *in, size_t n, const Message **out);

#endif
