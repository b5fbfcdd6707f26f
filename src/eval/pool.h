/* pool.h -- the passages of a store to write examples about, and the side of each.
 *
 * Every document has its turn before any has a second, so that long ones do not crowd out
 * short ones. A document is wholly on one side: what judges was not learned from. A fifth
 * of the documents, by a draw that the seed decides, is held out. */
#ifndef PITH_EVAL_POOL_H
#define PITH_EVAL_POOL_H

#include "eval/job.h"

typedef struct Pool {
    const pith_passage **at;    // (n) in the order to be used
    size_t n;
    size_t poor;                // passages with too little prose, left out
    json_t *held_out;           // names of documents held out, as keys
    pith_results *all;          // owns the passages
} Pool;

/* Free with pool_free, after failure too. */
MUST_USE Status pool_open(const Job *j, pith *p, uint64_t seed, Pool *out);
void pool_free(Pool *p);
bool pool_holds_out(const Pool *p, const char *document);

/* Prose that questions can be asked about: 40 words or more, most bytes letters. */
bool pool_is_prose(Str text);

#endif
