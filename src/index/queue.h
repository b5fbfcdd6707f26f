/* queue.h -- documents on their way into the store, embedded many at a time.
 *
 * An encoder is busy only with some dozens of texts at once, and most files give a few.
 * So parsed documents wait until about 64 chunks are there, fewer where the encoder
 * needs more than a second for them, or until the first has waited a second. These are
 * embedded together. A document is put and made durable with the batch that has its last
 * chunk, and told as done after that: being killed loses what was not told. What waits
 * lives in one arena that each flush empties: memory is bounded by a batch.
 *
 * A document of several windows does not wait: it is a stream, put as it comes, in a
 * transaction of its own. */
#ifndef PITH_INDEX_QUEUE_H
#define PITH_INDEX_QUEUE_H

#include "extract/extract.h"
#include "index/chunk.h"
#include "index/index.h"
#include "store/write.h"

enum { QUEUE_CHUNKS = 64, QUEUE_DOCUMENTS = 64 };

typedef struct Pending {
    Document doc;
    Chunk *chunks;
    size_t n;
    bool known;             // it replaces one in the store
} Pending;

typedef struct Queue {
    Ctx *cx;                // the caller's: whether to stop, and where an error ends
    Store *store;
    Model *embedder;
    IndexOptions opt;       // defaults filled in
    IndexReport *report;
    IndexProgress now;
    Words *words;
    Extractor *extractor;
    Ctx work;               // memory of what waits, and of the file in work
    Pending at[QUEUE_DOCUMENTS];
    size_t n, chunks;       // waiting
    double since;           // now_ms() when the first of them came
    size_t batch;           // chunks that the encoder takes a second for, at most 64
    uint64_t bytes;         // of texts that wait
    Pending stream;         // the document that is put as it comes, in stream_work;
    Ctx stream_work;        // n counts the chunks that are put
} Queue;

/* E_MODEL: the model cannot embed. queue_close is to be called in any case. */
MUST_USE Status queue_open(Ctx *cx, Store *s, Model *embedder, const IndexOptions *opt,
                           IndexReport *report, Queue *out);
void queue_close(Queue *q);

/* Tells progress. path is borrowed. */
void queue_tell(Queue *q, const char *path);
/* Tells a problem with one document and counts it as failed. */
void queue_problem(Queue *q, const char *path, const char *reason);

/* May a document of this name be read? Tells the problem where not. */
bool queue_admits(Queue *q, Str uri);

/* Takes a document whose strings and chunks live in q->work; flushes when there is
 * enough. An error is one of the store or the model, not of the document. */
MUST_USE Status queue_add(Queue *q, const Pending *p);
/* Flushes where a document has waited long enough, though no other comes. */
MUST_USE Status queue_tick(Queue *q);
/* Does a document with this uri wait? */
bool queue_has(const Queue *q, Str uri);
/* Embeds and puts all that waits, and empties q->work. It stops for a cancelled request
 * only inside large documents, so that no file that was read is lost. */
MUST_USE Status queue_flush(Queue *q);

/* The document of *first, with the chunks of its first window, becomes a stream; what
 * waits is flushed before. Errors are those of queue_add. */
MUST_USE Status queue_stream(Queue *q, const Pending *first);
MUST_USE Status queue_stream_add(Queue *q, const Chunk *chunks, size_t n);
/* Puts the document where st is OK, and gives it up otherwise: the store is as before.
 * Returns st, or the error of the store. */
MUST_USE Status queue_stream_end(Queue *q, Status st);

/* Hands an error of q->work over to the caller's request. */
Status queue_fail(Queue *q, Status st);

#endif
