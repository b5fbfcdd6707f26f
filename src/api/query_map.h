/* query_map.h -- the map of queries that `pith tune retrieval` kept for a store.
 *
 * STORE.querymap is a line of JSON, {"pith", "made", "embedder": {"name", "fingerprint"},
 * "dim", "whiten", "center", "figures"}, and behind it weight (dim, dim) and bias (dim)
 * as float32, little endian. It is for the vectors of that embedder and no other. */
#ifndef PITH_API_QUERY_MAP_H
#define PITH_API_QUERY_MAP_H

#include "api/handle.h"
#include "ask/query_map.h"

typedef struct QueryMapFile {
    QueryMap map;
    Str fingerprint;        // of the embedder
    Str header;             // the line of JSON
} QueryMapFile;

/* Numbers are copied into cx, texts borrow from bytes. E_FORMAT: another header, more or
 * fewer numbers, one that is not finite. name goes before errors. */
MUST_USE Status query_map_parse(Ctx *cx, const char *name, Str bytes, QueryMapFile *out);

/* The map for queries of this embedder: that of this handle, else the one that is kept;
 * NULL: none, or one for another embedder. Borrowed until the handle is closed. */
MUST_USE Status query_map_of(Ctx *cx, pith *p, const Model *embedder,
                             const QueryMap **out);
void query_map_forget(pith *p);

#endif
