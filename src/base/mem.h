/* Allocation that succeeds or ends the process.
 *
 * What a peer can make us store is bounded before it is allocated (struct buf, pending queue, the
 * limit of all sessions together), so only the allocator itself can fail here. A firewall that goes
 * on half-initialised would be worse than one that stops: it holds nothing that outlives it, and
 * the service manager starts it anew. */
#ifndef OG_MEM_H
#define OG_MEM_H

#include <stddef.h>

#include "span.h"

/* Zeroed memory for `count` objects of `size` bytes; aborts on overflow or exhaustion. Free with
 * free(). */
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Grows or shrinks an array to `count` elements; new elements are not initialised. Aborts like
 * mem_zalloc. */
void *mem_resize(void *array, size_t count, size_t size) __attribute__((returns_nonnull));

/* A NUL-terminated copy. Bytes after a NUL inside the span are copied too, but C reads up to it. */
char *mem_copy_string(struct span text) __attribute__((malloc, returns_nonnull));

/* printf into a fresh string; the caller frees it. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Overwrites memory that held a secret, in a way the compiler keeps. */
void mem_wipe(void *memory, size_t size);

#endif
