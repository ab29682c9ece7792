/* Recognising tor.
 *
 * An onion service of tor's may have one of our sockets as its target (control-spec ADD_ONION), and
 * then whoever visits it would be served as a client on this machine. The kernel notes for tor's
 * control socket who began to listen there, as it notes for a client's who connected. */
#include "peer_tor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "process.h"

void peer_tor_init(struct peer_tor *tor)
{
    *tor = (struct peer_tor){.pidfd = -1};
}

void peer_tor_clear(struct peer_tor *tor)
{
    if (tor->pidfd >= 0)
        close(tor->pidfd);
    free(tor->label);
    peer_tor_init(tor);
}

/* A pid without a pidfd is taken for tor's until the next connection: that refuses too much, never
 * too little. */
static bool peer_tor_lives(const struct peer_tor *tor)
{
    return tor->pidfd < 0 || process_is_alive(tor->pidfd);
}

bool peer_tor_is_current(const struct peer_tor *tor, const struct identity *identity)
{
    return tor->is_known && tor->pid == identity->pid && tor->uid == identity->uid &&
           peer_tor_lives(tor);
}

void peer_tor_set(struct peer_tor *tor, const struct identity *identity, int pidfd)
{
    peer_tor_clear(tor);
    tor->is_known = identity->has_credentials;
    tor->pid = identity->pid;
    tor->pidfd = pidfd;
    tor->uid = identity->uid;
    if (identity->label_state == IDENTITY_CONFINED)
        tor->label = mem_copy_string(span_from_string(identity->label));
}

bool peer_tor_is_process(const struct peer_tor *tor, const struct identity *identity)
{
    return tor->is_known && identity->has_credentials && tor->pid > 0 &&
           tor->pid == identity->pid && peer_tor_lives(tor);
}

bool peer_tor_wants_label(const struct peer_tor *tor, const struct identity *identity)
{
    return tor->is_known && tor->label && identity->has_credentials && tor->uid == identity->uid;
}

bool peer_tor_is_alike(const struct peer_tor *tor, const struct identity *identity)
{
    return peer_tor_wants_label(tor, identity) && identity->label_state == IDENTITY_CONFINED &&
           strcmp(tor->label, identity->label) == 0;
}
