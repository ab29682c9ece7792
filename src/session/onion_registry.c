/* Two tables sorted by address, and a list of the profiles that have something in them. An address
 * has one entry in a table: tor knows one service, and keeps one key, for an address.
 *
 * A key's entry exists from the moment tor is asked to take the key, so that a second profile is
 * refused meanwhile; a service's address is known only when tor has answered, so profiles take
 * places without a name. */
#include "onion_registry.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

struct onion_owner {
    struct onion_owner *next;
    char *name;
    size_t services;
    size_t on_way; /* services; of these... */
    size_t lost;   /* ...the answers to so many will not be heard */
    uint64_t lost_sequence;
    size_t keys;
};

void onion_registry_init(struct onion_registry *registry)
{
    *registry = (struct onion_registry){0};
}

void onion_registry_clear(struct onion_registry *registry)
{
    while (registry->owners) {
        struct onion_owner *owner = registry->owners;
        registry->owners = owner->next;
        free(owner->name);
        free(owner);
    }
    free(registry->services.items);
    free(registry->keys.items);
    onion_registry_init(registry);
}

/* --- profiles --- */

static struct onion_owner *find_owner(const struct onion_registry *registry, const char *profile)
{
    for (struct onion_owner *owner = registry->owners; owner; owner = owner->next)
        if (strcmp(owner->name, profile) == 0)
            return owner;
    return NULL;
}

static struct onion_owner *get_owner(struct onion_registry *registry, const char *profile)
{
    struct onion_owner *owner = find_owner(registry, profile);

    if (owner)
        return owner;
    owner = mem_zalloc(1, sizeof *owner);
    owner->name = mem_copy_string(span_from_string(profile));
    owner->next = registry->owners;
    registry->owners = owner;
    return owner;
}

static void drop_owner_if_idle(struct onion_registry *registry, struct onion_owner *owner)
{
    struct onion_owner **link = &registry->owners;

    if (owner->services > 0 || owner->on_way > 0 || owner->keys > 0)
        return;
    while (*link != owner)
        link = &(*link)->next;
    *link = owner->next;
    free(owner->name);
    free(owner);
}

/* --- tables --- */

static size_t find_place(const struct onion_table *table, const struct onion_address *address)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (onion_address_compare(&table->items[middle].address, address) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct onion_entry *find_entry(const struct onion_table *table,
                                      const struct onion_address *address)
{
    size_t place = find_place(table, address);

    if (place < table->count && onion_address_compare(&table->items[place].address, address) == 0)
        return &table->items[place];
    return NULL;
}

static struct onion_entry *insert_entry(struct onion_table *table,
                                        const struct onion_address *address,
                                        struct onion_owner *owner)
{
    size_t place = find_place(table, address);

    table->items = mem_resize(table->items, table->count + 1, sizeof *table->items);
    memmove(table->items + place + 1, table->items + place,
            (table->count - place) * sizeof *table->items);
    table->count++;
    table->items[place] = (struct onion_entry){.address = *address, .owner = owner};
    return &table->items[place];
}

static void delete_entry(struct onion_table *table, struct onion_entry *entry)
{
    size_t place = (size_t)(entry - table->items);

    table->count--;
    memmove(entry, entry + 1, (table->count - place) * sizeof *entry);
}

static bool is_of(const struct onion_entry *entry, const char *profile)
{
    return entry && entry->is_confirmed && strcmp(entry->owner->name, profile) == 0;
}

/* --- detached services --- */

bool onion_registry_has(const struct onion_registry *registry, const char *profile,
                        const struct onion_address *address)
{
    return is_of(find_entry(&registry->services, address), profile);
}

size_t onion_registry_count(const struct onion_registry *registry, const char *profile)
{
    const struct onion_owner *owner = find_owner(registry, profile);

    return owner ? owner->services + owner->on_way : 0;
}

bool onion_registry_has_room(const struct onion_registry *registry, const char *profile)
{
    return onion_registry_count(registry, profile) < ONION_REGISTRY_PER_PROFILE &&
           registry->services.count + registry->services.on_way < ONION_REGISTRY_MAX;
}

bool onion_registry_reserve(struct onion_registry *registry, const char *profile)
{
    if (!onion_registry_has_room(registry, profile))
        return false;
    get_owner(registry, profile)->on_way++;
    registry->services.on_way++;
    return true;
}

void onion_registry_release(struct onion_registry *registry, const char *profile)
{
    struct onion_owner *owner = find_owner(registry, profile);

    if (!owner || owner->on_way == owner->lost)
        return;
    owner->on_way--;
    registry->services.on_way--;
    drop_owner_if_idle(registry, owner);
}

void onion_registry_lose(struct onion_registry *registry, const char *profile)
{
    struct onion_owner *owner = find_owner(registry, profile);

    if (!owner || owner->on_way == owner->lost)
        return;
    owner->lost++;
    owner->lost_sequence = ++registry->sequence;
}

void onion_registry_settle(struct onion_registry *registry, uint64_t mark)
{
    struct onion_owner *owner = registry->owners;

    while (owner) {
        struct onion_owner *next = owner->next;
        if (owner->lost_sequence <= mark) {
            registry->services.on_way -= owner->lost;
            owner->on_way -= owner->lost;
            owner->lost = 0;
            drop_owner_if_idle(registry, owner);
        }
        owner = next;
    }
}

void onion_registry_add(struct onion_registry *registry, const char *profile,
                        const struct onion_address *address)
{
    onion_registry_remove(registry, address);
    if (!onion_registry_has_room(registry, profile))
        return;
    struct onion_owner *owner = get_owner(registry, profile);
    struct onion_entry *entry = insert_entry(&registry->services, address, owner);
    entry->is_confirmed = true;
    entry->sequence = ++registry->sequence;
    owner->services++;
}

void onion_registry_remove(struct onion_registry *registry, const struct onion_address *address)
{
    struct onion_entry *entry = find_entry(&registry->services, address);

    if (!entry)
        return;
    struct onion_owner *owner = entry->owner;
    delete_entry(&registry->services, entry);
    owner->services--;
    drop_owner_if_idle(registry, owner);
}

uint64_t onion_registry_mark(const struct onion_registry *registry)
{
    return registry->sequence;
}

bool onion_registry_lists(const struct onion_registry *registry,
                          const struct onion_address *address)
{
    return find_entry(&registry->services, address) != NULL;
}

void onion_registry_keep(struct onion_registry *registry, uint64_t mark,
                         const struct onion_set *listed)
{
    struct onion_table *table = &registry->services;
    size_t kept = 0;

    for (size_t i = 0; i < table->count; i++) {
        struct onion_entry *entry = &table->items[i];
        if (entry->sequence > mark || onion_set_has(listed, &entry->address)) {
            table->items[kept++] = *entry;
            continue;
        }
        entry->owner->services--;
        drop_owner_if_idle(registry, entry->owner);
    }
    table->count = kept;
}

/* --- keys --- */

static bool has_room_for_key(const struct onion_registry *registry, const char *profile)
{
    const struct onion_owner *owner = find_owner(registry, profile);

    return (!owner || owner->keys < ONION_REGISTRY_PER_PROFILE) &&
           registry->keys.count < ONION_REGISTRY_MAX;
}

enum onion_key_answer onion_registry_key_begin(struct onion_registry *registry, const char *profile,
                                               const struct onion_address *address)
{
    struct onion_entry *entry = find_entry(&registry->keys, address);

    if (entry && strcmp(entry->owner->name, profile) != 0)
        return ONION_KEY_TAKEN;
    if (!entry && !has_room_for_key(registry, profile))
        return ONION_KEY_NO_ROOM;
    if (!entry) {
        struct onion_owner *owner = get_owner(registry, profile);
        entry = insert_entry(&registry->keys, address, owner);
        owner->keys++;
    }
    entry->on_way++;
    return ONION_KEY_GRANTED;
}

static void delete_key_if_idle(struct onion_registry *registry, struct onion_entry *entry)
{
    struct onion_owner *owner = entry->owner;

    if (entry->is_confirmed || entry->on_way > 0)
        return;
    delete_entry(&registry->keys, entry);
    owner->keys--;
    drop_owner_if_idle(registry, owner);
}

void onion_registry_key_end(struct onion_registry *registry, const struct onion_address *address,
                            bool is_added)
{
    struct onion_entry *entry = find_entry(&registry->keys, address);

    if (!entry || entry->on_way == 0)
        return;
    entry->on_way--;
    entry->is_confirmed = entry->is_confirmed || (is_added && !entry->is_contested);
    entry->is_contested = entry->is_contested && entry->on_way > 0;
    delete_key_if_idle(registry, entry);
}

void onion_registry_key_replace(struct onion_registry *registry, const char *profile,
                                const struct onion_address *address)
{
    struct onion_entry *entry = find_entry(&registry->keys, address);

    if (entry) {
        entry->is_contested = entry->on_way > 0;
        entry->is_confirmed = false;
        delete_key_if_idle(registry, entry);
    }
    if (profile && onion_registry_key_begin(registry, profile, address) == ONION_KEY_GRANTED)
        onion_registry_key_end(registry, address, true);
}

bool onion_registry_key_has(const struct onion_registry *registry, const char *profile,
                            const struct onion_address *address)
{
    return is_of(find_entry(&registry->keys, address), profile);
}

void onion_registry_key_remove(struct onion_registry *registry, const struct onion_address *address)
{
    struct onion_entry *entry = find_entry(&registry->keys, address);

    if (!entry)
        return;
    entry->is_confirmed = false;
    delete_key_if_idle(registry, entry);
}
