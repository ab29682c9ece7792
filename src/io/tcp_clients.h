/* Clients over TCP between accept(2) and the beginning of their session. */
#ifndef OG_TCP_CLIENTS_H
#define OG_TCP_CLIENTS_H

#include <stdbool.h>

#include "holders.h"
#include "listener.h"
#include "peer_tcp.h"
#include "policy.h"
#include "quota.h"
#include "sock_diag.h"
#include "upstream.h"

struct tcp_clients;

struct tcp_client {
    struct tcp_clients *owner;
    struct tcp_client *next;
    struct tcp_client *previous;
    int fd;                  /* owned until `ready`; -1: closed */
    struct quota_user *user; /* a session was taken of it */
    char *listener_name;
    char *listener_profile; /* NULL: all that are for such clients */
    struct peer_tcp peer;

    bool is_suspect;    /* it may be tor's */
    bool asks_listener; /* it is not known which process is tor's */
    struct identity_needs needs;
    struct holders_query holders;     /* which processes hold its connection */
    struct holders_query tor_holders; /* whether tor's does; or who has tor's control listener */
    unsigned waits;                   /* for so many answers */
};

/* Gets a client that is known now. Takes over `fd`, the session of `user`, and the contents of
 * `peer.peer` where it wants to keep them; all else stays the caller's. */
typedef void tcp_client_callback(void *context, struct tcp_client *client);

struct tcp_clients {
    struct sock_diag diag;
    struct holders holders;
    struct peer_system *peers;
    struct upstream *upstream;
    tcp_client_callback *ready;
    void *context;
    struct tcp_client *first; /* those that are looked at */
    /* Whose tor is, with a control port over TCP: noted for the listener with this inode. */
    unsigned long tor_listener; /* 0: nothing is noted */
    uid_t tor_uid;
};

void tcp_clients_init(struct tcp_clients *clients, struct event_base *base,
                      struct peer_system *peers, struct upstream *upstream,
                      tcp_client_callback *ready, void *context);

/* Closes those that are looked at, and gives their sessions back. */
void tcp_clients_clear(struct tcp_clients *clients, struct quota *quota);

/* A new client on a nonblocking socket, which is taken over: who it is, as far as the kernel tells
 * at once. NULL: it is gone already. */
struct tcp_client *tcp_clients_add(struct tcp_clients *clients, const struct listener *listener,
                                   int fd);

/* Looks up what the policy needs to know of it, then calls `ready`; at once if it needs nothing. */
void tcp_clients_look(struct tcp_clients *clients, const struct policy *policy,
                      struct tcp_client *client);

/* Closes a client that is not looked at. */
void tcp_clients_drop(struct tcp_client *client);

/* We are logged in to tor on this connection. */
void tcp_clients_note_tor(struct tcp_clients *clients, int fd);

#endif
