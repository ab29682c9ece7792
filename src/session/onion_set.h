/* Onion addresses, compared without regard to case, and sets of them. */
#ifndef OG_ONION_SET_H
#define OG_ONION_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

/* More than the 56 characters of today's: of other kinds none is longer. */
#define ONION_ADDRESS_MAX 63

/* In lower case; empty: none. */
struct onion_address {
    char text[ONION_ADDRESS_MAX + 1];
};

/* Takes letters and digits, without ".onion". False, and no address: anything else. */
bool onion_address_read(struct span text, struct onion_address *address_out);

int onion_address_compare(const struct onion_address *a, const struct onion_address *b);

struct onion_set {
    struct onion_address *items; /* owned; sorted */
    size_t count;
    size_t max;
};

void onion_set_init(struct onion_set *set, size_t max);
void onion_set_clear(struct onion_set *set);

bool onion_set_has(const struct onion_set *set, const struct onion_address *address);

/* Whether it is in the set now: false if that is full. */
bool onion_set_add(struct onion_set *set, const struct onion_address *address);

/* Whether it was in the set. */
bool onion_set_remove(struct onion_set *set, const struct onion_address *address);

#endif
