/* kv_store.h -- keys and values that were computed once, in files: a hot set.
 *
 * An entry is a file below one folder, named by a hash of all that its numbers hang on,
 * and is mapped when it is used: what is hot stays in the system's page cache, and is
 * given back when memory is wanted. Any number of processes may use a folder.
 *
 * Which entries stay is decided by use and cost (greedy dual size frequency, Cherkasova,
 * HPL-98-69): an entry is worth its uses times what a byte of it costs to compute, more
 * than the last that had to go. The least worth goes first; a newcomer that is worth less
 * than what it would displace is not taken.
 *
 * Invariant: all files of the folder together, one that is being written included, have
 * at most `budget` bytes. What goes wrong with a file, a full disk included, is a miss
 * and no error: the numbers can be computed again. */
#ifndef PITH_MODEL_KV_STORE_H
#define PITH_MODEL_KV_STORE_H

#include "base/ctx.h"
#include "base/hash.h"

typedef struct KvStore KvStore;

/* Makes the folder where it is not there. E_IO, E_MEMORY; *out is NULL then. */
MUST_USE Status kv_store_open(Ctx *cx, const char *folder, uint64_t budget,
                              KvStore **out);
void kv_store_close(KvStore *s);

typedef struct KvEntry {
    const void *data;        // (bytes), aligned to 64
    size_t bytes;
    void *map;               // what kv_entry_close unmaps
} KvEntry;

/* The entry of so many bytes, which counts as used. False: it is not there, or was
 * damaged, and is removed. May be called by several threads. */
bool kv_store_find(const KvStore *s, Blake2bHex key, size_t bytes, KvEntry *out);
/* An entry of zeros is closed too. */
void kv_entry_close(KvEntry *e);
/* Whether there is one, damaged or not; it does not count as used. */
bool kv_store_has(const KvStore *s, Blake2bHex key);

typedef struct KvNew {
    Blake2bHex key;
    const void *data;
    size_t bytes;
    double cost;             // of computing it, in any unit that all entries share
    bool ahead;              // nobody asked for it: it displaces nothing, and has no use
} KvNew;

typedef enum KvPut {
    KV_KEPT,
    KV_NOT_WORTH,            // what it would displace is worth more, or there is no room
    KV_NOT_NOW,              // another process writes, or the disk said no
} KvPut;

/* Keeps an entry, in place of one of the same key. May be called by several threads. */
KvPut kv_store_put(const KvStore *s, const KvNew *e);
/* Bytes of all files. */
uint64_t kv_store_bytes(const KvStore *s);

#endif
