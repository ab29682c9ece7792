/* A sorted array: sets are small, and looked up far more often than changed. tor compares some
 * addresses in any case and some exactly (control-protocol 6.3), so one address has one spelling
 * here. */
#include "onion_set.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"

bool onion_address_read(struct span text, struct onion_address *address_out)
{
    *address_out = (struct onion_address){0};
    if (text.len == 0 || text.len > ONION_ADDRESS_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c)) {
            *address_out = (struct onion_address){0};
            return false;
        }
        address_out->text[i] = ascii_to_lower(c);
    }
    return true;
}

int onion_address_compare(const struct onion_address *a, const struct onion_address *b)
{
    return strcmp(a->text, b->text);
}

void onion_set_init(struct onion_set *set, size_t max)
{
    *set = (struct onion_set){.max = max};
}

void onion_set_clear(struct onion_set *set)
{
    free(set->items);
    onion_set_init(set, set->max);
}

/* Where the address stands, or belongs. */
static size_t find_place(const struct onion_set *set, const struct onion_address *address)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (onion_address_compare(&set->items[middle], address) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct onion_set *set, size_t place, const struct onion_address *address)
{
    return place < set->count && onion_address_compare(&set->items[place], address) == 0;
}

bool onion_set_has(const struct onion_set *set, const struct onion_address *address)
{
    return is_at(set, find_place(set, address), address);
}

bool onion_set_add(struct onion_set *set, const struct onion_address *address)
{
    size_t place = find_place(set, address);

    if (is_at(set, place, address))
        return true;
    if (set->count == set->max)
        return false;
    set->items = mem_resize(set->items, set->count + 1, sizeof *set->items);
    memmove(set->items + place + 1, set->items + place, (set->count - place) * sizeof *set->items);
    set->items[place] = *address;
    set->count++;
    return true;
}

bool onion_set_remove(struct onion_set *set, const struct onion_address *address)
{
    size_t place = find_place(set, address);

    if (!is_at(set, place, address))
        return false;
    set->count--;
    memmove(set->items + place, set->items + place + 1, (set->count - place) * sizeof *set->items);
    return true;
}
