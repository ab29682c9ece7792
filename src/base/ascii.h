/* Character classes of the control protocol: ASCII only, no locale, no sign surprises. */
#ifndef OG_ASCII_H
#define OG_ASCII_H

#include <stdbool.h>

/* 0x20 to 0x7e: the only bytes that a command line may hold (design: framing). */
static inline bool ascii_is_printable(char c)
{
    return c >= 0x20 && c <= 0x7e;
}

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char ascii_to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline char ascii_to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

#endif
