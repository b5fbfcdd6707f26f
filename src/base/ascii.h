/* ascii.h -- what a byte is where it is ASCII: in every locale the same, other than
 * <ctype.h>, and false for the bytes of all other characters. */
#ifndef PITH_BASE_ASCII_H
#define PITH_BASE_ASCII_H

#include <stdbool.h>

static inline bool is_ascii(char c) { return (unsigned char)c < 0x80; }
static inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool is_letter(char c) { return is_lower(c) || is_upper(c); }
/* Of a word, any character beyond ASCII taken for a letter. */
static inline bool in_word(char c) { return is_letter(c) || is_digit(c) || !is_ascii(c); }
static inline char to_lower(char c) { return is_upper(c) ? (char)(c + ('a' - 'A')) : c; }

#endif
