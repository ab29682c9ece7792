/* The descriptors of onion services that a client asked tor for with HSFETCH, and which events are
 * therefore its own (design 3.9, `events: own`).
 *
 * Every application's visits make the same events. So each HSFETCH is good for the events that it
 * causes itself, and for no more: another application's later visit to the address is not shown. */
#ifndef OG_ONION_FETCHES_H
#define OG_ONION_FETCHES_H

#include <stdbool.h>
#include <stddef.h>

#include "onion_set.h"

#define ONION_FETCHES_MAX 64 /* addresses; of more, the oldest are forgotten */

/* tor asks so many directories, one after the other, until one has the descriptor. */
#define ONION_FETCH_TRIES 6

struct onion_fetch {
    struct onion_address address;
    /* How many more may be shown: */
    unsigned tries;    /* REQUESTED */
    unsigned failures; /* FAILED */
    unsigned answers;  /* RECEIVED, or a FAILED that ends it; without one, none of the above */
    unsigned blanks;   /* HS_DESC_CONTENT without a descriptor, which comes after a FAILED */
    unsigned contents; /* HS_DESC_CONTENT with one; without one, no blank */
    bool has_received; /* one that counts in `answers`: no directory is asked instead of another */
    bool has_content;  /* the same of `contents` */
};

struct onion_fetches {
    struct onion_fetch *items; /* owned; the oldest first */
    size_t count;
};

void onion_fetches_clear(struct onion_fetches *fetches);

/* An HSFETCH that names so many directories (0: tor chooses) has succeeded. `shows_events`: the
 * client gets HS_DESC; `shows_content`: HS_DESC_CONTENT. */
void onion_fetches_add(struct onion_fetches *fetches, const struct onion_address *address,
                       unsigned servers, bool shows_events, bool shows_content);

/* The client gets them no longer: what it did not see is not made up for later. */
void onion_fetches_forget(struct onion_fetches *fetches, bool shows_events, bool shows_content);

/* Whether the HS_DESC event may be shown; it is counted then. `rest`: its fields behind the
 * address. */
bool onion_fetches_take_event(struct onion_fetches *fetches, struct span action,
                              const struct onion_address *address, struct span rest);

/* Whether an HS_DESC_CONTENT may be shown; onion_fetches_end_content counts it. */
bool onion_fetches_shows_content(const struct onion_fetches *fetches,
                                 const struct onion_address *address);
void onion_fetches_end_content(struct onion_fetches *fetches, const struct onion_address *address,
                               bool is_blank);

#endif
