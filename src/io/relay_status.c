/* Sessions as an admin sees them: status lists them, close ends one. */
#include "clock.h"
#include "relay_parts.h"

static const char *const tor_words[] = {
    [RELAY_TOR_ABSENT] = "absent",     [RELAY_TOR_PAUSING] = "pausing",
    [RELAY_TOR_BUSY] = "busy",         [RELAY_TOR_CONNECTING] = "connecting",
    [RELAY_TOR_LOGIN] = "login",       [RELAY_TOR_READY] = "ready",
    [RELAY_TOR_DRAINING] = "draining",
};

static struct relay_status status_of(const struct relay *relay)
{
    return (struct relay_status){
        .number = relay->number,
        .identity = &relay->identity,
        .address = relay->ends ? relay->ends->far_address : NULL,
        .socket = relay->socket,
        .view = session_view(relay->session),
        .no_match = relay->no_match,
        .tor = tor_words[relay->tor],
        .age_ms = clock_monotonic_ms() - relay->began_ms,
        .tally = &relay->tally,
        .buffered = relay->charged,
        .waiting = session_pending_count(relay->session),
    };
}

/* New ones stand at the front of the list. */
void relay_host_each(const struct relay_host *host,
                     void (*visit)(void *context, const struct relay_status *status), void *context)
{
    const struct relay *relay = host->first;

    while (relay && relay->next)
        relay = relay->next;
    for (; relay; relay = relay->previous) {
        struct relay_status status = status_of(relay);
        visit(context, &status);
    }
}

bool relay_host_close(struct relay_host *host, unsigned long long number, const char *reason)
{
    struct relay *relay = host->first;

    while (relay && relay->number != number)
        relay = relay->next;
    if (!relay)
        return false;
    session_end(relay->session, reason);
    relay_update(relay);
    return true;
}
