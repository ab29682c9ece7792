/* A multi-map from what a client is to the profiles that ask for it, kept as profiles are added.
 *
 * Keys are hashes and are not told apart any further: a collision gives a candidate too many, and
 * candidates are judged in full. A profile stands under its socket's name, or, if it is for clients
 * of the shared socket, under each label that it lists; if any label will do, under each user, or
 * among those for everybody. Profiles for other machines, whose networks have no order that would
 * help, form one list. */
#include "policy_index.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "mem.h"

#define FIRST_ROOM 16
#define KEY_MASK 7

enum key_kind {
    KEY_SOCKET = 1, /* of its own, by name */
    KEY_LABEL,      /* shared: a label or a path */
    KEY_USER,       /* shared, any label: a user */
    KEY_EVERYBODY,  /* shared, any label, any user */
    KEY_REMOTE,
    KEY_USER_ASKS, /* to asks: shared, by user */
    KEY_ALL_ASKS,  /* to asks: shared, any user */
};

/* --- keys --- */

/* The kind stands in it, so that what is of another kind never collides. */
static uint64_t hash_bytes(enum key_kind kind, const void *data, size_t len)
{
    uint64_t hash = hash_add(HASH_BEGIN, span_make(data, len));

    return (hash & ~(uint64_t)KEY_MASK) | (uint64_t)kind;
}

static uint64_t hash_text(enum key_kind kind, const char *text)
{
    return hash_bytes(kind, text, strlen(text));
}

static uint64_t hash_id(enum key_kind kind, id_t id)
{
    return hash_bytes(kind, &id, sizeof id);
}

static uint64_t hash_kind(enum key_kind kind)
{
    return hash_bytes(kind, "", 0);
}

/* --- the multi-map --- */

static uint32_t *chain_of(const struct policy_index *index, uint64_t key)
{
    return &index->heads[(key >> 32) & (index->entry_room - 1)];
}

static void link_entry(struct policy_index *index, size_t position)
{
    struct policy_index_entry *entry = &index->entries[position];
    uint32_t *head = chain_of(index, entry->key);

    entry->next = *head;
    *head = (uint32_t)position + 1;
}

static void make_room(struct policy_index *index)
{
    if (index->entry_count < index->entry_room)
        return;
    index->entry_room = index->entry_room ? index->entry_room * 2 : FIRST_ROOM;
    index->entries = mem_resize(index->entries, index->entry_room, sizeof *index->entries);
    free(index->heads);
    index->heads = mem_zalloc(index->entry_room, sizeof *index->heads);
    for (size_t i = 0; i < index->entry_count; i++)
        link_entry(index, i);
}

static void add_entry(struct policy_index *index, uint64_t key, size_t value)
{
    make_room(index);
    index->entries[index->entry_count] = (struct policy_index_entry){
        .key = key,
        .value = (uint32_t)value,
    };
    link_entry(index, index->entry_count++);
}

/* The next entry of that key behind `from` (NULL: the first), or NULL. */
static const struct policy_index_entry *next_entry(const struct policy_index *index, uint64_t key,
                                                   const struct policy_index_entry *from)
{
    if (!index->heads)
        return NULL;
    uint32_t next = from ? from->next : *chain_of(index, key);

    while (next && index->entries[next - 1].key != key)
        next = index->entries[next - 1].next;
    return next ? &index->entries[next - 1] : NULL;
}

/* --- what profiles ask --- */

static bool is_asked(const struct qualifier *qualifier)
{
    return qualifier->is_present && !qualifier->is_any;
}

static bool lists_path(const struct qualifier *qualifier)
{
    for (size_t i = 0; i < qualifier->count; i++)
        if (qualifier->names[i][0] == '/')
            return true;
    return false;
}

struct policy_asks policy_asks_of(const struct profile *profile)
{
    bool label = is_asked(&profile->apparmor_profiles);

    return (struct policy_asks){
        .label = label,
        .kernel_label = label && profile->apparmor_evidence == PROFILE_EVIDENCE_KERNEL_ONLY,
        .inherited_label = label && profile->apparmor_evidence == PROFILE_EVIDENCE_INHERIT,
        .unconfined_path = label && lists_path(&profile->apparmor_profiles),
        .executable = is_asked(&profile->executables),
        .unit = is_asked(&profile->units),
        .writer = !profile->writer_any,
    };
}

void policy_asks_add(struct policy_asks *asks, const struct policy_asks *more)
{
    asks->label = asks->label || more->label;
    asks->kernel_label = asks->kernel_label || more->kernel_label;
    asks->inherited_label = asks->inherited_label || more->inherited_label;
    asks->unconfined_path = asks->unconfined_path || more->unconfined_path;
    asks->executable = asks->executable || more->executable;
    asks->unit = asks->unit || more->unit;
    asks->writer = asks->writer || more->writer;
}

static void add_asks(struct policy_index *index, uint64_t key, const struct policy_asks *asks)
{
    const struct policy_index_entry *entry = next_entry(index, key, NULL);

    if (!entry) {
        index->asks = mem_resize(index->asks, index->ask_count + 1, sizeof *index->asks);
        index->asks[index->ask_count] = (struct policy_asks){.label = false};
        add_entry(index, key, index->ask_count++);
        entry = next_entry(index, key, NULL);
    }
    policy_asks_add(&index->asks[entry->value], asks);
}

/* --- adding --- */

static bool is_for_all_users(const struct profile *profile)
{
    return !profile->users.is_present || profile->users.is_any;
}

static void index_shared(struct policy_index *index, const struct profile *profile, size_t position)
{
    const struct qualifier *labels = &profile->apparmor_profiles;
    struct policy_asks asks = policy_asks_of(profile);

    for (size_t i = 0; is_asked(labels) && i < labels->count; i++)
        add_entry(index, hash_text(KEY_LABEL, labels->names[i]), position);
    if (is_for_all_users(profile)) {
        add_asks(index, hash_kind(KEY_ALL_ASKS), &asks);
        if (!is_asked(labels))
            add_entry(index, hash_kind(KEY_EVERYBODY), position);
        return;
    }
    for (size_t i = 0; i < profile->users.count; i++) {
        add_asks(index, hash_id(KEY_USER_ASKS, profile->users.ids[i]), &asks);
        if (!is_asked(labels))
            add_entry(index, hash_id(KEY_USER, profile->users.ids[i]), position);
    }
}

void policy_index_add(struct policy_index *index, const struct profile *profile)
{
    size_t position = index->profile_count;

    if (position == index->profile_room) {
        index->profile_room = index->profile_room ? index->profile_room * 2 : FIRST_ROOM;
        index->profiles = mem_resize(index->profiles, index->profile_room, sizeof *index->profiles);
    }
    index->profiles[index->profile_count++] = profile;
    if (profile->socket.is_wanted)
        add_entry(index, hash_text(KEY_SOCKET, profile->name), position);
    else
        index_shared(index, profile, position);
    if (profile->hosts.is_present)
        add_entry(index, hash_kind(KEY_REMOTE), position);
}

void policy_index_clear(struct policy_index *index)
{
    free(index->profiles);
    free(index->entries);
    free(index->heads);
    free(index->asks);
    *index = (struct policy_index){.profile_count = 0};
}

/* --- looking up --- */

static void take(const struct policy_index *index, uint64_t key,
                 struct policy_candidates *candidates)
{
    for (const struct policy_index_entry *entry = next_entry(index, key, NULL); entry;
         entry = next_entry(index, key, entry)) {
        candidates->positions =
            mem_resize(candidates->positions, candidates->count + 1, sizeof *candidates->positions);
        candidates->positions[candidates->count++] = entry->value;
    }
}

static void take_shared(const struct policy_index *index, const struct identity *identity,
                        struct policy_candidates *candidates)
{
    take(index, hash_kind(KEY_EVERYBODY), candidates);
    if (identity->has_credentials)
        take(index, hash_id(KEY_USER, identity->uid), candidates);
    switch (identity->label_state) {
    case IDENTITY_LABEL_UNKNOWN:
        break;
    case IDENTITY_UNCONFINED:
        take(index, hash_text(KEY_LABEL, "unconfined"), candidates);
        if (identity->executable)
            take(index, hash_text(KEY_LABEL, identity->executable), candidates);
        break;
    case IDENTITY_CONFINED:
        if (identity->label)
            take(index, hash_text(KEY_LABEL, identity->label), candidates);
        break;
    }
}

static int compare_positions(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static void sort_once_each(struct policy_candidates *candidates)
{
    size_t kept = 0;

    if (candidates->count < 2)
        return;
    qsort(candidates->positions, candidates->count, sizeof *candidates->positions,
          compare_positions);
    for (size_t i = 0; i < candidates->count; i++)
        if (i == 0 || candidates->positions[i] != candidates->positions[kept - 1])
            candidates->positions[kept++] = candidates->positions[i];
    candidates->count = kept;
}

void policy_index_find(const struct policy_index *index, const struct identity *identity,
                       const char *socket_profile, struct policy_candidates *candidates_out)
{
    *candidates_out = (struct policy_candidates){.count = 0};
    if (socket_profile)
        take(index, hash_text(KEY_SOCKET, socket_profile), candidates_out);
    else if (identity->transport == IDENTITY_TCP_REMOTE)
        take(index, hash_kind(KEY_REMOTE), candidates_out);
    else
        take_shared(index, identity, candidates_out);
    sort_once_each(candidates_out);
}

void policy_candidates_clear(struct policy_candidates *candidates)
{
    free(candidates->positions);
    *candidates = (struct policy_candidates){.count = 0};
}

static void take_asks(const struct policy_index *index, uint64_t key, struct policy_asks *asks)
{
    const struct policy_index_entry *entry = next_entry(index, key, NULL);

    if (entry)
        policy_asks_add(asks, &index->asks[entry->value]);
}

static bool lists_user(const struct profile *profile, const struct identity *identity)
{
    for (size_t i = 0; identity->has_credentials && i < profile->users.count; i++)
        if (profile->users.ids[i] == identity->uid)
            return true;
    return is_for_all_users(profile);
}

struct policy_asks policy_index_asks(const struct policy_index *index,
                                     const struct identity *identity, const char *socket_profile)
{
    struct policy_asks asks = {.label = false};

    if (!socket_profile) {
        take_asks(index, hash_kind(KEY_ALL_ASKS), &asks);
        if (identity->has_credentials)
            take_asks(index, hash_id(KEY_USER_ASKS, identity->uid), &asks);
        return asks;
    }
    uint64_t key = hash_text(KEY_SOCKET, socket_profile);
    for (const struct policy_index_entry *entry = next_entry(index, key, NULL); entry;
         entry = next_entry(index, key, entry)) {
        struct policy_asks own = policy_asks_of(index->profiles[entry->value]);
        if (lists_user(index->profiles[entry->value], identity))
            policy_asks_add(&asks, &own);
    }
    return asks;
}
