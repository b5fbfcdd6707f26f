/* keys.h -- who may do what: API keys, of which only hashes are kept.
 *
 * A key is "pith-" and 256 random bits, so a fast hash (BLAKE2b-256) is as good as a
 * slow one: there is nothing to guess. Keys lie in $XDG_CONFIG_HOME/pith/keys.json,
 * readable by their owner alone. */
#ifndef PITH_SERVE_KEYS_H
#define PITH_SERVE_KEYS_H

#include "base/ctx.h"

enum { KEY_NAME_MAX = 64, KEY_HASH_BYTES = 32, KEY_TEXT_BYTES = 64 };

typedef struct Key {
    char name[KEY_NAME_MAX + 1];
    unsigned char hash[KEY_HASH_BYTES];
    bool writes;            // documents may be added and removed
} Key;

typedef struct Keys {
    Key *at;                // in the arena of the Ctx that read them
    size_t n;
} Keys;

/* The path of the file, in the arena. */
MUST_USE Status keys_path(Ctx *cx, Str *out);
/* No file: no keys. E_FORMAT: the file is not what `key add` writes. */
MUST_USE Status keys_read(Ctx *cx, Keys *out);
MUST_USE Status keys_write(Ctx *cx, const Keys *keys);
/* A new key in words, and the entry for it. E_ARG: the name is empty, too long, or has
 * more than letters, digits, '-', '_' and '.'. */
MUST_USE Status key_make(Ctx *cx, const char *name, bool writes,
                         char text[KEY_TEXT_BYTES],
                         Key *out);
/* The key that a client showed, or NULL. Takes the same time wherever they differ. */
const Key *keys_find(const Keys *keys, Str shown);

#endif
