/* walk.h -- the files below a root, in the byte order of their paths. */
#ifndef PITH_INDEX_WALK_H
#define PITH_INDEX_WALK_H

#include "base/ctx.h"

typedef struct Entry {
    Str path;           // absolute, NUL-terminated
    uint64_t bytes;
    int64_t mtime_ns;   // of the last change of bytes, name or attributes (st_ctim):
                        // of the file's times the one that nobody can set
    Str problem;        // of a folder that could not be read, and why; else empty
    bool same;          // for the caller's use; false
} Entry;

typedef struct Walk {
    Entry *at;          // in the arena, sorted by path
    size_t n, room;
    size_t problems;    // entries that have one
    size_t skipped;     // ignored by rule, or neither file nor folder
    bool is_file;       // the root is a file: at[0] is it
    bool empty;         // the root is a folder with nothing in it at all
} Walk;

/* Lists root, an absolute path. Names that begin with '.' are left out, .gitignore and
 * .pithignore are honoured (of the root and below it), links to files are followed and
 * links to folders are not, so that no loop can arise. A folder below the root that
 * cannot be read is an entry with a problem.
 * E_NOTFOUND: root is absent. E_IO: it cannot be read. E_ARG: neither file nor folder. */
MUST_USE Status walk(Ctx *cx, const char *root, Walk *out);

#endif
