/* Where the kernel has no memory for what a session wants of it.
 *
 * That passes, and the session has done nothing: it touches its connections no more for a moment,
 * and then goes on where it was. Its time limits run on, so it cannot stay so for ever. */
#include <errno.h>
#include <event2/event.h>

#include "clock.h"
#include "relay_parts.h"

#define RELAY_SCARCE_MS 100

static void relay_on_scarcity_over(evutil_socket_t fd, short what, void *context)
{
    struct relay *relay = context;

    (void)fd;
    (void)what;
    relay->is_scarce = false;
    relay_update(relay);
}

void relay_scarce_init(struct relay *relay)
{
    event_assign(&relay->scarcity_over, relay->host->base, -1, 0, relay_on_scarcity_over, relay);
}

bool relay_note_scarcity(struct relay *relay, int error)
{
    struct timeval delay = clock_interval_ms(RELAY_SCARCE_MS);

    if (!upstream_is_shortage(error))
        return false;
    relay->is_scarce = true;
    event_add(&relay->scarcity_over, &delay);
    upstream_note_shortage(relay->host->upstream,
                           "the machine has no memory for what sessions send; they wait");
    return true;
}

void relay_set_event(struct relay *relay, struct event *event, bool wanted)
{
    bool is_set = event_pending(event, EV_READ | EV_WRITE, NULL);

    if (relay->is_scarce)
        wanted = false;
    if (wanted && !is_set && event_add(event, NULL) < 0)
        relay_note_scarcity(relay, ENOMEM);
    else if (!wanted && is_set)
        event_del(event);
}
