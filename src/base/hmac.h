/* HMAC-SHA256 (RFC 2104), the one digest that tor's SAFECOOKIE login needs. */
#ifndef OG_HMAC_H
#define OG_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "span.h"

#define HMAC_SIZE 32

/* The HMAC of the concatenated parts. */
void hmac_sha256(struct span key, const struct span *parts, size_t count,
                 uint8_t digest_out[HMAC_SIZE]);

/* Equality in constant time. */
bool hmac_equals(const uint8_t a[HMAC_SIZE], const uint8_t b[HMAC_SIZE]);

#endif
