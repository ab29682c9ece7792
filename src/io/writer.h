/* Who writes into a session: reading from a client with the kernel's word on each message. */
#ifndef OG_WRITER_H
#define OG_WRITER_H

#include <stdbool.h>
#include <sys/types.h>

#include "identity.h"
#include "identity_needs.h"

struct peer_system;

struct writer {
    struct peer_system *system;
    const struct identity *session; /* the client as it was identified; borrowed */
    struct identity_needs needs;
    bool gets_pidfds; /* the kernel sends one along */
    pid_t pid;        /* the process that wrote last; at first the one that connected */
    int pidfd;        /* of that process; -1: none */
};

/* Makes the kernel note who writes into a connected Unix socket, or into all that a listening one
 * accepts from now on. What is written into a connection that was accepted without this has no
 * writer, and ends its session. False: errno says why. */
bool writer_enable(int fd);

/* `fd`: the client's socket. Takes over the pidfd of the process that connected. Without
 * `needs.writer`, and over TCP, anybody may write. */
void writer_init(struct writer *writer, struct peer_system *system, int fd,
                 const struct identity *session, const struct identity_needs *needs, int pidfd);
void writer_clear(struct writer *writer);

/* read(2), of bytes of one writer. If that one may not write, *refusal_out says why (static) and
 * the bytes must not be used; else it is NULL. Descriptors that were sent along are closed. */
ssize_t writer_read(struct writer *writer, int fd, char *data, size_t size,
                    const char **refusal_out);

#endif
