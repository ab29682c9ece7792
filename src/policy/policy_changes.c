/* Both generations as sorted lists of names, then one walk through the two: as many profiles as
 * there may be are compared in a moment. */
#include "policy_changes.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

struct entry {
    const char *name;
    uint64_t digest; /* of all profiles of that name */
};

struct listing {
    struct entry *entries;
    size_t count;
};

const char *policy_change_text(enum policy_change change)
{
    switch (change) {
    case POLICY_ADDED:
        return "added";
    case POLICY_REMOVED:
        return "removed";
    case POLICY_ALTERED:
        return "altered";
    }
    return "altered";
}

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    return order ? order : (a->digest > b->digest) - (a->digest < b->digest);
}

static void merge_names(struct listing *listing)
{
    size_t kept = 0;

    for (size_t i = 0; i < listing->count; i++) {
        struct entry *last = kept > 0 ? &listing->entries[kept - 1] : NULL;
        if (last && strcmp(last->name, listing->entries[i].name) == 0)
            last->digest = last->digest * 31 + listing->entries[i].digest;
        else
            listing->entries[kept++] = listing->entries[i];
    }
    listing->count = kept;
}

static struct listing list(const struct policy *policy)
{
    struct listing listing = {0};
    size_t count = policy ? policy->index.profile_count : 0;

    if (count == 0)
        return listing;
    listing.entries = mem_zalloc(count, sizeof *listing.entries);
    for (size_t i = 0; i < count; i++) {
        const struct profile *profile = policy->index.profiles[i];
        listing.entries[listing.count++] = (struct entry){profile->name, profile->digest};
    }
    qsort(listing.entries, count, sizeof *listing.entries, compare);
    merge_names(&listing);
    return listing;
}

/* Where the next name stands: below 0 in `a` alone, above 0 in `b` alone, 0 in both. */
static int next_in(const struct listing *a, size_t i, const struct listing *b, size_t j)
{
    if (i == a->count)
        return 1;
    if (j == b->count)
        return -1;
    return strcmp(a->entries[i].name, b->entries[j].name);
}

void policy_changes(const struct policy *former, const struct policy *policy,
                    void (*visit)(void *context, enum policy_change change, const char *name),
                    void *context)
{
    struct listing a = list(former), b = list(policy);
    size_t i = 0, j = 0;

    while (i < a.count || j < b.count) {
        int order = next_in(&a, i, &b, j);
        if (order < 0)
            visit(context, POLICY_REMOVED, a.entries[i].name);
        else if (order > 0)
            visit(context, POLICY_ADDED, b.entries[j].name);
        else if (a.entries[i].digest != b.entries[j].digest)
            visit(context, POLICY_ALTERED, b.entries[j].name);
        i += order <= 0;
        j += order >= 0;
    }
    free(a.entries);
    free(b.entries);
}
