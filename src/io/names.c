/* struct name_resolver over getpwnam_r(3) and getgrnam_r(3).
 *
 * Asked at start and reload only: the look-up may read files or ask a directory service, which
 * must never happen while clients are served by number. */
#include "names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "mem.h"

#define NAMES_BUFFER_FIRST 1024
#define NAMES_BUFFER_MAX (1024 * 1024) /* a group of many thousand members */

static bool names_find_user(void *context, const char *name, uid_t *uid_out)
{
    struct passwd entry, *found = NULL;
    char *buffer = NULL;
    int error = ERANGE;

    (void)context;
    for (size_t size = NAMES_BUFFER_FIRST; error == ERANGE && size <= NAMES_BUFFER_MAX; size *= 2) {
        buffer = mem_resize(buffer, size, 1);
        error = getpwnam_r(name, &entry, buffer, size, &found);
    }
    if (error == 0 && found)
        *uid_out = entry.pw_uid;
    free(buffer);
    return error == 0 && found;
}

static bool names_find_group(void *context, const char *name, gid_t *gid_out)
{
    struct group entry, *found = NULL;
    char *buffer = NULL;
    int error = ERANGE;

    (void)context;
    for (size_t size = NAMES_BUFFER_FIRST; error == ERANGE && size <= NAMES_BUFFER_MAX; size *= 2) {
        buffer = mem_resize(buffer, size, 1);
        error = getgrnam_r(name, &entry, buffer, size, &found);
    }
    if (error == 0 && found)
        *gid_out = entry.gr_gid;
    free(buffer);
    return error == 0 && found;
}

const struct name_resolver names_of_system = {
    .user = names_find_user,
    .group = names_find_group,
};
