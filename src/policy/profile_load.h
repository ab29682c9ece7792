/* Text of a profile file to profiles, all or nothing (design 3.1, 3.2).
 *
 * Pure: who "alice" is, is asked through the resolver. */
#ifndef OG_PROFILE_LOAD_H
#define OG_PROFILE_LOAD_H

#include <stdbool.h>
#include <sys/types.h>

#include "diag.h"
#include "profile.h"
#include "span.h"

/* The system's names. False: no such name. */
struct name_resolver {
    bool (*user)(void *context, const char *name, uid_t *uid_out);
    bool (*group)(void *context, const char *name, gid_t *gid_out);
    void *context;
};

/* Parses the profiles of one file. `path` is the name for messages, its last part without ".yml"
 * the default profile name. Returns NULL if there was an error; messages, warnings too, go to
 * `diags`. An empty file gives a struct with count 0. The result has one reference. */
struct profile_file *profile_load(const char *path, struct span text,
                                  const struct name_resolver *resolver, struct diag_list *diags);

#endif
