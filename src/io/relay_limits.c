/* What sessions hold in memory, each and all together, and what the log hears of limits.
 *
 * All together have one limit (design 4.4). Above three quarters of it a session is not read,
 * neither tor nor the client, while there is somebody who can take something off it: its client its
 * replies, tor its commands. Both have their time limits, so it cannot stay so for ever. The last
 * quarter is for sessions that hold no more than their equal share of it; and those whose client
 * has read all get a little at a time. Should the limit be passed all the same, the user that holds
 * most loses the one of his larger sessions whose client has not read for longest. */
#include <event2/event.h>

#include "clock.h"
#include "log.h"
#include "relay_parts.h"

#define RELAY_MEMORY_QUIET_MS 60000

/* --- limits of one session --- */

/* Those that only make us wait are told once, and counted each time that they are reached. */
static const struct {
    enum session_limit limit;
    const char *text;
} relay_waiting_limits[] = {
    {SESSION_LIMIT_REPLY_BUFFER,
     "much of its replies is unread (limits: reply-buffer): tor waits until it reads"},
    {SESSION_LIMIT_COMMAND_BUFFER,
     "many bytes of it wait for tor (limits: command-buffer): more is not read"},
    {SESSION_LIMIT_COMMANDS,
     "many of its commands have no answer yet (limits: commands-in-flight): more is not read"},
};

void relay_note_limits(struct relay *relay)
{
    for (size_t i = 0; i < sizeof relay_waiting_limits / sizeof *relay_waiting_limits; i++) {
        enum session_limit limit = relay_waiting_limits[i].limit;
        unsigned bit = 1u << limit;
        bool is_at = session_is_at_limit(relay->session, limit);
        if (is_at && !(relay->at_limits & bit)) {
            relay->host->counters->at[limit]++;
            if (!(relay->told_limits & bit))
                relay_log_limit(relay, relay_waiting_limits[i].text);
            relay->told_limits |= bit;
        }
        relay->at_limits = is_at ? relay->at_limits | bit : relay->at_limits & ~bit;
    }
}

/* --- all sessions together --- */

/* Whether the relay may hold more. A buffer may double with one read. */
static bool relay_has_room(const struct relay *relay)
{
    const struct relay_host *host = relay->host;
    unsigned sessions = host->quota->sessions > 0 ? host->quota->sessions : 1;
    size_t more = relay->charged > RELAY_TOR_READ ? relay->charged : RELAY_TOR_READ;
    size_t reserve = host->max_held / 4;

    return host->held + more <= host->max_held - reserve ||
           relay->charged + more <= reserve / sessions;
}

size_t relay_tor_read_size(const struct relay *relay)
{
    if (relay_has_room(relay))
        return RELAY_TOR_READ;
    return session_client_output(relay->session).len == 0 ? RELAY_TOR_READ_LITTLE : 0;
}

bool relay_may_read_client(const struct relay *relay)
{
    return !session_has_pending(relay->session) || relay_has_room(relay);
}

void relay_charge_memory(struct relay *relay, size_t held)
{
    struct relay_host *host = relay->host;

    host->held += held - relay->charged;
    relay->user->held += held - relay->charged;
    relay->charged = held;
    if (host->held > host->max_held && !event_pending(&host->relief, EV_TIMEOUT, NULL))
        event_active(&host->relief, EV_TIMEOUT, 0);
}

/* Whether it is one of the larger sessions of its user. */
static bool relay_is_large(const struct relay *relay)
{
    return relay->charged >= relay->user->held / relay->user->sessions;
}

/* Whether `a` is to go rather than `b`. */
static bool relay_goes_first(const struct relay *a, const struct relay *b)
{
    bool a_waits = session_client_output(a->session).len > 0;
    bool b_waits = session_client_output(b->session).len > 0;

    if (a->user != b->user)
        return a->user->held > b->user->held;
    if (relay_is_large(a) != relay_is_large(b))
        return relay_is_large(a);
    if (a_waits && b_waits)
        return a->unread_since_us < b->unread_since_us;
    return a_waits != b_waits ? a_waits : a->charged > b->charged;
}

static void relay_log_relief(struct relay_host *host)
{
    uint64_t now_ms = clock_monotonic_ms();

    if (now_ms < host->memory_quiet_until_ms)
        return;
    host->memory_quiet_until_ms = now_ms + RELAY_MEMORY_QUIET_MS;
    log_at(LOG_LEVEL_WARNING,
           "all sessions together hold %zu bytes (limits: all-buffers): the largest are closed",
           host->held);
}

void relay_host_relieve(evutil_socket_t fd, short what, void *context)
{
    struct relay_host *host = context;

    (void)fd;
    (void)what;
    if (host->held <= host->max_held)
        return;
    host->counters->at_all_buffers++;
    relay_log_relief(host);
    while (host->held > host->max_held && host->first) {
        struct relay *worst = host->first;
        for (struct relay *relay = worst->next; relay; relay = relay->next)
            if (relay_goes_first(relay, worst))
                worst = relay;
        host->counters->closed_for_memory++;
        relay_close(worst, "it held most of the memory that there is for all sessions "
                           "(limits: all-buffers)");
    }
}
