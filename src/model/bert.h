/* bert.h -- the forward pass of a BERT encoder (Devlin et al., arXiv 1810.04805).
 *
 * Sequences of any length lie one after another in one (tokens, hidden) matrix, without
 * padding. A pass belongs to one thread: sequences do not depend on one another, so
 * threads take different packs of them and never wait for each other. */
#ifndef PITH_MODEL_BERT_H
#define PITH_MODEL_BERT_H

#include "model/bert_file.h"
#include "model/matmul.h"

typedef struct Bert Bert;
typedef struct BertRoom BertRoom;

typedef struct Sequence {
    const int32_t *ids;      // (n); ids outside the vocabulary read as id 0
    size_t n;                // 1 to the window
    size_t second;           // tokens from here on are of type 1; n: none
    float *out;              // (hidden) a unit vector, or the logit where it ranks
} Sequence;

/* Milliseconds of one thread, by what they were for. */
typedef enum BertPart { BERT_PRODUCTS, BERT_ATTENTION, BERT_NORM, BERT_GELU, BERT_PARTS }
    BertPart;

/* Reads all weights; the file stays open as long as the Bert, for its word embeddings
 * are read where they lie. E_MODEL: a tensor is absent or of another shape. */
MUST_USE Status bert_open(Ctx *cx, const BertFile *f, MatmulWay way, Bert **out);
void bert_close(Bert *b);

/* One thread's activations for packs of at most max_tokens. */
MUST_USE Status bert_room_open(Ctx *cx, const Bert *b, size_t max_tokens, BertRoom **out);
void bert_room_close(BertRoom *r);
const double *bert_room_times(const BertRoom *r);   // (BERT_PARTS), since it was opened

/* Runs n sequences of together at most the room's tokens. false: oneDNN gave up. */
MUST_USE bool bert_run(const Bert *b, BertRoom *r, const Sequence *s, size_t n);

#endif
