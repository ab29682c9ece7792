/* Clients between accept(2) and the beginning of their session: who they are, whether there is room
 * for them, and which profiles serve them. */
#ifndef OG_CLIENTS_H
#define OG_CLIENTS_H

#include "listener.h"
#include "quota.h"
#include "relay.h"
#include "tcp_clients.h"

struct clients {
    struct policy *const *policy; /* the generation in use; borrowed */
    struct relay_host *host;
    struct tcp_clients tcp;
};

/* All is borrowed; the host is filled later. */
void clients_init(struct clients *clients, struct event_base *base, struct policy *const *policy,
                  struct peer_system *peers, struct upstream *upstream, struct relay_host *host);

/* Closes those that have no session yet. */
void clients_clear(struct clients *clients);

/* A listener_callback; its context is the struct clients. */
bool clients_accept(void *context, struct listener *listener, int fd);

#endif
