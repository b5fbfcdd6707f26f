/* index.h -- documents into a store: read, cut into chunks, embed, put.
 *
 * Everything is incremental. A file whose size and time are as before is not opened; one
 * whose content hash is as before is not parsed; a changed one replaces its chunks.
 *
 * A document that was told as done is in the store, whole and durable. Stopping on
 * request loses at most the document in work; being killed, those of the batch in work,
 * too: up to 64 documents, of 64 chunks or a second's work, whichever is less. */
#ifndef PITH_INDEX_INDEX_H
#define PITH_INDEX_INDEX_H

#include "base/ctx.h"
#include "model/model.h"
#include "parse/kind.h"
#include "store/store.h"

typedef struct IndexProgress {
    size_t files_done, files_total;   // total grows until the walk is over
    uint64_t bytes_done, bytes_total; // of files that needed work
    size_t chunks_done;
    const char *current;              // path in work; done where files_done has grown
} IndexProgress;

typedef struct IndexOptions {
    int chunk_tokens;                 // aim, by the embedder's tokenizer; 0: 200
    uint64_t max_file_bytes;          // larger files are refused unread; 0: 256 MiB;
                                      // more than 4 GiB count as 4 GiB
    void (*on_progress)(void *arg, const IndexProgress *p);
    /* A file that could not be indexed and why; the rest goes on. */
    void (*on_problem)(void *arg, const char *path, const char *reason);
    /* Why a document must not be read, for on_problem; NULL: it may. NULL: all may. */
    const char *(*refuse)(void *arg, Str uri);
    void *arg;
} IndexOptions;

typedef struct IndexReport {
    size_t added, changed, unchanged, removed;   // documents
    size_t skipped;                   // not of a kind we read, or ignored by rule
    size_t failed;                    // told to on_problem
    size_t chunks;                    // written
} IndexReport;

/* Files and folders, folders with all below them. Symbolic links to folders are not
 * followed; .gitignore and .pithignore are honoured, .git and hidden folders skipped.
 * A path named by the caller that is absent or unreadable counts as failed.
 * E_CANCELLED: what was done before stays. */
MUST_USE Status index_paths(Ctx *cx, Store *s, Model *embedder, const char *const *paths,
                            size_t n, const IndexOptions *opt, IndexReport *out);

/* Visits every root given to index_paths before: what is new or changed is indexed,
 * documents whose file is gone are removed. A root that is itself out of reach (an
 * unmounted disk) is told to on_problem and its documents stay. */
MUST_USE Status index_sync(Ctx *cx, Store *s, Model *embedder, const IndexOptions *opt,
                           IndexReport *out);

/* Puts every document of `from` into `to`, an empty store, with vectors made anew by
 * embedder: files are not read again. */
MUST_USE Status index_reembed(Ctx *cx, Store *from, Store *to, Model *embedder,
                              const IndexOptions *opt, IndexReport *out);

typedef struct IndexText {
    Str uri;                          // not empty
    Str title;                        // may be empty: found in the text then
    Str text;                         // any charset
    Kind kind;                        // KIND_NONE: told from uri and text
} IndexText;

/* Documents from memory, embedded together. */
MUST_USE Status index_texts(Ctx *cx, Store *s, Model *embedder, const IndexText *docs,
                            size_t n, const IndexOptions *opt, IndexReport *out);

#endif
