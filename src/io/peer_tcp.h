/* Who is at the other end of a TCP connection (design 2). */
#ifndef OG_PEER_TCP_H
#define OG_PEER_TCP_H

#include <stdbool.h>

#include "holders.h"
#include "identity_needs.h"
#include "peer.h"
#include "sock_diag.h"
#include "tcp_end.h"

struct peer_tcp {
    struct peer peer; /* without a pidfd */
    struct tcp_end far;
    struct tcp_end near;
    struct sock_diag_socket socket; /* a local peer's own, if it has credentials */
};

/* Finds out whether the peer is on this machine, and which user's it is. False: the connection is
 * gone already. The caller clears peer_out->peer. */
bool peer_tcp_identify(struct sock_diag *diag, int fd, struct peer_tcp *peer_out);

/* Adds label, executable and unit, as far as they are needed, of the processes that were found to
 * hold the connection: if they are all alike. */
void peer_tcp_take_holders(struct peer_system *system, const struct identity_needs *needs,
                           const struct holders_query *holders, struct peer_tcp *peer);

/* Asks again whether the user's process still holds the very same socket; forgets all that is known
 * of the peer if not. */
void peer_tcp_confirm(struct sock_diag *diag, struct peer_tcp *peer);

#endif
