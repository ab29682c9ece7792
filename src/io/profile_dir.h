/* The directories of profiles, read into one generation of the policy (design 3.1). */
#ifndef OG_PROFILE_DIR_H
#define OG_PROFILE_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "containment_places.h"
#include "diag.h"
#include "policy.h"
#include "profile_load.h"

#define PROFILE_DIR_MAX_FILES 4096

/* Where profiles are looked for, highest precedence first. */
struct profile_dirs {
    const char *const *paths;
    size_t count;
    bool may_be_missing;                     /* the default ones */
    const struct containment_places *places; /* NULL: there is no containment */
};

extern const struct profile_dirs profile_dirs_default;

/* For the summary in the log. */
struct profile_dir_counts {
    size_t files;    /* that were read, masked ones not counted */
    size_t profiles; /* in the new generation */
    size_t kept;     /* files with an error whose last good version stays in use */
};

/* Reads all files and builds a generation from them, sorted by file name. A file with an error is
 * not in it, unless `former` (NULL at start) holds an earlier version. Messages go to `diags`.
 * NULL, if a directory cannot be read, as then nobody knows which files replace or mask which;
 * the caller keeps what it has. The result has one reference. */
struct policy *profile_dirs_load(const struct profile_dirs *dirs, const struct policy *former,
                                 const struct name_resolver *resolver, struct diag_list *diags,
                                 struct profile_dir_counts *counts_out);

#endif
