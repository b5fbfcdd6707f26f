/* file.h -- files as wholes: read with a maximum, written so that a reader sees the old
 * file or the new one and never a part of either.
 *
 * Paths are NUL-terminated; those handed out live in cx's arena. */
#ifndef PITH_BASE_FILE_H
#define PITH_BASE_FILE_H

#include "base/ctx.h"

/* The file's bytes in cx's arena, with a NUL behind them that n does not count.
 * E_NOTFOUND: no such file. E_IO. E_LIMIT: more than max bytes. */
MUST_USE Status file_read(Ctx *cx, const char *path, size_t max, Str *out);
/* Replaces or makes the file. E_IO: the old one, if any, is unharmed. */
MUST_USE Status file_write(Ctx *cx, const char *path, Str bytes);
/* The bytes from a place on, until n are there or the file ends: *done says how many.
 * False: errno says why. */
bool file_read_at(int fd, void *to, size_t n, uint64_t at, size_t *done);
/* Writes all n bytes there. False: errno says why; some may be written. */
bool file_write_at(int fd, const void *from, size_t n, uint64_t at);
/* Removes the file; *removed, which may be NULL: it was there. E_IO. */
MUST_USE Status file_remove(Ctx *cx, const char *path, bool *removed);
/* Brings a finished temporary file of the same file system to its place: fsync, rename,
 * fsync of the folder. E_IO: temp is still there, unless only the last step failed. */
MUST_USE Status file_commit(Ctx *cx, const char *temp, const char *path);

/* True for a regular file; *bytes, which may be NULL, is its size. */
bool file_is_here(const char *path, uint64_t *bytes);
/* Locks the file at path, made where it is not there, until *lock is closed. E_BUSY:
 * another process holds it; busy is the reason then. *lock is -1 on failure. */
MUST_USE Status file_lock(Ctx *cx, const char *path, const char *busy, int *lock);
/* Makes a folder and those above it, for this user alone (0700). It may be there. */
MUST_USE Status folder_make(Ctx *cx, const char *path);
/* Removes a folder with all that is in it; links are removed, not followed. A folder that
 * is not there is removed already. */
MUST_USE Status folder_remove(Ctx *cx, const char *path);
/* The bytes of all files below a folder; 0 where it cannot be read. */
uint64_t folder_bytes(const char *path);

/* folder/name; just name where folder is empty or name is absolute. */
MUST_USE Status path_join(Ctx *cx, Str folder, Str name, Str *out);

/* Where a user's files belong, by the XDG Base Directory Specification 0.8: "pith" below
 * $XDG_DATA_HOME, $XDG_CACHE_HOME, $XDG_CONFIG_HOME and $XDG_STATE_HOME or their defaults
 * below $HOME. Nothing is made. E_NOTFOUND: neither the variable nor $HOME is an
 * absolute path. */
MUST_USE Status folder_data(Ctx *cx, Str *out);
MUST_USE Status folder_cache(Ctx *cx, Str *out);
MUST_USE Status folder_config(Ctx *cx, Str *out);
MUST_USE Status folder_state(Ctx *cx, Str *out);

#endif
