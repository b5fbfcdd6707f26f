/* ahead.h -- sources on their way to the queue: the next few are opened, hashed and read
 * by their readers while the first is cut and embedded.
 *
 * Invariant: they are finished in the order in which they came. A large one is read
 * alone: what is read ahead is small. */
#ifndef PITH_INDEX_AHEAD_H
#define PITH_INDEX_AHEAD_H

#include "index/document.h"
#include "index/read.h"

enum { AHEAD = 4 };

typedef struct Task {
    Ctx cx;                 // its strings, and why it could not be begun
    Status begun;
    Origin origin;
    char hash[HASH_BYTES];
    const char *name;       // for those who are told
    uint64_t bytes;         // as they were announced
    bool quiet;             // not being ours to read is no problem
    bool is_file;
    bool known, same;
    Extract *extract;       // NULL: same, or not begun
} Task;

typedef struct Ahead {
    Queue *q;
    Task at[AHEAD];
    size_t first, n;        // a ring
} Ahead;

typedef struct AheadFile {
    Str path, uri;          // path NUL-terminated
    Str root;
    uint64_t bytes;
    bool named;             // by the caller: nothing about it is passed over
} AheadFile;

/* Takes a source in, and finishes the first where there are enough. What is wrong with a
 * document is told by the queue; an error is one of the store, the model or the reader,
 * recorded in q->cx. A name that waits or is read already is finished before. */
MUST_USE Status ahead_file(Ahead *a, const AheadFile *f);
/* The text is copied. */
MUST_USE Status ahead_text(Ahead *a, const IndexText *t);
/* Finishes all. */
MUST_USE Status ahead_finish(Ahead *a);
/* Lets them go unread. */
void ahead_drop(Ahead *a);

#endif
