/* The cookie files of profiles with `auth: {cookie: true}` (design 3.2). */
#ifndef OG_COOKIE_FILES_H
#define OG_COOKIE_FILES_H

#include <stddef.h>

#include "diag.h"
#include "policy.h"
#include "session.h"
#include "socket_path.h"

struct cookie_file {
    struct cookie_file *next;
    char *profile; /* name */
    char *path;
    uid_t user; /* (uid_t)-1: as we are; of the group the same */
    gid_t group;
    mode_t mode;
    struct socket_path_id id; /* the file that we made */
    struct session_cookie cookie;
};

struct cookie_files {
    const char *runtime_dir;
    struct cookie_file *first;
};

/* There are none yet. */
void cookie_files_init(struct cookie_files *files, const char *runtime_dir);

/* Removes all, and forgets what was in them. */
void cookie_files_clear(struct cookie_files *files);

/* Makes what exists into what the policy asks for. A file that is in its place keeps its cookie.
 * One that cannot be made is an error in `diags`, and its profile's clients are offered none. */
void cookie_files_update(struct cookie_files *files, const struct policy *policy,
                         struct diag_list *diags);

/* The cookie of the first of these profiles that has one, or NULL. */
const struct session_cookie *cookie_files_find(const struct cookie_files *files,
                                               const struct policy_view *view);

#endif
