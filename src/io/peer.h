/* Who is at the other end of a connected Unix socket (design 2).
 *
 *   peer.c        credentials; the label out of all that is known
 *   peer_label.c  the label that the kernel noted for the socket
 *   process.c     a process as /proc shows it
 *   peer_tor.c    tor itself
 */
#ifndef OG_PEER_H
#define OG_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"
#include "identity_needs.h"
#include "peer_tor.h"
#include "process.h"

/* What this system can say about peers, found out once, and what was said about it. */
struct peer_system {
    bool has_apparmor;
    bool has_kernel_labels; /* SO_PEERSEC answers */
    bool said_denied;       /* the log has heard that executables cannot be read */
    struct peer_tor tor;
};

void peer_system_init(struct peer_system *system);
void peer_system_clear(struct peer_system *system);

struct peer {
    struct identity identity;
    int pidfd;         /* of the process that connected, which may have exited; -1: none */
    uint64_t accepted; /* process_ticks_now, when it was accepted */
};

/* What the kernel tells of a socket that was just accepted, and a hold on the process: no look-up.
 * The caller clears the result. */
void peer_identify(int fd, struct peer *peer_out);

/* Adds what has to be looked up, as far as it is needed, and whether the peer is tor. */
void peer_investigate(struct peer_system *system, int fd, const struct identity_needs *needs,
                      struct peer *peer);

/* Adds label, executable and unit of a process, as far as they are needed. They stay unknown unless
 * PROCESS_SEEN, but for the label that the kernel noted for `socket`, if that is not -1. `latest`:
 * the process started then or before. */
enum process_look peer_look(struct peer_system *system, const struct identity_needs *needs,
                            int socket, pid_t pid, int pidfd, uint64_t latest,
                            struct identity *identity);

/* Notes who is at the other end of a connection to tor's control port. */
void peer_note_tor(struct peer_system *system, int fd);

void peer_clear(struct peer *peer);

#endif
