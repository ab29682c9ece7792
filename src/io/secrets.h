/* What proves us to tor: the cookie, the password, and fresh randomness. */
#ifndef OG_SECRETS_H
#define OG_SECRETS_H

#include "containment_places.h"
#include "torauth.h"

struct secrets {
    const char *cookie_path;   /* configured; NULL: where tor says it is */
    const char *password_file; /* NULL: there is none */
    const struct containment_places *places;
    struct buf reason; /* of the last failure */
    bool is_short;     /* the last failure was our own lack of descriptors or memory */
};

/* All is borrowed. */
void secrets_init(struct secrets *secrets, const char *cookie_path, const char *password_file,
                  const struct containment_places *places);
void secrets_clear(struct secrets *secrets);

/* The interface that sessions use; `secrets` must outlive it. */
struct torauth_secrets secrets_interface(struct secrets *secrets);

/* Random bytes for a secret; the process ends where the kernel has none. */
void secrets_fill_random(uint8_t *bytes_out, size_t len);

/* Whether the last reading failed for lack of descriptors or memory, which is not tor's fault. True
 * once for each. */
bool secrets_take_shortage(const struct torauth_secrets *interface);

#endif
