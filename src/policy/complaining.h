/* Complain mode for some profiles only, turned on and off while the daemon runs.
 *
 * The names are the policy's, and a later generation inherits those that it has; a session has what
 * was true when it began. */
#ifndef OG_COMPLAINING_H
#define OG_COMPLAINING_H

#include <stdbool.h>
#include <stddef.h>

struct policy;
struct policy_view;
struct profile;
struct profile_file;

struct complaining {
    struct profile_file *file; /* the built-in profile (complain.h), once it was needed; owned */
    char **names;              /* owned */
    size_t count;
};

void complaining_clear(struct complaining *complaining);

/* Turns it on or off for the profiles of that name. False: there is none, or, which only memory
 * could cause, no built-in profile. */
bool complaining_set(struct policy *policy, const char *name, bool is_on);

bool complaining_has(const struct policy *policy, const char *name);

/* Takes over from the former generation what is still there. */
void complaining_inherit(struct policy *policy, const struct policy *former);

/* The built-in profile if one of the view's profiles is in complain mode, else NULL. */
const struct profile *complaining_find(const struct policy *policy, const struct policy_view *view);

#endif
