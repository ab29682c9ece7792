/* A relay moves bytes and keeps time; what the bytes mean is the session's business.
 *
 * Every callback does one small thing (one read, one timer) and then calls relay_update, which
 * brings everything else into line with what the session wants. So there is one order of things
 * whatever happened, no client gets more than one read per turn of the loop, and a buffer exists
 * only while there is something in it. A relay is closed in one place; it is freed when the loop
 * turns, so nobody up the stack holds a dead one. */
#include "relay.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "cookie_files.h"
#include "gate.h"
#include "mem.h"
#include "relay_parts.h"

/* --- the end of a relay --- */

static void relay_host_reap(evutil_socket_t fd, short what, void *context)
{
    struct relay_host *host = context;

    (void)fd;
    (void)what;
    while (host->parked) {
        struct relay *relay = host->parked;
        host->parked = relay->next;
        session_free(relay->session);
        relay_log_clear(relay);
        identity_clear(&relay->identity);
        free(relay->ends);
        buf_wipe(&relay->held);
        free(relay);
    }
    gate_open(host->gate);
}

static void relay_unlink(struct relay *relay)
{
    if (relay->previous)
        relay->previous->next = relay->next;
    else
        relay->host->first = relay->next;
    if (relay->next)
        relay->next->previous = relay->previous;
}

void relay_close(struct relay *relay, const char *reason)
{
    struct relay_host *host = relay->host;

    if (relay->is_closed)
        return;
    relay->is_closed = true;
    session_end(relay->session, reason); /* the log hears of what waits */
    relay_log_end(relay, reason);
    relay_tor_close(relay);
    event_del(&relay->client_readable);
    event_del(&relay->client_writable);
    event_del(&relay->client_stalled);
    event_del(&relay->client_again);
    event_del(&relay->scarcity_over);
    close(relay->client_fd);
    writer_clear(&relay->writer);
    relay_leave_queue(relay);
    relay_charge_memory(relay, 0);
    quota_give_back(host->quota, relay->user);
    relay_unlink(relay);
    relay->next = host->parked;
    host->parked = relay;
    event_active(&host->reaper, EV_TIMEOUT, 0);
}

/* --- the client's side --- */

static void relay_lose_client(struct relay *relay)
{
    relay->client_gone = true;
    buf_wipe(&relay->held);
    session_client_gone(relay->session);
}

/* Gives input to the session; what it does not take is held, and nothing is read meanwhile. */
static void relay_take_input(struct relay *relay, struct span bytes)
{
    uint64_t began = relay_begin_turn(relay);
    size_t taken = session_client_input(relay->session, bytes);

    relay_charge(relay, began, RELAY_TURN_US);
    buf_append(&relay->held, span_from(bytes, taken));
}

static void relay_read_client(struct relay *relay)
{
    const char *refusal;
    ssize_t len = writer_read(&relay->writer, relay->client_fd, relay->host->input,
                              RELAY_CLIENT_READ, &refusal);

    if (len > 0)
        relay_log_start(relay);
    relay_count(relay, TALLY_BYTES_FROM_CLIENT, len > 0 ? (size_t)len : 0);
    if (refusal) {
        session_end(relay->session, refusal);
    } else if (len > 0) {
        relay_take_input(relay, span_make(relay->host->input, (size_t)len));
        mem_wipe(relay->host->input, (size_t)len);
    } else if (len == 0) {
        relay->client_eof = true;
    } else if (errno != EAGAIN && errno != EINTR && !relay_note_scarcity(relay, errno)) {
        relay_lose_client(relay);
    }
}

static void relay_on_client_readable(evutil_socket_t fd, short what, void *context)
{
    struct relay *relay = context;

    (void)fd;
    (void)what;
    if (!relay->is_closed && relay_may_read_client(relay) && relay_take_turn(relay))
        relay_read_client(relay);
    relay_update(relay);
}

static void relay_on_client_writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    relay_update(context);
}

static void relay_on_client_stalled(evutil_socket_t fd, short what, void *context)
{
    struct relay *relay = context;

    (void)fd;
    (void)what;
    relay->host->counters->write_timeouts++;
    relay_close(relay, "client took too little of the data that waits for it (limits: "
                       "write-timeout)");
}

static void relay_offer_held(struct relay *relay)
{
    uint64_t began = relay_begin_turn(relay);
    size_t taken = session_client_input(relay->session, buf_span(&relay->held));

    relay_charge(relay, began, RELAY_TURN_US);
    buf_consume_wiped(&relay->held, taken);
}

static void relay_on_client_again(evutil_socket_t fd, short what, void *context)
{
    struct relay *relay = context;

    (void)fd;
    (void)what;
    if (!relay->is_closed && relay_may_read_client(relay) && relay_take_turn(relay)) {
        if (relay->held.len > 0)
            relay_offer_held(relay);
        else if (!relay->client_eof)
            relay_read_client(relay);
    }
    relay_update(relay);
}

static void relay_deliver_eof(struct relay *relay)
{
    if (!relay->client_eof || relay->eof_delivered || relay->held.len > 0)
        return;
    relay->eof_delivered = true;
    session_client_eof(relay->session);
}

/* All that waited when the clock was started has to go within the time: a client that takes a byte
 * now and then would leave tor unread for as long as it likes. */
static void relay_note_sent(struct relay *relay, size_t len)
{
    relay->due -= len < relay->due ? len : relay->due;
    if (relay->due == 0)
        event_del(&relay->client_stalled); /* relay_arm_client starts it anew */
}

void relay_count(struct relay *relay, enum tally_kind kind, size_t amount)
{
    relay->tally.count[kind] += amount;
    relay->host->counters->tally.count[kind] += amount;
}

static bool relay_flush_client(struct relay *relay)
{
    struct span output = session_client_output(relay->session);

    if (relay->client_gone || relay->is_scarce || output.len == 0)
        return false;
    ssize_t len = send(relay->client_fd, output.data, output.len, MSG_NOSIGNAL);
    if (len > 0) {
        relay_note_sent(relay, (size_t)len);
        relay_count(relay, TALLY_BYTES_TO_CLIENT, (size_t)len);
        session_client_sent(relay->session, (size_t)len);
    } else if (len < 0 && errno != EAGAIN && errno != EINTR && !relay_note_scarcity(relay, errno)) {
        relay_lose_client(relay);
    }
    return len > 0;
}

static bool relay_has_client_output(const struct relay *relay)
{
    return !relay->client_gone && session_client_output(relay->session).len > 0;
}

/* In the next turn of the loop at the earliest: others are served in between. */
static void relay_set_again(struct relay *relay, bool wanted, uint64_t rest)
{
    struct timeval delay = clock_interval_us(rest);

    if (!wanted)
        event_del(&relay->client_again);
    else if (!event_pending(&relay->client_again, EV_TIMEOUT, NULL))
        event_add(&relay->client_again, &delay);
}

static void relay_arm_client(struct relay *relay)
{
    bool is_over = session_end_reason(relay->session) != NULL;
    bool writes = relay_has_client_output(relay);
    bool wants = !relay->client_gone && !is_over && session_reads_client(relay->session) &&
                 relay_may_read_client(relay);
    bool holds = relay->held.len > 0;

    if (!wants)
        relay_leave_queue(relay);
    bool waits = holds || relay->is_queued;
    relay_set_event(relay, &relay->client_readable, wants && !relay->client_eof && !waits);
    relay_set_again(relay, wants && waits, waits ? relay_rest(relay) : 0);
    relay_set_event(relay, &relay->client_writable, writes);
    if (!writes) {
        event_del(&relay->client_stalled);
    } else if (!event_pending(&relay->client_stalled, EV_TIMEOUT, NULL)) {
        relay->due = session_client_output(relay->session).len;
        relay->unread_since_us = clock_monotonic_us();
        event_add(&relay->client_stalled, &relay->host->write_timeout);
    }
}

/* --- after every step --- */

void relay_update(struct relay *relay)
{
    bool moved = !relay->is_closed;

    if (!relay->is_closed)
        relay_deliver_eof(relay);
    /* It ends: each round writes more of the little that one turn brought. */
    while (moved) {
        relay_tor_settle(relay);
        moved = relay_flush_client(relay);
        moved = relay_tor_flush(relay) || moved;
    }
    if (relay->is_closed)
        return;
    const char *end_reason = session_end_reason(relay->session);
    if (end_reason) {
        bool tor_is_done = relay_tor_finish(relay);
        if (tor_is_done && !relay_has_client_output(relay)) {
            relay_close(relay, end_reason);
            return;
        }
    }
    relay_note_limits(relay);
    relay_charge_memory(relay, session_held(relay->session) + relay->held.cap);
    relay_arm_client(relay);
    relay_tor_arm(relay);
}

/* --- life --- */

/* What templates put in place of the ends of the connection. */
static struct template_variables relay_variables(const struct relay *relay)
{
    const struct tcp_ends_text *ends = relay->ends;

    if (!ends)
        return relay->host->variables;
    return (struct template_variables){
        .client_address = span_from_string(ends->far_address),
        .client_port = span_from_string(ends->far_port),
        .server_address = span_from_string(ends->near_address),
        .server_port = span_from_string(ends->near_port),
    };
}

static struct session *relay_make_session(struct relay *relay, const struct relay_setup *setup)
{
    struct relay_host *host = relay->host;
    struct stream_source source;
    bool has_source = identity_stream_source(&relay->identity, &source);
    struct session_setup session = {
        .policy = setup->policy,
        .view = setup->view,
        .variables = relay_variables(relay),
        .facts = host->facts,
        .registry = host->registry,
        .cookie = cookie_files_find(host->cookies, setup->view),
        .secrets = host->secrets,
        .observer = &relay->observer,
        .limits = &host->limits,
        .stream_source = has_source ? &source : NULL,
    };

    return session_new(&session);
}

/* Takes over who the client is, and begins to watch who writes. */
static void relay_take_peer(struct relay *relay, const struct relay_setup *setup)
{
    struct identity_needs needs = identity_needs_of_view(setup->policy, setup->view);

    relay->identity = setup->peer->identity;
    writer_init(&relay->writer, relay->host->peers, setup->fd, &relay->identity, &needs,
                setup->peer->pidfd);
    setup->peer->identity = (struct identity){0};
    setup->peer->pidfd = -1;
    if (setup->ends) {
        relay->ends = mem_zalloc(1, sizeof *relay->ends);
        *relay->ends = *setup->ends;
    }
}

void relay_start(struct relay_host *host, const struct relay_setup *setup)
{
    struct relay *relay = mem_zalloc(1, sizeof *relay);

    relay->host = host;
    relay->number = ++host->last_number;
    relay->began_ms = clock_monotonic_ms();
    host->counters->sessions++;
    relay->client_fd = setup->fd;
    relay->user = setup->user;
    relay->next = host->first;
    if (relay->next)
        relay->next->previous = relay;
    host->first = relay;
    buf_init(&relay->held, RELAY_CLIENT_READ);
    relay_take_peer(relay, setup);
    relay_log_init(relay, setup);
    relay->session = relay_make_session(relay, setup);
    event_assign(&relay->client_readable, host->base, setup->fd, EV_READ | EV_PERSIST,
                 relay_on_client_readable, relay);
    event_assign(&relay->client_writable, host->base, setup->fd, EV_WRITE | EV_PERSIST,
                 relay_on_client_writable, relay);
    event_assign(&relay->client_stalled, host->base, -1, 0, relay_on_client_stalled, relay);
    event_assign(&relay->client_again, host->base, -1, 0, relay_on_client_again, relay);
    relay_scarce_init(relay);
    relay_tor_init(relay);
    relay_update(relay);
}

void relay_host_start(struct relay_host *host)
{
    event_assign(&host->reaper, host->base, -1, 0, relay_host_reap, host);
    event_assign(&host->report, host->base, -1, 0, relay_log_report, host);
    event_assign(&host->relief, host->base, -1, 0, relay_host_relieve, host);
}

size_t relay_host_end(struct relay_host *host,
                      bool (*is_over)(const struct session *session, void *context), void *context,
                      const char *reason)
{
    struct relay *next;
    size_t count = 0;

    for (struct relay *relay = host->first; relay; relay = next) {
        next = relay->next;
        if (!is_over(relay->session, context))
            continue;
        session_end(relay->session, reason);
        relay_update(relay);
        count++;
    }
    return count;
}

void relay_host_stop(struct relay_host *host, const char *reason)
{
    while (host->first) {
        struct relay *relay = host->first;
        session_end(relay->session, reason);
        relay_update(relay);
        relay_close(relay, reason);
    }
    event_del(&host->reaper);
    event_del(&host->report);
    event_del(&host->relief);
    relay_log_report(-1, 0, host);
    relay_host_reap(-1, 0, host);
}
