/* What a reload changed: two generations, compared profile by profile. */
#ifndef OG_POLICY_CHANGES_H
#define OG_POLICY_CHANGES_H

#include "policy.h"

enum policy_change {
    POLICY_ADDED,
    POLICY_REMOVED,
    POLICY_ALTERED, /* the same name, another content */
};

/* "added", "removed", "altered"; static. */
const char *policy_change_text(enum policy_change change);

/* Calls `visit` for each name that differs, in the order of names. Profiles of one name count as
 * one. `former` may be NULL: all are new. */
void policy_changes(const struct policy *former, const struct policy *policy,
                    void (*visit)(void *context, enum policy_change change, const char *name),
                    void *context);

#endif
