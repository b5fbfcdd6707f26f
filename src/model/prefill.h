/* prefill.h -- texts read by our own forward pass, for models of the families of
 * lm_family.c: the keys and values of their tokens, which libllama then goes on from, or
 * we.
 *
 * libllama reads a prompt with kernels that dequantize as they multiply; here weights are
 * packed once for the machine's fastest product (matmul.h). Writing is bound by memory,
 * and the file's own quantization is the smallest there is; but the next tokens of many
 * sequences, or a draft of many tokens (draft.h), take one reading of the weights.
 *
 * A Prefill is the weights, and computes one call at a time; each PrefillSeq is a text.
 * With 8-bit products a token's keys and values do not depend, to the bit, on how the
 * tokens before it were cut into calls, nor on the sequences that are computed beside
 * it. */
#ifndef PITH_MODEL_PREFILL_H
#define PITH_MODEL_PREFILL_H

#include "model/matmul.h"

typedef struct Prefill Prefill;
typedef struct PrefillSeq PrefillSeq;

typedef struct PrefillOptions {
    MatmulWay way;
    int threads;             // > 0
    int step_percent;        // of the file's size that the weights of a step may have; 0:
                             // 125
    uint64_t max_bytes;      // what weights, keys, values and scratch memory may take
} PrefillOptions;

/* Whether this machine has products that beat libllama's, and which. */
bool prefill_way(MatmulWay *out);

/* Packs the weights of the file, all threads together.
 * E_MODEL: a family or a part that is not computed here. E_LIMIT: the weights alone pass
 * max_bytes. E_MEMORY, E_IO, E_FORMAT, E_CANCELLED. *out is NULL then. */
MUST_USE Status prefill_open(Ctx *cx, const char *path, const PrefillOptions *opt,
                             Prefill **out);
/* Every sequence of it was closed before. */
void prefill_close(Prefill *p);

/* A sequence without tokens. E_MEMORY; *out is NULL then. */
MUST_USE Status prefill_seq_open(Ctx *cx, Prefill *p, PrefillSeq **out);
void prefill_seq_close(PrefillSeq *s);
/* Makes room for so many tokens, which a call would make too, so that none will want
 * memory. E_LIMIT, E_MEMORY as prefill_run. */
MUST_USE Status prefill_seq_reserve(Ctx *cx, PrefillSeq *s, size_t tokens);
/* Makes the first n tokens of `from` (n <= its tokens) those of `to`, in place of what it
 * held. On failure `to` is empty. */
MUST_USE Status prefill_seq_copy(Ctx *cx, const PrefillSeq *from, size_t n,
                                 PrefillSeq *to);
/* How many tokens have their keys and values there. */
size_t prefill_tokens(const PrefillSeq *s);

/* Keeps the first `past` tokens of the sequence (<= prefill_tokens) and computes n more
 * behind them. E_ARG: a token that the vocabulary lacks. E_LIMIT: max_bytes or the
 * model's window is passed. E_MEMORY, E_CANCELLED, E_INTERNAL. On failure the sequence is
 * what was kept. */
MUST_USE Status prefill_run(Ctx *cx, PrefillSeq *s, const int32_t *token, size_t past,
                            size_t n);

/* Tokens whose keys and values were computed before, at another place of another text,
 * and are taken for those of a text's tokens `at`, at + 1, ...: keys are turned to where
 * they stand now (Su et al., arXiv 2104.09864), values stay as they are. What stood
 * between them and the beginning of the text was another; what that costs is measured in
 * bench/kv.c. */
typedef struct PrefillKnown {
    const uint16_t *data;    // as prefill_take_out left it, of `of` tokens
    size_t of, home;         // home: the position of the first of them then
    size_t skip;             // so many of them are left out at the beginning
    size_t at;               // where the first behind those stands now
} PrefillKnown;

/* Where the last of them ends in the text. */
static inline size_t prefill_known_end(const PrefillKnown *k)
{
    return k->at + k->of - k->skip;
}

typedef struct PrefillText {
    const int32_t *token;    // (n): from position `past` on
    size_t past, n;
    const PrefillKnown *known;   // in order, none within another
    size_t n_known;
} PrefillText;

/* As prefill_run, but for the tokens that are known; those before and behind them are
 * computed in one go. Known ones at the place where they were computed, behind the same
 * tokens, leave the same bits. */
MUST_USE Status prefill_read(Ctx *cx, PrefillSeq *s, const PrefillText *t);
/* Values of 16 bits that n tokens have. */
size_t prefill_values(const Prefill *p, size_t n);
/* Keys and values of n tokens from `first` on, all of which are there, to out
 * (prefill_values). */
void prefill_take_out(const PrefillSeq *s, size_t first, size_t n, uint16_t *out);
/* What else, besides the file, the numbers hang on: 0 to 255. */
int prefill_kind(const Prefill *p);

/* Whether this Prefill can go on writing, at about libllama's speed: a CPU with bf16 and
 * weights of 8 bits, at most step_percent of the file's, within max_bytes. */
bool prefill_can_step(const Prefill *p);
/* Bytes of weights that a step reads; 0 where it cannot. */
uint64_t prefill_step_weights(const Prefill *p);

/* n tokens more (> 0) behind those that a sequence holds, and the logits that follow
 * each. */
typedef struct PrefillPart {
    PrefillSeq *seq;
    const int32_t *token;
    size_t n;
    const float *logits;     // set by prefill_step: (n, vocab), until the next one
} PrefillPart;

/* The tokens of some parts, at most PREFILL_STEP together, no sequence twice. All
 * threads take a share of each product, for it is memory that a few rows wait for; six
 * rows take about as long as one. Keys and values, and logits, are the same to the bit
 * however tokens are cut into calls of this and of prefill_run, and whatever parts are
 * beside them. On failure as prefill_run, for each sequence. Only where
 * prefill_can_step. */
enum { PREFILL_STEP = 24 };
MUST_USE Status prefill_step(Ctx *cx, Prefill *p, PrefillPart *part, size_t n);
/* Bytes that it takes now, with all its sequences. */
uint64_t prefill_bytes(const Prefill *p);

#endif
