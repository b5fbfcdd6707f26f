/* guard.c -- see guard.h; RFC 9110, 4.2.3 and 7.2, RFC 6454. */
#include "serve/guard.h"

#include <arpa/inet.h>
#include <string.h>

enum { NAME_MAX_BYTES = 255 };

static Str without_port(Str host)
{
    if (host.n && host.p[0] == '[') {
        const char *end = memchr(host.p, ']', host.n);
        return end ? (Str){ host.p + 1, (size_t)(end - host.p) - 1 } : (Str){ "", 0 };
    }
    const char *colon = memchr(host.p, ':', host.n);
    return colon ? (Str){ host.p, (size_t)(colon - host.p) } : host;
}

static bool is_address(Str name)
{
    char z[NAME_MAX_BYTES + 1];
    unsigned char bytes[sizeof(struct in6_addr)];
    if (name.n > NAME_MAX_BYTES) return false;
    memcpy(z, name.p, name.n);
    z[name.n] = '\0';
    return inet_pton(AF_INET, z, bytes) == 1 || inet_pton(AF_INET6, z, bytes) == 1;
}

static bool is_listed(Str name, Str listed)
{
    while (listed.n) {
        const char *comma = memchr(listed.p, ',', listed.n);
        size_t n = comma ? (size_t)(comma - listed.p) : listed.n;
        if (str_ieq(str_trim((Str){ listed.p, n }), name)) return true;
        n += comma != NULL;
        listed = (Str){ listed.p + n, listed.n - n };
    }
    return false;
}

bool guard_host(Str host, Str listed)
{
    Str name = without_port(str_trim(host));
    if (name.n == 0) return false;
    return is_address(name) || str_ieq(name, STR("localhost")) || is_listed(name, listed);
}

bool guard_origin(Str origin, Str host, bool tls)
{
    Str scheme = tls ? STR("https://") : STR("http://");
    if (!str_starts(origin, scheme)) return false;
    return str_ieq((Str){ origin.p + scheme.n, origin.n - scheme.n }, str_trim(host));
}

Str guard_bearer(Str header)
{
    static const char scheme[] = "Bearer ";
    size_t n = sizeof scheme - 1;
    if (header.n < n || !str_ieq((Str){ header.p, n }, STR(scheme))) return STR("");
    return str_trim((Str){ header.p + n, header.n - n });
}

bool guard_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcmp(host, "localhost") == 0) return true;
    if (inet_pton(AF_INET, host, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool part_is_fit(const char *part, size_t n)
{
    return n > 0 && !(n == 1 && part[0] == '.')
        && !(n == 2 && memcmp(part, "..", 2) == 0);
}

bool guard_name(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    if (n == 0 || n > GUARD_NAME_MAX) return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 127 || name[i] == '\\')
            return false;
    for (const char *part = name; ; part++) {
        size_t len = strcspn(part, "/");
        if (!part_is_fit(part, len)) return false;
        part += len;
        if (!*part) return true;
    }
}
