/* document.h -- one source, from bytes to a document with chunks. */
#ifndef PITH_INDEX_DOCUMENT_H
#define PITH_INDEX_DOCUMENT_H

#include "index/queue.h"

typedef struct Origin {
    Str uri, title;         // title empty: found in the text, else the name in the uri
    Str bytes;
    Str hash;
    Kind kind;              // KIND_NONE: told from the uri and the bytes
    int64_t mtime_ns;
    Str root;
} Origin;

/* Is a document with these bytes, title and uri in the store? *known: one with the uri.
 * All in cx's arena. */
MUST_USE Status document_is_same(Ctx *cx, Store *s, const Origin *o, bool *known,
                                 bool *same);
/* Parses the bytes and cuts what is in them. Strings of *out are in q->work or borrow
 * from o, which are to live as long. E_FORMAT: no text. */
MUST_USE Status document_read(Queue *q, const Origin *o, Pending *out);

#endif
