/* postings.h -- which chunks hold a word, and how often.
 *
 * Why not FTS5: over 100,000 chunks of 100 words, queries of 5 to 20 words and the 50
 * best, its bm25() takes 124 ms (p50; 199 at most) and merely to count the matches 8,
 * this takes 2.3 (p99 5.4). Both on one core of a Zen 5; see bench/search.c.
 *
 * Postings lie in segments, one row for each word of a segment. A transaction writes one
 * segment; eight of one level are merged into one of the next, so that n chunks lie in
 * about 8 * log8(n) segments and each posting is rewritten log8(n) times (O'Neil and
 * others, The Log-Structured Merge-Tree, 1996). Chunks that are gone stay in the
 * postings until store_compact; who reads them asks the matrix who is alive.
 *
 * A list's key is the stem. Stems of different languages are different words: where the
 * text is in Latin script and not English, the key is `de>` and the stem. Languages that
 * write compounds as one word have a second list for a long one, under `de<` and the
 * stem backwards, so that those which end with a given word lie side by side.
 *
 * A list is a row of varints: (distance to the id before, times 2, plus 1 where a count
 * follows), then the count if it is not 1. */
#ifndef PITH_STORE_POSTINGS_H
#define PITH_STORE_POSTINGS_H

#include "base/words.h"
#include "store/store.h"

typedef struct Batch Batch;

/* The postings of a transaction, in memory. */
Batch *batch_new(void);                  // NULL: no memory
void batch_free(Batch *b);
void batch_clear(Batch *b);
size_t batch_bytes(const Batch *b);
/* From here on batch_undo takes back. */
void batch_mark(Batch *b);
void batch_undo(Batch *b);
typedef struct Field {
    int64_t chunk;      // its id; ids do not go down
    Language language;  // of the chunk
    int weight;         // each word counts as often
} Field;

/* Adds the words of a field; *length grows by as many as were counted. */
MUST_USE Status batch_add(Ctx *cx, Batch *b, Words *w, const Field *f, Str text,
                          uint32_t *length);
/* Writes the batch as a segment, merges what is due, and clears it. Within an open
 * transaction. */
MUST_USE Status batch_write(Ctx *cx, Store *s, Batch *b);

enum { KEY_BYTES = 4096, KEY_PREFIX = 3 };    // `de>`
/* The key of a word of a text in language l; it lies in room or in the word. */
Str key_of(Language l, const Word *w, char room[KEY_BYTES]);
/* The second key of a stem; .p is NULL where it has none. */
Str key_backwards(Language l, Str stem, char room[KEY_BYTES]);

/* Merges all segments into one without the n chunks of gone (ascending). */
MUST_USE Status postings_compact(Ctx *cx, Store *s, const int64_t *gone, size_t n);

typedef struct Posting {
    int64_t id;
    uint32_t count;
} Posting;

/* Walks one list. */
typedef struct PostingReader {
    const uint8_t *p, *end;
    int64_t id;                          // the last one read
} PostingReader;

/* 1: *out is the next; 0: the end; -1: damaged. */
int postings_next(PostingReader *r, Posting *out);

#endif
