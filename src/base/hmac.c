/* HMAC-SHA256 by nettle, the only file that knows it.
 *
 * Needed for tor's SAFECOOKIE login (control-protocol 8.1); the context holds key material and is
 * wiped after use. */
#include "hmac.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>

#include "mem.h"

_Static_assert(HMAC_SIZE == SHA256_DIGEST_SIZE, "HMAC-SHA256 gives 32 bytes");

void hmac_sha256(struct span key, const struct span *parts, size_t count,
                 uint8_t digest_out[HMAC_SIZE])
{
    struct hmac_sha256_ctx context;

    hmac_sha256_set_key(&context, key.len, (const uint8_t *)key.data);
    for (size_t i = 0; i < count; i++)
        hmac_sha256_update(&context, parts[i].len, (const uint8_t *)parts[i].data);
    hmac_sha256_digest(&context, HMAC_SIZE, digest_out);
    mem_wipe(&context, sizeof context);
}

bool hmac_equals(const uint8_t a[HMAC_SIZE], const uint8_t b[HMAC_SIZE])
{
    return memeql_sec(a, b, HMAC_SIZE) == 1;
}
