/* str.h -- text as pointer and length, and a buffer that grows to a stated maximum.
 *
 * Str borrows: it is UTF-8 unless a function says otherwise, and never assumed to end
 * in NUL. Buf owns heap memory; after the first failure (no memory, or its maximum
 * passed) it stays failed and ignores further writes, so that a caller checks once. */
#ifndef PITH_BASE_STR_H
#define PITH_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Str {
    const char *p;
    size_t n;   // bytes
} Str;

#define STR(literal) ((Str){ (literal), sizeof(literal) - 1 })

/* A borrowed view of a C string; NULL gives the empty Str. */
Str str_z(const char *z);
bool str_eq(Str a, Str b);
/* ASCII case is ignored; other bytes compare as they are. */
bool str_ieq(Str a, Str b);
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
/* Without ASCII white space at both ends. */
Str str_trim(Str s);
/* Whether c is one of the characters of set; NUL never is. */
bool str_one_of(char c, const char *set);
/* Byte-wise order, as memcmp; a prefix comes first. */
int str_cmp(Str a, Str b);
/* FNV-1a, 64 bit: for tables in memory, never for what is stored. */
uint64_t str_hash(Str s);

typedef struct Buf {
    char *p;      // NUL-terminated whenever not NULL
    size_t n;     // bytes, the NUL not counted
    size_t cap;
    size_t max;   // bytes it may hold
    bool failed;  // no memory, or max passed
    bool starved; // no memory: what was cut is lost by chance, not by rule
} Buf;

#define BUF(maximum) ((Buf){ NULL, 0, 0, (maximum), false, false })

void buf_add(Buf *b, Str s);
void buf_addf(Buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_addv(Buf *b, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));
void buf_free(Buf *b);
/* The contents as Str; borrowed until the next write. */
Str buf_str(const Buf *b);

#endif
