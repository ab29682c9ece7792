/* A client over TCP is known when its user is, unless a profile asks more; then /proc is searched
 * while its bytes wait unread in the kernel, and other clients are served.
 *
 * tor is a user, too, and connects to wherever an onion service or a stream leads (control-protocol
 * 6.2). A client of tor's user is tor, unless tor's process can be seen not to hold its connection.
 * Which process is tor's the kernel says where the control port is a Unix socket; where it is TCP,
 * it is who holds the listening socket. */
#include "tcp_clients.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

#define KEEPALIVE_IDLE 120 /* seconds; a machine that was switched off leaves no session behind */
#define KEEPALIVE_INTERVAL 30
#define KEEPALIVE_PROBES 4

/* How a client and tor's user go together. */
enum suspicion {
    SUSPICION_NONE, /* it cannot be tor */
    SUSPICION_USER, /* it is tor's user: the processes have to be compared */
    SUSPICION_SURE, /* and there is nothing to compare */
};

/* --- tor with a control socket --- */

/* The user of tor's process now: it may have begun to listen as root. */
static uid_t user_of_tor(const struct peer_tor *tor)
{
    struct stat status;
    char path[32];

    snprintf(path, sizeof path, "/proc/%jd", (intmax_t)tor->pid);
    return tor->pid > 0 && stat(path, &status) == 0 ? status.st_uid : tor->uid;
}

/* Before the first session has asked tor anything, or after tor's end, nobody knows its pid. False:
 * it cannot be learnt now. */
static bool learn_tor(struct tcp_clients *clients)
{
    const struct peer_tor *tor = &clients->peers->tor;
    int fd;

    if (tor->is_known && process_is_alive(tor->pidfd))
        return true;
    enum upstream_progress progress = upstream_connect(clients->upstream, &fd);
    if (progress == UPSTREAM_CONNECTED)
        peer_note_tor(clients->peers, fd);
    if (fd >= 0)
        close(fd);
    return progress != UPSTREAM_BUSY;
}

static enum suspicion suspect_by_socket(struct tcp_clients *clients, uid_t uid)
{
    const struct peer_tor *tor = &clients->peers->tor;

    if (!learn_tor(clients))
        return SUSPICION_SURE;
    if (!tor->is_known || (tor->pidfd >= 0 && !process_is_alive(tor->pidfd)) ||
        uid != user_of_tor(tor))
        return SUSPICION_NONE;
    return tor->pid > 0 ? SUSPICION_USER : SUSPICION_SURE;
}

/* --- tor with a control port --- */

/* The socket that listens where tor does; false: none on this machine. */
static bool find_tor_listener(struct tcp_clients *clients, struct sock_diag_socket *found)
{
    struct tcp_end tor;

    if (!tcp_end_from(&clients->upstream->address.storage, &tor))
        return false;
    /* Nothing is connected from its own port to itself: the kernel finds the listener. */
    return sock_diag_find(&clients->diag, &tor, &tor, found) == SOCK_DIAG_FOUND &&
           found->state == TCP_LISTEN;
}

static enum suspicion suspect_by_port(struct tcp_clients *clients, struct tcp_client *client)
{
    struct sock_diag_socket listener;

    if (!find_tor_listener(clients, &listener))
        return SUSPICION_NONE;
    if (clients->tor_listener == listener.inode &&
        clients->tor_uid != client->peer.peer.identity.uid)
        return SUSPICION_NONE;
    client->asks_listener = true;
    client->tor_holders.inode = listener.inode;
    return SUSPICION_USER;
}

void tcp_clients_note_tor(struct tcp_clients *clients, int fd)
{
    struct sock_diag_socket listener, accepted;
    struct sockaddr_storage own = {0};
    struct tcp_end tor, near;
    socklen_t len = sizeof own;

    if (clients->upstream->address.storage.ss_family == AF_UNIX ||
        !tcp_end_from(&clients->upstream->address.storage, &tor) ||
        getsockname(fd, (struct sockaddr *)&own, &len) < 0 || !tcp_end_from(&own, &near) ||
        !find_tor_listener(clients, &listener) ||
        sock_diag_find(&clients->diag, &tor, &near, &accepted) != SOCK_DIAG_FOUND ||
        !sock_diag_is_alive(&accepted))
        return;
    clients->tor_listener = listener.inode;
    clients->tor_uid = accepted.uid;
}

/* --- both --- */

static bool is_remote_tor(const struct tcp_clients *clients, const struct tcp_client *client)
{
    struct tcp_end tor;

    return tcp_end_from(&clients->upstream->address.storage, &tor) &&
           tcp_end_same_address(&tor, &client->peer.far);
}

static enum suspicion suspect(struct tcp_clients *clients, struct tcp_client *client)
{
    const struct identity *identity = &client->peer.peer.identity;

    /* A machine that tor runs on cannot be told from tor. */
    if (identity->transport == IDENTITY_TCP_REMOTE)
        return is_remote_tor(clients, client) ? SUSPICION_SURE : SUSPICION_NONE;
    if (!identity->has_credentials)
        return SUSPICION_NONE;
    if (clients->upstream->address.storage.ss_family == AF_UNIX)
        return suspect_by_socket(clients, identity->uid);
    return suspect_by_port(clients, client);
}

static bool share_holder(const struct holders_query *a, const struct holders_query *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (a->found[i].pid == b->found[j].pid)
                return true;
    return false;
}

/* What is not known for certain counts as yes. */
static bool is_held_by_tor(const struct tcp_client *client)
{
    const struct holders_query *tor = &client->tor_holders;

    if (!client->asks_listener)
        return tor->doubt || tor->count > 0;
    if (tor->is_cut || client->holders.is_cut)
        return true;
    /* None of this user's processes listens there: another user's does. */
    if (tor->count == 0)
        return tor->doubt != NULL;
    return share_holder(&client->holders, tor);
}

/* --- the search --- */

static void tcp_client_free(struct tcp_client *client)
{
    peer_clear(&client->peer.peer);
    free(client->listener_name);
    free(client->listener_profile);
    free(client);
}

static void tcp_client_finish(struct tcp_client *client)
{
    struct tcp_clients *clients = client->owner;

    clients->ready(clients->context, client);
    tcp_client_free(client);
}

static void tcp_client_unlink(struct tcp_client *client)
{
    if (client->previous)
        client->previous->next = client->next;
    else
        client->owner->first = client->next;
    if (client->next)
        client->next->previous = client->previous;
}

static void tcp_client_judge(struct tcp_client *client)
{
    struct tcp_clients *clients = client->owner;
    struct identity *identity = &client->peer.peer.identity;

    if (client->is_suspect)
        identity->is_tor = is_held_by_tor(client);
    if (!identity->is_tor && identity_needs_process(&client->needs)) {
        peer_tcp_take_holders(clients->peers, &client->needs, &client->holders, &client->peer);
        identity->is_tor = peer_tor_is_alike(&clients->peers->tor, identity);
    }
    peer_tcp_confirm(&clients->diag, &client->peer);
}

static void tcp_client_answered(struct tcp_client *client)
{
    if (--client->waits > 0)
        return;
    tcp_client_unlink(client);
    tcp_client_judge(client);
    tcp_client_finish(client);
}

static void tcp_client_on_holders(struct holders_query *query)
{
    tcp_client_answered(
        (struct tcp_client *)(void *)((char *)query - offsetof(struct tcp_client, holders)));
}

static void tcp_client_on_tor_holders(struct holders_query *query)
{
    tcp_client_answered(
        (struct tcp_client *)(void *)((char *)query - offsetof(struct tcp_client, tor_holders)));
}

/* By a control socket tor's process is known, and only that one is looked at. */
static void tcp_client_search_tor(struct tcp_client *client)
{
    struct tcp_clients *clients = client->owner;

    client->waits++;
    client->tor_holders.done = tcp_client_on_tor_holders;
    if (client->asks_listener) {
        holders_ask(&clients->holders, client->peer.peer.identity.uid, &client->tor_holders);
        return;
    }
    client->tor_holders.inode = client->peer.socket.inode;
    holders_ask_process(&clients->holders, clients->peers->tor.pid, &client->tor_holders);
}

static void tcp_client_search(struct tcp_client *client)
{
    struct tcp_clients *clients = client->owner;

    client->next = clients->first;
    if (client->next)
        client->next->previous = client;
    clients->first = client;
    client->holders.inode = client->peer.socket.inode;
    client->holders.done = tcp_client_on_holders;
    if (identity_needs_process(&client->needs) || client->asks_listener) {
        client->waits++;
        holders_ask(&clients->holders, client->peer.peer.identity.uid, &client->holders);
    }
    if (client->is_suspect)
        tcp_client_search_tor(client);
}

/* --- the outside --- */

static struct identity_needs find_needs(const struct tcp_clients *clients,
                                        const struct policy *policy, struct tcp_client *client)
{
    struct identity *identity = &client->peer.peer.identity;
    struct identity_needs needs = identity_needs_of_client(policy, identity, NULL);

    identity->label_doubt = !needs.label                    ? "no profile asks for one"
                            : !clients->peers->has_apparmor ? "AppArmor is not enabled"
                                                            : NULL;
    needs.label = clients->peers->has_apparmor &&
                  (needs.label ||
                   (client->is_suspect && peer_tor_wants_label(&clients->peers->tor, identity)));
    needs.unconfined_path = needs.label && needs.unconfined_path;
    return needs;
}

void tcp_clients_look(struct tcp_clients *clients, const struct policy *policy,
                      struct tcp_client *client)
{
    struct identity *identity = &client->peer.peer.identity;
    enum suspicion suspicion = suspect(clients, client);

    identity->is_tor = suspicion == SUSPICION_SURE;
    client->is_suspect = suspicion == SUSPICION_USER;
    if (identity->has_credentials && !identity->is_tor)
        client->needs = find_needs(clients, policy, client);
    if (client->is_suspect || identity_needs_process(&client->needs))
        tcp_client_search(client);
    else
        tcp_client_finish(client);
}

/* Commands are short and waited for. */
static void set_up_socket(int fd)
{
    static const struct {
        int level, option, value;
    } settings[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
    };

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        setsockopt(fd, settings[i].level, settings[i].option, &settings[i].value,
                   sizeof settings[i].value);
}

struct tcp_client *tcp_clients_add(struct tcp_clients *clients, const struct listener *listener,
                                   int fd)
{
    struct tcp_client *client = mem_zalloc(1, sizeof *client);
    const char *profile = listener->spec.profile;

    client->owner = clients;
    client->fd = fd;
    client->listener_name = mem_copy_string(span_from_string(listener->spec.path));
    client->listener_profile = profile ? mem_copy_string(span_from_string(profile)) : NULL;
    if (!peer_tcp_identify(&clients->diag, fd, &client->peer)) {
        tcp_clients_drop(client);
        return NULL;
    }
    set_up_socket(fd);
    return client;
}

void tcp_clients_drop(struct tcp_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    tcp_client_free(client);
}

void tcp_clients_init(struct tcp_clients *clients, struct event_base *base,
                      struct peer_system *peers, struct upstream *upstream,
                      tcp_client_callback *ready, void *context)
{
    *clients = (struct tcp_clients){
        .peers = peers,
        .upstream = upstream,
        .ready = ready,
        .context = context,
    };
    sock_diag_init(&clients->diag);
    holders_init(&clients->holders, base);
}

void tcp_clients_clear(struct tcp_clients *clients, struct quota *quota)
{
    holders_clear(&clients->holders);
    while (clients->first) {
        struct tcp_client *client = clients->first;
        clients->first = client->next;
        quota_give_back(quota, client->user);
        tcp_clients_drop(client);
    }
    sock_diag_clear(&clients->diag);
}
