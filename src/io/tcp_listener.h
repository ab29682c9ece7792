/* The TCP listener of --listen-address, --listen-port and --listen-interface. */
#ifndef OG_TCP_LISTENER_H
#define OG_TCP_LISTENER_H

#include <event2/event_struct.h>
#include <stdbool.h>

#include "add_onion.h"
#include "buf.h"
#include "listener.h"
#include "options.h"
#include "upstream.h"

#define TCP_LISTENER_SOCKETS 2 /* one for each family */

struct tcp_listener {
    struct event_base *base;
    listener_callback *accepted;
    void *context;
    bool is_wanted;
    const char *interface; /* NULL: any; borrowed */
    char *name;            /* for the log */
    struct upstream_address addresses[TCP_LISTENER_SOCKETS];
    size_t address_count;

    struct listener *sockets[TCP_LISTENER_SOCKETS]; /* NULL: none now */
    unsigned interface_index;                       /* that they are bound to */
    bool is_waiting;                                /* the log has heard of it */
    int link_fd;                                    /* news of interfaces; -1: none */
    struct event link;
    struct event retry;
};

/* Nothing listens yet. The options are borrowed. */
void tcp_listener_init(struct tcp_listener *listener, struct event_base *base,
                       const struct options *options, listener_callback *accepted, void *context);
void tcp_listener_clear(struct tcp_listener *listener);

/* Listens, or begins to wait for the interface. False: it can do neither; why is appended to
 * `reason`. */
bool tcp_listener_start(struct tcp_listener *listener, struct buf *reason);

bool tcp_listener_is_open(const struct tcp_listener *listener);

/* Where it listens, or will: at most TCP_LISTENER_SOCKETS targets, for onion services to be kept
 * away from. Returns how many. */
size_t tcp_listener_targets(const struct tcp_listener *listener,
                            struct target targets[TCP_LISTENER_SOCKETS]);

#endif
