/* The tor side of a relay.
 *
 *   ABSENT -> (PAUSING | BUSY | CONNECTING ->) LOGIN -> READY -> ABSENT ...
 *   any -> DRAINING -> ABSENT when the session is over
 *
 * A pause applies only to attempts that no command waits for (design 4.3). A connection whose write
 * side failed is still read: tor's last answers may be in it. */
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"
#include "relay_parts.h"
#include "tcp_clients.h"

#define TOR_LOGIN_LIMIT_MS 20000 /* or the time for a reply, if that is shorter */
#define TOR_DRAIN_LIMIT_MS 5000
#define TOR_PAUSE_FIRST_MS 250
#define TOR_PAUSE_MAX_MS 15000
#define TOR_BUSY_MS 50

static void relay_tor_set_timer(struct relay *relay, unsigned ms)
{
    struct timeval delay = clock_interval_ms(ms);

    event_add(&relay->tor_timer, &delay);
}

static bool relay_tor_is_connected(const struct relay *relay)
{
    return relay->tor == RELAY_TOR_LOGIN || relay->tor == RELAY_TOR_READY ||
           relay->tor == RELAY_TOR_DRAINING;
}

void relay_tor_close(struct relay *relay)
{
    event_del(&relay->tor_timer);
    event_del(&relay->tor_silent);
    if (relay->tor_fd >= 0) {
        event_del(&relay->tor_readable);
        event_del(&relay->tor_writable);
        close(relay->tor_fd);
    }
    relay->tor_fd = -1;
    relay->tor_broken = false;
    relay->tor = RELAY_TOR_ABSENT;
}

/* The connection is gone, or was never made: `reason` is for the client, too. */
static void relay_tor_lose(struct relay *relay, const char *reason, int error)
{
    unsigned next = relay->pause_ms ? relay->pause_ms * 2 : TOR_PAUSE_FIRST_MS;

    /* Attempts that commands asked for come on top: a client that asks often shall not have to wait
     * longer for its events. */
    if (!relay->is_asked_for)
        relay->pause_ms = next < TOR_PAUSE_MAX_MS ? next : TOR_PAUSE_MAX_MS;
    if (upstream_is_shortage(error))
        reason = "onion-grater has no descriptor or no memory left";
    /* Of a refused login the log has heard already. */
    if (!session_drops_tor(relay->session))
        upstream_note_unreachable(relay->host->upstream, reason, error);
    relay_tor_close(relay);
    session_tor_lost(relay->session, reason);
}

/* --- reading --- */

static void relay_tor_quick_ack(struct relay *relay)
{
    int one = 1;

    /* tor writes a reply in several segments; a delayed acknowledgement would hold the last one. */
    if (relay->host->upstream->address.storage.ss_family != AF_UNIX)
        setsockopt(relay->tor_fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

static void relay_tor_read(struct relay *relay)
{
    ssize_t len = read(relay->tor_fd, relay->host->input, relay_tor_read_size(relay));

    if (len > 0) {
        relay_tor_quick_ack(relay);
        relay_count(relay, TALLY_BYTES_FROM_TOR, (size_t)len);
        event_del(&relay->tor_silent); /* relay_tor_arm starts it anew */
        uint64_t began = relay_begin_turn(relay);
        session_tor_input(relay->session, span_make(relay->host->input, (size_t)len));
        if (session_holds_secret(relay->session))
            mem_wipe(relay->host->input, (size_t)len);
        relay_charge(relay, began, RELAY_TOR_TURN_US);
    } else if (len == 0) {
        relay_tor_lose(relay, "tor closed the connection", 0);
    } else if (errno != EAGAIN && errno != EINTR && !relay_note_scarcity(relay, errno)) {
        relay_tor_lose(relay, strerror(errno), errno);
    }
}

static void relay_on_tor_readable(evutil_socket_t fd, short what, void *context)
{
    struct relay *relay = context;

    (void)fd;
    (void)what;
    if (!relay->is_closed && relay_tor_is_connected(relay) && relay_tor_read_size(relay) > 0)
        relay_tor_read(relay);
    relay_update(relay);
}

/* --- connecting --- */

/* Only now it may come out that the client is tor, by a connection to an onion service. */
static void relay_tor_begin_login(struct relay *relay)
{
    struct peer_system *peers = relay->host->peers;

    relay->tor = RELAY_TOR_LOGIN;
    peer_note_tor(peers, relay->tor_fd);
    if (peer_tor_is_process(&peers->tor, &relay->identity))
        session_end(relay->session, "the client is tor itself");
    else
        session_tor_connected(relay->session);
}

static void relay_on_tor_writable(evutil_socket_t fd, short what, void *context)
{
    struct relay *relay = context;

    (void)what;
    if (!relay->is_closed && relay->tor == RELAY_TOR_CONNECTING) {
        int error = upstream_connect_error(fd);
        if (error)
            relay_tor_lose(relay, strerror(error), error);
        else
            relay_tor_begin_login(relay);
    }
    relay_update(relay);
}

static unsigned relay_tor_login_limit(const struct relay *relay)
{
    time_t reply = relay->host->reply_timeout.tv_sec;

    return reply < TOR_LOGIN_LIMIT_MS / 1000 ? (unsigned)reply * 1000 : TOR_LOGIN_LIMIT_MS;
}

static void relay_tor_take_fd(struct relay *relay, int fd)
{
    struct event_base *base = relay->host->base;

    relay->tor_fd = fd;
    relay->tor_broken = false;
    event_assign(&relay->tor_readable, base, fd, EV_READ | EV_PERSIST, relay_on_tor_readable,
                 relay);
    event_assign(&relay->tor_writable, base, fd, EV_WRITE | EV_PERSIST, relay_on_tor_writable,
                 relay);
    relay_tor_set_timer(relay, relay_tor_login_limit(relay));
}

static void relay_tor_connect(struct relay *relay)
{
    int fd;
    enum upstream_progress progress = upstream_connect(relay->host->upstream, &fd);
    int error = errno;

    event_del(&relay->tor_timer);
    if (progress == UPSTREAM_BUSY &&
        relay->busy_count++ < relay_tor_login_limit(relay) / TOR_BUSY_MS) {
        relay->tor = RELAY_TOR_BUSY;
        relay_tor_set_timer(relay, TOR_BUSY_MS);
        return;
    }
    relay->busy_count = 0;
    if (progress == UPSTREAM_BUSY || progress == UPSTREAM_FAILED) {
        relay_tor_lose(relay, strerror(error), error);
        return;
    }
    relay_tor_take_fd(relay, fd);
    if (progress == UPSTREAM_CONNECTED)
        relay_tor_begin_login(relay);
    else
        relay->tor = RELAY_TOR_CONNECTING;
}

static void relay_tor_seek(struct relay *relay)
{
    if (!session_wants_tor(relay->session)) {
        event_del(&relay->tor_timer);
        relay->tor = RELAY_TOR_ABSENT;
    } else if (session_wants_tor_now(relay->session)) {
        relay->is_asked_for = true;
        relay_tor_connect(relay);
    } else if (relay->tor == RELAY_TOR_ABSENT) {
        relay->tor = RELAY_TOR_PAUSING;
        relay_tor_set_timer(relay, relay->pause_ms ? relay->pause_ms : TOR_PAUSE_FIRST_MS);
    }
}

void relay_tor_settle(struct relay *relay)
{
    if (session_end_reason(relay->session))
        return;
    if (relay_tor_is_connected(relay) && session_drops_tor(relay->session))
        relay_tor_lose(relay, "the login failed", 0);
    if (relay->tor == RELAY_TOR_LOGIN && session_is_logged_in(relay->session)) {
        event_del(&relay->tor_timer);
        relay->tor = RELAY_TOR_READY;
        relay->pause_ms = 0;
        upstream_note_reachable(relay->host->upstream);
        tcp_clients_note_tor(relay->host->tcp_clients, relay->tor_fd);
    }
    if (relay->tor == RELAY_TOR_ABSENT || relay->tor == RELAY_TOR_PAUSING)
        relay_tor_seek(relay);
}

/* --- writing, timers, the end --- */

bool relay_tor_flush(struct relay *relay)
{
    struct span output = session_tor_output(relay->session);

    if (!relay_tor_is_connected(relay) || relay->tor_broken || relay->is_scarce || output.len == 0)
        return false;
    ssize_t len = send(relay->tor_fd, output.data, output.len, MSG_NOSIGNAL);
    if (len > 0) {
        relay_count(relay, TALLY_BYTES_TO_TOR, (size_t)len);
        session_tor_sent(relay->session, (size_t)len);
    } else if (len < 0 && errno != EAGAIN && errno != EINTR && !relay_note_scarcity(relay, errno)) {
        relay->tor_broken = true;
    }
    return len > 0;
}

static bool relay_tor_has_output(const struct relay *relay)
{
    return relay_tor_is_connected(relay) && !relay->tor_broken &&
           session_tor_output(relay->session).len > 0;
}

void relay_tor_arm(struct relay *relay)
{
    bool reads = relay_tor_is_connected(relay) && session_reads_tor(relay->session) &&
                 relay_tor_read_size(relay) > 0;
    bool waits = reads && relay->tor == RELAY_TOR_READY && session_awaits_tor(relay->session);

    if (relay->tor_fd >= 0) {
        relay_set_event(relay, &relay->tor_readable, reads);
        relay_set_event(relay, &relay->tor_writable,
                        relay->tor == RELAY_TOR_CONNECTING || relay_tor_has_output(relay));
    }
    if (!waits)
        event_del(&relay->tor_silent);
    else if (!event_pending(&relay->tor_silent, EV_TIMEOUT, NULL))
        event_add(&relay->tor_silent, &relay->host->reply_timeout);
}

bool relay_tor_finish(struct relay *relay)
{
    if (!relay_tor_has_output(relay)) {
        relay_tor_close(relay);
        return true;
    }
    if (relay->tor != RELAY_TOR_DRAINING) {
        relay->tor = RELAY_TOR_DRAINING;
        relay_tor_set_timer(relay, TOR_DRAIN_LIMIT_MS);
    }
    return false;
}

static void relay_on_tor_timer(evutil_socket_t fd, short what, void *context)
{
    struct relay *relay = context;

    (void)fd;
    (void)what;
    switch (relay->tor) {
    case RELAY_TOR_PAUSING:
    case RELAY_TOR_BUSY:
        relay->tor = RELAY_TOR_ABSENT;
        relay->is_asked_for = session_wants_tor_now(relay->session);
        if (session_wants_tor(relay->session))
            relay_tor_connect(relay);
        break;
    case RELAY_TOR_CONNECTING:
    case RELAY_TOR_LOGIN:
        relay_tor_lose(relay, strerror(ETIMEDOUT), ETIMEDOUT);
        break;
    case RELAY_TOR_DRAINING:
        relay_tor_close(relay);
        break;
    case RELAY_TOR_ABSENT:
    case RELAY_TOR_READY:
        break;
    }
    relay_update(relay);
}

static void relay_on_tor_silent(evutil_socket_t fd, short what, void *context)
{
    struct relay *relay = context;

    (void)fd;
    (void)what;
    relay->host->counters->reply_timeouts++;
    session_tor_silent(relay->session);
    relay_update(relay);
}

void relay_tor_init(struct relay *relay)
{
    relay->tor_fd = -1;
    event_assign(&relay->tor_timer, relay->host->base, -1, 0, relay_on_tor_timer, relay);
    event_assign(&relay->tor_silent, relay->host->base, -1, 0, relay_on_tor_silent, relay);
}
