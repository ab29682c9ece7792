/* Who is at the other end of a client's socket: plain facts, each known or unknown.
 *
 * Gathered by the shell (io/peer), judged by policy/match. What could not be learnt is unknown,
 * never a default. */
#ifndef OG_IDENTITY_H
#define OG_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum identity_transport {
    IDENTITY_UNIX, /* Unix socket: uid, gid, pid and groups from the kernel, at connect time */
    IDENTITY_TCP_LOCAL,
    IDENTITY_TCP_REMOTE,
};

struct identity {
    enum identity_transport transport;
    bool has_credentials; /* uid, gid, pid are from SO_PEERCRED */
    uid_t uid;
    gid_t gid;
    pid_t pid;
    bool has_groups; /* SO_PEERGROUPS answered */
    gid_t *groups;   /* supplementary groups; owned */
    size_t group_count;
};

/* Frees what the identity owns and zeroes it. */
void identity_clear(struct identity *identity);

#endif
