/* store.h -- documents, chunks, words and vectors, in one file. write.h fills it.
 *
 * SQLite holds the truth. The word and vector search structures are derived from it and
 * rebuilt at any doubt. A document is replaced as a whole: readers see the old one or the
 * new one, and a process killed at any instant leaves one of the two.
 *
 * One process writes at a time (a lock file tells), any number read. A Store belongs to
 * one thread at a time. Ranking never depends on the order in which documents came:
 * equal scores are ordered by document uri, then by position. */
#ifndef PITH_STORE_STORE_H
#define PITH_STORE_STORE_H

#include "base/ctx.h"

typedef struct Store Store;

typedef struct StoreOptions {
    bool read_only;         // E_NOTFOUND where the file is absent
    bool create;            // make the file and its folder where absent
} StoreOptions;

/* E_BUSY: another process is writing (its pid is told) and read_only is not set.
 * E_FORMAT: damaged, not a store of pith, or of a newer version. */
MUST_USE Status store_open(Ctx *cx, const char *path, const StoreOptions *opt,
                           Store **out);
void store_close(Store *s);

typedef struct StoreStats {
    int64_t documents, chunks;
    int64_t text_bytes;     // of all chunks
    int64_t file_bytes;     // of the store and what is derived from it
    Str path;
    Str embedder;           // name; "" while empty
    Str fingerprint;        // of the embedder
    int dim;
} StoreStats;
MUST_USE Status store_stats(Ctx *cx, Store *s, StoreStats *out);

typedef struct Document {
    int64_t id;             // 0 in a new one
    Str uri;                // absolute path, or what the caller named it; unique
    Str title;              // may be empty
    Str hash;               // of the source bytes, 32 raw bytes
    int64_t bytes;          // of the source
    int64_t mtime_ns;       // of the source file's last change; 0 where it is none
    int64_t chunks;         // filled when read
    Str root;               // the path given to `add` under which it was found, or ""
} Document;

typedef struct Chunk {
    int64_t id;             // 0 in a new one
    int64_t document;       // Document.id
    Str text;               // what the model reads
    Str section;            // "Guide > Install", may be empty
    size_t start, end;      // bytes of the source that it was made from
    Str map;                // where in [start, end) each byte of text stands, packed by
                            // base/offsets.h; empty where text is those bytes
    int page, page_end;     // first and last page of a source that has pages; else 0
    int tokens;             // by the embedder's tokenizer
    Str uri, title;         // of its document, when read
} Chunk;

/* What made the vectors: set once, by the first write. E_MODEL from later writes when
 * another embedder is named. */
typedef struct EmbedderId {
    Str name, fingerprint;
    int dim;
} EmbedderId;

/* E_NOTFOUND: no such document. */
MUST_USE Status store_find(Ctx *cx, Store *s, Str uri, Document *out);
/* Is there a document whose uri begins so? */
MUST_USE Status store_any_below(Ctx *cx, Store *s, Str prefix, bool *out);
/* All documents in the order of their uri, in the arena. */
MUST_USE Status store_list(Ctx *cx, Store *s, Document **out, size_t *n);

typedef struct Hit {
    int64_t chunk;          // Chunk.id
    float score;            // higher is better
} Hit;

typedef struct Hits {
    Hit *at;
    size_t n;
    size_t unknown;  // words of the query that no chunk has; of 3 characters or more,
                     // no function words; 0 for vectors
} Hits;

/* The k best chunks by BM25 (k1 1.2, b 0.75; Robertson and Zaragoza 2009) over text,
 * title and section: scores > 0, best first. A query without a word gives none. */
MUST_USE Status store_words(Ctx *cx, Store *s, Str query, size_t k, Hits *out);
/* The k chunks with the highest dot product with query (dim): exact, best first. */
MUST_USE Status store_vectors(Ctx *cx, Store *s, const float *query, size_t k, Hits *out);
/* The chunks of n ids, in their order, texts in the arena. An id that is gone gives a
 * chunk with id 0. vectors may be NULL; else (n, dim) is filled with theirs. */
MUST_USE Status store_chunks(Ctx *cx, Store *s, const int64_t *ids, size_t n, Chunk *out,
                             float *vectors);
/* The ids of a document's chunks in the order of the text, in the arena. */
MUST_USE Status store_chunk_ids(Ctx *cx, Store *s, int64_t document, int64_t **ids,
                                size_t *n);

#endif
