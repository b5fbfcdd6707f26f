/* document.h -- one source, from bytes to a document with chunks.
 *
 * It is handed to its reader (extract/) and collected apart, so that the next ones are
 * read while this one is embedded. A document of one window waits in the queue with
 * others; a larger one is cut, embedded and put window by window, and its size is no
 * matter. */
#ifndef PITH_INDEX_DOCUMENT_H
#define PITH_INDEX_DOCUMENT_H

#include "index/queue.h"

typedef struct Origin {
    Str uri, title;         // title empty: found in the text, else the name in the uri
    Str hash;
    Kind kind;
    uint64_t bytes;
    int64_t mtime_ns;
    Str root;
} Origin;

/* Is a document with these bytes, title and uri in the store? *known: one with the uri.
 * All in cx's arena. */
MUST_USE Status document_is_same(Ctx *cx, Store *s, const Origin *o, bool *known,
                                 bool *same);
/* Hands it over; fd has its bytes and is taken, whatever happens. Errors of
 * extract_begin, recorded in cx. */
MUST_USE Status document_begin(Ctx *cx, Queue *q, const Origin *o, int fd, Extract **out);
/* Reads, cuts and queues it; e is freed. known: it replaces one in the store. An error is
 * one of the document, told in q->work, unless it stands in q->cx too. */
MUST_USE Status document_end(Queue *q, const Origin *o, bool known, Extract *e);

#endif
