/* Growable bytes with a hard maximum.
 *
 * An append that would pass the maximum stores nothing and sets `overflow`, which stays set: a
 * caller may do several appends and check once. Consuming from the front is amortised O(1). */
#ifndef OG_BUF_H
#define OG_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

struct buf {
    char *data;    /* owned; NULL while nothing was ever stored */
    size_t start;  /* consumed bytes at the front */
    size_t len;    /* bytes stored after start */
    size_t cap;    /* bytes allocated */
    size_t used;   /* bytes at the front of data that were ever written: what a wipe covers */
    size_t max;    /* len never exceeds it */
    bool overflow; /* an append was refused */
};

/* An empty buffer that may hold up to `max` bytes. Allocates nothing yet. */
static inline void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

/* Frees the storage; the buffer is empty again, with the same maximum and overflow cleared. */
void buf_clear(struct buf *buf);

/* buf_clear that overwrites the bytes first, for secrets. */
void buf_wipe(struct buf *buf);

/* Empties the buffer, keeps small storage for reuse, clears overflow. */
void buf_reset(struct buf *buf);

/* The stored bytes; borrowed until the next call that changes the buffer. */
static inline struct span buf_span(const struct buf *buf)
{
    return span_make(buf->len ? buf->data + buf->start : "", buf->len);
}

/* Appends; false (and overflow set) if the maximum would be passed. `text` may not point into the
 * buffer itself. */
bool buf_append(struct buf *buf, struct span text);
bool buf_append_string(struct buf *buf, const char *text);
bool buf_append_char(struct buf *buf, char c);
bool buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops `len` bytes (at most what is there) from the front. */
void buf_consume(struct buf *buf, size_t len);

/* The same for what may be secret: once all is consumed, nothing is left of it in memory. */
void buf_consume_wiped(struct buf *buf, size_t len);

/* Drops bytes from the end until `len` are left. */
void buf_truncate(struct buf *buf, size_t len);

/* Appends `text` for a person to read: printable ASCII as it is, a backslash doubled, anything
 * else as \xHH, and after `limit` source bytes "..." (0: no limit). Nothing from a peer goes into
 * a log or a message in another way. */
bool buf_append_escaped(struct buf *buf, struct span text, size_t limit);

#endif
