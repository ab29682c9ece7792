/* How much happens in a second, from one answer to the next. */
#ifndef OG_RATES_H
#define OG_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"

/* In thousandths a second. */
struct rate {
    unsigned long number; /* of the session */
    bool is_known;        /* there is an earlier answer to compare with */
    uint64_t commands;
    uint64_t refused;
    uint64_t events;
    uint64_t bytes_in;  /* from the client */
    uint64_t bytes_out; /* to it */
};

struct rates {
    struct rate_sample *samples; /* owned; of the last answer, by number */
    struct rate *rates;          /* owned; of the sessions in it, in the same order */
    size_t count;
    uint64_t at_ms;
    unsigned long daemon; /* when the daemon was started: one that is new counts from 0 */
    struct rate total;
};

void rates_init(struct rates *rates);
void rates_clear(struct rates *rates);

/* Takes the next answer to `status`, given at that time of a clock that only runs forwards. */
void rates_take(struct rates *rates, const struct answer *answer, uint64_t now_ms);

/* The rate of that session; NULL: it is not in the last answer. */
const struct rate *rates_find(const struct rates *rates, unsigned long number);

#endif
