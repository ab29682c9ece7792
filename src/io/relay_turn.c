/* Turns at the loop.
 *
 * One step looks at one read of one client, so everybody is served in between. Whoever's step takes
 * long rests, with all sessions of the same user, for a multiple of that time: what is left belongs
 * to the others, and many sessions buy no more than one. What counts is time of the processor: on a
 * busy machine we are interrupted, and nobody is to pay for that. As asking for it is dear, it is
 * asked for now and then before a turn, and again only if the turn took long by the clock. Sessions
 * that have something to say while their user rests stand in a queue, in which the one that made it
 * rest comes last: so those of one user have their turns one after the other, too. */
#include "clock.h"
#include "relay_parts.h"

uint64_t relay_begin_turn(struct relay *relay)
{
    struct relay_host *host = relay->host;
    uint64_t now = clock_monotonic_us();

    if (now - host->marked_us > RELAY_TURN_EXACT_US) {
        host->marked_us = now;
        host->marked_processor_us = clock_processor_us();
    }
    return now;
}

void relay_charge(struct relay *relay, uint64_t began_us, uint64_t free_us)
{
    uint64_t now = clock_monotonic_us();
    uint64_t took = now - began_us;

    if (took <= free_us)
        return;
    uint64_t processor = clock_processor_us() - relay->host->marked_processor_us;
    if (processor < took)
        took = processor;
    if (took <= free_us)
        return;
    uint64_t rest = took * RELAY_REST_FACTOR;
    relay->user->rest_until_us = now + (rest < RELAY_REST_MAX_US ? rest : RELAY_REST_MAX_US);
}

uint64_t relay_rest(const struct relay *relay)
{
    uint64_t until = relay->user->rest_until_us;
    uint64_t now = until ? clock_monotonic_us() : 0;

    return until > now ? until - now : 0;
}

static void relay_queue_up(struct relay *relay)
{
    struct quota_user *user = relay->user;

    if (relay->is_queued)
        return;
    relay->is_queued = true;
    relay->next_queued = NULL;
    relay->previous_queued = user->last_queued;
    if (user->last_queued)
        user->last_queued->next_queued = relay;
    else
        user->first_queued = relay;
    user->last_queued = relay;
}

void relay_leave_queue(struct relay *relay)
{
    struct quota_user *user = relay->user;

    if (!relay->is_queued)
        return;
    relay->is_queued = false;
    if (relay->previous_queued)
        relay->previous_queued->next_queued = relay->next_queued;
    else
        user->first_queued = relay->next_queued;
    if (relay->next_queued)
        relay->next_queued->previous_queued = relay->previous_queued;
    else
        user->last_queued = relay->previous_queued;
}

bool relay_take_turn(struct relay *relay)
{
    struct relay *first = relay->user->first_queued;

    if (relay_rest(relay) > 0 || (first && first != relay)) {
        relay_queue_up(relay);
        return false;
    }
    relay_leave_queue(relay);
    return true;
}
