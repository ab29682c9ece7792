/* A borrowed run of bytes: pointer and length, never NUL-terminated by promise.
 *
 * Control-protocol text is bytes, not C strings: a NUL inside must not end it. Everything that
 * looks at text takes a span; nobody stores one beyond the life of what it points into. */
#ifndef OG_SPAN_H
#define OG_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *data; /* may be NULL only if len is 0 */
    size_t len;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

static inline struct span span_make(const char *data, size_t len)
{
    return (struct span){data, len};
}

static inline struct span span_from_string(const char *string)
{
    return (struct span){string, string ? strlen(string) : 0};
}

static inline bool span_equals(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool span_starts_with(struct span s, struct span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

/* The bytes from index `from` on; empty if there are none. */
static inline struct span span_from(struct span s, size_t from)
{
    return from >= s.len ? span_make(NULL, 0) : span_make(s.data + from, s.len - from);
}

/* The first `len` bytes, or all of them if there are fewer. */
static inline struct span span_first(struct span s, size_t len)
{
    return span_make(s.data, len < s.len ? len : s.len);
}

/* Index of the first `byte`, or s.len if there is none. */
static inline size_t span_find(struct span s, char byte)
{
    const char *at = s.len ? memchr(s.data, byte, s.len) : NULL;
    return at ? (size_t)(at - s.data) : s.len;
}

/* Equality without regard to ASCII case; other bytes compare as they are. */
bool span_equals_nocase(struct span a, struct span b);

/* A decimal number of 1 to 19 digits, nothing else around it, at most `max`. */
bool span_to_number(struct span s, unsigned long max, unsigned long *number_out);

#endif
