/* engine.h -- libllama, started once for the process, and what it last complained of. */
#ifndef PITH_MODEL_ENGINE_H
#define PITH_MODEL_ENGINE_H

#include <stddef.h>

/* Starts libllama and takes its log over: nothing is printed. Call it before any other
 * function of libllama or ggml; later calls cost nothing. */
void engine_start(void);

/* Why the last call of libllama on this thread went wrong, in its own words. Clear it
 * before the call. */
const char *engine_reason(void);
void engine_reason_clear(void);

struct llama_vocab;
/* Of the tokens of the first 1024 bytes, those for what vocab does not know. */
int engine_unknown(const struct llama_vocab *vocab, const char *text, size_t n);

#endif
