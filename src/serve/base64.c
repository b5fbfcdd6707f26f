/* base64.c -- see base64.h. */
#include "serve/base64.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

json_t *base64_of(Str s)
{
    size_t room = sodium_base64_encoded_len(s.n, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(room);
    json_t *j = NULL;
    if (text) {
        sodium_bin2base64(text, room, (const unsigned char *)s.p, s.n,
                          sodium_base64_VARIANT_ORIGINAL);
        j = json_string(text);
    }
    free(text);
    return j;
}

char *base64_bytes(const char *z, size_t *n)
{
    size_t length = strlen(z), room = length / 4 * 3 + 3;
    char *bytes = malloc(room + 1);
    const char *end = z;
    *n = 0;
    if (!bytes) return NULL;
    if (sodium_base642bin((unsigned char *)bytes, room, z, length, " \r\n\t", n, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 || *end) {
        free(bytes);
        *n = 0;
        return NULL;
    }
    bytes[*n] = '\0';
    return bytes;
}

size_t base64_length(const char *z)
{
    size_t n = 0;
    char *bytes = z ? base64_bytes(z, &n) : NULL;
    free(bytes);
    return n;
}
