/* A small file that is there whole, with its rights, or as it was before. */
#ifndef OG_WRITE_FILE_H
#define OG_WRITE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "span.h"

struct write_file_rights {
    mode_t mode;
    uid_t user;  /* (uid_t)-1: as we are */
    gid_t group; /* (gid_t)-1: as we are */
};

/* Writes beside `path`, under its name with ".new" behind it, and puts it in its place. False:
 * errno says why. */
bool write_file(const char *path, struct span content, const struct write_file_rights *rights);

#endif
