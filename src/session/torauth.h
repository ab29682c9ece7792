/* Our own login to tor as a state machine (control-protocol 8.1, 2.6).
 *
 * Replies in, commands out. What needs the system (files, randomness) is asked through
 * struct torauth_secrets. A challenge's server hash is verified before anything is proved. */
#ifndef OG_TORAUTH_H
#define OG_TORAUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "hmac.h"
#include "onion_registry.h"
#include "reply.h"
#include "tor_facts.h"

#define TORAUTH_COOKIE_SIZE 32
#define TORAUTH_NONCE_SIZE 32
/* What is wrong with a file, and which lines torrc needs, in full. */
#define TORAUTH_REASON_MAX 512

struct torauth_secrets {
    /* Reads the cookie (exactly TORAUTH_COOKIE_SIZE bytes). `path` is what tor named,
     * NUL-terminated; the shell may prefer a configured one. False: *reason_out is a static or
     * owned text that lives until the next call, for the log. */
    bool (*read_cookie)(void *context, const char *path, uint8_t cookie_out[TORAUTH_COOKIE_SIZE],
                        const char **reason_out);
    /* Appends the password; false: none is configured or it cannot be read (*reason_out NULL or
     * why). */
    bool (*read_password)(void *context, struct buf *out, const char **reason_out);
    /* Fills with random bytes. */
    void (*nonce)(void *context, uint8_t nonce_out[TORAUTH_NONCE_SIZE]);
    void *context;
};

enum torauth_state {
    TORAUTH_IDLE,
    TORAUTH_PROTOCOLINFO, /* asked for methods and version */
    TORAUTH_CHALLENGE,    /* sent AUTHCHALLENGE */
    TORAUTH_AUTHENTICATE, /* sent AUTHENTICATE, and the question for control listeners if asked */
    TORAUTH_LISTENERS,    /* waiting for the listeners */
    TORAUTH_DETACHED,     /* waiting for the list of detached onion services */
    TORAUTH_DONE,
    TORAUTH_FAILED,
};

struct torauth {
    enum torauth_state state;
    const struct torauth_secrets *secrets;
    struct tor_facts *facts;
    bool asks_listeners; /* the session may add onion services: their targets must be judged */
    struct onion_registry *registry; /* asks which services are detached, for this; NULL: no */
    uint64_t detached_mark;          /* of the registry, when that was asked */
    bool has_detached;               /* tor has begun to list them */
    struct onion_set detached;       /* those named so far that the registry has */
    bool has_unknown;                /* one was named that it has not */
    char *cookie_path;
    bool offers_null, offers_cookie, offers_safecookie, offers_password;
    uint8_t cookie[TORAUTH_COOKIE_SIZE];
    uint8_t nonce[TORAUTH_NONCE_SIZE];
    bool has_methods;                /* an AUTH line was seen */
    char reason[TORAUTH_REASON_MAX]; /* TORAUTH_FAILED: why, for the log */
};

void torauth_init(struct torauth *auth, const struct torauth_secrets *secrets,
                  struct tor_facts *facts, bool asks_listeners);

/* Has every login ask tor for the detached onion services, so that the registry forgets those that
 * are gone, as after a restart of tor. */
void torauth_ask_detached(struct torauth *auth, struct onion_registry *registry);

/* What proves the knowledge of a cookie to whoever sent the client's nonce. */
void torauth_hash_server(const uint8_t cookie[TORAUTH_COOKIE_SIZE], struct span client_nonce,
                         struct span server_nonce, uint8_t digest_out[HMAC_SIZE]);

/* Wipes secrets and frees; the state is TORAUTH_IDLE again. */
void torauth_clear(struct torauth *auth);

/* Begins a login on a fresh connection: appends the first command. */
void torauth_start(struct torauth *auth, struct buf *to_tor);

/* Takes one line from tor, appends the next command if one is due. Anything unexpected is
 * TORAUTH_FAILED with a reason. Returns the state. */
enum torauth_state torauth_feed(struct torauth *auth, const struct reply_line *line,
                                struct buf *to_tor);

#endif
