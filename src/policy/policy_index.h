/* Which profiles of a generation can concern a client at all: a set that holds all of them and few
 * others, so that a thousand profiles cost a new connection no more than ten. Whether one does
 * serve the client is policy_match's to say. */
#ifndef OG_POLICY_INDEX_H
#define OG_POLICY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity.h"
#include "profile.h"

/* What profiles for one user, or for all users, ask of a client. */
struct policy_asks {
    bool label;
    bool kernel_label;    /* of these one with `apparmor-evidence: kernel-only` */
    bool inherited_label; /* and one that leaves it to the configuration */
    bool unconfined_path;
    bool executable;
    bool unit;
    bool writer;
};

struct policy_index_entry {
    uint64_t key;
    uint32_t value; /* position of a profile, or of its asks */
    uint32_t next;  /* in its chain; counted from 1, 0 is the end */
};

struct policy_index {
    const struct profile **profiles; /* all, in the order in which they are tried */
    size_t profile_count;
    size_t profile_room;
    struct policy_index_entry *entries;
    size_t entry_count;
    size_t entry_room;
    uint32_t *heads; /* chains; as many as there is room for entries */
    struct policy_asks *asks;
    size_t ask_count;
};

void policy_index_clear(struct policy_index *index);

/* Adds the next profile in order; it must outlive the index. */
void policy_index_add(struct policy_index *index, const struct profile *profile);

/* Positions in `profiles`, ascending, each once. */
struct policy_candidates {
    uint32_t *positions; /* owned */
    size_t count;
};

void policy_candidates_clear(struct policy_candidates *candidates);

/* All profiles that may serve the client, and some that do not. `socket_profile` as in
 * policy_match. */
void policy_index_find(const struct policy_index *index, const struct identity *identity,
                       const char *socket_profile, struct policy_candidates *candidates_out);

/* The same before more than the client's user is known: what the profiles that may serve it, by its
 * user and its socket, ask. */
struct policy_asks policy_index_asks(const struct policy_index *index,
                                     const struct identity *identity, const char *socket_profile);

/* What one profile asks. */
struct policy_asks policy_asks_of(const struct profile *profile);

/* Adds what `more` asks. */
void policy_asks_add(struct policy_asks *asks, const struct policy_asks *more);

#endif
