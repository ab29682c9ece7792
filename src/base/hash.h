/* FNV-1a: one number for some bytes, for comparing and for tables. Whoever chooses the bytes can
 * make two that have the same number. */
#ifndef OG_HASH_H
#define OG_HASH_H

#include <stdint.h>

#include "span.h"

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* The hash of what `hash` (HASH_BEGIN at first) is the hash of, and `text` behind it. */
static inline uint64_t hash_add(uint64_t hash, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
