/* What the kernel knows of one TCP connection of this machine, asked over netlink. */
#ifndef OG_SOCK_DIAG_H
#define OG_SOCK_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tcp_end.h"

struct sock_diag {
    int diag_fd;  /* -1: not open */
    int route_fd; /* -1: not open */
    uint32_t sequence;
};

/* Opens the netlink sockets; what cannot be had is answered with "failed" later. */
void sock_diag_init(struct sock_diag *diag);
void sock_diag_clear(struct sock_diag *diag);

/* Whether the kernel answers at all: tried with a socket of our own. Without its module tcp_diag it
 * knows of no socket. */
bool sock_diag_works(struct sock_diag *diag);

enum sock_diag_result {
    SOCK_DIAG_FOUND,
    SOCK_DIAG_NONE,   /* there is no such socket here */
    SOCK_DIAG_FAILED, /* the kernel did not answer, or not so that it can be understood */
};

struct sock_diag_socket {
    unsigned state; /* TCP_ESTABLISHED and so on */
    uid_t uid;
    unsigned long inode; /* 0: no process holds it any more */
};

/* The socket whose own end is `source` and whose peer is `destination`. Where no connection has
 * these ends, the kernel gives a socket that listens at `source`: mind the state. One round trip,
 * whatever the number of sockets. */
enum sock_diag_result sock_diag_find(struct sock_diag *diag, const struct tcp_end *source,
                                     const struct tcp_end *destination,
                                     struct sock_diag_socket *socket_out);

/* Whether a process holds the socket and may have written to it: connected, also half closed. */
bool sock_diag_is_alive(const struct sock_diag_socket *socket);

/* Whether the address is one of this machine, by the kernel's own routes. When in doubt, yes. */
bool sock_diag_is_own_address(struct sock_diag *diag, const struct tcp_end *end);

/* Reads the kernel's answer to the question with this number, for ends in these ports. Exposed for
 * tests. */
enum sock_diag_result sock_diag_read_socket(const void *answer, size_t len, uint32_t sequence,
                                            uint16_t source_port, uint16_t destination_port,
                                            struct sock_diag_socket *socket_out);

#endif
