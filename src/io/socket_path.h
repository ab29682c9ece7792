/* Places for sockets: which directories are safe, what may be replaced, what is ours to remove. */
#ifndef OG_SOCKET_PATH_H
#define OG_SOCKET_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "buf.h"

/* Whether nobody but root and us can change what `path` names: a plain absolute path of a length
 * that fits, in a directory owned by root or us and writable by its owner only, below directories
 * that nobody else can rename. False: why is appended to `reason`. */
bool socket_path_check(const char *path, struct buf *reason);

/* Makes sure that the directory exists (mode 0755, one level) and is safe in that sense. */
bool socket_path_make_directory(const char *directory, struct buf *reason);

/* Makes the place free: removes a socket that nobody listens on, refuses anything else. */
bool socket_path_clear(const char *path, struct buf *reason);

/* Which file a bound socket is. */
struct socket_path_id {
    dev_t device;
    ino_t inode;
};

bool socket_path_identify(const char *path, struct socket_path_id *id_out);

/* Whether that file is still the one there. */
bool socket_path_is_ours(const char *path, const struct socket_path_id *id);

#endif
