/* The way of a client from its listener to its relay.
 *
 * First the kernel says whose it is, so that each user and each other machine has a limit of its
 * own; only then anything is looked up. A client over TCP may have to wait for that (tcp_clients),
 * and gets its profiles from the policy that is in use when the answer is there. */
#include "clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "gate.h"
#include "log.h"
#include "mem.h"

#define CLIENTS_NAME_MAX 64

static const char clients_unfit[] =
    "the socket that was passed in can be opened by users whom the profile keeps out";

/* --- no room --- */

static char *clients_full_text(const struct clients *clients, const char *name,
                               const struct quota_user *user, enum quota_result result)
{
    if (result == QUOTA_FULL)
        return mem_printf("a client of %s was turned away: %u sessions are open, which is the "
                          "limit (limits: sessions)",
                          name, clients->host->quota->sessions);
    return mem_printf("a client of %s was turned away: it has %u sessions, which is the limit "
                      "(limits: %s)",
                      name, user->sessions,
                      user->kind == QUOTA_ADDRESS ? "sessions-per-address" : "sessions-per-uid");
}

static void clients_say_full(const struct clients *clients, const struct quota_user *user,
                             enum quota_result result)
{
    char name[CLIENTS_NAME_MAX];

    quota_user_describe(user, name, sizeof name);
    char *text = clients_full_text(clients, name, user, result);
    log_entry(LOG_LEVEL_WARNING, JOURNAL_ID_TURNED_AWAY, NULL, 0, text);
    free(text);
}

static void clients_turn_away(struct clients *clients, int fd, struct quota_user *user,
                              enum quota_result result)
{
    if (result == QUOTA_FULL)
        clients->host->counters->at_sessions++;
    else if (user->kind == QUOTA_ADDRESS)
        clients->host->counters->at_address++;
    else
        clients->host->counters->at_user++;
    gate_turn_away(fd, result == QUOTA_FULL ? "551 Too many connections\r\n"
                                            : "551 Too many connections of this client\r\n");
    if (log_limit_pass(&user->log, clock_monotonic_ms()))
        clients_say_full(clients, user, result);
    else
        relay_host_note_left_out(clients->host);
}

/* True: a session was taken. Otherwise the descriptor is closed. */
static bool clients_take_session(struct clients *clients, const struct identity *identity, int fd,
                                 struct quota_user **user_out)
{
    enum quota_result result =
        quota_take(clients->host->quota, identity, clock_monotonic_ms(), user_out);

    if (result != QUOTA_GRANTED)
        clients_turn_away(clients, fd, *user_out, result);
    return result == QUOTA_GRANTED;
}

/* --- Unix sockets --- */

/* Finds the client's profiles and begins the session. */
static void clients_serve(struct clients *clients, const struct listener *listener, int fd,
                          struct peer *peer, struct quota_user *user)
{
    struct policy *policy = *clients->policy;
    const char *profile = listener->spec.profile;
    struct identity_needs needs = identity_needs_of_client(policy, &peer->identity, profile);
    struct policy_view view = {0};

    peer_investigate(clients->host->peers, fd, &needs, peer);
    if (!listener->is_unfit)
        policy_match(policy, &peer->identity, profile, &view);
    struct relay_setup setup = {
        .fd = fd,
        .peer = peer,
        .user = user,
        .socket_path = listener->spec.path,
        .policy = policy,
        .view = &view,
    };
    if (listener->is_unfit)
        setup.no_match = clients_unfit;
    else if (view.count == 0)
        setup.no_match = policy_no_match_reason(policy, &peer->identity, profile);
    relay_start(clients->host, &setup);
    policy_view_clear(&view);
}

static void clients_accept_unix(struct clients *clients, const struct listener *listener, int fd)
{
    struct quota_user *user;
    struct peer peer;

    peer_identify(fd, &peer);
    if (clients_take_session(clients, &peer.identity, fd, &user))
        clients_serve(clients, listener, fd, &peer, user);
    peer_clear(&peer);
}

/* --- TCP --- */

static void clients_accept_tcp(struct clients *clients, const struct listener *listener, int fd)
{
    struct tcp_client *client = tcp_clients_add(&clients->tcp, listener, fd);

    if (!client)
        return;
    if (clients_take_session(clients, &client->peer.peer.identity, fd, &client->user)) {
        tcp_clients_look(&clients->tcp, *clients->policy, client);
    } else {
        client->fd = -1;
        tcp_clients_drop(client);
    }
}

/* A listener that was passed in for one profile serves no other. */
static void view_keep(struct policy_view *view, const char *profile)
{
    size_t kept = 0;

    for (size_t i = 0; i < view->count; i++)
        if (!profile || strcmp(view->profiles[i]->name, profile) == 0)
            view->profiles[kept++] = view->profiles[i];
    view->count = kept;
}

static const char *tcp_no_match(const struct policy *policy, const struct tcp_client *client)
{
    const char *reason = policy_no_match_reason(policy, &client->peer.peer.identity, NULL);

    return reason ? reason : "the listener is for another profile";
}

/* Addresses are for those who asked for every detail. */
static void log_ends(const struct clients *clients, const struct tcp_client *client)
{
    char far[TCP_END_TEXT_MAX], near[TCP_END_TEXT_MAX];

    if (!log_is_enabled(LOG_LEVEL_DEBUG))
        return;
    tcp_end_format(&client->peer.far, far);
    tcp_end_format(&client->peer.near, near);
    log_at(LOG_LEVEL_DEBUG, "session %llu: from %s to %s", clients->host->last_number + 1, far,
           near);
}

static void clients_serve_tcp(void *context, struct tcp_client *client)
{
    struct clients *clients = context;
    struct policy *policy = *clients->policy;
    struct tcp_ends_text ends;
    struct policy_view view;

    policy_match(policy, &client->peer.peer.identity, NULL, &view);
    view_keep(&view, client->listener_profile);
    if (view.count == 0 && client->peer.peer.identity.transport == IDENTITY_TCP_REMOTE)
        view.complain = NULL;
    tcp_ends_describe(&client->peer.far, &client->peer.near, &ends);
    struct relay_setup setup = {
        .fd = client->fd,
        .peer = &client->peer.peer,
        .user = client->user,
        .socket_path = client->listener_name,
        .ends = &ends,
        .policy = policy,
        .view = &view,
        .no_match = view.count == 0 ? tcp_no_match(policy, client) : NULL,
    };
    log_ends(clients, client);
    relay_start(clients->host, &setup);
    policy_view_clear(&view);
}

/* --- both --- */

bool clients_accept(void *context, struct listener *listener, int fd)
{
    struct clients *clients = context;
    struct gate *gate = clients->host->gate;

    if (fd < 0)
        return gate_exhausted(gate, listener, errno);
    if (gate_is_closed(gate, fd))
        return true;
    if (listener->is_tcp)
        clients_accept_tcp(clients, listener, fd);
    else
        clients_accept_unix(clients, listener, fd);
    return true;
}

void clients_init(struct clients *clients, struct event_base *base, struct policy *const *policy,
                  struct peer_system *peers, struct upstream *upstream, struct relay_host *host)
{
    clients->policy = policy;
    clients->host = host;
    tcp_clients_init(&clients->tcp, base, peers, upstream, clients_serve_tcp, clients);
}

void clients_clear(struct clients *clients)
{
    tcp_clients_clear(&clients->tcp, clients->host->quota);
}
