/* tor as a client: an onion service or a stream may lead back to us, and matches nothing. */
#ifndef OG_PEER_TOR_H
#define OG_PEER_TOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "identity.h"

/* The process at the other end of our connections to tor, noted at each of them. Before the first
 * one nothing is known, so a session looks again when it gets its connection to tor: no command of
 * tor's own ever reaches tor. Over TCP nothing is known. Not noted is a stand-in for tor that runs
 * as our own user under another name. */
struct peer_tor {
    bool is_known;
    pid_t pid;   /* 0: not known */
    int pidfd;   /* -1: none */
    uid_t uid;   /* when it began to listen, which may have been as root */
    char *label; /* NULL: unconfined, or not known; owned */
};

void peer_tor_init(struct peer_tor *tor);
void peer_tor_clear(struct peer_tor *tor);

/* Whether this is what is known already. */
bool peer_tor_is_current(const struct peer_tor *tor, const struct identity *identity);

/* Notes who listens at tor's control socket; takes over the pidfd. */
void peer_tor_set(struct peer_tor *tor, const struct identity *identity, int pidfd);

/* Whether this is tor's process. Its pid counts as long as it lives. */
bool peer_tor_is_process(const struct peer_tor *tor, const struct identity *identity);

/* Whether the label of a client would tell more: tor's is known, and the user is tor's. */
bool peer_tor_wants_label(const struct peer_tor *tor, const struct identity *identity);

/* Whether this is tor's user under tor's label: tor after a restart, or behind a pid that we do not
 * see. The user alone says nothing: people run their tools as tor's user, or tor as theirs. */
bool peer_tor_is_alike(const struct peer_tor *tor, const struct identity *identity);

#endif
