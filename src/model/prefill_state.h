/* prefill_state.h -- a sequence of our own, handed over to libllama. */
#ifndef PITH_MODEL_PREFILL_STATE_H
#define PITH_MODEL_PREFILL_STATE_H

#include "model/prefill.h"

#include <llama.h>

/* Learns how this libllama writes a sequence, from sequence 0 of a context that has read
 * the same tokens as s, at least PREFILL_PROBE of them; and compares keys and values.
 * E_MODEL: the format is unknown, or the numbers differ by more than quantization does:
 * the Prefill of s must not be used with it. */
enum { PREFILL_PROBE = 16 };
MUST_USE Status prefill_agree(Ctx *cx, const PrefillSeq *s, struct llama_context *with);
/* Makes sequence 0 of `to` hold what s holds, in place of what it held. Only behind
 * prefill_agree with a context of the same parameters. E_MODEL: libllama refused it; the
 * sequence is then empty. */
MUST_USE Status prefill_hand_over(Ctx *cx, const PrefillSeq *s, struct llama_context *to);

#endif
