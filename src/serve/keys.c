/* keys.c -- see keys.h. */
#include "serve/keys.h"

#include "base/file.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1 << 20, SECRET_BYTES = 32 };

Status keys_path(Ctx *cx, Str *out)
{
    Str folder;
    TRY(folder_config(cx, &folder));
    return path_join(cx, folder, STR("keys.json"), out);
}

static void hash_of(Str shown, unsigned char out[KEY_HASH_BYTES])
{
    crypto_generichash(out, KEY_HASH_BYTES, (const unsigned char *)shown.p, shown.n, NULL,
                       0);
}

static bool name_is_plain(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789-_.");
    return n > 0 && n <= KEY_NAME_MAX && name[n] == '\0';
}

Status key_make(Ctx *cx, const char *name, bool writes, char text[KEY_TEXT_BYTES],
                Key *out)
{
    unsigned char secret[SECRET_BYTES];
    if (!name_is_plain(name))
        return fail(cx, E_ARG,
                    "a key's name has 1 to %d letters, digits, '-', '_' or '.'",
                    KEY_NAME_MAX);
    if (sodium_init() < 0) return fail(cx, E_INTERNAL, "libsodium has no random numbers");
    randombytes_buf(secret, sizeof secret);
    memcpy(text, "pith-", sizeof "pith-");
    sodium_bin2base64(text + 5, KEY_TEXT_BYTES - 5, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(secret, sizeof secret);
    *out = (Key){ .writes = writes };
    memcpy(out->name, name, strlen(name) + 1);
    hash_of(str_z(text), out->hash);
    return OK;
}

const Key *keys_find(const Keys *keys, Str shown)
{
    unsigned char hash[KEY_HASH_BYTES];
    const Key *found = NULL;
    hash_of(shown, hash);
    for (size_t i = 0; i < keys->n; i++)        // all of them, whichever fits
        if (sodium_memcmp(hash, keys->at[i].hash, sizeof hash) == 0) found = &keys->at[i];
    return found;
}

/* ---- the file --------------------------------------------------------------------- */

static bool key_read(const json_t *j, Key *out)
{
    const char *name = json_string_value(json_object_get(j, "name"));
    const char *hex = json_string_value(json_object_get(j, "hash"));
    const char *rights = json_string_value(json_object_get(j, "rights"));
    size_t n = 0;
    if (!name || !name_is_plain(name) || !hex || !rights) return false;
    *out = (Key){ .writes = strcmp(rights, "write") == 0 };
    memcpy(out->name, name, strlen(name) + 1);
    return sodium_hex2bin(out->hash, sizeof out->hash, hex, strlen(hex), NULL, &n,
                          NULL) == 0
        && n == sizeof out->hash && (out->writes || strcmp(rights, "read") == 0);
}

static Status keys_parse(Ctx *cx, Str path, const json_t *all, Keys *out)
{
    size_t n = json_array_size(all);
    if (!json_is_array(all))
        return fail(cx, E_FORMAT, "%s is not a list of keys: move it away and run "
                    "`pith serve key add`", path.p);
    TRY_NEW(out->at = ctx_new(cx, Key, n));
    for (size_t i = 0; i < n; i++)
        if (!key_read(json_array_get(all, i), &out->at[i]))
            return fail(cx, E_FORMAT, "%s: entry %zu lacks a name, a hash of 64 hex "
                        "digits, or rights \"read\" or \"write\"", path.p, i + 1);
    out->n = n;
    return OK;
}

Status keys_read(Ctx *cx, Keys *out)
{
    Str path, text;
    *out = (Keys){ 0 };
    TRY(keys_path(cx, &path));
    if (!file_is_here(path.p, NULL)) return OK;
    TRY(file_read(cx, path.p, FILE_MAX_BYTES, &text));
    json_t *all = json_loadb(text.p, text.n, 0, NULL);
    Status st = keys_parse(cx, path, all, out);
    json_decref(all);
    return st;
}

static json_t *key_json(const Key *k)
{
    char hex[2 * KEY_HASH_BYTES + 1];
    sodium_bin2hex(hex, sizeof hex, k->hash, sizeof k->hash);
    return json_pack("{ss ss ss}", "name", k->name, "hash", hex, "rights",
                     k->writes ? "write" : "read");
}

Status keys_write(Ctx *cx, const Keys *keys)
{
    Str path, folder;
    TRY(keys_path(cx, &path));
    TRY(folder_config(cx, &folder));
    TRY(folder_make(cx, folder.p));
    json_t *all = json_array();
    for (size_t i = 0; i < keys->n; i++)
        json_array_append_new(all, key_json(&keys->at[i]));
    char *text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
    Status st = text ? file_write(cx, path.p, str_z(text))
                     : fail(cx, E_MEMORY, "out of memory for the keys");
    free(text);
    json_decref(all);
    return st;
}
