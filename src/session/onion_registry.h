/* What outlives a client's connection and yet is its profile's: detached onion services, and the
 * keys for onion services of others that tor was given (design 3.9; control-protocol 6.3).
 *
 * One for a daemon, shared by all its sessions. Profiles are known by their names, so that a reload
 * changes nothing. Only what tor has confirmed is recorded; what is on its way takes a place, so
 * that commands of several sessions cannot pass a limit together. */
#ifndef OG_ONION_REGISTRY_H
#define OG_ONION_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onion_set.h"

#define ONION_REGISTRY_PER_PROFILE 256 /* services, and as many keys */
#define ONION_REGISTRY_MAX 4096        /* of all profiles */

struct onion_owner;

struct onion_entry {
    struct onion_address address;
    struct onion_owner *owner;
    uint64_t sequence; /* when it was recorded */
    bool is_confirmed; /* tor has it; else it is on its way only */
    unsigned on_way;   /* commands that would record it */
    bool is_contested; /* another profile's key came in between: whose is there nobody knows */
};

struct onion_table {
    struct onion_entry *items; /* owned; sorted by address */
    size_t count;
    size_t on_way; /* of services: places taken for addresses that are not known */
};

struct onion_registry {
    struct onion_owner *owners; /* owned list: the profiles that have something here */
    struct onion_table services;
    struct onion_table keys;
    uint64_t sequence;
};

void onion_registry_init(struct onion_registry *registry);
void onion_registry_clear(struct onion_registry *registry);

/* --- detached services --- */

bool onion_registry_has(const struct onion_registry *registry, const char *profile,
                        const struct onion_address *address);

/* How many the profile has, those on their way included. */
size_t onion_registry_count(const struct onion_registry *registry, const char *profile);

/* Whether one more can be recorded. */
bool onion_registry_has_room(const struct onion_registry *registry, const char *profile);

/* Takes a place for a service that tor is asked for; false: there is no room. */
bool onion_registry_reserve(struct onion_registry *registry, const char *profile);

/* Gives that place back: the command has its answer, or was not sent. */
void onion_registry_release(struct onion_registry *registry, const char *profile);

/* Nobody will hear the command's answer, so tor may have done it: the place stays taken until a
 * list of tor's has no service that we do not know. */
void onion_registry_lose(struct onion_registry *registry, const char *profile);

/* The profile has detached that service; whoever had the address before has it no longer. */
void onion_registry_add(struct onion_registry *registry, const char *profile,
                        const struct onion_address *address);

/* The service is gone, or is no detached one any more. */
void onion_registry_remove(struct onion_registry *registry, const struct onion_address *address);

/* What tor is asked for now: onion_registry_keep leaves alone what is recorded later. */
uint64_t onion_registry_mark(const struct onion_registry *registry);

/* Whether some profile has the service. */
bool onion_registry_lists(const struct onion_registry *registry,
                          const struct onion_address *address);

/* Of the services that were recorded up to the mark, drops those that tor did not list. */
void onion_registry_keep(struct onion_registry *registry, uint64_t mark,
                         const struct onion_set *listed);

/* tor listed no service that is not recorded: the places that were lost up to the mark are free. */
void onion_registry_settle(struct onion_registry *registry, uint64_t mark);

/* --- keys --- */

enum onion_key_answer {
    ONION_KEY_GRANTED = 0, /* and a place taken */
    ONION_KEY_TAKEN,       /* another profile has a key for the address, or is adding one */
    ONION_KEY_NO_ROOM,
};

/* Asks to add a key for the address. */
enum onion_key_answer onion_registry_key_begin(struct onion_registry *registry, const char *profile,
                                               const struct onion_address *address);

/* What came of it. */
void onion_registry_key_end(struct onion_registry *registry, const struct onion_address *address,
                            bool is_added);

/* tor took a key for the address that was not asked for here: by a rule of `commands`, or in
 * complain mode. It has replaced that of whoever had one, and is the profile's (NULL: nobody's). */
void onion_registry_key_replace(struct onion_registry *registry, const char *profile,
                                const struct onion_address *address);

bool onion_registry_key_has(const struct onion_registry *registry, const char *profile,
                            const struct onion_address *address);

/* tor has no key for the address any more. */
void onion_registry_key_remove(struct onion_registry *registry,
                               const struct onion_address *address);

#endif
