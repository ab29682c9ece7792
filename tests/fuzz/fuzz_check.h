/* What the fuzz targets share: the entry point, the oracle's end, cuts that depend on the input. */
#ifndef OG_FUZZ_CHECK_H
#define OG_FUZZ_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define require(holds) require_at((holds), __FILE__, __LINE__, #holds)

static inline void require_at(bool holds, const char *file, int line, const char *text)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
    abort();
}

/* Takes the next piece off *rest: 1 to 16 bytes, or everything if *seed is 0. */
static inline struct span take_piece(struct span *rest, uint32_t *seed)
{
    size_t len = rest->len;

    if (*seed) {
        *seed = *seed * 1664525u + 1013904223u;
        *seed += *seed == 0;
        len = 1 + (*seed >> 24) % 16;
    }
    struct span piece = span_first(*rest, len);
    *rest = span_from(*rest, piece.len);
    return piece;
}

#endif
