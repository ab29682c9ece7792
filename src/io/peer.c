/* Credentials of a peer as the kernel noted them at connect time (design 2): no race, no file, no
 * word of the peer's own. */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "mem.h"

#define PEER_GROUPS_FIRST 32
#define PEER_GROUPS_MAX 65536 /* NGROUPS_MAX */

static void peer_find_credentials(int fd, struct identity *identity)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0 ||
        len != sizeof credentials)
        return;
    if (credentials.uid == (uid_t)-1 || credentials.gid == (gid_t)-1)
        return;
    identity->has_credentials = true;
    identity->uid = credentials.uid;
    identity->gid = credentials.gid;
    identity->pid = credentials.pid;
}

static void peer_find_groups(int fd, struct identity *identity)
{
    size_t count = PEER_GROUPS_FIRST;
    gid_t *groups = mem_zalloc(count, sizeof *groups);
    socklen_t len = (socklen_t)(count * sizeof *groups);

    /* With too little room the kernel says how much it takes. */
    while (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0) {
        size_t wanted = len / sizeof *groups;
        if (errno != ERANGE || wanted <= count || wanted > PEER_GROUPS_MAX) {
            free(groups);
            return;
        }
        count = wanted;
        groups = mem_resize(groups, count, sizeof *groups);
        len = (socklen_t)(count * sizeof *groups);
    }
    identity->has_groups = true;
    identity->groups = groups;
    identity->group_count = len / sizeof *groups;
}

void peer_identify(int fd, struct identity *identity_out)
{
    *identity_out = (struct identity){.transport = IDENTITY_UNIX};
    peer_find_credentials(fd, identity_out);
    if (identity_out->has_credentials)
        peer_find_groups(fd, identity_out);
}
