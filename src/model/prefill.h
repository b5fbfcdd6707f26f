/* prefill.h -- a prompt read by our own forward pass, for models of the llama and qwen2
 * families: the keys and values of its tokens, which libllama then goes on from, or we.
 *
 * libllama reads a prompt with kernels that dequantize as they multiply; here weights are
 * packed once for the machine's fastest product (matmul.h). Writing is bound by memory,
 * and the file's own quantization is the smallest there is; but a draft of many tokens
 * (draft.h) is verified by one reading of the weights.
 *
 * A Prefill holds one sequence. With 8-bit products a token's keys and values do not
 * depend, to the bit, on how the tokens before it were cut into calls. */
#ifndef PITH_MODEL_PREFILL_H
#define PITH_MODEL_PREFILL_H

#include "model/matmul.h"

#include <llama.h>

typedef struct Prefill Prefill;

typedef struct PrefillOptions {
    MatmulWay way;
    int threads;             // > 0
    uint64_t max_bytes;      // what weights, keys, values and scratch memory may take
} PrefillOptions;

/* Whether this machine has products that beat libllama's, and which. */
bool prefill_way(MatmulWay *out);

/* Packs the weights of the file, all threads together.
 * E_MODEL: a family or a part that is not computed here. E_LIMIT: the weights alone pass
 * max_bytes. E_MEMORY, E_IO, E_FORMAT, E_CANCELLED. *out is NULL then. */
MUST_USE Status prefill_open(Ctx *cx, const char *path, const PrefillOptions *opt,
                             Prefill **out);
void prefill_close(Prefill *p);

/* Keeps the first `past` tokens of the sequence (<= prefill_tokens) and computes n more
 * behind them. E_ARG: a token that the vocabulary lacks. E_LIMIT: max_bytes or the
 * model's window is passed. E_MEMORY, E_CANCELLED, E_INTERNAL. On failure the sequence is
 * what was kept. */
MUST_USE Status prefill_run(Ctx *cx, Prefill *p, const int32_t *token, size_t past,
                            size_t n);

/* Whether this Prefill can go on writing, at about libllama's speed: weights of 8 bits,
 * at most a quarter more than the file has, within max_bytes. */
bool prefill_can_step(const Prefill *p);
/* n tokens more (1 to PREFILL_STEP) behind those held, and the logits that follow each:
 * *logits is (n, vocab) and lives until the next call. All threads take a share of each
 * product, for it is memory that a few rows wait for; six rows take about as long as one.
 * Keys and values, and logits, are the same to the bit however tokens are cut into calls
 * of this and of prefill_run. On failure as prefill_run. Only where prefill_can_step. */
enum { PREFILL_STEP = 24 };
MUST_USE Status prefill_step(Ctx *cx, Prefill *p, const int32_t *token, size_t n,
                             const float **logits);
/* How many tokens have their keys and values here. */
size_t prefill_tokens(const Prefill *p);
/* Bytes that it takes now. */
uint64_t prefill_bytes(const Prefill *p);

/* Learns how this libllama writes a sequence, from sequence 0 of a context that has read
 * the same tokens as p, at least PREFILL_PROBE of them; and compares keys and values.
 * E_MODEL: the format is unknown, or the numbers differ by more than quantization does:
 * p must not be used with it. */
enum { PREFILL_PROBE = 16 };
MUST_USE Status prefill_agree(Ctx *cx, Prefill *p, struct llama_context *with);
/* Makes sequence 0 of `to` hold what p holds, in place of what it held. Only behind
 * prefill_agree with a context of the same parameters. E_MODEL: libllama refused it; the
 * sequence is then empty. */
MUST_USE Status prefill_hand_over(Ctx *cx, Prefill *p, struct llama_context *to);

#endif
