/* write.h -- documents into a store, and out of it. See store.h.
 *
 * Writes are grouped in transactions, for each waits for the disk: what was put is safe
 * from a kill and a power cut once store_commit or store_flush gave OK, or 64 documents
 * or a second later, whichever comes first. A commit that fails takes its group with it.
 */
#ifndef PITH_STORE_WRITE_H
#define PITH_STORE_WRITE_H

#include "store/store.h"

/* Adds or replaces the document with d->uri, its n chunks and their vectors (n, dim).
 * E_MODEL: the store was made with another embedder. A failure leaves it unchanged. */
MUST_USE Status store_put(Ctx *cx, Store *s, const Document *d, const Chunk *chunks,
                          size_t n, const float *vectors, const EmbedderId *by);

/* The same for a document too large to hold: store_begin, store_append any number of
 * times, store_end. Memory is bounded whatever its size, but for some 100 bytes for each
 * chunk that it replaces; until the end the disk holds the old document and the new one.
 * It has a transaction of its own: what was written before is committed by store_begin,
 * the document is durable when store_end gives OK, and readers see the old one until
 * then. One document at a time; all other writes and all searches are refused meanwhile
 * (E_ARG). d->chunks is counted here; d need not outlive the call.
 *
 * A failure of any of the three abandons the document: the store is as before
 * store_begin, and so it is after store_abandon, which does nothing where none is
 * open. */
MUST_USE Status store_begin(Ctx *cx, Store *s, const Document *d, const EmbedderId *by);
/* The next n chunks in the order of the text, and their vectors (n, dim). */
MUST_USE Status store_append(Ctx *cx, Store *s, const Chunk *chunks, size_t n,
                             const float *vectors);
MUST_USE Status store_end(Ctx *cx, Store *s);
void store_abandon(Store *s);

/* A source whose time is another and whose bytes are the same: keeps the time, so that
 * the next visit need not read it. E_NOTFOUND: no such document. */
MUST_USE Status store_touch(Ctx *cx, Store *s, Str uri, int64_t mtime_ns);
/* E_NOTFOUND: no such document. */
MUST_USE Status store_remove(Ctx *cx, Store *s, Str uri);
/* Makes all writes durable. */
MUST_USE Status store_commit(Ctx *cx, Store *s);
/* The same, and brings the derived files up to date. */
MUST_USE Status store_flush(Ctx *cx, Store *s);

#endif
