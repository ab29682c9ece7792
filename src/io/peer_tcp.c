/* Peers over TCP: what the kernel knows of them is much less than over a Unix socket.
 *
 * A connection from this machine has a second socket here, whose owner is known to the kernel: that
 * is the user. Which process has it is not; all that hold it, as /proc shows them, have to be alike
 * (weaker: one that has let go of it in time is not seen). A connection that has no second socket
 * here comes from elsewhere, or its second socket is gone: then it is nobody's, for what a program
 * has sent before it vanished must not pass as sent from another machine. */
#include "peer_tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

/* --- whose it is --- */

static bool end_of(int (*ask)(int, struct sockaddr *, socklen_t *), int fd, struct tcp_end *end)
{
    struct sockaddr_storage storage = {0};
    socklen_t len = sizeof storage;

    return ask(fd, (struct sockaddr *)&storage, &len) == 0 && tcp_end_from(&storage, end);
}

static int ask_peer(int fd, struct sockaddr *address, socklen_t *len)
{
    return getpeername(fd, address, len);
}

static int ask_own(int fd, struct sockaddr *address, socklen_t *len)
{
    return getsockname(fd, address, len);
}

static void find_owner(struct sock_diag *diag, struct peer_tcp *peer)
{
    struct identity *identity = &peer->peer.identity;
    struct sock_diag_socket found;

    enum sock_diag_result result = sock_diag_find(diag, &peer->far, &peer->near, &found);
    if (result == SOCK_DIAG_FOUND && sock_diag_is_alive(&found)) {
        identity->transport = IDENTITY_TCP_LOCAL;
        identity->has_credentials = true;
        identity->uid = found.uid;
        peer->socket = found;
        return;
    }
    bool is_here = tcp_end_is_loopback(&peer->far) ||
                   tcp_end_same_address(&peer->far, &peer->near) ||
                   sock_diag_is_own_address(diag, &peer->far);
    identity->transport = is_here ? IDENTITY_TCP_LOCAL : IDENTITY_TCP_REMOTE;
}

bool peer_tcp_identify(struct sock_diag *diag, int fd, struct peer_tcp *peer_out)
{
    struct identity *identity = &peer_out->peer.identity;

    *peer_out = (struct peer_tcp){.peer = {.pidfd = -1, .accepted = process_ticks_now()}};
    if (!end_of(ask_peer, fd, &peer_out->far) || !end_of(ask_own, fd, &peer_out->near))
        return false;
    identity->is_ipv6 = peer_out->far.is_ipv6;
    memcpy(identity->address, peer_out->far.address, sizeof identity->address);
    identity->port = peer_out->far.port;
    find_owner(diag, peer_out);
    return true;
}

/* --- its processes --- */

static bool holds_socket(const struct holder *holder, unsigned long inode)
{
    char path[64], target[64];
    unsigned long found;

    snprintf(path, sizeof path, "/proc/%jd/fd/%d", (intmax_t)holder->pid, holder->fd);
    ssize_t len = readlink(path, target, sizeof target - 1);
    if (len <= 0)
        return false;
    target[len] = '\0';
    return holders_read_link(target, &found) && found == inode;
}

/* NULL, or why the process cannot be told. Its pid may have changed hands since it was found: what
 * counts is that the process that was looked at holds the socket after the look. */
static const char *look_at_holder(struct peer_system *system, const struct identity_needs *needs,
                                  const struct holder *holder, unsigned long inode,
                                  struct identity *identity)
{
    static const char changed[] = "the connection changed hands while it was looked at";
    int pidfd = process_open(holder->pid);

    if (pidfd < 0)
        return changed;
    enum process_look look = peer_look(system, needs, -1, holder->pid, pidfd, UINT64_MAX, identity);
    bool holds = holds_socket(holder, inode) && process_is_alive(pidfd);
    close(pidfd);
    if (look != PROCESS_SEEN)
        return process_look_text(look);
    return holds ? NULL : changed;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_process_facts(const struct identity *a, const struct identity *b)
{
    return a->label_state == b->label_state && same_text(a->label, b->label) &&
           same_text(a->executable, b->executable) && same_text(a->unit, b->unit);
}

static void move_facts(struct identity *from, struct identity *to)
{
    to->label_state = from->label_state;
    to->label_doubt = from->label_doubt;
    to->label_evidence =
        from->label_state == IDENTITY_LABEL_UNKNOWN ? EVIDENCE_NONE : EVIDENCE_HOLDERS;
    to->label = from->label;
    to->executable = from->executable;
    to->unit = from->unit;
    *from = (struct identity){0};
}

void peer_tcp_take_holders(struct peer_system *system, const struct identity_needs *needs,
                           const struct holders_query *holders, struct peer_tcp *peer)
{
    const char *doubt = holders->doubt;
    struct identity first = {0};

    if (!doubt && holders->count == 0)
        doubt = "no process of this user was found to hold the connection";
    for (size_t i = 0; !doubt && i < holders->count; i++) {
        struct identity next = {0};
        doubt = look_at_holder(system, needs, &holders->found[i], peer->socket.inode, &next);
        if (i == 0)
            move_facts(&next, &first);
        else if (!doubt && !same_process_facts(&first, &next))
            doubt = "several different processes hold the connection";
        identity_clear(&next);
    }
    if (doubt)
        peer->peer.identity.label_doubt = doubt;
    else
        move_facts(&first, &peer->peer.identity);
    if (!doubt && holders->count == 1)
        peer->peer.identity.pid = holders->found[0].pid;
    identity_clear(&first);
}

/* --- once more --- */

void peer_tcp_confirm(struct sock_diag *diag, struct peer_tcp *peer)
{
    struct identity *identity = &peer->peer.identity;
    struct sock_diag_socket found;

    enum sock_diag_result result = sock_diag_find(diag, &peer->far, &peer->near, &found);
    if (result == SOCK_DIAG_FOUND && sock_diag_is_alive(&found) && found.uid == peer->socket.uid &&
        found.inode == peer->socket.inode)
        return;
    struct identity nobody = {
        .transport = identity->transport,
        .label_doubt = "the client is gone",
        .is_tor = identity->is_tor,
        .is_ipv6 = identity->is_ipv6,
        .port = identity->port,
    };
    memcpy(nobody.address, identity->address, sizeof nobody.address);
    identity_clear(identity);
    *identity = nobody;
}
